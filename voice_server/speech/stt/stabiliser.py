"""Partial transcripts that only ever grow: what two in a row agree on is not taken back."""

from __future__ import annotations

import re

_CORE = re.compile(r"[^\W_](?:.*[^\W_])?", re.DOTALL)
_PIECE = re.compile(r"\S+")


class PartialStabiliser:
    """Turns successive transcripts of the same growing utterance into an append-only text.

    Sans-I/O.  Give every partial to :meth:`add` and send on what it returns; give the final
    transcript to :meth:`finish`.  Punctuation after the last agreed word waits for the next word,
    since it is what changes most.
    """

    def __init__(self) -> None:
        self.stable = ""
        """Everything returned so far, joined."""
        self._stable_words: list[str] = []
        self._last: list[str] = []

    def add(self, partial: str) -> str:
        """Return the text that has become sure with this partial (often empty)."""
        words = _cores(partial)
        spoken = [word for word, _ in words]
        agreed = _shared(spoken, self._last)
        self._last = spoken
        return self._grow(partial, words, agreed)

    def finish(self, final: str) -> str:
        """Return what the final transcript adds, its last punctuation included.

        Empty where it contradicts the stable text: the final transcript stands on its own then.
        The stabiliser is as new afterwards.
        """
        words = _cores(final)
        addition = self._grow(final, words, len(words))
        if self.stable and self._stable_words == [word for word, _ in words]:
            end = words[-1][1].stop if words else 0
            addition += final.rstrip()[end:]
        self.stable, self._stable_words, self._last = "", [], []
        return addition

    def _grow(self, text: str, words: list[tuple[str, slice]], agreed: int) -> str:
        known = len(self._stable_words)
        if agreed <= known or [word for word, _ in words[:known]] != self._stable_words:
            return ""
        begin = words[known - 1][1].stop if known else words[0][1].start
        addition = text[begin : words[agreed - 1][1].stop]
        self._stable_words = [word for word, _ in words[:agreed]]
        self.stable += addition
        return addition


def _cores(text: str) -> list[tuple[str, slice]]:
    """Words in lower case without the punctuation around them, and where they stand."""
    found = []
    for piece in _PIECE.finditer(text):
        core = _CORE.search(piece.group())
        if core:
            begin = piece.start() + core.start()
            found.append((core.group().lower(), slice(begin, begin + len(core.group()))))
    return found


def _shared(first: list[str], second: list[str]) -> int:
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count
