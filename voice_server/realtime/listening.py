"""The client's audio: base64 or binary in, float32 at the recognisers' rate out.

This is the hot path (50 messages a second and session): no pydantic, no copy that is not needed.
"""

from __future__ import annotations

import binascii

from voice_server.audio.g711 import decode_alaw, decode_ulaw
from voice_server.audio.pcm import decode_pcm16
from voice_server.audio.resample import Resampler
from voice_server.realtime.effects import WireError
from voice_server.realtime.events import AudioFormat, PcmFormat, UlawFormat
from voice_server.speech.engine import LISTENING_RATE, Audio

APPEND_LIMIT = 15 * 1024 * 1024
"""Bytes of audio in one append (the protocol's own limit)."""

AHEAD_LIMIT_S = 60.0
"""How far a client may be ahead of real time: a recording may be sent at once, a flood may not.
What comes beyond it is dropped, so that memory stays bounded."""

AHEAD_ERROR_EVERY_S = 1.0
"""A flooding client is told once a second, not once a frame."""

COMMIT_LEAST_MS = 100.0
"""The protocol's shortest turn: less audio than this cannot be committed."""


class Listening:
    """Decodes what is appended and counts it."""

    def __init__(self, rate: int = LISTENING_RATE) -> None:
        self._rate = rate
        self._pcm = True
        self._ulaw = False
        self._bytes_per_s = 48_000
        self._odd = b""
        self._resampler = Resampler(24_000, rate)
        self._source_rate = 24_000
        self._ahead_s = 0.0
        self._ahead_at = 0.0
        self._complained_at = float("-inf")
        self.uncommitted_ms = 0.0
        """Audio since the last commit or clear."""
        self.heard_any = False
        """Whether audio ever came."""

    def use(self, wire_format: AudioFormat) -> None:
        """Expect this format from now on."""
        self._pcm = isinstance(wire_format, PcmFormat)
        self._ulaw = isinstance(wire_format, UlawFormat)
        self._bytes_per_s = 48_000 if self._pcm else 8_000
        source_rate = 24_000 if self._pcm else 8_000
        if source_rate != self._source_rate:
            self._source_rate = source_rate
            self._resampler = Resampler(source_rate, self._rate)
            self._odd = b""

    def append(self, encoded: object, now: float) -> Audio | None:
        """Return the audio of one ``input_audio_buffer.append``, None for an empty one.

        Raises WireError.
        """
        if type(encoded) is not str:
            raise WireError(
                "Missing required parameter: 'audio'."
                if encoded is None
                else "Invalid type for 'audio': expected a base64 string.",
                code="missing_required_parameter" if encoded is None else "invalid_type",
                param="audio",
            )
        if len(encoded) // 4 * 3 > APPEND_LIMIT:
            raise WireError(
                f"Invalid 'audio': larger than {APPEND_LIMIT} bytes. Send smaller pieces.",
                code="string_above_max_length",
                param="audio",
            )
        self._admit(len(encoded) * 3 // 4, now)
        return self._decode(_from_base64(encoded))

    def append_binary(self, data: bytes, now: float) -> Audio | None:
        """Return the audio of one binary message. Raises WireError."""
        self._admit(len(data), now)
        return self._decode(data)

    def committed(self) -> None:
        """Count anew: what came so far belongs to an item, or was cleared."""
        self.uncommitted_ms = 0.0

    def _admit(self, size: int, now: float) -> None:
        """Count ``size`` bytes against real time. Raises WireError when too far ahead."""
        ahead = self._ahead_s - (now - self._ahead_at)
        if ahead < 0:
            ahead = 0.0
        self._ahead_at = now
        seconds = size / self._bytes_per_s
        if ahead + seconds > AHEAD_LIMIT_S:
            self._ahead_s = ahead
            message = (
                f"Audio is more than {AHEAD_LIMIT_S:.0f} s ahead of real time and is dropped. "
                "Send it at the speed it was spoken, or upload it to /v1/audio/transcriptions."
            )
            if now - self._complained_at < AHEAD_ERROR_EVERY_S:
                raise FloodedAgain
            self._complained_at = now
            raise WireError(message, code="input_audio_buffer_overflow", kind="rate_limit_error")
        self._ahead_s = ahead + seconds

    def _decode(self, data: bytes) -> Audio | None:
        if self._pcm:
            if self._odd:
                data = self._odd + data
                self._odd = b""
            if len(data) & 1:
                # Clients may cut their stream anywhere: the half sample waits for its other half.
                data, self._odd = data[:-1], data[-1:]
            samples = decode_pcm16(data)
            self.uncommitted_ms += len(samples) / 24
        else:
            samples = decode_ulaw(data) if self._ulaw else decode_alaw(data)
            self.uncommitted_ms += len(samples) / 8
        self.heard_any = True
        audio: Audio = self._resampler.process(samples)
        return audio if len(audio) else None


def _from_base64(encoded: str) -> bytes:
    """Decode strictly. Raises WireError.

    The lenient decoder takes half the time of the strict one (4 against 8 µs a frame) and drops
    what is not base64: then the length is not what it should be.
    """
    try:
        data = binascii.a2b_base64(encoded)
    except ValueError:
        data = b""
    padding = 2 if encoded.endswith("==") else 1 if encoded.endswith("=") else 0
    if len(encoded) % 4 or len(data) != len(encoded) // 4 * 3 - padding:
        raise WireError("Invalid 'audio': not valid base64.", code="invalid_value", param="audio")
    return data


class FloodedAgain(Exception):
    """Too far ahead, and the client has been told a moment ago."""
