"""The edges of a synthesised clause: which frames to compute, what to cut, where the phones are."""

from __future__ import annotations

import numpy as np

from voice_server.speech.engine import SPEAKING_RATE, Audio, Phone, SpeechChunk
from voice_server.speech.tts.kokoro_model import Reading
from voice_server.speech.tts.kokoro_net import HALF
from voice_server.speech.tts.kokoro_phones import Spelling, timeline
from voice_server.speech.tts.windows import FRAME_MS

LEAD_FRAMES = 2
"""The sound comes this much before the frames its token is given: 50 ms, the lag at which the
loudness of 60 English and French clauses fits their phones best (2.0 and 2.25 frames)."""

SILENT = -3.0
"""Log energy below which a step is silence: some -70 dB; pure silence is -9.5, a vowel 5 to 8."""

BEFORE_FRAMES, AFTER_FRAMES = 2, 5
"""Frames computed around those whose foretold loudness is more than silence."""

AUDIBLE = 0.005
"""Amplitude (-46 dB) below which the edges of a clause are silence."""

BEFORE_MS, AFTER_MS = 20.0, 120.0
"""Silence left around a clause: an onset keeps its breath, a clause some distance to the next."""

_FADE = 60
"""Samples (2.5 ms) over which a cut edge fades, lest it click."""


class Cutter:
    """Cuts the silence off a clause's ends and keeps its phones in step with what is left."""

    def __init__(self, spelling: Spelling, reading: Reading, offset_ms: float = 0.0) -> None:
        """``offset_ms`` of the text's speech came before this clause."""
        sounding = np.flatnonzero(reading.energy > SILENT) // HALF
        if not len(sounding):
            sounding = np.array([0, reading.frames - 1])
        self.start = max(0, int(sounding[0]) - BEFORE_FRAMES)
        self.stop = min(reading.frames, int(sounding[-1]) + 1 + AFTER_FRAMES)
        self.end_ms = offset_ms
        """Where the clause ends so far, in ms from the beginning of the text."""
        self._phones = list(timeline(spelling.symbols, reading.durations.tolist(), FRAME_MS))
        self._shift_ms = -(self.start + LEAD_FRAMES) * FRAME_MS
        self._onset_ms = self._heard_ms = offset_ms
        self._began = self._said = False
        self._silence: Audio = np.zeros(0, np.float32)
        self._offset_ms = offset_ms

    def take(self, audio: Audio, *, last: bool) -> SpeechChunk:
        """Return the chunk for the next window's audio; trailing silence waits for the next."""
        audio = np.concatenate([self._silence, audio])
        self._silence = audio[:0]
        loud = np.flatnonzero(np.abs(audio) > AUDIBLE)
        if not self._began and not last and not len(loud):
            self._shift_ms -= 1000 * len(audio) / SPEAKING_RATE
            return SpeechChunk(audio[:0], ())
        if not self._began and len(loud):
            begin = max(0, int(loud[0]) - int(BEFORE_MS * SPEAKING_RATE / 1000))
            self._shift_ms -= 1000 * begin / SPEAKING_RATE
            audio, loud = _faded_in(audio[begin:]), loud - begin
            self._onset_ms = self._offset_ms + 1000 * int(loud[0]) / SPEAKING_RATE
            self._began = True
        keep = (int(loud[-1]) + 1 if len(loud) else 0) + int(AFTER_MS * SPEAKING_RATE / 1000)
        if last:
            audio = _faded_out(audio[:keep]) if keep < len(audio) else audio
        elif keep < len(audio):
            audio, self._silence = audio[:keep], audio[keep:]
        if len(loud):
            self._heard_ms = self.end_ms + 1000 * (int(loud[-1]) + 1) / SPEAKING_RATE
        self.end_ms += 1000 * len(audio) / SPEAKING_RATE
        return SpeechChunk(audio, self._take_phones(last))

    def _take_phones(self, last: bool) -> tuple[Phone, ...]:
        """Take out the phones that begin before the end so far (all, if ``last``).

        The first begins with the first sound, the last ends with the last: the model counts
        silence to both.
        """
        found = []
        while self._phones:
            phone = self._phones[0]
            start = phone.start_ms + self._shift_ms + self._offset_ms
            end = phone.end_ms + self._shift_ms + self._offset_ms
            start = max(start, self._onset_ms) if self._said else self._onset_ms
            if start >= self.end_ms and not last:
                break
            self._said = True
            self._phones.pop(0)
            if last:
                start, end = min(start, self._heard_ms), min(end, self._heard_ms)
            found.append(Phone(phone.symbol, round(start, 2), round(max(start, end), 2)))
        return tuple(found)


def _faded_in(audio: Audio) -> Audio:
    audio = audio.copy()
    length = min(_FADE, len(audio))
    audio[:length] *= np.linspace(0, 1, length, dtype=np.float32)
    return audio


def _faded_out(audio: Audio) -> Audio:
    return _faded_in(audio[::-1])[::-1]
