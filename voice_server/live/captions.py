"""Captions as they were spoken, exported as WebVTT. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

MOST = 5_000
"""Captions kept: some eight hours of speech."""


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

    def webvtt(self, language: str) -> str:
        """Return the captions in a language; a sentence nobody has in it stays as spoken."""
        return webvtt(self._captions, language)


def webvtt(captions: Iterable[Caption], language: str) -> str:
    """Return a WebVTT file."""
    blocks = ["WEBVTT\n"]
    for at, caption in enumerate(captions, 1):
        texts = dict(caption.texts)
        text = texts.get(language) or next(iter(texts.values()), "")
        safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        end = max(caption.end_s, caption.start_s + 0.5)
        blocks.append(f"{at}\n{_time(caption.start_s)} --> {_time(end)}\n{safe}\n")
    return "\n".join(blocks)


def _time(seconds: float) -> str:
    ms = max(0, round(seconds * 1000))
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
