"""One reply led by a language model: streamed, gated sentence by sentence, never left hanging."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, Protocol

from voice_server.dialogue.dialogue import Clause, ReplyEnd, ReplyPart, ToolCall, Usage
from voice_server.dialogue.facts import Fact
from voice_server.dialogue.gates import (
    LANGUAGE_CERTAINTY,
    LANGUAGE_WORDS,
    Drop,
    Identify,
    Pass,
    Reason,
    Replace,
    SentenceGate,
)
from voice_server.dialogue.grounds import cited
from voice_server.dialogue.llm.model import (
    ChatPart,
    ChatRequest,
    Finished,
    LanguageModel,
    LlmError,
    LlmRefused,
    TextDelta,
    ToolRequest,
)
from voice_server.dialogue.llm.waiting import Waiting
from voice_server.dialogue.phrases import Phrases
from voice_server.dialogue.prompt import CHARACTERS_PER_TOKEN, estimate_tokens

logger = logging.getLogger(__name__)

_SENTENCE_END = re.compile(r"[.!?…][\"»”)]*$")


class Splitter(Protocol):
    """Cuts a stream of text into clauses (``voice_server.speech.clauses``)."""

    def feed(self, delta: str) -> list[str]:
        """Return the clauses that are complete now."""

    def flush(self) -> list[str]:
        """Return what is left at the end."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller waits for words (DESIGN §3, "No silence")."""

    opener_s: float = 0.3
    """No first token after this: an opener is said, from the phrase cache, to cover the wait."""
    first_clause_s: float = 3.5
    """Half a second before the conversation would apologise for us (its ``clause_s`` is 4 s)."""
    next_clause_s: float = 3.0
    choice_s: float = 3.5
    """For choosing a function by schema."""
    hold_s: float = 1.5
    """Where topics are guarded, clauses wait for the end of their sentence, so that no word of a
    sentence is heard that turns out to be barred. They wait so long at most, and never past the
    deadlines above: a model of 10 tokens a second needs 1.5 s for the rest of a usual sentence,
    endpoints a tenth of it. 0 lets every clause go at once."""
    sentences: int = 3
    """No spoken answer of a shop is longer."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What one model-led reply works with."""

    request: ChatRequest
    gate: SentenceGate
    facts: tuple[Fact, ...]
    language: str
    question: str = ""
    """What the user said: small models like to say it again."""
    variant: int = 0
    """Chooses the opener's wording."""
    opener_s: float | None = None
    """Seconds until an opener; 0 at once, None never."""
    sentences: int = 3
    identify: Identify | None = None
    """Finds the language of each clause, where the model is free to choose it."""
    languages: tuple[str, ...] = ()
    client_limit: bool = False
    """``max_tokens`` is the client's: a cut is reported as incomplete."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What is said when the model fails. ``sure``: an answer, not an admission of ignorance."""

    clauses: tuple[Clause, ...]
    sure: bool
    source: str = "fallback"
    """What it is where no model was asked: see :class:`ReplyEnd`."""


class ModelReply:
    """Streams one answer of a model through the gate.

    ``backup`` makes what is said when the model fails (late, down, ungrounded).  After iteration,
    :attr:`used` are the facts that were spoken of and :attr:`failure` says what went wrong.
    """

    def __init__(
        self,
        model: LanguageModel,
        phrases: Phrases,
        splitter: Splitter,
        patience: Patience,
        backup: Callable[[], Backup],
    ) -> None:
        """Nothing is asked before :meth:`parts` is iterated."""
        self._model = model
        self._phrases = phrases
        self._splitter = splitter
        self._patience = patience
        self._backup = backup
        self._said: list[str] = []
        self._sentence = ""
        self._held: list[Clause] = []
        """Clauses of the sentence that passed and wait for its end."""
        self._released = ""
        """What was spoken of the sentence."""
        self._skipping = False
        self._stop = False
        self._calls = 0
        self._heard = 0
        self._language = ""
        self._finished: Finished | None = None
        self.used: list[Fact] = []
        self.held_back: list[Replace | Drop] = []
        """What the gate did not let through."""
        self.failure = ""
        """Why the backup spoke, empty if it did not."""

    async def parts(self, brief: Brief) -> AsyncGenerator[ReplyPart, None]:
        """Yield clauses and tool calls as they are ready, then a ReplyEnd. Never raises LlmError.

        Deadlines count only time spent waiting for the model.  At the first clause's
        ``first_clause_s`` and at each later one's ``next_clause_s`` the backup takes over and
        repeats nothing that was said.  Closing the generator cancels the request.
        """
        waiting = Waiting(self._model.stream(brief.request))
        refused = False
        try:
            async with aclosing(self._stream(waiting, brief)) as stream:
                async for part in stream:
                    yield part
        except LlmRefused as error:
            refused, self.failure = True, str(error)
        except LlmError as error:
            self.failure = str(error)
        finally:
            await waiting.close()
        self._discard()
        content = bool(self._said or self._sentence or self._calls)
        if not self.failure and not content:
            self.failure = "the model said nothing that may be spoken"
        source = "llm"
        if self.failure:
            logger.warning("a template answers for the language model: %s", self.failure)
            for clause in self._unsaid():
                source = "fallback"
                yield clause
        incomplete: Literal["", "max_output_tokens", "content_filter"] = ""
        if source == "llm":
            reason = self._finished.reason if self._finished else ""
            if refused or reason == "content_filter":
                incomplete = "content_filter"
            elif reason == "length" and brief.client_limit:
                incomplete = "max_output_tokens"
        yield ReplyEnd(self._usage(brief), incomplete, source)

    async def _stream(
        self, waiting: Waiting[ChatPart], brief: Brief
    ) -> AsyncGenerator[ReplyPart, None]:
        now = asyncio.get_running_loop().time
        left = quiet_left = self._patience.first_clause_s
        hold_left = self._patience.hold_s
        opener_left = brief.opener_s
        while not self._stop:
            began = now()
            longest = [left, *([] if opener_left is None else [opener_left])]
            if self._held:
                longest.append(max(0.0, min(hold_left, quiet_left)))
            try:
                part = await waiting.next(min(longest))
            except StopAsyncIteration:
                break
            waited = now() - began
            left -= waited
            quiet_left -= waited
            hold_left = hold_left - waited if self._held else self._patience.hold_s
            if self._held and min(hold_left, quiet_left) <= 0:
                quiet_left = self._patience.next_clause_s
                for clause in self._let_go():
                    yield clause
            if part is None:
                if opener_left is not None and opener_left - waited <= 0:
                    opener_left = None
                    yield self._phrases.opener(brief.language, brief.variant)
                elif opener_left is not None:
                    opener_left -= waited
                if left <= 0:
                    self._model.missed()
                    raise LlmError("no clause came in time")
                continue
            opener_left = None
            if isinstance(part, TextDelta):
                self._heard += len(part.text)
                for text in self._splitter.feed(part.text):
                    left = self._patience.next_clause_s
                    for clause in self._judge(text, brief):
                        quiet_left = self._patience.next_clause_s
                        yield clause
            elif isinstance(part, ToolRequest):
                self._calls += 1
                yield ToolCall(part.call_id, part.name, part.arguments)
            else:
                self._finished = part
        # An answer cut by our own limit ends at its last whole clause.
        cut = self._finished is not None and self._finished.reason == "length"
        if not cut or brief.client_limit or not self._said:
            for text in self._splitter.flush():
                for clause in self._judge(text, brief):
                    yield clause
            for clause in self._let_go():
                yield clause

    def _let_go(self) -> list[Clause]:
        """Return the clauses that waited for the end of their sentence: now they are spoken."""
        held, self._held = self._held, []
        self._released = self._sentence
        return held

    def _discard(self) -> None:
        """Forget what was not spoken of the sentence."""
        if self._held:
            self._held = []
            self._sentence = self._released

    def _judge(self, text: str, brief: Brief) -> list[Clause]:
        """Return what is spoken for one clause of the model's: itself, something else, nothing."""
        if self._stop:
            return []
        ends = bool(_SENTENCE_END.search(text.rstrip()))
        if self._skipping:
            self._skipping = not ends
            return []
        said = (*self._said, brief.question)
        verdict = brief.gate.check(text, before=self._sentence, said=said)
        if isinstance(verdict, Pass):
            self._sentence = f"{self._sentence} {verdict.text}".strip()
            facts = cited(self._sentence, brief.facts, brief.language)
            self.used += [fact for fact in facts if fact not in self.used]
            if ends:
                self._said.append(self._sentence)
                self._sentence = self._released = ""
                self._stop = len(self._said) >= brief.sentences
            citations = tuple(fact.citation() for fact in facts)
            self._held.append(Clause(verdict.text, self._tongue(brief), citations=citations))
            waits = brief.gate.guards is not None and self._patience.hold_s > 0
            return [] if waits and not ends else self._let_go()
        self.held_back.append(verdict)
        if isinstance(verdict, Drop):
            return []
        self._discard()
        logger.warning(
            "the sentence gate held back a sentence: %s (%s)", verdict.reason, verdict.detail
        )
        return self._instead(verdict, brief, ends=ends)

    def _tongue(self, brief: Brief) -> str:
        """Return the language of the sentence being spoken, for the voice."""
        text = self._sentence or self._said[-1]
        if brief.identify is not None and len(text.split()) >= LANGUAGE_WORDS:
            language, certainty = brief.identify(text, brief.languages)
            if certainty >= LANGUAGE_CERTAINTY:
                self._language = language
        return self._language or brief.language

    def _instead(self, verdict: Replace, brief: Brief, *, ends: bool) -> list[Clause]:
        if verdict.reason in {Reason.DENIAL, Reason.PROMISE, Reason.TOPIC}:
            self._stop = True
            if verdict.reason is Reason.TOPIC:
                clause = Clause(verdict.instead, brief.language)
            elif verdict.reason is Reason.DENIAL:
                clause = self._phrases.i_am_ai(brief.language)
            else:
                clause = self._phrases.cannot_act(brief.language)
            self._said.append(clause.text)
            self._sentence = ""
            return [clause]
        if self._said and not self._sentence:
            self._skipping = not ends  # the question was answered; this sentence is left out
        else:
            self._stop = True
            self.failure = f"the sentence gate found {verdict.reason.value}: {verdict.detail}"
        return []

    def _unsaid(self) -> list[Clause]:
        """Return the backup's clauses without what has been said already."""
        backup = self._backup()
        if not backup.sure and (self._calls or (self._said and not self._sentence)):
            return []  # an answer, then "I do not know", helps nobody
        said = _content_words(" ".join((*self._said, self._sentence)))
        return [
            clause for clause in backup.clauses if not said or _content_words(clause.text) - said
        ]

    def _usage(self, brief: Brief) -> Usage:
        """Return the tokens spent: as reported, or estimated where the stream was cut."""
        if self._finished is not None:
            return self._finished.usage
        if not self._heard:
            return Usage()
        told = sum(estimate_tokens(str(m.get("content"))) for m in brief.request.messages)
        return Usage(told, int(self._heard / CHARACTERS_PER_TOKEN) + 1)


def _content_words(text: str) -> set[str]:
    """Return the words that carry meaning: numbers, and words of four letters or more."""
    words = re.findall(r"\w+", text.lower())
    return {word for word in words if len(word) >= 4 or word[0].isdigit()}
