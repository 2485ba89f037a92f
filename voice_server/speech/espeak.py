"""The client of the espeak-ng process (see espeak_child.py): phonemes, and robotic speech."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from voice_server.speech.child import DEADLINE_S, ChildVoice, SpeechChild
from voice_server.speech.engine import Audio, EngineUnavailable, Phone

CHILD = (sys.executable, "-I", str(Path(__file__).with_name("espeak_child.py")))
"""The command of the process: run by path and isolated, so that it loads nothing of ours."""

_DEFAULTS = {"en": "en-us", "fr": "fr-fr", "zh": "cmn", "no": "nb", "nn": "nb", "tl": "id"}
"""The voice of a bare language where espeak-ng's own tag differs from ISO 639-1."""


class Espeak:
    """espeak-ng for the whole server, in one process."""

    def __init__(self, command: Sequence[str] = CHILD, *, deadline_s: float = DEADLINE_S) -> None:
        """Prepare; nothing is started yet."""
        self._child = SpeechChild("espeak-ng", command, deadline_s=deadline_s)

    async def version(self) -> str:
        """Return espeak-ng's version. Raises EngineUnavailable."""
        return await self._child.version()

    async def voices(self) -> Mapping[str, ChildVoice]:
        """Return the voices by language tag (lower case). Raises EngineUnavailable."""
        return await self._child.voices()

    async def voice(self, language: str) -> ChildVoice:
        """Return the voice for an ISO 639-1 or BCP 47 ``language``, the nearest one there is.

        Raises EngineUnavailable when espeak-ng does not know the language.
        """
        return choose_voice(await self._child.voices(), language)

    async def phonemes(self, parts: Sequence[str], language: str, *, tie: str = "") -> list[str]:
        """Return the IPA of each part as espeak-ng gives it; ``tie`` joins diphthongs, affricates.

        Raises EngineError.
        """
        voice = await self.voice(language)
        head, _ = await self._child.ask(
            {"do": "phonemes", "parts": list(parts), "voice": voice.name, "tie": tie}
        )
        answered: list[str] = head["parts"]
        return answered

    async def speech(
        self, text: str, language: str, *, words_per_minute: int = 175
    ) -> tuple[Audio, int, tuple[Phone, ...]]:
        """Return (float32 mono [n], its rate in Hz, the phones) of ``text``. Raises EngineError."""
        voice = await self.voice(language)
        head, pcm = await self._child.ask(
            {
                "do": "speech",
                "text": text,
                "voice": voice.name,
                "words_per_minute": words_per_minute,
            }
        )
        audio = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768.0
        phones = tuple(Phone(symbol, start, end) for symbol, start, end in head["phones"])
        return audio, int(head["rate"]), phones

    async def close(self) -> None:
        """Stop the process. Requests still waiting, and later ones, raise EngineUnavailable."""
        await self._child.close()


def choose_voice(voices: Mapping[str, ChildVoice], language: str) -> ChildVoice:
    """Return the nearest of ``voices`` (by lower-case tag) for ISO 639-1 or BCP 47 ``language``.

    Raises EngineUnavailable.
    """
    tag = language.lower().replace("_", "-")
    base = tag.split("-")[0]
    for candidate in (tag, _DEFAULTS.get(base, base), base):
        if candidate in voices:
            return voices[candidate]
    for known, voice in voices.items():
        if known.split("-")[0] == base:
            return voice
    raise EngineUnavailable(f"espeak-ng does not speak {language!r}")
