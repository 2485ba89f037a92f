"""Who speaks now: the turn-taking core of every conversation (button, phone, live show).

Sans-I/O: :meth:`TurnMachine.receive` takes an input and the time and returns commands; no await,
no clock, no thread.  Timers are data: the owner calls :meth:`tick` at :meth:`next_deadline`.

==============  =========  =========  ==========  =========  ========  ======  ======
input           IDLE       HEARING    ENDPOINTING REPLYING   PAUSED    HELD    CLOSED
==============  =========  =========  ==========  =========  ========  ======  ======
Frame           onset      listen     wait        doubt      judge     -       -
Partial         -          -          -           -          judge     -       -
Scored          -          -          weigh       -          -         later   -
Final           -          -          weigh       answer     judge     later   -
FinalFailed     -          -          weigh       apologise  judge     later   -
ClauseArrived   -          -          -           note       note      later   -
Audible         -          -          -           note       note      later   -
ReplyPlayed     -          -          -           idle       judge     later   -
Requested       reply      reply      reply       -          -         -       -
Committed       -          commit     commit      -          commit    -       -
Cleared         -          forget     forget      -          -         forget  -
Cancelled       -          -          -           stop       stop      stop    -
Held            hold       hold       hold        hold       hold      -       -
Released        -          -          -           -          -         go on   -
Closing         close      close      close       close      close     close   -
==============  =========  =========  ==========  =========  ========  ======  ======

"-" is ignored (late or needless), "later" is kept until the client is back.  Work carries a
generation; results of an older one are dropped, so nothing stale can sound.  :data:`TABLE` below
is this table; a pair that is not in it raises :class:`IllegalTransition`.

The deadlines and what happens at them stand in :class:`~.turn_state.Deadlines`; the handlers in
``turn_listen``, ``turn_reply`` and ``turn_doubt``.
"""

from __future__ import annotations

from collections.abc import Callable

from voice_server.conversation import turn_doubt as doubt
from voice_server.conversation import turn_events as ev
from voice_server.conversation import turn_listen as listen
from voice_server.conversation import turn_reply as reply
from voice_server.conversation.orders import TurnOptions
from voice_server.conversation.turn_events import Command, Input
from voice_server.conversation.turn_state import Deadlines, State, TurnState

__all__ = ["TABLE", "Deadlines", "IllegalTransition", "State", "TurnMachine"]


class IllegalTransition(Exception):
    """An input that the state does not know; names both."""


class TurnMachine:
    """The turn-taking of one conversation. See the module's table."""

    __slots__ = ("_turn",)

    def __init__(
        self, options: TurnOptions | None = None, deadlines: Deadlines | None = None
    ) -> None:
        """Start idle."""
        self._turn = TurnState(options or TurnOptions(), deadlines or Deadlines())

    @property
    def state(self) -> State:
        """What is going on."""
        return self._turn.state

    @property
    def generation(self) -> int:
        """The newest generation."""
        return self._turn.generation

    @property
    def options(self) -> TurnOptions:
        """How turns are taken now."""
        return self._turn.options

    @property
    def audio_ms(self) -> float:
        """Audio time at the end of the last frame."""
        return self._turn.audio_ms

    def receive(self, event: Input, now: float) -> list[Command]:
        """Take one input at time ``now`` (monotonic seconds); return the commands it causes.

        Raises:
            IllegalTransition: the pair (state, input) is not in the table.
        """
        turn = self._turn
        handler = TABLE[turn.state].get(type(event))
        if handler is None:
            raise IllegalTransition(f"{type(event).__name__} in state {turn.state.value}")
        handler(turn, event, now)
        out, turn.out = turn.out, []
        return out

    def next_deadline(self) -> float | None:
        """Return when :meth:`tick` must be called, None if nothing is waited for."""
        turn = self._turn
        if turn.state in (State.HELD, State.CLOSED) or not turn.timers:
            return None
        return min(turn.timers.values())

    def tick(self, now: float) -> list[Command]:
        """Let the deadlines up to ``now`` take effect."""
        turn = self._turn
        if turn.state not in (State.HELD, State.CLOSED):
            for name in sorted(name for name, at in turn.timers.items() if at <= now):
                if turn.timers.pop(name, None) is not None:
                    TIMERS[name](turn, now)
        out, turn.out = turn.out, []
        return out

    def configure(self, options: TurnOptions, now: float) -> list[Command]:
        """Use other options from now on; an utterance under way is dropped if nobody listens."""
        turn = self._turn
        turn.options = options
        if options.detection == "none" and turn.state in (State.HEARING, State.ENDPOINTING):
            listen.forget(turn, ev.Cleared(), now)
        if turn.state is State.IDLE:
            turn.arm_idle(now)
        out, turn.out = turn.out, []
        return out


def _hold(turn: TurnState, event: ev.Held, now: float) -> None:
    turn.before_hold, turn.state, turn.held_at = turn.state, State.HELD, now


def _postpone(turn: TurnState, event: Input, now: float) -> None:
    turn.postponed.append(event)


def _release(turn: TurnState, event: ev.Released, now: float) -> None:
    """Time stood still: every timer moves on, then what came meanwhile is handled."""
    away = now - turn.held_at
    turn.timers = {name: at + away for name, at in turn.timers.items()}
    turn.frame_at += away
    if turn.utterance is not None:
        turn.utterance.last_voiced_at += away
    turn.state = turn.before_hold
    postponed, turn.postponed = turn.postponed, []
    for late in postponed:
        TABLE[turn.state][type(late)](turn, late, now)


def _forget_held(turn: TurnState, event: ev.Cleared, now: float) -> None:
    if turn.before_hold in (State.HEARING, State.ENDPOINTING):
        listen.forget(turn, event, now)
        turn.state, turn.before_hold = State.HELD, State.IDLE


def _stop_held(turn: TurnState, event: ev.Cancelled, now: float) -> None:
    if turn.before_hold in (State.REPLYING, State.PAUSED):
        reply.stop(turn, event, now)
        turn.state, turn.before_hold = State.HELD, State.IDLE


def _close(turn: TurnState, event: ev.Closing, now: float) -> None:
    turn.timers.clear()
    turn.out += [ev.StopReply("client_cancelled"), ev.Abandon(turn.bump())]
    turn.state = State.CLOSED


def _skip_frame(turn: TurnState, event: ev.Frame, now: float) -> None:
    turn.frame_ms(event, now)


def _ignore(turn: TurnState, event: Input, now: float) -> None:
    """Late or needless here."""


TIMERS: dict[str, Callable[[TurnState, float], None]] = {
    "idle": reply.idle_due,
    "starved": listen.starved,
    "hard": listen.commit,
    "doubt": doubt.doubt_due,
    "filler": reply.filler_due,
    "tool": reply.tool_due,
    "rescue": reply.rescue_due,
    "transcript": lambda turn, now: listen.apologise(turn, now, "stt"),
    "clause": lambda turn, now: listen.apologise(turn, now, "dialogue"),
    "audio": lambda turn, now: listen.apologise(turn, now, "tts"),
}

Handler = Callable[..., None]
_no: Handler = _ignore
_late: Handler = _postpone
_STATES = tuple(State)
# fmt: off
_ROWS: dict[type[Input], tuple[Handler, ...]] = {
    # IDLE, HEARING, ENDPOINTING, REPLYING, PAUSED, HELD, CLOSED
    ev.Frame: (listen.idle_frame, listen.hearing_frame, listen.endpointing_frame,
               doubt.replying_frame, doubt.paused_frame, _skip_frame, _no),
    ev.Partial: (_no, _no, _no, _no, doubt.judge_partial, _no, _no),
    ev.Scored: (_no, _no, listen.weigh, _no, _no, _late, _no),
    ev.Final: (_no, _no, listen.weigh, listen.answer, doubt.judge_final, _late, _no),
    ev.FinalFailed: (_no, _no, listen.weigh, listen.answer_failed, doubt.judge_failed, _late, _no),
    ev.ClauseArrived: (_no, _no, _no, reply.note, reply.note, _late, _no),
    ev.Audible: (_no, _no, _no, reply.note, reply.note, _late, _no),
    ev.ReplyPlayed: (_no, _no, _no, reply.played, doubt.judge_played, _late, _no),
    ev.Requested: (reply.request, reply.request, reply.request, _no, _no, _no, _no),
    ev.Committed: (_no, listen.manual_commit, listen.manual_commit, _no, doubt.commit_remark,
                   _no, _no),
    ev.Cleared: (_no, listen.forget, listen.forget, _no, _no, _forget_held, _no),
    ev.Cancelled: (_no, _no, _no, reply.stop, reply.stop, _stop_held, _no),
    ev.Held: (_hold, _hold, _hold, _hold, _hold, _no, _no),
    ev.Released: (_no, _no, _no, _no, _no, _release, _no),
    ev.Closing: (_close, _close, _close, _close, _close, _close, _no),
}
# fmt: on
TABLE: dict[State, dict[type[Input], Handler]] = {
    state: {kind: row[column] for kind, row in _ROWS.items()}
    for column, state in enumerate(_STATES)
}
"""State x input -> handler: the table of the docstring, as code."""
