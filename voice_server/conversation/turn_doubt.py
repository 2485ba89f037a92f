"""Handlers of the turn-taking core when the user makes a sound over our reply.

Sending stops at the first suspicious frame.  A blip, a backchannel or noise lets it go on from
the same sample; enough voice or the right words make it an interruption.
"""

from __future__ import annotations

from voice_server.conversation import turn_events as ev
from voice_server.conversation.backchannel import is_backchannel, is_interruption
from voice_server.conversation.turn_listen import (
    answer,
    answer_failed,
    commit,
    hear,
    onset,
    soft_end,
    weigh,
)
from voice_server.conversation.turn_reply import finish
from voice_server.conversation.turn_state import (
    DOUBT_PARTIAL_MS,
    DOUBT_SILENCE_MS,
    HOLD_PROBABILITY,
    INTERRUPT_MS,
    ONSET_MS,
    State,
    TurnState,
    Utterance,
)


def replying_frame(turn: TurnState, frame: ev.Frame, now: float) -> None:
    """We speak, or are about to: stop sending at the first suspicion."""
    length = turn.frame_ms(frame, now)
    if turn.options.detection == "none":
        return
    reply = turn.replying()
    if not (reply.interruptible and turn.options.interrupt_response):
        _listen_aside(turn, frame, length, now)
        return
    if frame.probability < min(HOLD_PROBABILITY, turn.options.threshold):
        return
    start = max(0.0, frame.end_ms - length - turn.options.prefix_padding_ms)
    voiced = length if frame.probability >= turn.options.threshold else 0.0
    turn.utterance = Utterance(start, frame.end_ms, now, voiced)
    turn.state = State.PAUSED
    turn.bump()  # the remark's own generation; the reply keeps its older one
    reply.announced_pause = False
    turn.timers["doubt"] = now + turn.deadlines.doubt_s
    turn.out.append(ev.PauseOutput(notify=False))


def _listen_aside(turn: TurnState, frame: ev.Frame, length: float, now: float) -> None:
    """A reply that may not be interrupted: keep what the user says for afterwards."""
    if turn.utterance is None:
        onset(turn, frame, length, now)
    elif turn.voiced(frame.probability):
        turn.utterance.voiced_ms += length
        turn.utterance.last_voiced_ms, turn.utterance.last_voiced_at = frame.end_ms, now


def paused_frame(turn: TurnState, frame: ev.Frame, now: float) -> None:
    """Judge the remark by its length, and ask for its words."""
    length = turn.frame_ms(frame, now)
    utterance, reply = turn.speaking(), turn.replying()
    if turn.voiced(frame.probability):
        before = utterance.voiced_ms
        utterance.voiced_ms += length
        utterance.last_voiced_ms, utterance.last_voiced_at = frame.end_ms, now
        if utterance.voiced_ms >= ONSET_MS and not reply.announced_pause:
            reply.announced_pause = True
            turn.out.append(ev.PauseOutput(notify=True))
        if utterance.voiced_ms >= INTERRUPT_MS:
            interrupt(turn, now)
        elif before < DOUBT_PARTIAL_MS <= utterance.voiced_ms:
            turn.out.append(ev.Transcribe(turn.generation, utterance.start_ms, final=False))
        return
    silence = frame.end_ms - utterance.last_voiced_ms
    if utterance.voiced_ms < ONSET_MS:
        if silence >= 2 * length:
            resume(turn, now)
    elif silence >= DOUBT_SILENCE_MS and not utterance.judged:
        utterance.judged = True
        turn.out.append(ev.Transcribe(turn.generation, utterance.start_ms, final=True))


def judge_partial(turn: TurnState, event: ev.Partial, now: float) -> None:
    """Clear words end the doubt early."""
    if event.generation == turn.generation and is_interruption(event.text):
        interrupt(turn, now)


def judge_final(turn: TurnState, event: ev.Final, now: float) -> None:
    """The remark's words are known; or those of the turn we are about to answer."""
    reply = turn.replying()
    if event.generation == reply.generation:
        answer(turn, event, now)
        return
    if event.generation != turn.generation:
        return
    replies_to_us = reply.played and bool(event.text)
    if is_backchannel(event.text) and not replies_to_us:
        resume(turn, now)
        return
    interrupt(turn, now)
    soft_end(turn, transcribe=False)
    turn.out.append(ev.Adopt(turn.generation, event.generation))
    weigh(turn, ev.Final(turn.generation, event.text), now)


def judge_failed(turn: TurnState, event: ev.FinalFailed, now: float) -> None:
    """The recogniser failed for the remark, or for the turn we are about to answer."""
    if event.generation == turn.replying().generation:
        answer_failed(turn, event, now)
    elif event.generation == turn.generation:
        doubt_due(turn, now)


def judge_played(turn: TurnState, event: ev.ReplyPlayed, now: float) -> None:
    """All was heard before the pause: whatever is being said now is the next turn."""
    reply = turn.replying()
    if event.generation == reply.generation:
        reply.played, reply.awaits_tool = True, event.awaits_tool


def doubt_due(turn: TurnState, now: float) -> None:
    """No verdict in time: enough voice means an interruption."""
    if turn.speaking().voiced_ms >= DOUBT_PARTIAL_MS:
        interrupt(turn, now)
    else:
        resume(turn, now)


def resume(turn: TurnState, now: float) -> None:
    """It was nothing: go on from the same sample."""
    reply = turn.replying()
    turn.utterance, turn.onset_ms = None, 0.0
    turn.timers.pop("doubt", None)
    if reply.played:
        finish(turn, now, awaits_tool=reply.awaits_tool)
        return
    turn.state = State.REPLYING
    turn.out.append(ev.ResumeOutput())


def interrupt(turn: TurnState, now: float) -> None:
    """The user takes the turn; a reply that was heard to its end needs no cancelling."""
    if not turn.replying().played:
        turn.out.append(ev.StopReply("turn_detected"))
        turn.speaking().interrupted = True
    turn.reply = None
    turn.out.append(ev.Abandon(turn.bump()))
    hear(turn, now)


def commit_remark(turn: TurnState, event: ev.Committed, now: float) -> None:
    """The client commits while we are in doubt: it was a turn."""
    interrupt(turn, now)
    soft_end(turn)
    commit(turn, now, reply=False)
