"""espeak-ng as a voice: robotic, but in more than a hundred languages, so that none is mute."""

from __future__ import annotations

from collections.abc import AsyncIterator

from voice_server.speech.engine import Quality, SpeechChunk, Voice
from voice_server.speech.espeak import Espeak
from voice_server.speech.tts.timeline import split_phone, to_speaking_rate

ENGINE = "espeak-ng"
_WORDS_PER_MINUTE = 165
"""A little below espeak-ng's own 175: it is harder to understand than a neural voice."""
_SLOWEST, _FASTEST = 80, 450
"""The range espeak-ng documents for its rate."""
_GENDERS = {"M": "male", "F": "female"}


class EspeakTextToSpeech:
    """The last resort among the synthesisers."""

    def __init__(self, espeak: Espeak, voices: tuple[Voice, ...]) -> None:
        """Use ``espeak``, which the caller owns; make one with :meth:`load`."""
        self._espeak = espeak
        self._voices = voices
        self._languages = {voice.id: voice.language for voice in voices}

    @classmethod
    async def load(cls, espeak: Espeak) -> EspeakTextToSpeech:
        """Start the process and learn its voices. Raises EngineUnavailable."""
        voices = tuple(
            Voice(
                id=f"espeak-{tag}",
                language=tag,
                engine=ENGINE,
                quality=Quality.ROBOTIC,
                gender=_GENDERS.get(voice.gender, "neutral"),
                licence="GPL-3.0-or-later (in a process of its own)",
            )
            for tag, voice in (await espeak.voices()).items()
        )
        return cls(espeak, voices)

    @property
    def version(self) -> str:
        """What the phrase cache distinguishes this engine's audio by."""
        return f"{ENGINE}/{_WORDS_PER_MINUTE}"

    def voices(self) -> tuple[Voice, ...]:
        """Return one voice per language tag of the library."""
        return self._voices

    async def speak(
        self, text: str, *, language: str, voice: str = "", speed: float = 1.0, urgent: bool = True
    ) -> AsyncIterator[SpeechChunk]:
        """Speak ``text`` in one chunk (a second of speech takes some ms). Raises EngineError.

        A ``voice`` of another engine is ignored: ``language`` decides.
        """
        tag = self._languages.get(voice, language)
        pace = min(_FASTEST, max(_SLOWEST, round(_WORDS_PER_MINUTE * speed)))
        audio, rate, phones = await self._espeak.speech(text, tag, words_per_minute=pace)
        if len(audio):
            timeline = tuple(
                part
                for phone in phones
                for part in split_phone(phone.symbol, phone.start_ms, phone.end_ms)
            )
            yield SpeechChunk(to_speaking_rate(audio, rate), timeline)
