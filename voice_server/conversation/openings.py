"""How a reply begins: asked for by the core or by the transport, foreseen, or of our own making."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from typing import Any

from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation import requests
from voice_server.conversation import turn_events as ev
from voice_server.conversation.aside import aside
from voice_server.conversation.listening import Listening
from voice_server.conversation.replies import Replies
from voice_server.conversation.services import Services
from voice_server.conversation.transcript import History, Item
from voice_server.dialogue.dialogue import Clause, DialogueSession, Phrase, ReplyEnd, ReplyPart
from voice_server.speech.engine import Transcript

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Openings:
    """Builds the request of each reply from what was heard, and sets it going."""

    def __init__(
        self,
        services: Services,
        history: History,
        dialogue: DialogueSession,
        replies: Replies,
        listening: Listening,
        *,
        emit: Callable[[n.Notice], None],
        feed: Callable[[ev.Input], None],
        spawn: Spawn,
        clock: Callable[[], float],
        generation: Callable[[], int],
    ) -> None:
        """Use the conversation's parts; ``generation`` tells the core's present one."""
        self._services = services
        self._history = history
        self._dialogue = dialogue
        self._replies = replies
        self._listening = listening
        self._emit = emit
        self._feed = feed
        self._spawn = spawn
        self._clock = clock
        self._generation = generation
        self._asked: tuple[str, o.ReplyOptions, AsyncIterator[ReplyPart] | None] | None = None
        self._foreseeing: asyncio.Task[None] | None = None
        self._said = 0

    # ---------------------------------------------------- the transport's orders

    def respond(self, order: o.Respond) -> None:
        """Reply as a client asked, out of band without touching the conversation."""
        options = self._replies.merged(order.options)
        if options.out_of_band:
            request = requests.build(order.reply_id, self._history, options)
            self._spawn(
                aside(
                    self._services,
                    self._dialogue,
                    request,
                    options,
                    emit=self._emit,
                    clock=self._clock,
                )
            )
            return
        self._asked = (order.reply_id, options, None)
        self._feed(ev.Requested())
        self._refuse_unasked()

    def say(self, order: o.Say) -> None:
        """Speak a fixed text instead of what is being said."""
        clause = Clause(order.text, order.language or self._dialogue.language)
        options = replace(self._replies.merged(o.ReplyOptions()), tools=())
        self._asked = (order.reply_id, options, _fixed(clause))
        self._feed(ev.Cancelled())
        self._feed(ev.Requested(order.interruptible))
        self._refuse_unasked()

    def _refuse_unasked(self) -> None:
        """A request that the core did not take (a reply is under way) ends at once."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._emit(n.ReplyDone(asked[0], "cancelled", "client_cancelled"))

    # ------------------------------------------------------ the core's commands

    def begin(self, command: ev.Begin) -> None:
        """Begin the reply to what was asked for or heard, perhaps before it is certain."""
        asked, self._asked = self._asked, None
        if asked is not None:
            reply_id, options, parts = asked
            if parts is None and self._listening.pending():
                self._spawn(self._begin_when_heard(command.generation, reply_id, options))
                return
            request = requests.build(reply_id, self._history, options)
            self._replies.begin(command.generation, request, options, parts=parts)
            return
        options = self._replies.merged(o.ReplyOptions())
        heard = self._listening.utterance(command.generation, committed=not command.speculative)
        request = requests.build(
            self._services.new_id("resp"),
            self._history,
            options,
            heard=heard.item,
            language=heard.language,
            language_probability=heard.language_probability,
            speculative=command.speculative,
        )
        self._replies.begin(command.generation, request, options, times=heard.times)

    def release(self, command: ev.Release) -> None:
        """Let a reply sound; a speculative one is begun anew if it no longer fits."""
        run = self._replies.run
        if run is not None and run.generation == command.generation and run.speculative:
            heard = self._listening.utterance(command.generation, committed=True)
            options = self._replies.merged(o.ReplyOptions())
            request = requests.build(
                run.reply_id,
                self._history,
                options,
                language=heard.language,
                language_probability=heard.language_probability,
            )
            run.times.end_of_speech = heard.times.end_of_speech
            run.times.committed = heard.times.committed
            if not self._replies.usable(command.generation, request):
                self._replies.begin(command.generation, request, options, times=heard.times)
        self._replies.release(command.generation)

    def apologise(self, command: ev.Apologise) -> None:
        """Say that something took too long, inside the reply under way or as one of its own."""
        phrase = Phrase.APOLOGY_REPEAT if command.stage == "stt" else Phrase.APOLOGY_ANSWER
        stage: Any = "dialogue" if command.stage == "tool" else command.stage
        self._emit(n.Trouble(stage, f"{command.stage} missed its deadline", "an apology is spoken"))
        if not self._replies.apologise(command.generation, phrase):
            self._unasked(command.generation, phrase)

    def prompt_idle(self, command: ev.PromptIdle) -> None:
        """Ask whether anybody is still there."""
        self._listening.idle_timeout()
        self._unasked(command.generation, Phrase.IDLE)

    def filler(self, command: ev.SayFiller) -> None:
        """Bridge a wait with a few words."""
        if self._replies.run is None and self._asked is None:
            # Still no transcript: open the reply now, so that the user hears something.
            options = self._replies.merged(o.ReplyOptions())
            request = requests.build(self._services.new_id("resp"), self._history, options)
            self._replies.await_words(command.generation, request)
        self._replies.filler(command.generation, command.round)

    def foresee(self, transcript: Transcript) -> None:
        """Let the dialogue get ready for an utterance that still goes on, one at a time."""
        if self._foreseeing is not None and not self._foreseeing.done():
            return
        request = requests.build(
            "foreseen",
            self._history,
            self._replies.merged(o.ReplyOptions()),
            heard=Item("pending", text=transcript.text, language=transcript.language),
            language=transcript.language,
            language_probability=transcript.language_probability,
            speculative=True,
        )
        self._foreseeing = self._spawn(self._dialogue.foresee(request))

    async def _begin_when_heard(
        self, generation: int, reply_id: str, options: o.ReplyOptions
    ) -> None:
        """A reply was asked for while a transcript is pending: it needs those words first."""
        understood = await self._listening.settled()
        if generation != self._generation():
            self._emit(n.ReplyDone(reply_id, "cancelled", "turn_detected"))
            return
        request = requests.build(
            reply_id,
            self._history,
            options,
            language=self._listening.last_language,
            language_probability=self._listening.last_language_probability,
        )
        parts = None if understood else _fixed(self._dialogue.phrase(Phrase.APOLOGY_REPEAT))
        self._replies.begin(generation, request, options, parts=parts)
        self._replies.release(generation)

    def _unasked(self, generation: int, phrase: Phrase) -> None:
        """Speak a fixed phrase as a reply of our own making."""
        self._said += 1
        options = replace(self._replies.merged(o.ReplyOptions()), tools=())
        request = requests.build(self._services.new_id("resp"), self._history, options)
        clause = self._dialogue.phrase(phrase, self._said)
        self._replies.begin(generation, request, options, parts=_fixed(clause))
        self._replies.release(generation)


async def _fixed(clause: Clause) -> AsyncIterator[ReplyPart]:
    """Return a reply of one clause."""
    yield clause
    yield ReplyEnd(source="fixed")
