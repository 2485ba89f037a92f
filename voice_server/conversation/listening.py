"""The user's utterances of one conversation: recognised, scored, committed to the history."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from voice_server.conversation import notices as n
from voice_server.conversation import turn_events as ev
from voice_server.conversation.ears import Ears
from voice_server.conversation.orders import Configure, ReplyOptions, TurnOptions
from voice_server.conversation.reply import Times
from voice_server.conversation.services import Services
from voice_server.conversation.transcript import History, Item, UnknownItem
from voice_server.dialogue.dialogue import DialogueSession
from voice_server.speech.engine import EngineError, Transcript
from voice_server.speech.stt.stabiliser import PartialStabiliser

log = logging.getLogger(__name__)

SETTLE_S = 6.0
"""A reply waits so long for pending transcripts: the recogniser's deadline and some."""

KEPT_FINALS = 8
"""Final transcripts remembered; more than the generations one turn can cause."""


@dataclass(slots=True)
class Heard:
    """What is known of the utterance of one generation."""

    item: Item | None
    language: str | None
    language_probability: float
    times: Times


class Listening:
    """Carries out the turn core's commands about the user's speech."""

    def __init__(
        self,
        services: Services,
        history: History,
        ears: Ears,
        dialogue: DialogueSession,
        *,
        emit: Callable[[n.Notice], None],
        feed: Callable[[ev.Input], None],
        foresee: Callable[[Transcript], None],
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        clock: Callable[[], float],
    ) -> None:
        """``feed`` gives inputs to the turn core, ``foresee`` gets partial transcripts."""
        self._services = services
        self._history = history
        self._ears = ears
        self._dialogue = dialogue
        self._emit = emit
        self._feed = feed
        self._foresee = foresee
        self._spawn = spawn
        self._clock = clock
        self._settings = Configure(TurnOptions(), ReplyOptions())
        self._tasks: dict[asyncio.Task[None], int] = {}
        self._partial: asyncio.Task[None] | None = None
        self._stabiliser = PartialStabiliser()
        self._finals: dict[int, Transcript] = {}
        self._final_at: dict[int, float] = {}
        self._failures: dict[int, str] = {}
        self._items: dict[int, str] = {}
        self._times: dict[int, Times] = {}
        self.next_item_id: str | None = None
        """Id the client chose for the item of the next commit."""
        self.last_language: str | None = None
        self.last_language_probability = 0.0
        self._understood = True
        self._item_id = ""
        self._open = False
        """Between SpeechStarted and the commit: partials belong to _item_id."""
        self._commit_from_ms = 0.0

    def configure(self, settings: Configure) -> None:
        """Use these settings from now on."""
        self._settings = settings
        if settings.turns.detection == "none":
            self._ears.keep_from_ms = min(
                self._ears.keep_from_ms or self._ears.end_ms, self._ears.end_ms
            )

    # ----------------------------------------------------- what the core asks

    def began(self, command: ev.SpeechBegan) -> None:
        """The user speaks: an item id for what will become a history item."""
        self._item_id = self.next_item_id or self._services.new_id("item")
        self._open = True
        self._ears.keep_from_ms = command.start_ms
        self._stabiliser = PartialStabiliser()
        self._emit(n.SpeechStarted(self._item_id, round(command.start_ms)))

    def transcribe(self, command: ev.Transcribe) -> None:
        """Recognise; a partial is skipped while another is under way (it gives way under load)."""
        self._ears.keep_from_ms = min(self._ears.keep_from_ms or command.start_ms, command.start_ms)
        if command.final:
            if self._partial is not None:
                self._partial.cancel()
            work = self._recognise(command.generation, command.start_ms)
            self._remember(self._spawn(work), command.generation)
        elif self._partial is None or self._partial.done():
            self._partial = self._spawn(self._glimpse(command.generation, command.start_ms))
            self._remember(self._partial, command.generation)

    def _remember(self, task: asyncio.Task[None], generation: int) -> None:
        self._tasks[task] = generation
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def _hint(self) -> str:
        return " ".join(part for part in (self._settings.hint, self._dialogue.hint) if part)

    async def _hear(self, start_ms: float, *, urgent: bool) -> Transcript:
        return await self._services.stt.transcribe(
            self._ears.since(start_ms),
            language=self._settings.language,
            languages=self._settings.languages or self._services.dialogue.languages,
            hint=self._hint(),
            urgent=urgent,
        )

    async def _recognise(self, generation: int, start_ms: float) -> None:
        try:
            async with asyncio.timeout(self._services.deadlines.transcript_s):
                transcript = await self._hear(start_ms, urgent=True)
        except (EngineError, TimeoutError) as error:
            message = str(error) or "recognition took too long"
            self._emit(n.Trouble("stt", message, "the user is asked to repeat"))
            self._fail_item(generation, message)
            self._feed(ev.FinalFailed(generation))
            return
        self._finals[generation] = transcript
        self._final_at[generation] = self._clock()
        while len(self._finals) > KEPT_FINALS:
            del self._finals[next(iter(self._finals))]
        self._complete_item(generation)
        self._feed(ev.Final(generation, transcript.text))

    async def _glimpse(self, generation: int, start_ms: float) -> None:
        try:
            transcript = await self._hear(start_ms, urgent=False)
        except EngineError as error:
            log.info("no partial transcript: %s", error)
            return
        if self._settings.transcribe and self._item_id:
            delta = self._stabiliser.add(transcript.text)
            if delta and self._open:
                self._emit(n.TranscriptDelta(self._item_id, delta))
        if self._open:
            self._foresee(transcript)
        self._feed(ev.Partial(generation, transcript.text))

    def score(self, command: ev.Score) -> None:
        """Ask the end-of-turn model; without an answer the wait stays a cautious one."""
        self._remember(
            self._spawn(self._judge(command.generation, command.start_ms)), command.generation
        )

    async def _judge(self, generation: int, start_ms: float) -> None:
        try:
            probability = await self._services.end_of_turn.probability(self._ears.since(start_ms))
        except EngineError as error:
            self._emit(n.Trouble("end_of_turn", str(error), "the turn ends by silence alone"))
            return
        self._feed(ev.Scored(generation, probability))

    def adopt(self, command: ev.Adopt) -> None:
        """A remark's transcript serves the turn it became."""
        self._finals[command.generation] = self._finals[command.source]
        self._final_at[command.generation] = self._final_at[command.source]

    def abandon(self, generation: int) -> None:
        """Drop the work of older generations, but never a committed utterance's transcript."""
        for task, made_for in list(self._tasks.items()):
            if made_for < generation and made_for not in self._items:
                task.cancel()

    # -------------------------------------------------------------- committing

    def commit(self, command: ev.Commit) -> None:
        """The utterance becomes an item of the history."""
        item_id = self.next_item_id or self._item_id
        self.next_item_id, self._open = None, False
        now = self._clock()
        behind_s = (self._ears.end_ms - command.last_voiced_ms) / 1000.0
        self._times[command.generation] = Times(end_of_speech=now - behind_s, committed=now)
        self._emit(n.SpeechStopped(item_id, round(command.end_ms)))
        self._add_item(command.generation, item_id)
        self._ears.keep_from_ms = None
        self._commit_from_ms = command.end_ms

    def _add_item(self, generation: int, item_id: str) -> None:
        self._items[generation] = item_id
        while len(self._items) > KEPT_FINALS:
            old = next(iter(self._items))
            del self._items[old]
            self._times.pop(old, None)
        previous = self._history.insert(Item(item_id, content="input_audio", text=None))
        self._emit(n.UtteranceCommitted(item_id, previous))
        if generation in self._failures:
            self._emit(n.TranscriptFailed(item_id, self._failures[generation]))
        self._complete_item(generation)

    def commit_all(self, item_id: str) -> None:
        """Push-to-talk: everything heard since the last commit or clear is the utterance."""
        start = self._ears.keep_from_ms or self._commit_from_ms
        generation = -(len(self._items) + 2) - round(self._ears.end_ms)
        self._add_item(generation, item_id)
        self._remember(self._spawn(self._recognise(generation, start)), generation)
        self._ears.keep_from_ms = self._commit_from_ms = self._ears.end_ms

    def clear(self) -> None:
        """Forget the audio since the last commit."""
        self._ears.keep_from_ms = self._commit_from_ms = self._ears.end_ms

    def _complete_item(self, generation: int) -> None:
        """Write the transcript into the committed item, once both are there."""
        transcript, item_id = self._finals.get(generation), self._items.get(generation)
        if transcript is None or item_id is None:
            return
        self._understood = True
        self.last_language = transcript.language
        self.last_language_probability = transcript.language_probability
        try:
            item = self._history.get(item_id)
        except UnknownItem:
            return  # the client deleted it before it was understood
        self._history.replace(replace(item, text=transcript.text, language=transcript.language))
        if self._settings.transcribe:
            self._emit(n.TranscriptFinal(item_id, transcript))

    def _fail_item(self, generation: int, message: str) -> None:
        self._understood = False
        self._failures = {generation: message}
        item_id = self._items.get(generation)
        if item_id is not None:
            self._emit(n.TranscriptFailed(item_id, message))

    def idle_timeout(self) -> None:
        """Tell the transport that nobody spoke."""
        end = round(self._ears.end_ms)
        self._emit(n.IdleTimeout(self._services.new_id("item"), end, end))

    # ------------------------------------------------------------ for replies

    def utterance(self, generation: int, *, committed: bool) -> Heard:
        """Return what is known of a generation; an uncommitted one comes as an item to add."""
        transcript = self._finals.get(generation)
        times = self._times.get(generation) or Times()
        times.transcript = self._final_at.get(generation)
        if transcript is None:
            return Heard(None, None, 0.0, times)
        item = None
        if not committed:
            item = Item("pending", text=transcript.text, language=transcript.language)
        return Heard(item, transcript.language, transcript.language_probability, times)

    def pending(self) -> set[asyncio.Task[None]]:
        """Return the recognitions that committed utterances still wait for."""
        return {
            task
            for task, generation in self._tasks.items()
            if generation in self._items and generation not in self._finals
        }

    async def settled(self) -> bool:
        """Wait (boundedly) for the pending transcripts; return whether the last was understood."""
        tasks = self.pending()
        if tasks:
            await asyncio.wait(tasks, timeout=SETTLE_S)
        return self._understood
