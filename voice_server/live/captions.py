"""Captions as they were spoken, exported as WebVTT. Pure.

A long sentence is cut into cues of at most two lines, each shown while its words are spoken: a
share of the sentence's time as large as its share of the letters.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

CUE = 84
"""Characters of a cue: two lines of 42, what subtitles for television hold to."""
SHORT = 0.6
"""A cue may end at a comma from so much of its length on."""
SLACK = 10
"""Characters a cue may be longer than its share: words are not cut."""
MOST = 5_000
"""Captions kept: some eight hours of speech."""


RECENT = 20
"""Captions back that a late translation is still put into."""


@dataclass(frozen=True, slots=True)
class Caption:
    """One sentence on air, in seconds from the beginning of the show."""

    start_s: float
    end_s: float
    texts: tuple[tuple[str, str], ...]
    """(language, text)."""


class CaptionLog:
    """Keeps the captions of a show."""

    def __init__(self) -> None:
        """Empty."""
        self._captions: deque[Caption] = deque(maxlen=MOST)

    def add(self, caption: Caption) -> None:
        """Keep one; the oldest go."""
        self._captions.append(caption)

    def translated(self, text: str, language: str, into: str, words: str) -> None:
        """A sentence was translated after it was said: its newest caption has it from now on."""
        for at in range(len(self._captions) - 1, max(-1, len(self._captions) - RECENT - 1), -1):
            caption = self._captions[at]
            texts = dict(caption.texts)
            if texts.get(language) == text and into not in texts:
                self._captions[at] = replace(caption, texts=(*caption.texts, (into, words)))

    def webvtt(self, language: str) -> str:
        """Return the captions in a language; a sentence nobody has in it stays as spoken."""
        return webvtt(self._captions, language)


def webvtt(captions: Iterable[Caption], language: str) -> str:
    """Return a WebVTT file."""
    blocks = ["WEBVTT\n"]
    for caption in captions:
        texts = dict(caption.texts)
        text = texts.get(language) or next(iter(texts.values()), "")
        parts = cues(text)
        letters = sum(map(len, parts)) or 1
        start = caption.start_s
        seconds = max(caption.end_s - start, 0.5)
        for part in parts:
            end = start + seconds * len(part) / letters
            safe = part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            blocks.append(f"{len(blocks)}\n{_time(start)} --> {_time(end)}\n{safe}\n")
            start = end
    return "\n".join(blocks)


def cues(text: str) -> list[str]:
    """Cut a sentence into cues at its words, at a comma where there is one. Nothing is lost.

    The pages cut in the same way (``static/stage/captions.js``).

    >>> cues("Kurz.")
    ['Kurz.']
    """
    words = text.split()
    # Cues of about the same length: no last word stands alone.
    many = math.ceil(len(text) / CUE)
    most = min(CUE, math.ceil(len(text) / many) + SLACK) if many > 1 else CUE
    found: list[str] = []
    cue = ""
    for word in words:
        joined = f"{cue} {word}" if cue else word
        if cue and len(joined) > most:
            found.append(cue)
            joined = word
        cue = joined
        if cue[-1] in ",;:" and len(cue) >= SHORT * most and len(text) > CUE:
            found.append(cue)
            cue = ""
    return [*found, cue] if cue else found


def _time(seconds: float) -> str:
    ms = max(0, round(seconds * 1000))
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
