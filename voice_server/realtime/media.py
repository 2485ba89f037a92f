"""Audio files: the HTTP routes' containers and codecs, by libsndfile.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import io
import struct

import numpy as np
import soundfile

from voice_server.audio.resample import resample
from voice_server.speech.engine import LISTENING_RATE, SPEAKING_RATE, Audio

CONTAINERS = {
    "wav": ("WAV", "PCM_16", "audio/wav"),
    "flac": ("FLAC", "PCM_16", "audio/flac"),
    "mp3": ("MP3", "MPEG_LAYER_III", "audio/mpeg"),
    "opus": ("OGG", "OPUS", "audio/ogg"),
}
"""Response format -> libsndfile's format and subtype, and the content type."""

RECORDING_LIMIT_S = 2 * 3600
"""Longest recording that is transcribed: 460 MB of float32 at 16 kHz would be the next doubling."""

_UNKNOWN_SIZE = 0xFFFF_FFFF


class Undecodable(ValueError):
    """The bytes are no audio file we can read; the message says what can be."""


def encode_file(audio: Audio, container: str) -> bytes:
    """Return ``audio`` float32 [n] at SPEAKING_RATE as a file of that format."""
    kind, subtype, _ = CONTAINERS[container]
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", samplerate=SPEAKING_RATE, channels=1, format=kind, subtype=subtype
    ) as writer:
        # libsndfile's MP3 and Opus writers want modest blocks.
        for at in range(0, len(audio), SPEAKING_RATE):
            writer.write(audio[at : at + SPEAKING_RATE])
    return file.getvalue()


def streaming_wav_header() -> bytes:
    """Return the head of a wav file whose length is not known yet (16 bit, SPEAKING_RATE)."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", _UNKNOWN_SIZE, b"WAVE"),
        *(b"fmt ", 16, 1, 1, SPEAKING_RATE, SPEAKING_RATE * 2, 2, 16),
        *(b"data", _UNKNOWN_SIZE),
    )


def decode_file(data: bytes) -> Audio:
    """Return a recording as float32 [n] at LISTENING_RATE, channels mixed. Raises Undecodable."""
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as reader:
            if reader.frames > RECORDING_LIMIT_S * reader.samplerate:
                raise Undecodable(f"The recording is longer than {RECORDING_LIMIT_S // 3600} h.")
            frames = reader.read(dtype="float32", always_2d=True)
            rate = reader.samplerate
    except soundfile.LibsndfileError as error:
        raise Undecodable(
            f"The file cannot be decoded ({error}). Supported: wav, flac, ogg (Vorbis, Opus), mp3."
        ) from None
    mono: Audio = frames.mean(axis=1, dtype=np.float32)
    mono = np.nan_to_num(mono, nan=0.0, posinf=0.0, neginf=0.0)
    return resample(mono, rate, LISTENING_RATE)


def cut_points(audio: Audio, longest_s: float = 28.0, search_s: float = 6.0) -> list[int]:
    """Return where to cut a recording: in the quietest tenth of a second before each limit.

    The last point is the end.  The recogniser hears at most 30 s at once.
    """
    longest, search = round(longest_s * LISTENING_RATE), round(search_s * LISTENING_RATE)
    window = LISTENING_RATE // 10
    points: list[int] = []
    start = 0
    while len(audio) - start > longest:
        tail = audio[start + longest - search : start + longest]
        blocks = tail[: len(tail) // window * window].reshape(-1, window)
        quietest = int(np.argmin(np.square(blocks).mean(axis=1)))
        start += longest - search + quietest * window + window // 2
        points.append(start)
    points.append(len(audio))
    return points
