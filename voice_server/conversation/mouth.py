"""The output side of one reply: clauses and audio in order, sent at the pace of the clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voice_server.conversation.notices import ClauseText, Notice, ReplyAudio
from voice_server.conversation.playback import GRAIN_MS, Playback
from voice_server.dialogue.dialogue import Clause
from voice_server.speech.engine import SPEAKING_RATE, Audio, Phone, SpeechChunk

PER_MS = SPEAKING_RATE // 1000


@dataclass(slots=True)
class _Piece:
    """Made audio (int16, to halve the memory) and where it starts in the reply."""

    start_ms: float
    audio: NDArray[np.int16]
    phones: tuple[Phone, ...]

    @property
    def end_ms(self) -> float:
        return self.start_ms + self.audio.size / PER_MS


class Mouth:
    """Queues a reply's speech and hands it out as notices when it is due.

    Audio is kept until the reply ends, so that a client that lost the unplayed rest can have it
    again.  ``on_sent(audio)`` sees everything that is sent (for the echo guard).
    """

    def __init__(
        self,
        reply_id: str,
        playback: Playback,
        *,
        piece_ms: float,
        on_sent: Callable[[Audio], None],
    ) -> None:
        """``piece_ms``: length of one ReplyAudio notice."""
        self.reply_id = reply_id
        self.playback = playback
        self._piece_ms = piece_ms
        self._on_sent = on_sent
        self._pieces: deque[_Piece] = deque()
        self._texts: deque[tuple[float, int, Clause]] = deque()
        self.clauses: list[Clause] = []
        self._ends: list[float] = []
        self._announced = 0

    # -------------------------------------------------------------- filling

    def open_clause(self, clause: Clause) -> None:
        """The audio added from now on belongs to this clause."""
        self._texts.append((self.playback.ready_ms, len(self.clauses), clause))
        self.clauses.append(clause)
        self._ends.append(self.playback.ready_ms)

    def add(self, chunk: SpeechChunk) -> None:
        """Add speech of the open clause."""
        start = self.playback.ready_ms
        clause_start = self._texts[-1][0] if self._texts else self._clause_start()
        phones = tuple(
            Phone(p.symbol, p.start_ms + clause_start, p.end_ms + clause_start)
            for p in chunk.phones
        )
        samples = (np.clip(np.nan_to_num(chunk.audio), -1.0, 1.0) * 32767.0).astype(np.int16)
        self._pieces.append(_Piece(start, samples, phones))
        self.playback.add(samples.size / PER_MS)
        self._ends[-1] = self.playback.ready_ms

    def _clause_start(self) -> float:
        return self._ends[-2] if len(self._ends) > 1 else 0.0

    # -------------------------------------------------------------- sending

    def due(self, now: float) -> Iterator[Notice]:
        """Yield what must be sent now: clause texts and audio, in order."""
        while (budget := self.playback.due_ms(now)) > 0:
            waiting = self.playback.ready_ms - self.playback.sent_ms
            if budget < min(self._piece_ms, waiting) - 0.01 and self.playback.paced:
                return
            start = self.playback.sent_ms
            audio, phones = self._cut(start, min(self._piece_ms, budget))
            if not audio.size:
                return
            yield from self._texts_until(start)
            self.playback.sent(audio.size / PER_MS, now)
            self._on_sent(audio)
            yield ReplyAudio(self.reply_id, start, audio, phones)
        if self.playback.complete and self.playback.ready_ms - self.playback.sent_ms <= GRAIN_MS:
            yield from self._texts_until(self.playback.ready_ms)

    def _texts_until(self, position_ms: float) -> Iterator[Notice]:
        while self._texts and self._texts[0][0] <= position_ms + 0.01:
            _, index, clause = self._texts.popleft()
            if index >= self._announced:
                self._announced = index + 1
                yield ClauseText(self.reply_id, index, clause)

    def _cut(self, start_ms: float, length_ms: float) -> tuple[Audio, tuple[Phone, ...]]:
        """Return the made audio [start, start + length) and the phones that begin in it."""
        end_ms = start_ms + length_ms
        parts: list[NDArray[np.int16]] = []
        phones: list[Phone] = []
        for piece in self._pieces:
            if piece.end_ms <= start_ms:
                continue
            if piece.start_ms >= end_ms:
                break
            first = max(0, round((start_ms - piece.start_ms) * PER_MS))
            last = min(piece.audio.size, round((end_ms - piece.start_ms) * PER_MS))
            parts.append(piece.audio[first:last])
            phones += [p for p in piece.phones if start_ms <= p.start_ms < end_ms]
        if not parts:
            return np.zeros(0, np.float32), ()
        return np.concatenate(parts).astype(np.float32) / 32767.0, tuple(phones)

    # ------------------------------------------------------------- history

    def marks(self) -> tuple[tuple[str, float], ...]:
        """Return (clause text, end of its audio in ms) for the history."""
        return tuple(
            (clause.text, end) for clause, end in zip(self.clauses, self._ends, strict=True)
        )
