"""One call from pick-up to hang-up, sans-I/O: events and notices in; orders and commands out.

States: *waiting* (the line is open, no call yet), *talking*, *human* (one of the staff speaks),
*leaving* (the last words are being said before a transfer or the end), *transferring* (the human is
being reached, the caller waits with us), *over*.  Key 0 leads to a human in every one of them.  Our
own sentences and the ways a call ends are in :mod:`~.flow_ending`, people in :mod:`~.flow_human`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.ids import IdFactory
from voice_server.telephony import call as c
from voice_server.telephony.flow_human import Attended
from voice_server.telephony.flow_reaching import Reaching
from voice_server.telephony.flow_state import (
    HELD_S,
    IDLE_PROMPTS,
    KEYS_LEAST,
    KEYS_MOST,
    KEYS_S,
    LONGER_S,
    SILENT_S,
    START_S,
    Begin,
    Effect,
    Log,
    Stage,
    Typed,
)
from voice_server.telephony.hearing import Hearing
from voice_server.telephony.line import HUMAN_KEY, Line, came_back, masked
from voice_server.telephony.outbound import Outbound
from voice_server.telephony.phrases import PhonePhrase, phrase
from voice_server.telephony.speaking import Speaking


class CallFlow(Reaching):
    """Decides for one call. The shell carries out what every method returns, in order."""

    def __init__(
        self,
        features: c.Features,
        find: Callable[[c.Started], Line | None],
        *,
        new_id: IdFactory,
        now: float,
        came_back: bool = False,
        outbound: Outbound | None = None,
    ) -> None:
        """``find`` knows the line of a call, None refuses it.

        ``came_back``: a transfer has failed, the caller is with us again.  ``outbound``: we have
        placed the call; the caller is who was called.
        """
        super().__init__(features, new_id)
        self._find = find
        self._came_back = came_back
        self._outbound = outbound
        self._chosen: str | None = None
        self._speaking: Speaking | None = None
        self._keys = ""
        self._idle = 0
        self._heard_at = now
        self._deadlines["start"] = now + START_S

    # ---------------------------------------------------------------- inputs

    def receive(self, event: c.CallEvent, now: float) -> list[Effect]:
        """Take an event of the line."""
        if self.stage is Stage.OVER:
            return []
        self._heard_at = now
        return self._EVENTS[type(event)](self, event, now)

    def observe(self, notice: n.Notice, now: float) -> list[Effect]:
        """Take a notice of the conversation."""
        handler = self._NOTICES.get(type(notice))
        if handler is None or self.stage is Stage.OVER:
            return []
        return handler(self, notice, now)

    def tick(self, now: float) -> list[Effect]:
        """Do what has become due."""
        effects: list[Effect] = []
        speaking = self._speaking
        if speaking is not None and speaking.flush_at is not None and speaking.flush_at <= now:
            effects += speaking.flush()
        for name in sorted(name for name, at in self._deadlines.items() if at <= now):
            del self._deadlines[name]
            effects += self._DUE[name](self, now) if self.stage is not Stage.OVER else []
        if self.stage is not Stage.OVER and self._silent_at() <= now:
            effects += self._give_up("nothing comes from the vendor any more", now)
        return effects

    def next_deadline(self) -> float | None:
        """Return when :meth:`tick` is due next, None when the call is over."""
        if self.stage is Stage.OVER:
            return None
        wanted = [*self._deadlines.values(), self._silent_at()]
        if self._speaking is not None and self._speaking.flush_at is not None:
            wanted.append(self._speaking.flush_at)
        return min(wanted)

    # ---------------------------------------------------------------- events

    def _started(self, event: c.Started, now: float) -> list[Effect]:
        del self._deadlines["start"]
        self.started = event
        self._came_back = self._came_back or came_back(event.parameters)
        line = self.line = self._find(event)
        if line is None:
            return [
                Log(f"no line is configured for {masked(event.called)}: the call is ended"),
                *self.end("no such line", now),
            ]
        self.stage = Stage.TALKING
        self.codec = event.codec
        self.tally.started_at = now
        self._deadlines["long"] = now + line.longest_s
        self._hearing = Hearing(event.codec, tones=line.tones)
        self._speaking = Speaking(self._features, event.codec)
        wished = event.language.split("-")[0].lower()
        self.language = wished if wished in line.languages else line.language
        self.tally.spoke(self.language)
        return [
            Log(
                f"{event.direction} call from {masked(event.caller)} for "
                f"{line.name or masked(event.called)}, {event.codec.encoding.value} "
                f"{event.codec.rate} Hz, {self.language}"
            ),
            Begin(self.language),
            self._settings(None),
            *(self._greet(line) if self._outbound is None else self._reach(now)),
        ]

    def _settings(self, language: str | None) -> o.Configure:
        """``language``: chosen by key, for good; None: it is heard, if none was chosen."""
        assert self.line is not None, "called in a call"  # noqa: S101
        self._chosen = language or self._chosen
        idle_ms = round(self.line.idle_s * 1000)
        turns = o.TurnOptions(idle_timeout_ms=idle_ms, create_response=self._answers)
        return o.Configure(turns, o.ReplyOptions(), self._chosen, self.line.languages)

    def _greet(self, line: Line) -> list[Effect]:
        if self._came_back:
            return self._say(PhonePhrase.BACK)
        self._words.append((line.greetings[self.language], self.language))
        for key, language in line.keys.items():
            if language != self.language:
                self._words.append((phrase(PhonePhrase.CHOICE, language, key=key), language))
        return self._next_words()

    def _media(self, event: c.Media, now: float) -> list[Effect]:
        assert self._hearing is not None, "media comes after the start"  # noqa: S101
        audio, keys = self._hearing.hear(event.data, now, level=not self._deaf)
        effects: list[Effect] = self._listen_in(audio, now) if self._watching else []
        if not self._deaf:
            effects.append(o.Hear(audio))
        if not keys:
            return effects
        for digit in keys:
            effects += self._key(c.Dtmf(digit), now)
        return effects

    def _gap(self, event: c.Gap, now: float) -> list[Effect]:
        assert self._hearing is not None, "gaps come after the start"  # noqa: S101
        first = not self.tally.lost_ms
        self.tally.lost_ms += event.lost_ms
        told = [Log(f"{event.lost_ms:.0f} ms of the caller's sound are lost", "warning")]
        return [*(told if first else []), o.Hear(self._hearing.gap(event))]

    def _codec(self, event: c.CodecChanged, now: float) -> list[Effect]:
        assert self._hearing is not None, "codecs change after the start"  # noqa: S101
        assert self._speaking is not None, "codecs change after the start"  # noqa: S101
        self.codec = event.codec
        self._hearing.use(event.codec)
        self._speaking.use(event.codec)
        if self.voice is not None:
            self.voice.use(event.codec)
        return [Log(f"the codec is {event.codec.encoding.value} {event.codec.rate} Hz now")]

    def _key(self, event: c.Dtmf, now: float) -> list[Effect]:
        if self.line is None:
            return []  # bridges report none before the start
        self.tally.keys += 1
        self._idle = 0
        digit = event.digit
        if digit == HUMAN_KEY and not self._keys:
            return self.hand_over({"reason": "key"}, now)
        if self.stage is not Stage.TALKING:
            return []
        if digit in self.line.keys and not self._keys and self._menu_is_open:
            return self._choose(self.line.keys[digit])
        if digit == "#":
            return self._enter() if self._keys else [o.Cancel()]
        if digit == "*":
            self._keys = ""
            self._deadlines.pop("keys", None)
            return []
        self._keys = (self._keys + digit)[:KEYS_MOST]
        self._deadlines["keys"] = now + KEYS_S
        return []

    def _choose(self, language: str) -> list[Effect]:
        self.language = language
        self.tally.spoke(language)
        self._ask_anew()
        self._words.clear()
        return [self._settings(language), *self._say(PhonePhrase.CHOSEN)]

    @property
    def _menu_is_open(self) -> bool:
        """Whether a key is a language at once; later it may begin an order's number."""
        return self._chosen is None and self.tally.turns == 0

    def _enter(self) -> list[Effect]:
        """The keys pressed are a number, such as that of an order; a lone one is a language."""
        entered, self._keys = self._keys, ""
        self._deadlines.pop("keys", None)
        assert self.line is not None, "keys come after the start"  # noqa: S101
        if entered in self.line.keys:
            return self._choose(self.line.keys[entered])
        if len(entered) < KEYS_LEAST:
            return []
        self._words.clear()
        return [o.Cancel(), Typed(entered)]

    def _marked(self, event: c.MarkReached, now: float) -> list[Effect]:
        assert self._speaking is not None, "marks come after the start"  # noqa: S101
        heard = self._speaking.marked(event.name)
        return [] if heard is None else [heard]

    def _hold(self, event: c.Hold, now: float) -> list[Effect]:
        if event.on == self._held:
            return []
        self._held = event.on
        return [
            Log("the vendor holds the call" if event.on else "the call goes on"),
            o.Hold() if event.on else o.Resume(),
        ]

    def _stopped(self, event: c.Stopped, now: float) -> list[Effect]:
        return self._finish(event.reason, now)

    def _answered(self, event: c.Answer, now: float) -> list[Effect]:
        return []  # the shell has sent it

    # --------------------------------------------------------------- notices

    def _audio(self, notice: n.ReplyAudio, now: float) -> list[Effect]:
        assert self._hearing is not None, "speech comes in a call"  # noqa: S101
        self._replying = True
        self._hearing.echo.played(notice.audio, now)
        return [*self._speaker().audio(notice, now)]

    def _paused(self, notice: n.OutputPaused, now: float) -> list[Effect]:
        return [*self._speaker().paused()]

    def _resumed(self, notice: n.OutputResumed, now: float) -> list[Effect]:
        return [*self._speaker().resumed(notice)]

    def _done(self, notice: n.ReplyDone, now: float) -> list[Effect]:
        effects: list[Effect] = [*self._speaker().done(notice)]
        self._replying = False
        if notice.reason == "turn_detected":
            self.tally.interruptions += 1
        if self._wish is not None and notice.reply_id != self._saying:
            return [*effects, *self._as_wished(heard=notice.status == "completed", now=now)]
        heard = notice.status == "completed"
        if notice.reply_id != self._saying:
            return [*effects, *self._after_words(notice.reply_id, heard=heard, now=now)]
        self._saying = ""
        self._joined()
        if self._goal is not None:
            return [*effects, *self._go(now)]
        if notice.status == "cancelled":
            self._words.clear()
        effects += self._next_words()
        return [*effects, *self._after_words(notice.reply_id, heard=heard, now=now)]

    def _committed(self, notice: n.UtteranceCommitted, now: float) -> list[Effect]:
        self.tally.turns += 1
        self._idle = 0
        self._answer_spoken(now)
        return []

    def _heard_words(self, notice: n.TranscriptFinal, now: float) -> list[Effect]:
        """The caller's language, for the human and the record."""
        assert self.line is not None, "transcripts come in a call"  # noqa: S101
        transcript = notice.transcript
        if transcript.text and transcript.language in self.line.languages:
            self.language = transcript.language
            self.tally.spoke(self.language)
        if transcript.text:
            self._said.append(transcript.text)
        return self._answered_by_words(notice, now) or []

    def _idled(self, notice: n.IdleTimeout, now: float) -> list[Effect]:
        self._idle += 1
        self.tally.idle_prompts += 1
        if self._idle <= IDLE_PROMPTS or self.stage is not Stage.TALKING:
            return []
        return self._leave(c.HangUp("the caller was silent"), PhonePhrase.SILENCE, now)

    def _timed(self, notice: n.TurnTimings, now: float) -> list[Effect]:
        total = (
            notice.end_of_turn_ms
            + notice.transcript_ms
            + notice.clause_ms
            + notice.audio_ms
            + notice.send_ms
        )
        before, self.tally.timings = self.tally.timings, notice
        if before is None or before.reply_id != notice.reply_id:  # its second is of the content
            self.tally.voice_to_voice_ms.append(total)
        return []

    def _closed(self, notice: n.Closed, now: float) -> list[Effect]:
        return self.end(f"the conversation is over: {notice.reason}", now)

    # ------------------------------------------------------------- deadlines

    def _late_start(self, now: float) -> list[Effect]:
        return [Log("no call came over this line", "warning"), *self.end("no call", now)]

    def _too_long(self, now: float) -> list[Effect]:
        if self.stage is not Stage.TALKING:  # a person may take longer; we look again
            self._deadlines["long"] = now + LONGER_S
            return []
        return self._leave(c.HangUp("the longest time is over"), PhonePhrase.LONG, now)

    def _keys_over(self, now: float) -> list[Effect]:
        return self._enter() if self.stage is Stage.TALKING else []

    def _wish_over(self, now: float) -> list[Effect]:
        return self._as_wished(heard=False, now=now)

    # -------------------------------------------------------------- internals

    def _speaker(self) -> Speaking:
        assert self._speaking is not None, "speech comes in a call"  # noqa: S101
        return self._speaking

    def _silent_at(self) -> float:
        if self.stage is Stage.WAITING:
            return self._heard_at + START_S + 1.0  # the other deadline is first
        return self._heard_at + (HELD_S if self._held else SILENT_S)

    _EVENTS: ClassVar[dict[type[Any], Callable[[CallFlow, Any, float], list[Effect]]]] = {
        c.Started: _started,
        c.Media: _media,
        c.Gap: _gap,
        c.CodecChanged: _codec,
        c.Dtmf: _key,
        c.MarkReached: _marked,
        c.Hold: _hold,
        c.Fault: Attended._fault,
        c.Stopped: _stopped,
        c.Answer: _answered,
        c.Transferred: Attended.transferred,
    }

    _NOTICES: ClassVar[dict[type[Any], Callable[[CallFlow, Any, float], list[Effect]]]] = {
        n.ReplyAudio: _audio,
        n.OutputPaused: _paused,
        n.OutputResumed: _resumed,
        n.ReplyDone: _done,
        n.UtteranceCommitted: _committed,
        n.TranscriptFinal: _heard_words,
        n.IdleTimeout: _idled,
        n.TurnTimings: _timed,
        n.Closed: _closed,
    }

    _DUE: ClassVar[dict[str, Callable[[CallFlow, float], list[Effect]]]] = {
        "start": _late_start,
        "long": _too_long,
        "keys": _keys_over,
        "leave": Attended._last_words,
        "consent": Reaching._no_answer,
        "reach": Reaching._reach_late,
        "wish": _wish_over,
        "join": Attended._join_late,
        "tell": Attended._tell,
        "transfer": Attended._transfer_over,
    }
