"""What of a conversation is written down: its words with personal data masked.

The one way from what was said to what is stored, logged or translated.  Pure but for a cache.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from voice_server.dialogue.guards.redaction import SECRETS, Asked, PiiKind, find_pii, redact
from voice_server.dialogue.spelling.pieces import read_pieces

CACHED = 2048
"""Texts of which the masked form is remembered: a memory is written after every turn, and masking
its sixteen sentences anew would cost some twenty milliseconds."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of the words of a turn besides the words."""

    asked: Asked = ""
    """What the caller had been asked for."""
    values: tuple[str, ...] = ()
    """Personal values that the caller gave, now or before, such as the street of a new address."""


NOTHING_GIVEN = Given()


class Masker:
    """Masks the texts of one shop's conversations."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        """``known``: what is public: the shop's own telephone number, addresses and mail."""
        self._known = tuple(value for value in known if value)
        self._masked = functools.lru_cache(maxsize=CACHED)(self._mask)

    def user(self, text: str, language: str, given: Given = NOTHING_GIVEN) -> str:
        """Return what a caller said, masked."""
        return self._masked(text, language, given)

    def assistant(self, text: str, language: str, given: Given = NOTHING_GIVEN) -> str:
        """Return what we answered, masked: what was asked for was asked of the caller."""
        return self._masked(text, language, Given(values=given.values))

    def secrets(self, text: str, language: str) -> str:
        """Return a text without what nobody at the shop needs either: card numbers and codes."""
        return redact(text, language, self._known, kinds=SECRETS)

    def contacts(self, text: str, language: str) -> tuple[str, ...]:
        """Return the e-mail addresses and telephone numbers in what a caller said, written out."""
        found = find_pii(text, language, self._known)
        return tuple(
            _written(text[pii.start : pii.end], language)
            for pii in found
            if pii.kind in {PiiKind.EMAIL, PiiKind.PHONE}
        )

    def _mask(self, text: str, language: str, given: Given) -> str:
        values = sorted(given.values, key=len, reverse=True)
        return redact(text, language, self._known, asked=given.asked, private=values)


def _written(text: str, language: str) -> str:
    """Return an address or a number as it is written, however it was spelled."""
    if "@" in text or any(char.isdigit() for char in text):
        return text
    return "".join(piece.text for piece in read_pieces(text, language))
