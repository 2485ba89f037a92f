"""The server's audio: float32 at 24 kHz in, wire bytes of the session's output format out."""

from __future__ import annotations

import binascii
import struct

import orjson

from voice_server.audio.g711 import encode_alaw, encode_ulaw
from voice_server.audio.pcm import encode_pcm16
from voice_server.audio.resample import Resampler
from voice_server.realtime.events import AudioFormat, PcmFormat, UlawFormat
from voice_server.speech.engine import SPEAKING_RATE, Audio

PIECE_SAMPLES = SPEAKING_RATE // 2
"""Longest piece in one message: half a second, 32 kB of base64, far below the 1 MiB at which a
stock Python client closes."""

FRAME_HEADER = struct.Struct("<BBHI")
"""Header of a binary frame: type, reserved, stream, offset in ms (docs/realtime-extensions.md)."""

FRAME_AUDIO = 1


class Encoder:
    """Encodes one reply's audio: stateful where it resamples."""

    def __init__(self, wire_format: AudioFormat) -> None:
        self._pcm = isinstance(wire_format, PcmFormat)
        self._ulaw = isinstance(wire_format, UlawFormat)
        self._resampler = None if self._pcm else Resampler(SPEAKING_RATE, 8_000)

    def encode(self, audio: Audio) -> bytes:
        """Return the wire bytes that ``audio`` float32 [n] completes."""
        if self._resampler is None:
            return encode_pcm16(audio)
        return self._law(self._resampler.process(audio))

    def finish(self) -> bytes:
        """Return what the resampler still held back."""
        return b"" if self._resampler is None else self._law(self._resampler.flush())

    def _law(self, audio: Audio) -> bytes:
        return encode_ulaw(audio) if self._ulaw else encode_alaw(audio)


class DeltaTemplate:
    """Makes ``response.output_audio.delta`` messages from a prefix built once for a reply."""

    def __init__(self, response_id: str, item_id: str, output_index: int) -> None:
        head = orjson.dumps(
            {
                "type": "response.output_audio.delta",
                "response_id": response_id,
                "item_id": item_id,
                "output_index": output_index,
                "content_index": 0,
                "delta": "",
            }
        )
        self._prefix = head[:-2]

    def message(self, event_id: str, data: bytes) -> bytes:
        """Return the whole message as UTF-8 JSON. ``event_id`` is our own: no escaping needed."""
        return b'%b%b","event_id":"%b"}' % (
            self._prefix,
            binascii.b2a_base64(data, newline=False),
            event_id.encode(),
        )


def binary_frame(stream: int, offset_ms: float, data: bytes) -> bytes:
    """Return one binary audio frame."""
    offset = min(max(round(offset_ms), 0), 0xFFFF_FFFF)
    return FRAME_HEADER.pack(FRAME_AUDIO, 0, stream & 0xFFFF, offset) + data


def pieces(audio: Audio) -> list[Audio]:
    """Cut audio so that no message grows long."""
    return [audio[at : at + PIECE_SAMPLES] for at in range(0, len(audio), PIECE_SAMPLES)]
