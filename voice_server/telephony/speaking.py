"""Our voice on a line: replies in, frames and marks out, and back what was really played.

Sans-I/O.  The conversation sends speech a little ahead (``Features.lead_ms``); when it pauses,
what lies at the vendor is cleared, and when it goes on, nothing is said twice.
"""

from __future__ import annotations

from voice_server.audio.resample import Resampler
from voice_server.conversation.notices import OutputResumed, ReplyAudio, ReplyDone
from voice_server.conversation.orders import Heard
from voice_server.speech.engine import SPEAKING_RATE
from voice_server.telephony.call import CallCommand, Clear, Codec, Features, Mark, SendAudio

MARK_EVERY_MS = 200.0
"""Sound between two marks: history is cut to a word, and words last longer."""

PENDING_MARKS = 100
"""Marks remembered: twenty seconds of speech; no vendor is that far behind."""

FLUSH_S = 0.06
"""A piece shorter than a frame waits so long for more to come, then it is filled with silence."""

PER_MS = SPEAKING_RATE // 1000


class Speaking:
    """What is being said on one line."""

    def __init__(self, features: Features, codec: Codec) -> None:
        self._features = features
        self._codec = codec
        self._resampler = Resampler(SPEAKING_RATE, codec.rate)
        self._rest = bytearray()
        self._reply_id = ""
        self._sent_ms = 0.0
        self._marked_ms = 0.0
        self._cleared = False
        self._marks: dict[str, tuple[str, float]] = {}
        self._count = 0
        self.flush_at: float | None = None
        """When :meth:`flush` is due, in the shell's seconds."""

    def use(self, codec: Codec) -> None:
        """The line has changed its codec: what was not sent is said in the new one."""
        self._codec = codec
        self._resampler = Resampler(SPEAKING_RATE, codec.rate)
        self._rest.clear()
        self.flush_at = None

    def audio(self, notice: ReplyAudio, now: float) -> list[CallCommand]:
        """Return what must be sent for a piece of speech."""
        if notice.reply_id != self._reply_id:
            self._begin(notice.reply_id)
        sound, ahead_ms = notice.audio, self._sent_ms - notice.offset_ms
        if ahead_ms > 0:  # the vendor still holds this part
            sound = sound[round(ahead_ms * PER_MS) :]
        if not sound.size:
            return []
        self._cleared = False
        self._sent_ms = max(self._sent_ms, notice.offset_ms) + sound.size / PER_MS
        self._rest += self._codec.encode(self._resampler.process(sound))
        commands = self._frames()
        self.flush_at = now + FLUSH_S if self._rest else None
        if commands and self._sent_ms - self._marked_ms >= MARK_EVERY_MS:
            commands += self._mark()
        return commands

    def paused(self) -> list[CallCommand]:
        """The caller may be interrupting: silence, now."""
        return self._clear()

    def resumed(self, notice: OutputResumed) -> list[CallCommand]:
        """It was nothing: speech comes again from ``offset_ms``."""
        if self._cleared and notice.reply_id == self._reply_id:
            self._sent_ms = self._marked_ms = notice.offset_ms
        return []

    def done(self, notice: ReplyDone) -> list[CallCommand]:
        """A reply has ended: its last frame and a mark, or silence if it was cut short."""
        if notice.reply_id != self._reply_id:
            return []
        cut = notice.status == "cancelled"
        commands = self._clear() if cut else [*self.flush(), *self._mark()]
        self._reply_id = ""
        return commands

    def flush(self) -> list[CallCommand]:
        """Send what is shorter than a frame, filled with silence."""
        self.flush_at = None
        if not self._rest:
            return []
        missing = -len(self._rest) % self._codec.frame_bytes(self._features.frame_ms)
        self._rest += self._codec.silence * (missing // self._codec.sample_bytes)
        return self._frames()

    def marked(self, name: str) -> Heard | None:
        """A mark came back: so much has been heard. None for one of before a clear."""
        found = self._marks.pop(name, None)
        return None if found is None else Heard(*found)

    def _begin(self, reply_id: str) -> None:
        self._reply_id = reply_id
        self._sent_ms = self._marked_ms = 0.0
        self._cleared = False

    def _frames(self) -> list[CallCommand]:
        length = self._codec.frame_bytes(self._features.frame_ms)
        commands: list[CallCommand] = []
        while len(self._rest) >= length:
            commands.append(SendAudio(bytes(self._rest[:length])))
            del self._rest[:length]
        return commands

    def _mark(self) -> list[CallCommand]:
        self._marked_ms = self._sent_ms
        if not self._features.marks:
            return []
        self._count += 1
        name = f"m{self._count}"
        self._marks[name] = (self._reply_id, self._sent_ms)
        if len(self._marks) > PENDING_MARKS:
            del self._marks[next(iter(self._marks))]
        return [Mark(name)]

    def _clear(self) -> list[CallCommand]:
        """Some vendors acknowledge marks that they clear: those say nothing of what was heard."""
        if self._cleared:
            return []
        self._cleared = True
        self._marks.clear()
        self._rest.clear()
        self.flush_at = None
        self._resampler = Resampler(SPEAKING_RATE, self._codec.rate)
        return [Clear()]
