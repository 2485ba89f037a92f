"""What is a yes, a no, or neither, in the four languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.conversation.backchannel import is_backchannel
from voice_server.dialogue.consent import Consent, flow_words, heard_words, read_consent
from voice_server.dialogue.locales import AVAILABLE, UnknownLocale

YES = {
    "fr": ["oui", "Oui, s'il vous plaît.", "oui merci", "je confirme", "C'est exact",
           "oui, allez-y", "oui je confirme", "bien sûr, oui", "oui, c'est correct"],
    "nl": ["ja", "Ja, dat is goed.", "Ja graag.", "ja, dat klopt", "ik bevestig het",
           "doe dat maar", "jazeker"],
    "de": ["ja", "Ja, in Ordnung.", "Ja, bitte.", "das stimmt", "ich bestätige das", "ja genau",
           "Jawohl", "machen Sie das bitte"],
    "en": ["yes", "Yes please.", "yeah sure", "I confirm", "go ahead", "yes, that's right",
           "do it"],
}  # fmt: skip
NO = {
    "fr": [
        "non",
        "Non merci.",
        "surtout pas",
        "n'annulez pas",
        "je ne veux pas",
        "non, pas celle-là",
    ],
    "nl": ["nee", "Nee, dank u.", "liever niet", "dat klopt niet", "neen", "toch niet"],
    "de": ["nein", "Nein danke.", "auf keinen Fall", "bitte nicht", "das stimmt nicht"],
    "en": ["no", "No thanks.", "don't do it", "rather not", "that's wrong", "nope"],
}
UNCLEAR = {
    "fr": ["hm", "mhm", "euh", "ok", "d'accord", "oui oui", "oui mais l'autre", "peut-être", "",
           "oui non", "yes", "ja", "c'est combien ?", "oui je crois que c'était celle de ma mère",
           "et la lampe ?", "attendez oui"],
    "nl": ["hm", "mhm", "dat is goed", "oké", "ja ja", "ja maar de andere", "misschien", "oui",
           "yes", "ja nee", "amai", "goed", "en de lamp?"],
    "de": ["hm", "mhm", "in Ordnung", "okay", "ja ja", "ja aber die andere", "vielleicht", "oui",
           "yes", "ja nein", "ach so", "und die Lampe?", "gut"],
    "en": ["hm", "mhm", "okay", "that's fine", "yes yes", "yes but the other one", "maybe", "oui",
           "ja", "yes no", "right", "I see", "and the lamp?", "great", "sure"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        (language, text, wanted)
        for texts, wanted in ((YES, Consent.YES), (NO, Consent.NO), (UNCLEAR, Consent.UNCLEAR))
        for language, said in texts.items()
        for text in said
    ],
)
def test_what_is_a_yes(language: str, text: str, wanted: Consent) -> None:
    assert read_consent(text, language) is wanted


def test_a_no_is_never_a_yes_elsewhere() -> None:
    for said in (text for texts in NO.values() for text in texts):
        for language in AVAILABLE:
            assert read_consent(said, language) is not Consent.YES, (said, language)


@given(st.text(max_size=40), st.sampled_from(AVAILABLE))
def test_random_text_is_no_yes(text: str, language: str) -> None:
    words = flow_words(language)
    if read_consent(text, language) is Consent.YES:
        said = heard_words(text)
        assert words.yes.intersection(said.split()) or words.yes_phrases.search(said)


def test_backchannels_that_are_no_bare_yes_are_no_consent() -> None:
    for text in ("mhm", "hm", "aha", "ok", "super", "très bien", "ach so", "oui oui", "ja ja"):
        assert is_backchannel(text)
        assert all(read_consent(text, language) is not Consent.YES for language in AVAILABLE)


def test_an_unknown_language_has_no_words() -> None:
    with pytest.raises(UnknownLocale):
        flow_words("xx")
