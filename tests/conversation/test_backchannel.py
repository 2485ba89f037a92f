from __future__ import annotations

import pytest

from voice_server.conversation.backchannel import is_backchannel, is_interruption


@pytest.mark.parametrize(
    "text",
    [
        "mhm", "Mm-hmm.", "uh-huh", "oui oui", "Oui, oui.", "ja ja", "Jaja!", "D'accord.", "OK",
        "très bien", "ça va", "genau", "alles klar", "ik snap het", "I see", "got it", "ach so",
        "", "...", "yeah, right", "Ah oui, d'accord", "natürlich",
    ],
)  # fmt: skip
def test_listening_noises_are_backchannels(text: str) -> None:
    assert is_backchannel(text)
    assert not is_interruption(text)


@pytest.mark.parametrize(
    "text",
    ["non", "stop", "wacht even", "nein danke", "and in blue", "het", "I", "ja maar wacht",
     "oui oui oui oui oui", "how much is it", "combien"],
)  # fmt: skip
def test_remarks_are_not(text: str) -> None:
    assert not is_backchannel(text)


@pytest.mark.parametrize("text", ["stop", "Non !", "wacht even", "and in blue", "warte mal"])
def test_clear_words_interrupt(text: str) -> None:
    assert is_interruption(text)


def test_one_unknown_word_may_be_a_cough() -> None:
    assert not is_interruption("hack")
