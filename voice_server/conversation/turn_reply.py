"""Handlers of the turn-taking core while we speak: requests, deadlines, the end of a reply."""

from __future__ import annotations

from voice_server.conversation import turn_events as ev
from voice_server.conversation.turn_listen import hear
from voice_server.conversation.turn_state import Reply, State, TurnState


def request(turn: TurnState, event: ev.Requested, now: float) -> None:
    """Someone asks for a reply; an utterance that was being spoken is given up."""
    generation = turn.bump()
    turn.out.append(ev.Abandon(generation))
    turn.go_idle(now)
    turn.timers.clear()
    turn.state = State.REPLYING
    turn.reply = Reply(generation, interruptible=event.interruptible)
    turn.timers["clause"] = now + turn.deadlines.clause_s
    turn.timers["filler"] = now + turn.deadlines.filler_s
    turn.out += [ev.Begin(generation, speculative=False), ev.Release(generation)]


def note(turn: TurnState, event: ev.ClauseArrived | ev.Audible, now: float) -> None:
    """The reply makes progress: the next stage's deadline takes over."""
    reply = turn.replying()
    if event.generation != reply.generation:
        return
    if isinstance(event, ev.Audible):
        reply.audible = True
        for timer in ("audio", "filler", "rescue"):
            turn.timers.pop(timer, None)
        return
    turn.timers.pop("clause", None)
    if not reply.audible and "rescue" not in turn.timers:
        turn.timers["audio"] = now + turn.deadlines.audio_s


def played(turn: TurnState, event: ev.ReplyPlayed, now: float) -> None:
    """The reply was heard to its end; what the user said meanwhile, uninterrupting, comes next."""
    if event.generation != turn.replying().generation:
        return
    utterance = turn.utterance
    if utterance is not None:
        turn.reply = None
        hear(turn, now)
        return
    finish(turn, now, awaits_tool=event.awaits_tool)


def finish(turn: TurnState, now: float, *, awaits_tool: bool) -> None:
    """Nobody speaks; a client's tool may be running."""
    turn.go_idle(now)
    if awaits_tool:
        turn.timers["tool"] = now + turn.deadlines.tool_s


def stop(turn: TurnState, event: ev.Cancelled, now: float) -> None:
    """The client cancels the reply."""
    turn.out += [ev.StopReply("client_cancelled"), ev.Abandon(turn.bump())]
    turn.go_idle(now)


def filler_due(turn: TurnState, now: float) -> None:
    """The user has waited long."""
    reply = turn.replying()
    turn.out.append(ev.SayFiller(reply.generation, reply.fillers))
    reply.fillers += 1
    turn.timers["filler"] = now + turn.deadlines.next_filler_s


def tool_due(turn: TurnState, now: float) -> None:
    """The client never answered its tool call: say so."""
    _speak_unasked(turn, now)
    turn.out.append(ev.Apologise(turn.generation, "tool"))


def idle_due(turn: TurnState, now: float) -> None:
    """The user has been silent for long."""
    _speak_unasked(turn, now)
    turn.out.append(ev.PromptIdle(turn.generation))


def rescue_due(turn: TurnState, now: float) -> None:
    """Not even the apology could be made to sound: free the line for the next turn."""
    turn.out += [ev.StopReply("client_cancelled"), ev.Abandon(turn.bump())]
    turn.go_idle(now)


def _speak_unasked(turn: TurnState, now: float) -> None:
    turn.go_idle(now)
    turn.timers.clear()
    turn.state = State.REPLYING
    turn.reply = Reply(turn.bump())
    turn.timers["rescue"] = now + turn.deadlines.rescue_s
