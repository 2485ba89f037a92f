"""The replies of one conversation: begun, released, spoken, paused, cut short, recorded.

The turn core decides; this module carries it out on the one current :class:`ReplyRun`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any, Literal

from voice_server.audio.resample import Resampler
from voice_server.conversation import notices as n
from voice_server.conversation import requests
from voice_server.conversation import turn_events as ev
from voice_server.conversation.echo import EchoGuard
from voice_server.conversation.mouth import Mouth
from voice_server.conversation.orders import ReplyOptions
from voice_server.conversation.playback import Playback
from voice_server.conversation.reply import ReplyRun, Times
from voice_server.conversation.reply_record import ReplyRecord
from voice_server.conversation.services import ConversationOptions, Services
from voice_server.conversation.speculation import Speculation
from voice_server.conversation.transcript import History
from voice_server.dialogue.dialogue import (
    Clause,
    ClauseKind,
    DialogueSession,
    Phrase,
    ReplyEnd,
    ReplyPart,
    ReplyRequest,
)
from voice_server.speech.engine import LISTENING_RATE, SPEAKING_RATE, Audio, EngineError

log = logging.getLogger(__name__)

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Replies:
    """Owns the current reply; everything is called in the event loop."""

    def __init__(
        self,
        services: Services,
        options: ConversationOptions,
        history: History,
        dialogue: DialogueSession,
        *,
        emit: Callable[[n.Notice], None],
        feed: Callable[[ev.Input], None],
        spawn: Spawn,
        changed: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        """``feed`` gives inputs to the turn core, ``changed`` asks for a pump soon."""
        self._services = services
        self._options = options
        self._record = ReplyRecord(history, emit, services.new_id)
        self.dialogue = dialogue
        self._emit = emit
        self._feed = feed
        self._spawn = spawn
        self._changed = changed
        self._clock = clock
        self.settings = ReplyOptions()
        self.paced = options.paced
        self.flushes = options.flushes
        self.echo = EchoGuard()
        self._to_ear = Resampler(SPEAKING_RATE, LISTENING_RATE)
        self.run: ReplyRun | None = None
        self._speculation = Speculation()

    # ------------------------------------------------------------- beginning

    def merged(self, wish: ReplyOptions) -> ReplyOptions:
        """Return the session's reply settings with one reply's wishes on top."""
        return requests.merge(self.settings, wish)

    def begin(
        self,
        generation: int,
        request: ReplyRequest,
        options: ReplyOptions,
        *,
        parts: AsyncIterator[ReplyPart] | None = None,
        times: Times | None = None,
    ) -> ReplyRun:
        """Start making a reply; the one before it, if any, is dropped unsaid.

        A reply that was opened by :meth:`await_words` for this generation gets its request now.
        """
        waiting = self.run
        if waiting is not None and waiting.generation == generation and waiting.words is not None:
            waiting.request = replace(request, reply_id=waiting.reply_id)
            waiting.times = times or waiting.times
            if not waiting.words.done():
                waiting.words.set_result(waiting.request)
            return waiting
        self._drop()
        playback = Playback(self._options.lead_ms, paced=self.paced, flushes=self.flushes)
        mouth = Mouth(
            request.reply_id, playback, piece_ms=self._options.piece_ms, on_sent=self._note_sent
        )
        run = ReplyRun(
            reply_id=request.reply_id,
            item_id=self._services.new_id("item"),
            generation=generation,
            request=request,
            options=options,
            mouth=mouth,
            tts=self._services.tts,
            deadlines=self._services.deadlines,
            on_change=self._changed,
            clock=self._clock,
            speculative=request.speculative,
            times=times or Times(),
        )
        if request.speculative:
            self._speculation.begin(generation, request)
        self.run = run
        run.task = self._spawn(run.produce(parts or self.dialogue.reply(request)))
        return run

    def await_words(self, generation: int, request: ReplyRequest) -> None:
        """Open a reply whose words are not understood yet, so that a filler can sound in it."""
        words: asyncio.Future[ReplyRequest] = asyncio.get_running_loop().create_future()
        run = self.begin(
            generation, request, self.merged(ReplyOptions()), parts=self._once_understood(words)
        )
        run.words = words
        self.release(generation)

    async def _once_understood(
        self, words: asyncio.Future[ReplyRequest]
    ) -> AsyncIterator[ReplyPart]:
        request = await words
        self.dialogue.commit(request.reply_id)
        async for part in self.dialogue.reply(request):
            yield part

    def usable(self, generation: int, request: ReplyRequest) -> bool:
        """Return whether the speculative reply in the making answers ``request``."""
        return self._speculation.use(generation, request)

    def release(self, generation: int) -> None:
        """The reply may sound: from now on it is part of the conversation."""
        run = self.run
        if run is None or run.generation != generation or run.released:
            return
        run.released = True
        self._start(run)
        self._changed()

    def _start(self, run: ReplyRun) -> None:
        run.started = True
        if not run.options.out_of_band:
            self.dialogue.commit(run.reply_id)
        self._record.begin(run)

    # --------------------------------------------------------------- pumping

    def pump(self, now: float) -> None:
        """Send what is due and tell the turn core how far the reply is."""
        run = self.run
        if run is None or not run.released:
            return
        run.moved.set()
        if not run.clause_noted and run.times.clause is not None:
            run.clause_noted = True
            self._feed(ev.ClauseArrived(run.generation))
        if run.as_text:
            self._pump_text(run)
        else:
            self._send(run, now)
        if self.run is not run or not run.produced:
            return
        if run.error and not run.apologised:
            self._trouble(run)
            return
        run.mouth.playback.complete = True
        if not run.as_text:
            self._send(run, now)
        if run.as_text or not run.mouth.playback.ready_ms or run.mouth.playback.finished(now):
            self._complete(run, now)

    def _send(self, run: ReplyRun, now: float) -> None:
        for notice in run.mouth.due(now):
            self._emit(notice)
            if isinstance(notice, n.ClauseText):
                run.sounding = notice.clause.kind
            elif not run.audible or (not run.answering and run.sounding is ClauseKind.CONTENT):
                self._sounds(run, now)

    def _pump_text(self, run: ReplyRun) -> None:
        while run.texts:
            clause = run.texts.pop(0)
            run.mouth.open_clause(clause)
            run.sounding = clause.kind
            self._emit(n.ClauseText(run.reply_id, len(run.mouth.clauses) - 1, clause))
            if not run.audible:
                self._sounds(run, self._clock())

    def _sounds(self, run: ReplyRun, now: float) -> None:
        """The first sound, or the first of the answer: report where the time went.

        A filler is heard but answers nothing, so the turn core's deadlines go on.
        """
        run.audible = True
        run.answering = run.answering or run.sounding is ClauseKind.CONTENT
        steps = run.times.steps_ms(now)
        if steps:
            self._emit(
                n.TurnTimings(
                    run.item_id,
                    run.reply_id,
                    end_of_turn_ms=steps[0],
                    transcript_ms=steps[1],
                    clause_ms=steps[2],
                    audio_ms=steps[3],
                    send_ms=steps[4],
                    speculative=run.speculative,
                    first_kind=run.sounding.value,
                )
            )
        if run.sounding is not ClauseKind.FILLER:
            self._feed(ev.Audible(run.generation))

    def next_due(self, now: float) -> float | None:
        """Return when :meth:`pump` should be called next, None if only a change matters."""
        run = self.run
        if run is None or not run.released or run.as_text:
            return None
        return run.mouth.playback.next_due(now)

    def _note_sent(self, audio: Audio) -> None:
        self.echo.played(self._to_ear.process(audio))

    # ---------------------------------------------------------------- ending

    def _complete(self, run: ReplyRun, now: float) -> None:
        status: n.ReplyStatus = "completed"
        reason: Literal["", "max_output_tokens", "content_filter"] = ""
        if run.end is not None and run.end.incomplete:
            status, reason = "incomplete", run.end.incomplete
        self._record.calls(run)
        heard = run.mouth.playback.ready_ms
        self._record.write(run, heard, self.dialogue.language, whole=True)
        self.run = None
        self._speculation.drop()
        self.echo.forget()
        self._record.end(run, status, reason, heard)
        self._feed(ev.ReplyPlayed(run.generation, awaits_tool=bool(run.tool_calls)))

    def stop(self, reason: Literal["turn_detected", "client_cancelled"]) -> None:
        """Cancel the reply; history keeps what was heard."""
        run = self.run
        if run is None:
            return
        self.run = None
        self._speculation.drop()
        run.cancel()
        self.echo.forget()
        if not run.started:
            return
        heard = run.mouth.playback.position_ms(self._clock())
        text = self._record.write(run, heard, self.dialogue.language, whole=False)
        if not run.as_text and not run.options.out_of_band and run.mouth.clauses:
            self._emit(n.ItemTruncated(run.item_id, round(heard), text))
        self._record.end(run, "cancelled", reason, heard)

    def abandon(self, generation: int) -> None:
        """Drop a reply older than ``generation`` that was never released."""
        run = self.run
        if run is not None and run.generation < generation and not run.released:
            self._drop()

    def _drop(self) -> None:
        run, self.run = self.run, None
        self._speculation.drop()
        if run is not None:
            run.cancel()
            if run.started:
                self._record.end(run, "cancelled", "client_cancelled", 0.0)

    # ------------------------------------------------------ pause and resume

    def pause(self, *, notify: bool) -> None:
        """Send nothing for now."""
        run = self.run
        if run is None or not run.released:
            return
        now = self._clock()
        run.mouth.playback.pause(now)
        if notify and run.audible:
            self._emit(n.OutputPaused(run.reply_id, run.mouth.playback.position_ms(now)))

    def resume(self, position_ms: float | None = None) -> None:
        """Go on from the same sample, or from where the client says it was."""
        run = self.run
        if run is None or not run.released:
            return
        offset = run.mouth.playback.resume(self._clock(), position_ms)
        if run.audible:
            self._emit(n.OutputResumed(run.reply_id, offset))
        self._changed()

    def freeze(self) -> None:
        """The client is gone: nothing is sent, nothing counts as heard."""
        if self.run is not None:
            self.run.mouth.playback.freeze(self._clock())

    def heard(self, reply_id: str, position_ms: float) -> None:
        """The client reports its playback position."""
        if self.run is not None and self.run.reply_id == reply_id:
            self.run.mouth.playback.heard(position_ms, self._clock())

    # -------------------------------------------------- fillers and apologies

    def filler(self, generation: int, round_: int) -> None:
        """Speak a filler in the reply that is being waited for, unless it just became ready."""
        run = self.run
        if run is None or run.generation != generation or run.as_text:
            return
        phrase = Phrase.FILLER if round_ == 0 else Phrase.STILL_WORKING
        clause = self.dialogue.phrase(phrase, round_)
        self._spawn(self._fill(run, replace(clause, kind=ClauseKind.FILLER)))

    async def _fill(self, run: ReplyRun, clause: Clause) -> None:
        """Synthesise first, then queue: content that arrives meanwhile goes before nothing."""
        chunks = []
        try:
            async with asyncio.timeout(self._services.deadlines.audio_s):
                async for chunk in run.tts.speak(
                    clause.text, language=clause.language, voice=run.options.voice or ""
                ):
                    chunks.append(chunk)
        except (EngineError, TimeoutError) as error:
            self._emit(n.Trouble("tts", str(error), "no filler was spoken"))
            return
        if self.run is run and run.released and not run.mouth.clauses:
            run.mouth.open_clause(clause)
            for chunk in chunks:
                run.mouth.add(chunk)
            self._changed()

    def _trouble(self, run: ReplyRun) -> None:
        """Production failed: the user hears an apology instead of silence."""
        stage: Literal["dialogue", "tts"] = "tts" if run.failed_stage == "tts" else "dialogue"
        self._emit(n.Trouble(stage, run.error, "an apology was spoken"))
        self.apologise_in(run, Phrase.APOLOGY_ANSWER)

    def apologise(self, generation: int, phrase: Phrase) -> bool:
        """Let an apology take the place of what is missing; False if there is no such reply."""
        run = self.run
        if run is None or run.generation != generation:
            return False
        if not run.started:
            run.released = True
            self._start(run)
        self.apologise_in(run, phrase)
        return True

    def apologise_in(self, run: ReplyRun, phrase: Phrase) -> None:
        """Stop production and speak ``phrase`` as the reply's last clause."""
        if run.apologised:
            return
        run.apologised = True
        run.cancel()
        run.error, run.end = "", None
        clause = replace(self.dialogue.phrase(phrase), kind=ClauseKind.APOLOGY)
        run.task = self._spawn(self._apology(run, clause))

    async def _apology(self, run: ReplyRun, clause: Clause) -> None:
        try:
            if run.as_text:
                run.texts.append(clause)
            else:
                await run.speak(clause)
        except (EngineError, TimeoutError) as error:
            run.error = f"tts: {error}"
            self._emit(n.Trouble("tts", str(error), "the reply ended without sound"))
            if self.run is run:
                await self._give_up(run)
            return
        run.end = ReplyEnd(source="apology")
        self._changed()

    async def _give_up(self, run: ReplyRun) -> None:
        """No voice at all: the transport gets the words as text and a failed reply."""
        self.run = None
        heard = run.mouth.playback.position_ms(self._clock())
        self._record.write(run, heard, self.dialogue.language, whole=False)
        self._record.end(run, "failed", "error", 0.0, run.error)
        self._feed(ev.ReplyPlayed(run.generation))
