"""A Whisper that says what the test tells it to, and remembers what it was asked."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice_server.speech.engine import Audio, EngineUnavailable
from voice_server.speech.stt.decoding import Decoded, WhisperModel


@dataclass
class FakeWhisper(WhisperModel):
    """``says`` maps (seconds encoded, hint) to what is decoded."""

    says: Callable[[float, str], Decoded]
    languages: tuple[tuple[str, float], ...] = (("fr", 0.6), ("en", 0.3), ("nl", 0.1))
    stall: threading.Event | None = None
    encoded: list[float] = field(default_factory=list)
    decoded: list[tuple[float, str, str, int]] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    seconds_per_step: float = 0.0
    warm: bool = False
    begun: threading.Event = field(default_factory=threading.Event)

    def warm_up(self) -> None:
        self.warm = True

    def knows(self, language: str) -> bool:
        return language in dict(self.languages)

    def encode(self, audio: Audio) -> Any:
        self.begun.set()
        if self.stall is not None:
            self.stall.wait(5)
        time.sleep(self.seconds_per_step)
        seconds = round(audio.size / 16_000, 2)
        self.encoded.append(seconds)
        self.order.append(f"encode {seconds:g}")
        return seconds

    def identify(self, encoded: Any, languages: Sequence[str]) -> list[tuple[str, float]]:
        self.asked.append(tuple(languages))
        found = [pair for pair in self.languages if not languages or pair[0] in languages]
        if not found:
            raise EngineUnavailable("none of these")
        return found

    def decode(
        self,
        encoded: Any,
        language: str,
        *,
        max_tokens: int,
        hint: str = "",
        repetition_penalty: float = 1.1,
    ) -> Decoded:
        if not self.knows(language):
            raise EngineUnavailable(f"Whisper does not know the language {language!r}")
        time.sleep(self.seconds_per_step)
        self.decoded.append((encoded, language, hint, max_tokens))
        self.order.append(f"decode {encoded:g}")
        return self.says(encoded, hint)


def sure(text: str, log_probability: float = -0.2) -> Decoded:
    return Decoded(text, max(len(text.split()), 1), log_probability, 0.01, True)
