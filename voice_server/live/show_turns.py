"""How the director takes each input. Sans-I/O: functions of the state, the input and the time."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from voice_server.live import show_events as ev
from voice_server.live import show_lines as lines
from voice_server.live import show_moves as moves
from voice_server.live.questions import Status
from voice_server.live.show_events import Change, LineKind
from voice_server.live.show_state import MOST_PEOPLE, MOST_SENTENCES, Notice, ShowState, State

AFFECTED = {
    Change.PRICE: frozenset({"price", "was"}),
    Change.SOLD_OUT: frozenset({"stock"}),
    Change.LOW: frozenset({"stock"}),
    Change.BACK: frozenset({"stock"}),
    Change.GONE: frozenset({"price", "was", "stock"}),
    Change.DETAIL: frozenset({"price", "was", "stock"}),
}
"""What a change makes untrue."""

SAID_AGAIN = frozenset({LineKind.OPENING, LineKind.NOTICE, LineKind.HOST, LineKind.SOCIAL})
"""Kinds that are said again from their beginning when they were cut short. A point of the script
is not counted as said before its end, so it comes again by itself; so does an answer's sentence."""


def ignore(show: ShowState, event: ev.Input, now: float) -> None:
    """Late, or needless."""


def begin(show: ShowState, event: ev.Begin, now: float) -> None:
    """Greet, say that an AI speaks, open the first segment."""
    show.state = State.ON_AIR
    show.timers["remind"] = now + show.sheet.remind_s
    show.queue.extend(lines.phrase(show, "opening", LineKind.OPENING))
    moves.go_on(show, now)


# -- speech -----------------------------------------------------------------------------------


def spoken(show: ShowState, event: ev.Spoken, now: float) -> None:
    """A line was heard: count it and go on."""
    if show.line is None or show.line.id != event.line_id:
        return
    show.failures = 0
    _over(show, now)


def failed(show: ShowState, event: ev.SpeechFailed, now: float) -> None:
    """A line could not be made to sound: the next one, unless too many fail."""
    if show.line is None or show.line.id != event.line_id:
        return
    show.failures += 1
    _over(show, now)


def _over(show: ShowState, now: float) -> None:
    line, show.line = show.line, None
    show.timers.pop("speech", None)
    assert line is not None, "checked by the callers"  # noqa: S101
    if line.point >= 0:
        lines.remember(show, line.text, now)
        show.point = line.point + 1
        show.must_talk = False
    elif line.kind is LineKind.ANSWER:
        lines.remember(show, line.text, now)
        _answer_line_over(show, line, now)
    moves.go_on(show, now)


def _answer_line_over(show: ShowState, line: ev.Line, now: float) -> None:
    show.answers_s += now - show.line_began
    draft = show.answer
    if draft is None or draft.ready.cluster_id != line.cluster_id or draft.left[0] != line.text:
        return  # the words that announce it
    left = draft.left[1:]
    if left:
        show.answer = ev.AnswerDraft(
            draft.ready, left, draft.approved, True, draft.names, draft.askers
        )
    else:
        show.triage.answered(line.cluster_id, now)
        moves.answer_over(show)


# -- the audience -----------------------------------------------------------------------------


def nudge(show: ShowState, event: ev.Nudge, now: float) -> None:
    """The open questions changed: perhaps there is one to answer."""
    moves.ask(show, now)


def answer_ready(show: ShowState, event: ev.AnswerReady, now: float) -> None:
    """An answer was found; it is said at the next sentence end."""
    if event.cluster_id != show.asked:
        return
    show.asked = ""
    show.timers.pop("answer", None)
    sentences = tuple(text for text in event.sentences if text.strip())[:MOST_SENTENCES]
    if not sentences:
        show.triage.for_host(event.cluster_id, "unknown")
        return
    show.answer = ev.AnswerDraft(event, sentences, show.asked_approved)
    show.out.append(ev.Prepare(sentences[0], event.language))
    if show.state is State.LULL:
        moves.go_on(show, now)


def answer_failed(show: ShowState, event: ev.AnswerFailed, now: float) -> None:
    """Nobody knows the answer: the host's list, and the next question."""
    if event.cluster_id != show.asked:
        return
    show.asked = ""
    show.timers.pop("answer", None)
    show.triage.for_host(event.cluster_id, event.reason)
    moves.ask(show, now)


def withdrawn(show: ShowState, event: ev.Withdrawn, now: float) -> None:
    """A question was taken back: its answer is silenced, even in mid-sentence."""
    if event.cluster_id == show.asked:
        show.asked = ""
        show.timers.pop("answer", None)
    if show.answer is not None and show.answer.ready.cluster_id == event.cluster_id:
        moves.answer_over(show)
    if show.line is not None and show.line.cluster_id == event.cluster_id:
        moves.silence(show)
        moves.go_on(show, now)


def crowd(show: ShowState, event: ev.Crowd, now: float) -> None:
    """People came or gave: they are greeted and thanked in batches."""
    for person in event.people:
        if len(show.crowd) < MOST_PEOPLE:
            show.crowd.append(person)
        else:
            show.crowded_out += 1
    if show.state is State.LULL:
        moves.go_on(show, now)


# -- the shop ---------------------------------------------------------------------------------


def fact_changed(show: ShowState, event: ev.FactChanged, now: float) -> None:
    """Price or stock changed: what is no longer true is cut, and the change is told."""
    carded = show.carded
    draft = show.answer
    if draft is not None and _untrue(draft.ready, event):
        show.triage.release(draft.ready.cluster_id)  # it is answered anew
        moves.answer_over(show)
    if event.product_id == show.product and event.change is Change.GONE:
        show.leave = True
    if event.product_id in (show.product, carded) and event.change is not Change.DETAIL:
        other = event.product_id if event.product_id != show.product else ""
        notice = Notice(event.change.value, other)
        if notice not in show.due and not (other and event.change is Change.GONE):
            show.due.appendleft(notice)
    cut = show.line is not None and _untrue(show.line, event)
    if cut:
        moves.silence(show)
        show.queue.clear()
    show.queue = deque(line for line in show.queue if not _untrue(line, event))
    if cut or show.state is State.LULL:
        moves.go_on(show, now)
    else:
        moves.ask(show, now)


def _untrue(said: ev.Line | ev.AnswerReady, event: ev.FactChanged) -> bool:
    """Whether a change makes untrue what is said, or about to be."""
    if event.product_id != said.product_id and event.product_id not in said.about:
        return False
    return event.change is Change.GONE or bool(said.uses & AFFECTED[event.change])


# -- the host ---------------------------------------------------------------------------------


def say(show: ShowState, event: ev.Say, now: float) -> None:
    """The host's words, at the next sentence end."""
    show.says.append(event)
    if show.state is State.LULL:
        moves.go_on(show, now)


def approve(show: ShowState, event: ev.Approve, now: float) -> None:
    """Answer this next: before the one that waits, and whatever the budget."""
    show.triage.approve(event.cluster_id)
    if show.answer is not None and not show.answer.announced and not show.answer.approved:
        moves.give_up_answers(show)
    moves.ask(show, now)


def host_answer(show: ShowState, event: ev.HostAnswer, now: float) -> None:
    """Say the host's answer next; one that is being said is said to its end."""
    cluster_id = event.answer.cluster_id
    if show.asked == cluster_id:
        show.triage.release(cluster_id)
        show.asked = ""
        show.timers.pop("answer", None)
    show.host_answers.append(event.answer)
    waiting = show.answer
    if waiting is not None and not waiting.announced and not waiting.ready.by_host:
        show.answer = None
        show.triage.release(waiting.ready.cluster_id)
    moves.take_host_answer(show)
    if show.state is State.LULL:
        moves.go_on(show, now)


def skip(show: ShowState, event: ev.Skip, now: float) -> None:
    """Not this one; if it is being answered, no further."""
    cluster = show.triage.get(event.cluster_id)
    if cluster is not None and cluster.status is Status.TAKEN:
        show.triage.release(event.cluster_id)
    show.triage.skip(event.cluster_id)
    withdrawn(show, ev.Withdrawn(event.cluster_id), now)


def mute(show: ShowState, event: ev.Mute, now: float) -> None:
    """Silence at once; the show waits."""
    _pause(show, now)
    show.state = State.MUTED


def take_over(show: ShowState, event: ev.TakeOver, now: float) -> None:
    """The host speaks."""
    _pause(show, now)
    show.state = State.HOST


def _pause(show: ShowState, now: float) -> None:
    if show.state not in (State.MUTED, State.HOST):
        show.paused_at = now
    line = moves.silence(show)
    if line is not None and line.kind in SAID_AGAIN:
        show.queue.appendleft(line)
    show.timers.pop("idle", None)


def resume(show: ShowState, event: ev.Resume, now: float) -> None:
    """Go on where we were; the segment's time did not run."""
    show.began += now - show.paused_at
    if show.segment is not None:
        show.timers["segment"] = show.began + show.segment.duration_s
    show.state = State.ON_AIR
    show.away = show.segment is not None
    moves.go_on(show, now)


def revise(show: ShowState, event: ev.SheetChanged, now: float) -> None:
    """Take an edited run-sheet; what runs stays as it began.

    What a show was set up with (languages, avatar, chat, policy) is the old one's until it begins
    anew: voices and pages are made for it.
    """
    del now
    show.sheet = replace(
        show.sheet,
        segments=event.sheet.segments,
        title=event.sheet.title,
        loop=event.sheet.loop,
        answer_share=event.sheet.answer_share,
        auto_answer=event.sheet.auto_answer,
        answer_in_asker_language=event.sheet.answer_in_asker_language,
    )
    if show.running is not None:
        places = {segment.id: at for at, segment in enumerate(show.sheet.segments)}
        before = min(show.at, len(show.sheet.segments)) - 1
        show.at = places.get(show.running.id, before)


def jump(show: ShowState, event: ev.Jump, now: float) -> None:
    """Go to a segment at once; an unknown one changes nothing."""
    for at, segment in enumerate(show.sheet.segments):
        if segment.id == event.segment_id:
            moves.silence(show)
            moves.give_up_answers(show)
            show.queue.clear()
            moves.enter(show, at, now)
            show.paused_at = now
            if show.state in (State.ON_AIR, State.LULL):
                moves.go_on(show, now)
            return


def stop(show: ShowState, event: ev.Stop, now: float) -> None:
    """Goodbye, after the sentence that is being said."""
    moves.close(show)
    if show.line is None:
        moves.go_on(show, now)


def stop_now(show: ShowState, event: ev.Stop, now: float) -> None:
    """Off air at once."""
    moves.give_up_answers(show)
    moves.end(show)


# -- time -------------------------------------------------------------------------------------


def speech_lost(show: ShowState, now: float) -> None:
    """No word from the engine about the line: cut it and go on."""
    line = show.line
    assert line is not None, "the timer goes with the line"  # noqa: S101
    show.out.append(ev.CancelSpeech(line.id))
    failed(show, ev.SpeechFailed(line.id), now)


def answer_late(show: ShowState, now: float) -> None:
    """Nobody found an answer in time: the host's list."""
    show.triage.for_host(show.asked, "slow")
    show.asked = ""
    moves.ask(show, now)


def wake(show: ShowState, now: float) -> None:
    """Something is due: say it if nothing is being said."""
    if show.state is State.LULL:
        moves.go_on(show, now)


def flash_start(show: ShowState, now: float) -> None:
    """The flash sale begins."""
    show.flash_on = True
    moves.card(show)
    show.due.append(Notice("flash_start"))
    wake(show, now)


def flash_end(show: ShowState, now: float) -> None:
    """The flash sale is over: it is taken off the card at once."""
    show.flash_on = False
    if Notice("flash_start") in show.due:
        show.due.remove(Notice("flash_start"))  # nobody heard of it yet (the show was paused)
    else:
        show.due.append(Notice("flash_end"))
    moves.card(show)
    wake(show, now)


def remind(show: ShowState, now: float) -> None:
    """It is time to say again that an AI speaks."""
    show.timers["remind"] = now + show.sheet.remind_s
    if Notice("remind") not in show.due:
        show.due.append(Notice("remind"))
    wake(show, now)
