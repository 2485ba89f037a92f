"""Handlers of the turn-taking core while the user speaks: onset, silence, commit."""

from __future__ import annotations

from voice_server.conversation import turn_events as ev
from voice_server.conversation.endpointing import SOFT_SILENCE_MS, wait_ms
from voice_server.conversation.turn_state import (
    LONGEST_UTTERANCE_MS,
    ONSET_MS,
    PARTIAL_EVERY_MS,
    SURE_PROBABILITY,
    Reply,
    State,
    TurnState,
    Utterance,
)


def idle_frame(turn: TurnState, frame: ev.Frame, now: float) -> None:
    """Nobody speaks: look for an onset."""
    length = turn.frame_ms(frame, now)
    if turn.options.detection != "none" and onset(turn, frame, length, now):
        hear(turn, now)


def onset(turn: TurnState, frame: ev.Frame, length: float, now: float) -> bool:
    """Count voiced frames; open an utterance when they are enough."""
    if not turn.voiced(frame.probability):
        turn.onset_ms = 0.0
        return False
    if not turn.onset_ms:
        turn.onset_start_ms = frame.end_ms - length
    turn.onset_ms += length
    if turn.onset_ms < ONSET_MS and frame.probability < SURE_PROBABILITY:
        return False
    start = max(0.0, turn.onset_start_ms - turn.options.prefix_padding_ms)
    turn.utterance = Utterance(start, frame.end_ms, now, turn.onset_ms)
    turn.onset_ms = 0.0
    return True


def hear(turn: TurnState, now: float) -> None:
    """The user speaks (again)."""
    utterance = turn.speaking()
    turn.state = State.HEARING
    turn.timers.clear()
    turn.timers["starved"] = now + turn.deadlines.starved_s
    if not utterance.announced:
        utterance.announced = True
        turn.out.append(ev.SpeechBegan(utterance.start_ms))


def hearing_frame(turn: TurnState, frame: ev.Frame, now: float) -> None:
    """The user speaks: count, ask for partials, notice the first silence."""
    length = turn.frame_ms(frame, now)
    utterance = turn.speaking()
    turn.timers["starved"] = now + turn.deadlines.starved_s
    if turn.voiced(frame.probability):
        utterance.voiced_ms += length
        utterance.last_voiced_ms, utterance.last_voiced_at = frame.end_ms, now
        if frame.end_ms - utterance.start_ms >= LONGEST_UTTERANCE_MS:
            soft_end(turn)
            commit(turn, now)
        elif utterance.voiced_ms - utterance.partial_at_ms >= PARTIAL_EVERY_MS:
            utterance.partial_at_ms = utterance.voiced_ms
            turn.out.append(ev.Transcribe(turn.generation, utterance.start_ms, final=False))
    elif frame.end_ms - utterance.last_voiced_ms >= SOFT_SILENCE_MS:
        soft_end(turn)
        arm_hard(turn)


def soft_end(turn: TurnState, *, transcribe: bool = True) -> None:
    """Speculate that the turn is over: recognise, score, and soon prepare the reply."""
    utterance = turn.speaking()
    turn.state = State.ENDPOINTING
    turn.onset_ms = 0.0
    utterance.score, utterance.text, utterance.failed = None, None, False
    generation = turn.bump()
    if transcribe:
        turn.out.append(ev.Transcribe(generation, utterance.start_ms, final=True))
    if turn.options.detection == "semantic":
        turn.out.append(ev.Score(generation, utterance.start_ms))


def starved(turn: TurnState, now: float) -> None:
    """The client stopped sending: real time stands in for audio time."""
    if turn.state is State.HEARING:
        soft_end(turn)
        arm_hard(turn)


def silence_wait_ms(turn: TurnState) -> float:
    """Return the silence that ends the turn, with what is known by now."""
    utterance = turn.speaking()
    return wait_ms(turn.options, score=utterance.score, text=utterance.text, pauses=turn.pauses)


def arm_hard(turn: TurnState) -> None:
    """Without further frames the turn ends by real time."""
    by_clock = turn.speaking().last_voiced_at + silence_wait_ms(turn) / 1000.0
    turn.timers["hard"] = max(by_clock, turn.frame_at + turn.deadlines.starved_s)


def endpointing_frame(turn: TurnState, frame: ev.Frame, now: float) -> None:
    """Silence: does the user go on, or is the turn over?"""
    length = turn.frame_ms(frame, now)
    utterance = turn.speaking()
    if turn.voiced(frame.probability):
        turn.onset_ms += length
        if turn.onset_ms >= ONSET_MS or frame.probability >= SURE_PROBABILITY:
            turn.pauses.observe(frame.end_ms - turn.onset_ms - utterance.last_voiced_ms)
            utterance.voiced_ms += turn.onset_ms
            utterance.last_voiced_ms, utterance.last_voiced_at = frame.end_ms, now
            turn.onset_ms = 0.0
            turn.out.append(ev.Abandon(turn.bump()))
            hear(turn, now)
        else:
            arm_hard(turn)
        return
    turn.onset_ms = 0.0
    if frame.end_ms - utterance.last_voiced_ms >= silence_wait_ms(turn):
        commit(turn, now)
    else:
        arm_hard(turn)


def weigh(turn: TurnState, event: ev.Scored | ev.Final | ev.FinalFailed, now: float) -> None:
    """Transcript or score of the silence that is running: the wait may be over now."""
    if event.generation != turn.generation:
        return
    utterance = turn.speaking()
    if isinstance(event, ev.Scored):
        utterance.score = event.probability
    elif isinstance(event, ev.Final):
        utterance.text = event.text
        if event.text and turn.options.create_response:
            turn.out.append(ev.Begin(turn.generation, speculative=True))
    else:
        utterance.failed = True
    arm_hard(turn)
    if turn.audio_ms - utterance.last_voiced_ms >= silence_wait_ms(turn):
        commit(turn, now)


def commit(turn: TurnState, now: float, *, reply: bool = True) -> None:
    """The turn is over: answer it, or wait for its transcript."""
    utterance = turn.speaking()
    turn.timers.clear()
    turn.out.append(
        ev.Commit(turn.generation, utterance.start_ms, turn.audio_ms, utterance.last_voiced_ms)
    )
    if not (reply and turn.options.create_response):
        turn.go_idle(now)
        return
    turn.state, turn.utterance, turn.onset_ms = State.REPLYING, None, 0.0
    turn.reply = Reply(turn.generation, begun=False, owed=utterance.interrupted)
    turn.timers["transcript"] = now + turn.deadlines.transcript_s
    turn.timers["filler"] = now + turn.deadlines.filler_s
    if utterance.failed:
        apologise(turn, now, "stt")
    elif utterance.text is not None:
        answer(turn, ev.Final(turn.generation, utterance.text), now, prepared=True)


def answer(turn: TurnState, event: ev.Final, now: float, *, prepared: bool = False) -> None:
    """The transcript of a committed turn is there."""
    reply = turn.replying()
    if event.generation != reply.generation or reply.begun:
        return
    turn.timers.pop("transcript", None)
    if not event.text and reply.owed:
        apologise(turn, now, "stt")
        return
    reply.begun = True
    if not event.text:
        turn.out.append(ev.NoWords(reply.generation))
        turn.go_idle(now)
        return
    turn.timers["clause"] = now + turn.deadlines.clause_s
    if not prepared:
        turn.out.append(ev.Begin(reply.generation, speculative=False))
    turn.out.append(ev.Release(reply.generation))


def answer_failed(turn: TurnState, event: ev.FinalFailed, now: float) -> None:
    """The recogniser failed after the commit: say so."""
    reply = turn.replying()
    if event.generation == reply.generation and not reply.begun:
        apologise(turn, now, "stt")


def apologise(turn: TurnState, now: float, stage: str) -> None:
    """Let an apology take the reply's place; a doubt about a barge-in stays open."""
    doubt = turn.timers.get("doubt")
    turn.timers.clear()
    if doubt is not None:
        turn.timers["doubt"] = doubt
    reply = turn.replying()
    reply.begun = True
    if not reply.audible:
        turn.timers["rescue"] = now + turn.deadlines.rescue_s
    turn.out.append(ev.Apologise(reply.generation, stage))  # type: ignore[arg-type]


def manual_commit(turn: TurnState, event: ev.Committed, now: float) -> None:
    """Push-to-talk while the detection was on: the turn ends here, the client asks for replies."""
    if turn.state is State.HEARING:
        soft_end(turn)
    commit(turn, now, reply=False)


def forget(turn: TurnState, event: ev.Cleared, now: float) -> None:
    """The client threw the audio away."""
    turn.out.append(ev.Abandon(turn.bump()))
    turn.go_idle(now)
