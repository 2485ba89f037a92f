"""What the director does next: choosing, speaking, walking the run-sheet. Sans-I/O."""

from __future__ import annotations

from dataclasses import replace

from voice_server.live import show_lines as lines
from voice_server.live.phrases import minutes
from voice_server.live.show_events import (
    AnswerDraft,
    CancelSpeech,
    Finished,
    Line,
    LineKind,
    Prepare,
    PrepareAnswer,
    SegmentStarted,
    ShowCard,
    Speak,
)
from voice_server.live.show_state import (
    ANSWER_S,
    BRIDGE_EVERY_S,
    GREET_EVERY_S,
    IDLE_S,
    INVITE_EVERY,
    MOST_FAILURES,
    MOST_SENTENCES,
    SPEECH_S,
    Notice,
    ShowState,
    State,
)


def go_on(show: ShowState, now: float) -> None:
    """Nothing is being spoken: say what is due, or wait in a lull."""
    ask(show, now)
    line = None
    if show.failures < MOST_FAILURES:
        line = _choose(show, now)
    elif show.state is State.CLOSING:
        end(show)
    show.failures %= MOST_FAILURES
    if line is not None:
        speak(show, line, now)
    elif show.state is not State.ENDED:
        show.state = State.LULL
        show.timers["idle"] = now + IDLE_S


def speak(show: ShowState, line: Line, now: float) -> None:
    """Have a line spoken; look ahead to what follows."""
    if show.state is State.LULL:
        show.state = State.ON_AIR
    show.timers.pop("idle", None)
    show.line, show.line_began = line, now
    show.timers["speech"] = now + SPEECH_S
    show.out.append(Speak(line))
    text, language = lines.upcoming(show, line)
    if text:
        show.out.append(Prepare(text, language))
    ask(show, now)


def ask(show: ShowState, now: float) -> None:
    """Have the answer of the best question prepared, if none is under way."""
    if show.asked or show.answer is not None or show.state not in (State.ON_AIR, State.LULL):
        return
    best = show.triage.best(now, show.product)
    if best is None or not (best.approved or (show.sheet.auto_answer and _has_budget(show))):
        return
    show.triage.take(best.id)
    show.asked, show.asked_approved = best.id, best.approved
    show.timers["answer"] = now + ANSWER_S
    own = show.sheet.answer_in_asker_language and best.language in show.sheet.languages
    language = best.language if own else show.sheet.language
    show.out.append(PrepareAnswer(best.id, best.text, language, show.product))


def _has_budget(show: ShowState) -> bool:
    segment = show.segment
    return segment is not None and show.answers_s < show.sheet.answer_share * segment.duration_s


def _choose(show: ShowState, now: float) -> Line | None:
    if show.queue:
        return show.queue.popleft()
    if show.state is State.CLOSING:
        end(show)
        return None
    if show.says:
        say = show.says.popleft()
        show.away = True
        return lines.make(
            show, say.text, LineKind.HOST, language=say.language, mood="happy", gesture="nod"
        )
    if show.due:
        return _notice(show, show.due.popleft(), now)
    answer = _answer(show)
    if answer is not None:
        return answer
    if (show.crowd or show.crowded_out) and "greet" not in show.timers:
        show.timers["greet"] = now + GREET_EVERY_S
        show.queue.extend(lines.social(show))
        return show.queue.popleft()
    return _script(show, now)


def _notice(show: ShowState, notice: Notice, now: float) -> Line:
    """Word a notice with the facts of this moment."""
    key = notice.key
    more: dict[str, str] = {}
    segment = show.segment
    flash = segment.flash if segment else None
    if flash is not None and key == "flash_start":
        left = show.timers.get("flash_end", now + flash.lasts_s) - now
        more["flash_price"] = show.facts.money(flash.price, show.sheet.language)
        more["minutes"] = minutes(left, show.sheet.language)
    about = "" if key in ("remind", "gone") else notice.product_id or show.product
    said = lines.phrase(show, key, LineKind.NOTICE, product=about, **more)
    if flash is not None and key == "flash_start" and flash.code:
        code = " ".join(flash.code)
        said += lines.phrase(show, "flash_code", LineKind.NOTICE, product=about, code=code)
    show.queue.extend(said)
    show.away = True
    return show.queue.popleft()


def _answer(show: ShowState) -> Line | None:
    """Return the next sentence of the answer that waits, if its turn has come."""
    draft = show.answer
    if draft is None or (show.must_talk and not draft.approved and not draft.announced):
        return None
    if draft.announced:
        return lines.answer_line(show, draft, first=False)
    cluster = show.triage.get(draft.ready.cluster_id)
    assert cluster is not None, "kept while it is taken"  # noqa: S101
    draft = replace(draft, names=cluster.names, askers=cluster.askers)
    show.answer = replace(draft, announced=True)
    about = draft.ready.product_id
    if about and about != show.product and show.facts.known(about):
        show.carded = about
        show.out.append(ShowCard(about))
    show.queue.extend(lines.preface(show, draft, draft.ready.language))
    show.queue.append(lines.answer_line(show, draft, first=True))
    return show.queue.popleft()


def answer_over(show: ShowState) -> None:
    """The answer is said, or given up: back to the script."""
    draft, show.answer = show.answer, None
    show.queue = type(show.queue)(
        line for line in show.queue if draft is None or line.cluster_id != draft.ready.cluster_id
    )
    show.must_talk = show.away = True
    if draft is not None and draft.announced:
        card(show)
    take_host_answer(show)


def take_host_answer(show: ShowState) -> None:
    """Let the next answer of the host's wait for its turn, if none is in its way."""
    while show.answer is None and show.host_answers:
        ready = show.host_answers.popleft()
        cluster = show.triage.take(ready.cluster_id)
        if cluster is None:
            continue  # taken back, or answered meanwhile
        sentences = tuple(text for text in ready.sentences if text.strip())[:MOST_SENTENCES]
        show.answer = AnswerDraft(
            ready, sentences, True, names=cluster.names, askers=cluster.askers
        )
        show.out.append(Prepare(sentences[0], ready.language))


def _script(show: ShowState, now: float) -> Line | None:
    segment = show.segment
    if segment is None or show.leave or now - show.began >= segment.duration_s:
        return _next(show, now)
    line = lines.talk(show, now)
    if line is None:
        show.must_talk = False
        if show.answer is not None:
            return _answer(show)
        return _used_up(show, now)
    if show.away and now - show.bridged_at >= BRIDGE_EVERY_S:
        show.away, show.bridged_at = False, now
        key = "bridge_product" if show.product and show.point > 0 else "bridge"
        show.queue.extend(lines.phrase(show, key, LineKind.BRIDGE, product=show.product))
        return show.queue.popleft()
    return line


def _used_up(show: ShowState, now: float) -> Line | None:
    """The script is said: invite questions, wait a little, then on to the next segment."""
    waits = "flash_start" in show.timers or "flash_end" in show.timers
    show.lulls += show.invited
    if not show.invited or (waits and show.lulls % INVITE_EVERY == 0):
        show.invited = True
        show.queue.extend(lines.phrase(show, "idle", LineKind.BRIDGE))
        return show.queue.popleft()
    return None if show.asked or waits or show.lulls < 2 else _next(show, now)


def _next(show: ShowState, now: float) -> Line | None:
    """Go to the next segment whose product exists; at the end loop, or say goodbye."""
    segments = show.sheet.segments
    for step in range(1, len(segments) + 1):
        at = show.at + step
        around = at >= len(segments)
        if around and not show.sheet.loop:
            break
        segment = segments[at % len(segments)]
        if not segment.product_id or show.facts.known(segment.product_id):
            if around:
                show.queue.extend(lines.phrase(show, "opening_again", LineKind.OPENING))
            enter(show, at % len(segments), now, again=around)
            return show.queue.popleft() if show.queue else lines.talk(show, now)
    close(show)
    return show.queue.popleft()


def enter(show: ShowState, at: int, now: float, *, again: bool = False) -> None:
    """Begin a segment: card, lower third, its points and its first words."""
    first = show.running is None
    segment = show.running = show.sheet.segments[at]
    show.at, show.round = at, show.round + (1 if again else 0)
    show.began, show.point, show.answers_s = now, 0, 0.0
    show.leave = show.invited = show.away = show.must_talk = show.flash_on = False
    show.lulls = 0
    show.due = type(show.due)(notice for notice in show.due if notice.key == "remind")
    language = show.sheet.language
    own = segment.points.get(language, ())
    show.points = tuple(own or show.facts.points(segment.product_id, language))
    for name in ("segment", "flash_start", "flash_end", "idle"):
        show.timers.pop(name, None)
    show.timers["segment"] = now + segment.duration_s
    if segment.flash is not None:
        show.timers["flash_start"] = now + segment.flash.starts_s
        show.timers["flash_end"] = now + segment.flash.starts_s + segment.flash.lasts_s
    show.out.append(SegmentStarted(segment.id, show.round))
    card(show)
    if segment.product_id:
        key = "first" if first else "next"
        show.queue.extend(lines.phrase(show, key, LineKind.TALK, product=segment.product_id))


def card(show: ShowState) -> None:
    """Show the segment's product, with its flash price while that runs."""
    segment = show.segment
    flash = segment.flash if segment is not None and show.flash_on else None
    ends = show.timers.get("flash_end") if flash else None
    show.carded = show.product
    show.out.append(ShowCard(show.product, flash, ends))


def close(show: ShowState) -> None:
    """Say goodbye after what is being said; nothing else is said any more."""
    show.state = State.CLOSING
    show.host_answers.clear()
    give_up_answers(show)
    show.says.clear()
    show.due.clear()
    show.queue.clear()
    show.timers = {name: at for name, at in show.timers.items() if name == "speech"}
    show.queue.extend(lines.phrase(show, "closing", LineKind.CLOSING))


def end(show: ShowState) -> None:
    """Off air."""
    silence(show)
    show.state = State.ENDED
    show.timers.clear()
    show.queue.clear()
    show.out += [ShowCard(""), Finished()]


def silence(show: ShowState) -> Line | None:
    """Stop speaking at once; return the line that was cut."""
    line, show.line = show.line, None
    show.timers.pop("speech", None)
    if line is not None:
        show.out.append(CancelSpeech(line.id))
    return line


def give_up_answers(show: ShowState) -> None:
    """Questions being answered wait again."""
    if show.asked:
        show.triage.release(show.asked)
        show.asked = ""
        show.timers.pop("answer", None)
    if show.answer is not None:
        ready = show.answer.ready
        show.triage.release(ready.cluster_id)
        if ready.by_host and show.state is not State.CLOSING:
            show.host_answers.appendleft(ready)  # the host's words are not lost
        answer_over(show)
