"""SVOX Pico as a voice: native German where no neural one is at hand, at a hundredth of real time.

A hidden-Markov synthesiser from 2009: plain, but understood.  By round trip through Whisper base
(scripts/dev/round_trip.py, 40 sentences) its German has a quarter of the wrong words of a neural
voice that is borrowed from another language.  It speaks English, French, Spanish and Italian too,
for whoever asks for it by name; there the neural voices go first.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from voice_server.speech.child import ChildVoice, SpeechChild
from voice_server.speech.engine import EngineUnavailable, Quality, SpeechChunk, Voice
from voice_server.speech.phonemes import Phonemizer
from voice_server.speech.tts.timeline import proportional, to_speaking_rate, voiced_span

ENGINE = "pico"

CHILD = (sys.executable, "-I", str(Path(__file__).parents[1] / "pico_child.py"))
"""The command of the process: run by path and isolated, so that it loads nothing of ours."""

_SLOWEST, _FASTEST = 50, 200
"""Percent of Pico's own pace: it takes 20 to 500, but beyond these nobody follows."""

_GENDERS = {"M": "male", "F": "female"}


class PicoTextToSpeech:
    """All Pico voices of the server, in one process."""

    def __init__(
        self, child: SpeechChild, voices: Mapping[str, ChildVoice], phonemizer: Phonemizer
    ) -> None:
        """Use ``child``, which is closed with this engine; make one with :meth:`load`."""
        self._child = child
        self._phonemizer = phonemizer
        self._voices = tuple(
            Voice(
                id=f"pico-{tag}",
                language=voice.name,
                engine=ENGINE,
                quality=Quality.PLAIN,
                gender=_GENDERS.get(voice.gender, "neutral"),
                licence="Apache-2.0 (in a process of its own)",
            )
            for tag, voice in voices.items()
        )

    @classmethod
    async def load(cls, phonemizer: Phonemizer, command: Sequence[str] = CHILD) -> PicoTextToSpeech:
        """Start the process and learn its voices. Raises EngineUnavailable."""
        child = SpeechChild(ENGINE, command)
        return cls(child, await child.voices(), phonemizer)

    @property
    def version(self) -> str:
        """What the phrase cache distinguishes this engine's audio by."""
        return f"{ENGINE}/1"

    def voices(self) -> tuple[Voice, ...]:
        """Return one voice per language."""
        return self._voices

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        """Speak ``text`` in one chunk (a second of speech takes some 4 ms). Raises EngineError.

        Pico tells no times of its phones: they are espeak-ng's, laid out over the voiced part.
        """
        chosen = self._choose(language, voice)
        percent = min(_FASTEST, max(_SLOWEST, round(100 * speed)))
        head, pcm = await self._child.ask(
            {"do": "speech", "text": text, "voice": chosen.language, "percent": percent}
        )
        audio = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768.0
        if not len(audio):
            return
        rate = int(head["rate"])
        phones = proportional(
            await self._phonemizer.phonemes(text, chosen.language), *voiced_span(audio, rate)
        )
        yield SpeechChunk(to_speaking_rate(audio, rate), phones)

    async def close(self) -> None:
        """Stop the process."""
        await self._child.close()

    def _choose(self, language: str, voice: str) -> Voice:
        base = language.replace("_", "-").split("-")[0].lower()
        for known in self._voices:
            if known.id == voice:
                return known
        for known in self._voices:
            if known.language.lower().startswith(f"{base}-"):
                return known
        raise EngineUnavailable(f"Pico does not speak {language!r}")
