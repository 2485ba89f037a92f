"""The director of a show: what is said next, and what becomes of everything that happens.

Sans-I/O: :meth:`Director.receive` takes an input and the time and returns commands; no await, no
clock, no thread, no chance, so that a recorded show replays word for word.  Timers are data: the
owner calls :meth:`Director.tick` at :meth:`Director.next_deadline`.

=============  ======  ==========  ==========  ==========  ==========  ========  ======
input          IDLE    ON_AIR      LULL        MUTED       HOST        CLOSING   ENDED
=============  ======  ==========  ==========  ==========  ==========  ========  ======
Begin          begin   -           -           -           -           -         -
Spoken         -       go on       -           -           -           go on     -
SpeechFailed   -       go on       -           -           -           go on     -
Nudge          -       ask         ask         -           -           -         -
AnswerReady    -       keep        say         keep        keep        -         -
AnswerFailed   -       to host     to host     to host     to host     -         -
Withdrawn      -       silence     forget      forget      forget      -         -
Crowd          -       keep        greet       keep        keep        -         -
FactChanged    -       tell        tell        keep        keep        -         -
Say            -       keep        say         keep        keep        -         -
Approve        -       ask         ask         note        note        -         -
Skip           -       silence     forget      forget      forget      -         -
Mute           -       pause       pause       -           pause       end       -
TakeOver       -       pause       pause       pause       -           end       -
Resume         -       -           -           resume      resume      -         -
SheetChanged   revise  revise      revise      revise      revise      -         -
HostAnswer     -       keep        say         keep        keep        -         -
Jump           -       jump        jump        jump        jump        -         -
Stop           end     close       close       end         end         end       -
=============  ======  ==========  ==========  ==========  ==========  ========  ======

"-" is ignored (late or needless).  :data:`TABLE` below is this table.  At a sentence end the order
is: the rest of a thought, the host's words, notices, an answer, greetings and thanks, the script.
Between two answers the script has a sentence, unless the host approved the second one; answers
take at most their share of a segment.  Deadlines and what happens at them: ``show_state``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from voice_server.live import show_events as ev
from voice_server.live import show_turns as turns
from voice_server.live.facts import Facts
from voice_server.live.run_sheet import RunSheet, Segment
from voice_server.live.show_events import Command, Input, Line
from voice_server.live.show_state import ShowState, State
from voice_server.live.triage import Triage

__all__ = ["TABLE", "Director", "State"]


class Director:
    """Directs one show. See the module's table."""

    __slots__ = ("_show",)

    def __init__(self, sheet: RunSheet, facts: Facts, triage: Triage) -> None:
        """``facts`` are read when sentences are worded; ``triage`` holds the open questions."""
        self._show = ShowState(sheet, facts, triage)

    @property
    def state(self) -> State:
        """What is going on."""
        return self._show.state

    @property
    def segment(self) -> Segment | None:
        """The segment that runs."""
        return self._show.segment

    @property
    def product(self) -> str:
        """The product of the segment, "" for none."""
        return self._show.product

    @property
    def shown(self) -> tuple[str, ...]:
        """The products whose facts count now: presented, on the card, and presented next."""
        show = self._show
        following = show.sheet.segments[(show.at + 1) % len(show.sheet.segments)].product_id
        shown = (show.product, show.carded, following)
        return tuple(dict.fromkeys(product for product in shown if product))

    @property
    def line(self) -> Line | None:
        """What is being spoken."""
        return self._show.line

    def receive(self, event: Input, now: float) -> list[Command]:
        """Take one input at time ``now`` (seconds of the show's clock); return the commands."""
        show = self._show
        TABLE[show.state][type(event)](show, event, now)
        out, show.out = show.out, []
        return out

    def next_deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, None if nothing is waited for."""
        timers = self._show.timers
        return min(timers.values()) if timers else None

    def tick(self, now: float) -> list[Command]:
        """Let the deadlines up to ``now`` take effect."""
        show = self._show
        due = sorted((at, name) for name, at in show.timers.items() if at <= now)
        for at, name in due:
            if show.timers.get(name) == at:
                del show.timers[name]
                TIMERS[name](show, now)
        out, show.out = show.out, []
        return out


Handler = Callable[[ShowState, Any, float], None]

_ALL: dict[type[Any], Handler] = {
    ev.Begin: turns.ignore,
    ev.Spoken: turns.ignore,
    ev.SpeechFailed: turns.ignore,
    ev.Nudge: turns.ignore,
    ev.AnswerReady: turns.ignore,
    ev.AnswerFailed: turns.ignore,
    ev.Withdrawn: turns.ignore,
    ev.Crowd: turns.ignore,
    ev.FactChanged: turns.ignore,
    ev.Say: turns.ignore,
    ev.Approve: turns.ignore,
    ev.Skip: turns.ignore,
    ev.Mute: turns.ignore,
    ev.TakeOver: turns.ignore,
    ev.Resume: turns.ignore,
    ev.Jump: turns.ignore,
    ev.Stop: turns.ignore,
    ev.SheetChanged: turns.ignore,
    ev.HostAnswer: turns.ignore,
}
_LIVE: dict[type[Any], Handler] = _ALL | {
    ev.AnswerReady: turns.answer_ready,
    ev.AnswerFailed: turns.answer_failed,
    ev.Withdrawn: turns.withdrawn,
    ev.Crowd: turns.crowd,
    ev.FactChanged: turns.fact_changed,
    ev.Say: turns.say,
    ev.Approve: turns.approve,
    ev.Skip: turns.skip,
    ev.Jump: turns.jump,
    ev.SheetChanged: turns.revise,
    ev.HostAnswer: turns.host_answer,
}

TABLE: dict[State, dict[type[Any], Handler]] = {
    State.IDLE: _ALL
    | {ev.Begin: turns.begin, ev.Stop: turns.stop_now, ev.SheetChanged: turns.revise},
    State.ON_AIR: _LIVE
    | {
        ev.Spoken: turns.spoken,
        ev.SpeechFailed: turns.failed,
        ev.Nudge: turns.nudge,
        ev.Mute: turns.mute,
        ev.TakeOver: turns.take_over,
        ev.Stop: turns.stop,
    },
    State.LULL: _LIVE
    | {
        ev.Nudge: turns.nudge,
        ev.Mute: turns.mute,
        ev.TakeOver: turns.take_over,
        ev.Stop: turns.stop,
    },
    State.MUTED: _LIVE
    | {ev.TakeOver: turns.take_over, ev.Resume: turns.resume, ev.Stop: turns.stop_now},
    State.HOST: _LIVE | {ev.Mute: turns.mute, ev.Resume: turns.resume, ev.Stop: turns.stop_now},
    State.CLOSING: _ALL
    | {
        ev.Spoken: turns.spoken,
        ev.SpeechFailed: turns.failed,
        ev.Mute: turns.stop_now,
        ev.TakeOver: turns.stop_now,
        ev.Stop: turns.stop_now,
    },
    State.ENDED: _ALL,
}

TIMERS: dict[str, Callable[[ShowState, float], None]] = {
    "speech": turns.speech_lost,
    "answer": turns.answer_late,
    "idle": turns.wake,
    "segment": turns.wake,
    "greet": turns.wake,
    "flash_start": turns.flash_start,
    "flash_end": turns.flash_end,
    "remind": turns.remind,
}
