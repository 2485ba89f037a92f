"""A show that runs: chat in, triage, director, voice, pages. The asyncio shell around the cores.

One task owns the director (inputs through one queue); one looks after the chat; every source has
its own.  Deadlines: the director's timers; an answer REPLY_S; a silent engine SPEECH_S (then the
show goes on with the next sentence); a page that does not read is closed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from voice_server.dialogue.translation import Translates
from voice_server.live import alarms, views
from voice_server.live import show_events as ev
from voice_server.live.alarms import Alarms
from voice_server.live.answers import Answerer
from voice_server.live.audience import Audience
from voice_server.live.broadcast import Broadcast, Page
from voice_server.live.caption_work import CaptionWork
from voice_server.live.captions import CaptionLog
from voice_server.live.chat.envelope import REMOVALS, ChatEvent, Kind
from voice_server.live.chat.inbox import Inbox
from voice_server.live.chat.reading import ChatReader
from voice_server.live.chat.source import ChatSource, SourceState, keep_reading
from voice_server.live.fact_keeper import FactKeeper
from voice_server.live.facts import ShopFacts
from voice_server.live.host_desk import HostDesk
from voice_server.live.host_voice import HostVoice
from voice_server.live.host_words import HostWords
from voice_server.live.on_air import OnAir
from voice_server.live.outcomes import Closed, Dropped, Joined, Outcome, Social
from voice_server.live.policy import POLICIES
from voice_server.live.prompter import Prompter
from voice_server.live.questions import Status
from voice_server.live.report import ShowReport
from voice_server.live.run_sheet import RunSheet
from voice_server.live.show import Director, State
from voice_server.live.triage import Triage, Understanding
from voice_server.live.voice import LineSpeaker
from voice_server.speech.engine import TextToSpeech

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
"""The host's list follows the chat ten times a second, however many write."""
INPUTS = 1_000
"""Inputs waiting for the director. It takes microseconds for each: this is never full unless the
process hangs, and then the oldest chatter is worth nothing."""
ANSWERS = "answers"
"""What alarms are about."""


class ShowSession:
    """One show, on air or waiting."""

    def __init__(
        self,
        sheet: RunSheet,
        facts: ShopFacts,
        understanding: Understanding,
        answerer: Answerer,
        tts: TextToSpeech,
        *,
        sources: Sequence[ChatSource] = (),
        autostart: bool = False,
        host_words: HostWords | None = None,
        translator: Translates | None = None,
        on_drop: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """``autostart``: begins with the first page that watches, pauses when none is left.

        ``host_words`` judges what the host types; ``translator`` makes the captions that no text
        of the shop has.
        """
        self.sheet = sheet
        self.facts = facts
        self.captions = CaptionLog()
        self.report = ShowReport()
        self.alarms = Alarms(self._show_state)
        """What is wrong; whoever pushes the stream sounds and clears its own."""
        self.pages = Broadcast(self._watched)
        self._triage = Triage(understanding)
        self._director = Director(sheet, facts, self._triage)
        self._answerer = answerer
        self._policy = POLICIES[sheet.policy]
        self.on_air = OnAir(
            LineSpeaker(tts, self.pages) if self._policy.voice else Prompter(self.pages),
            self.captions,
            CaptionWork(translator, sheet.languages, self.captions, self.pages.send),
            self.report,
            self.alarms,
            self.do,
        )
        self.host_words = host_words
        self.host = HostDesk(
            lambda: self.sheet,
            answerer,
            host_words,
            cluster=self._triage.get,
            on_screen=lambda: self._director.product,
            do=self._host_says,
            tell=lambda message: self.pages.send(message, host=True),
        )
        self.voice = HostVoice(self.pages, self.do, self.alarms)
        self._sources = sources
        self._audience = Audience(self.do, lambda: self.state) if autostart else None
        self._on_drop = on_drop
        self._inputs: asyncio.Queue[ev.Input] = asyncio.Queue(INPUTS)
        self._triage_lock = asyncio.Lock()
        self._chat = ChatReader(self._triage, self._triage_lock, self.alarms, tell=self._triaged)
        self._answers: dict[str, asyncio.Task[None]] = {}
        self._shown: tuple[ev.ShowCard, views.Message] | None = None
        self._keeper = FactKeeper(facts, self.alarms, tell=self.do, looked=self._renew_card)
        self._stale = False
        self._teaser: views.Message = {}
        self._sources_state: dict[str, SourceState] = {}
        self.counts = {"questions": 0, "answered": 0, "dropped": 0, "to_host": 0}

    # ------------------------------------------------------------------ outside

    @property
    def state(self) -> State:
        """What the director does."""
        return self._director.state

    @property
    def segment_id(self) -> str:
        """The segment that runs, "" before the show and after it."""
        segment = self._director.segment
        return segment.id if segment is not None and not self.finished() else ""

    def revise(self, sheet: RunSheet) -> None:
        """Take an edited run-sheet for the segments to come; what runs stays as it began."""
        kept = ("language", "languages", "avatar", "chat", "policy", "remind_s")
        self.sheet = replace(sheet, **{name: getattr(self.sheet, name) for name in kept})
        about = views.show(self.sheet, self.facts, self._policy)
        self.pages.keep(about)
        self.pages.send({**about, "type": "sheet"}, host=True)
        self.do(ev.SheetChanged(self.sheet))

    def _watched(self, count: int) -> None:
        if self._audience is not None:
            self._audience.changed(count)

    def _host_says(self, event: ev.Input) -> None:
        if isinstance(event, ev.HostAnswer):
            self.counts["answered"] += 1
            self.on_air.answer(event.answer)
        self.do(event)

    @property
    def inbox(self) -> Inbox:
        """What was written and is not read yet."""
        return self._chat.inbox

    def do(self, event: ev.Input) -> None:
        """Give the director an input."""
        try:
            self._inputs.put_nowait(event)
        except asyncio.QueueFull:
            log.error("the show's director does not keep up; an input is lost")

    def chat(self, event: ChatEvent) -> None:
        """Take an event of any source."""
        self._chat.offer(event)

    def pin(self, cluster_id: str, pinned: bool) -> None:
        """The host pins a question."""
        self._triage.pin(cluster_id, pinned)
        self._show_queue()

    def join(self, role: str) -> Page:
        """Return a page's queue; it begins with what holds now."""
        return self.pages.join(role)

    def finished(self) -> bool:
        """Whether the show is over."""
        return self._director.state is State.ENDED

    # ------------------------------------------------------------------ running

    async def run(self) -> None:
        """Run until the show ends or this is cancelled; then every page is closed."""
        self._announce()
        try:
            async with asyncio.TaskGroup() as tasks:
                helpers = [
                    tasks.create_task(self._look_after()),
                    tasks.create_task(self._chat.run(lambda: self._director.product)),
                    tasks.create_task(self.on_air.translate()),
                    tasks.create_task(self._keeper.run(self._on_show, self._products)),
                    *(
                        tasks.create_task(
                            keep_reading(source, self.chat, on_state=self._source_state)
                        )
                        for source in self._sources
                    ),
                ]
                await self._direct()
                for task in helpers:
                    task.cancel()
        finally:
            for answer in self._answers.values():
                answer.cancel()
            await self.on_air.close()
            await self.host.close()
            self.pages.close()

    async def _direct(self) -> None:
        clock = asyncio.get_running_loop().time
        while not self.finished():
            event: ev.Input | None = None
            try:
                async with asyncio.timeout_at(self._director.next_deadline()):
                    event = await self._inputs.get()
            except TimeoutError:
                pass
            async with self._triage_lock:
                now, state = clock(), self._director.state
                if event is None:
                    commands = self._director.tick(now)
                else:
                    commands = self._director.receive(event, now)
                for command in commands:
                    self._carry_out(command, now)
            if isinstance(event, ev.Nudge) or self._director.state is not state:
                self._stale = True  # a lull begins without a command
            if commands:
                self._show_queue()
                self._show_state()

    def _carry_out(self, command: ev.Command, now: float) -> None:
        match command:
            case ev.Speak(line):
                self.on_air.begin(line, now)
            case ev.CancelSpeech(line_id):
                self.on_air.cancel(line_id, now)
            case ev.Prepare(text, language):
                self.on_air.prepare(text, language)
            case ev.PrepareAnswer():
                self.report.chosen(command.cluster_id, now)
                self._answers[command.cluster_id] = asyncio.ensure_future(self._answer(command))
            case ev.ShowCard():
                self._card(command, now)
            case ev.SegmentStarted(segment_id, round_number):
                self._segment(segment_id, round_number)
            case ev.Finished():
                self.pages.send({"type": "finished"}, keep=True)

    async def _answer(self, order: ev.PrepareAnswer) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        cluster = self._triage.get(order.cluster_id)
        asked_in = cluster.language if cluster is not None else order.language
        try:
            found = await self._answerer.answer(order, asked_in, self.sheet.languages)
        finally:
            self._answers.pop(order.cluster_id, None)
        self.counts["answered" if isinstance(found, ev.AnswerReady) else "to_host"] += 1
        if isinstance(found, ev.AnswerReady):
            self.alarms.clear(alarms.ENGINE, ANSWERS)
            self._keeper.answering(found)
            self.on_air.answer(found)
        elif found.reason == "slow":
            words = "an answer took too long; the question went to your list"
            self.alarms.sound(alarms.ENGINE, ANSWERS, words, now=time.time())
        self.do(found)
        if isinstance(found, ev.AnswerReady):  # what it says may have changed while it was made
            for change in self._keeper.changed_since(found, began):
                self.do(change)

    # ------------------------------------------------------------------ chat

    async def _look_after(self) -> None:
        """What is done again and again: the host's voice, the audience, a list that has changed."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.voice.tick(clock(), unix_now=time.time())
            if self._audience is not None:
                self._audience.look()
            if self._stale:
                self._show_queue()
                self._show_state()

    def _triaged(self, events: Sequence[ChatEvent], outcomes: Sequence[Outcome]) -> None:
        self._tell(outcomes)
        self._show_chat(events, outcomes)

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        people = tuple(outcome for outcome in outcomes if isinstance(outcome, Social))
        if people:
            self.do(ev.Crowd(people))
        for outcome in outcomes:
            if isinstance(outcome, Joined):
                self.counts["questions"] += outcome.new
                self.report.asked(outcome.cluster)
            if isinstance(outcome, Closed):
                self.report.closed(outcome.cluster)
            if isinstance(outcome, Closed) and outcome.cluster.status is Status.WITHDRAWN:
                self.do(ev.Withdrawn(outcome.cluster.id))
            elif isinstance(outcome, Dropped):
                self.counts["dropped"] += 1
                self._on_drop(outcome.reason)
        if any(isinstance(outcome, Joined | Closed) for outcome in outcomes):
            self.do(ev.Nudge())

    def _show_chat(self, events: Sequence[ChatEvent], outcomes: Sequence[Outcome]) -> None:
        """Show clean messages to the watch pages, all with their fate to the host."""
        unfit = {
            outcome.event.key: outcome.reason
            for outcome in outcomes
            if isinstance(outcome, Dropped)
        }
        for event in events:
            if event.kind in REMOVALS:
                removal = {"type": "chat_removed", "kind": event.kind, "target": event.target}
                self.pages.send({**removal, "platform": event.platform})
            elif event.kind in (Kind.MESSAGE, Kind.PAID) and event.text:
                message = views.chat(event, unfit.get(event.key, ""))
                self.pages.send(message, host=message["type"] == "chat_hidden")

    # ------------------------------------------------------------------ pages

    def _announce(self) -> None:
        self.pages.send(views.show(self.sheet, self.facts, self._policy), keep=True)
        self.pages.send(views.backdrop(self.sheet, self.facts), keep=True)
        self._show_state()
        self._show_queue()

    def _card(self, order: ev.ShowCard, now: float) -> None:
        self._shown = (order, views.cards(order, self.facts, self.sheet.languages))
        self.pages.send(views.card(order, self.facts, self.sheet.languages, now), keep=True)

    def _renew_card(self) -> None:
        """Send the card again when something on it has changed."""
        if self._shown is not None:
            order, cards = self._shown
            if views.cards(order, self.facts, self.sheet.languages) != cards:
                self._card(order, asyncio.get_running_loop().time())

    def _on_show(self) -> Sequence[str]:
        """Return the products whose facts count now; none before the show and after it."""
        off = self._director.state in (State.IDLE, State.ENDED)
        return () if off else self._director.shown

    def _products(self) -> Sequence[str]:
        return [entry.product_id for entry in self.sheet.segments if entry.product_id]

    def _segment(self, segment_id: str, round_number: int) -> None:
        about = views.segment(segment_id, round_number, self.sheet, self.facts)
        self.pages.send({**about, "began_at": time.time()}, keep=True)
        self.pages.send(views.backdrop(self.sheet, self.facts), keep=True)  # midnight passes

    def _show_state(self) -> None:
        line = self._director.line
        self.pages.send(
            {
                "type": "state",
                "state": self._director.state.value,
                "line": line.text if line is not None else "",
                "audience": self.pages.audience,
                "counts": dict(self.counts),
                "sources": [asdict(state) for state in self._sources_state.values()],
                "alarms": [asdict(alarm) for alarm in self.alarms.standing],
            },
            keep=True,
            host=True,
        )

    def _show_queue(self) -> None:
        now = asyncio.get_running_loop().time()
        self._stale = False
        teaser, queue = views.questions(self._triage, now, self._director.product)
        if teaser != self._teaser:
            self._teaser = teaser
            self.pages.send(teaser, keep=True)
        self.pages.send(queue, keep=True, host=True)

    def _source_state(self, state: SourceState) -> None:
        self._sources_state[state.name] = state
        if state.connected:
            self.alarms.clear(alarms.SOURCE, state.name)
        elif state.reason:
            words = f"given up: {state.reason}" if state.refused else state.reason
            self.alarms.sound(alarms.SOURCE, state.name, words, now=time.time())
        self._show_state()
