"""Proofs as callers say them."""

from __future__ import annotations

import pytest

from voice_server.dialogue.flows.ports import Proofs
from voice_server.dialogue.identity.hearing import proof_reader
from voice_server.dialogue.spelling.checks import OrderFormat

READ = proof_reader(OrderFormat("BE-", 5), ("BE", "NL", "LU", "FR", "DE"))


@pytest.mark.parametrize(
    ("language", "text", "asked", "proofs"),
    [
        ("fr", "un zéro quatre huit deux", "number", Proofs("BE-10482")),
        ("fr", "dix mille quatre cent nonante-sept", "number", Proofs("BE-10497")),
        ("fr", "c'est mille", "postcode", Proofs("", "1000")),
        ("fr", "le 10482 et le code postal 1000", "", Proofs("BE-10482", "1000")),
        ("en", "10482 1000", "", Proofs("BE-10482", "1000")),
        ("nl", "tien vier tweeëntachtig, duizend", "number", Proofs("BE-10482", "1000")),
        ("nl", "10476 en de postcode is 1011 AB", "", Proofs("BE-10476", "1011 AB")),
        ("nl", "10476, 1011 AB", "", Proofs("BE-10476", "1011 AB")),
        ("nl", "tien elf a b", "postcode", Proofs("", "1011 AB")),
        ("de", "50667", "postcode", Proofs("", "50667")),
        ("de", "10470 und die Postleitzahl ist 50667", "", Proofs("BE-10470", "50667")),
        ("de", "fünf null sechs sechs sieben", "postcode", Proofs("", "50667")),
        ("fr", "10489 et 59000", "number", Proofs("BE-10489", "59000")),
        ("en", "order BE-10482", "", Proofs("BE-10482")),
        ("en", "four two one oh three seven", "code", Proofs(code="421037")),
        ("en", "four two one", "code", Proofs()),
        ("en", "I do not have it", "number", Proofs()),
        ("fr", "non, le numéro c'est 10482, code postal 1000", "postcode",
         Proofs("BE-10482", "1000")),
    ],
)  # fmt: skip
def test_proofs(language: str, text: str, asked: str, proofs: Proofs) -> None:
    assert READ(text, language, asked) == proofs


def test_where_no_postcode_is_as_long_the_last_number_counts() -> None:
    read = proof_reader(OrderFormat("BE-", 5), ("BE",))
    assert read("10481, no, sorry, 10482", "en", "number") == Proofs("BE-10482")
