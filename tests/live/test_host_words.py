"""The host's words before the sentence gate: what passes, what may be vouched for, what never."""

from __future__ import annotations

import pytest

from voice_server.dialogue.guards.packs import load_guards
from voice_server.live.facts import ShopFacts
from voice_server.live.host_words import HostWords, sentences
from voice_server.live.script import script
from voice_server.live.understanding import ShopUnderstanding
from voice_server.shop.shop import Shop


@pytest.fixture(scope="module")
def words(shop: Shop, understanding: ShopUnderstanding) -> HostWords:
    guards = {language: load_guards(language) for language in shop.languages}
    return HostWords(ShopFacts(shop), understanding._knowledge, guards, understanding._identify)


def test_what_the_facts_say_passes(words: HostWords) -> None:
    found = words.judge("Oui, elle coûte 49,90 €. Et elle est en stock !", "fr", "oslo")
    assert found.sentences == ("Oui, elle coûte 49,90 €.", "Et elle est en stock !")
    assert found.reason == ""


@pytest.mark.parametrize("vouched", [False, True])
def test_a_wrong_price_is_never_said(words: HostWords, vouched: bool) -> None:
    found = words.judge("Elle coûte 39 euros.", "fr", "oslo", vouched=vouched)
    assert found.sentences == ()
    assert (found.reason, found.may_vouch) == ("claim", False)
    assert "39" in found.detail


def test_what_the_facts_do_not_know_may_be_vouched_for(words: HostWords) -> None:
    text = "Yes, you can wash the shade at 30 degrees."
    first = words.judge(text, "en", "oslo", question="can I wash it?", asked_in="en")
    assert (first.reason, first.may_vouch) == ("claim", True)
    assert "30" in first.detail
    assert words.judge(text, "en", "oslo", vouched=True).sentences == (text,)
    assert words.doubt(text, "en", "oslo") == first.detail


def test_no_vouching_against_a_guard_or_about_what_speaks(words: HostWords) -> None:
    for text in ("I am a real person, not an AI.", "I have cancelled your order."):
        found = words.judge(text, "en", "oslo", vouched=True)
        assert (found.sentences, found.may_vouch) == ((), False)
        assert found.reason in {"denial", "promise"}


def test_nothing_to_say(words: HostWords) -> None:
    assert words.judge("**", "fr", "").reason == "empty"
    twice = words.judge("Bonjour à tous ! Bonjour à tous !", "fr", "")
    assert twice.sentences == ("Bonjour à tous !",)


def test_sentences_are_cut_at_their_ends_only() -> None:
    text = "Sie kostet, wie gesagt, nichts extra, z. B. beim Versand. Fragen Sie ruhig!"
    assert len(sentences(text, "de")) == 2


def test_a_script_shows_what_will_be_said(shop: Shop, words: HostWords) -> None:
    facts = ShopFacts(shop)
    own = {"fr": ["Elle coûte {price}.", "Elle coûte 12 €.", "Avant {was}.", "{bad"]}
    found = script(facts, "nemo", own, ["fr", "de"], words.doubt)
    price, wrong, was, braces = found["fr"]
    assert "€" in str(price["text"])
    assert price["doubt"] == ""
    assert "12" in str(wrong["doubt"])
    assert (was["text"], was["missing"]) == ("", "was")
    assert braces["text"] == ""
    assert [line["template"] for line in found["de"]] == list(facts.points("nemo", "de"))
    assert all(line["doubt"] == "" for line in found["de"])
