"""Words to IPA, with the punctuation left where a neural voice wants to see it."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Protocol

from voice_server.speech.espeak import Espeak

CACHED_TEXTS = 2_048
"""Results kept: about 1 MB, and the opener phrases of every language stay in it."""

_SAME = str.maketrans(
    {
        "«": "“", "»": "”", "„": "“", "‹": "“", "›": "”",
        "，": ",", "、": ",", "。": ".", "！": "!", "？": "?", "；": ";", "：": ":",
        "（": "(", "）": ")", "।": ".", "؟": "?", "،": ",", "؛": ";",
        "¿": " ", "¡": " ", "–": "—", "―": "—", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
        "’": "'", "‘": "'", "\u00ad": "", "\u200b": "",
    }
)  # fmt: skip
"""Marks that mean the same to a voice."""

# A mark between two digits ("4.95", "10:30") belongs to the number; a dash only separates
# when it stands free; three dots are one mark.
_MARKS = re.compile(r"(\.{3}|…|(?<!\d)[.,:;]|[.,:;](?!\d)|[!?()“”\"]|(?<=\s)-(?=\s)|—)")
# Its letters are tied too where a tie was asked for: "(^e^n)".
_LANGUAGE_SWITCH = re.compile(r"\(\W?[a-z](?:[^a-z()]?[a-z0-9-])+\)")
_SPACES = re.compile(r"\s+")
_OPENING = "(“"


class Phonemizer(Protocol):
    """Text to phonemes in one line."""

    async def phonemes(self, text: str, language: str) -> str:
        """Return IPA with stress marks, words by single spaces, punctuation kept in its place.

        Raises EngineError.
        """


def split_at_marks(text: str) -> list[str]:
    """Return words and marks in turn: words at even places (perhaps empty), marks at odd ones.

    >>> split_at_marks("Hello, it costs 4.95!")
    ['Hello', ',', ' it costs 4.95', '!', '']
    """
    pieces = _MARKS.split(text.translate(_SAME))
    for at in range(1, len(pieces), 2):
        pieces[at] = {"...": "…", "-": "—"}.get(pieces[at], pieces[at])
    return pieces


class EspeakPhonemizer:
    """Phonemes from the espeak-ng process, the latest CACHED_TEXTS of them remembered."""

    def __init__(self, espeak: Espeak) -> None:
        """Use ``espeak``, which the caller owns and closes."""
        self._espeak = espeak
        self._known: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    async def phonemes(self, text: str, language: str, *, tie: str = "") -> str:
        """Return IPA of ``text`` with stress marks and these marks kept: ``;:,.!?—…"()“”``.

        ``tie`` (one character, "^" say) is put between the halves of diphthongs and affricates.
        ``language`` is ISO 639-1 or BCP 47.  Raises EngineError.
        """
        key = (text, language, tie)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known
        pieces = split_at_marks(text)
        wanted = [at for at in range(0, len(pieces), 2) if pieces[at].strip()]
        if wanted:
            words = [_SPACES.sub(" ", pieces[at]).strip() for at in wanted]
            spoken = await self._espeak.phonemes(words, language, tie=tie)
            for at, ipa in zip(wanted, spoken, strict=True):
                pieces[at] = _clean(ipa)
        result = _join(pieces)
        self._known[key] = result
        if len(self._known) > CACHED_TEXTS:
            self._known.popitem(last=False)
        return result


def _clean(ipa: str) -> str:
    """Drop what espeak-ng adds for readers: language switches and liaison hyphens."""
    ipa = _LANGUAGE_SWITCH.sub("", ipa).replace("-", "").replace("\u200d", "")
    return _SPACES.sub(" ", ipa).strip()


def _join(pieces: list[str]) -> str:
    """Put words and marks together as print does: no space before a mark, one after."""
    line = ""
    quoted = False
    for at, piece in enumerate(pieces):
        if at % 2 == 0:
            word = piece.strip()
            glued = not line or line[-1] in _OPENING or (line[-1] == '"' and quoted)
            line += word if glued or not word else f" {word}"
        elif piece in _OPENING or (piece == '"' and not quoted):
            line += f" {piece}" if line and line[-1] not in _OPENING else piece
            quoted = quoted or piece == '"'
        else:
            line += piece
            quoted = quoted and piece != '"'
    return line
