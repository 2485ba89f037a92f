"""Answers for the show: from the shop's facts, in the language asked for, never invented."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing

from voice_server.dialogue.dialogue import Clause, Dialogue, Message, ReplyEnd, ReplyRequest
from voice_server.dialogue.facts import Answer
from voice_server.live.facts import ShopFacts
from voice_server.live.phrases import phrases
from voice_server.live.show_events import AnswerFailed, AnswerReady, PrepareAnswer
from voice_server.live.triage import PRIVATE
from voice_server.live.understanding import ABOUT_PRODUCT, ShopUnderstanding

log = logging.getLogger(__name__)

GROUNDED = frozenset({"facts", "faq", "llm"})
"""Sources of a reply that may go on air; a fallback is for one customer, not for a stage."""
REPLY_S = 11.0
"""Longest wait for the dialogue manager: just below the director's own patience."""


class Answerer:
    """Finds the sentences that answer a question of the chat."""

    def __init__(
        self, understanding: ShopUnderstanding, facts: ShopFacts, dialogue: Dialogue | None = None
    ) -> None:
        """``dialogue`` answers the long tail with a language model, behind the sentence gate."""
        self._understanding = understanding
        self._facts = facts
        self._dialogue = dialogue

    async def answer(
        self, order: PrepareAnswer, asked_in: str, languages: Sequence[str]
    ) -> AnswerReady | AnswerFailed:
        """Answer in ``order.language``, with captions in ``languages``. Never raises."""
        try:
            return await asyncio.to_thread(self._from_facts, order, asked_in, languages)
        except LookupError:
            pass
        except Exception:  # the show goes on; the question goes to the host
            log.exception("a question could not be answered from the facts")
        if self._dialogue is None:
            return AnswerFailed(order.cluster_id, "unknown")
        try:
            async with asyncio.timeout(REPLY_S):
                return await self._from_dialogue(order, self._dialogue)
        except TimeoutError:
            return AnswerFailed(order.cluster_id, "slow")

    def _from_facts(
        self, order: PrepareAnswer, asked_in: str, languages: Sequence[str]
    ) -> AnswerReady:
        """Raise LookupError when the facts have no sure answer that may be said in public."""
        first = self._understanding.answer(order.text, asked_in, order.on_screen)
        if first is None or first.intent in PRIVATE:
            raise LookupError
        product = first.context.last_product or ""
        product = product if first.intent in ABOUT_PRODUCT else ""
        found = {asked_in: first}
        for language in {order.language, *languages} - {asked_in}:
            other = self._understanding.answer(order.text, language, product or order.on_screen)
            if other is not None and other.intent == first.intent:
                found[language] = other
        language = order.language if order.language in found else asked_in
        said = {
            spoken: self._sentences(answer, product, spoken) for spoken, answer in found.items()
        }
        return AnswerReady(
            order.cluster_id,
            said[language],
            language,
            product,
            _uses(first.intent),
            tuple((spoken, texts) for spoken, texts in said.items() if spoken != language),
        )

    def _sentences(self, answer: Answer, product: str, language: str) -> tuple[str, ...]:
        """Return an answer's sentences; price and stock as they are now, not as in the pack."""
        if product and self._facts.changed(product) and answer.intent in {"price", "availability"}:
            noun = self._facts.noun(product, language)
            fields = self._facts.fields(product, language)
            if answer.intent == "price":
                return (phrases(language).text("point_price", 0, noun, **fields),)
            return (self._facts.stock_line(product, language),)
        return _joined([clause.text for clause in answer.clauses])

    async def _from_dialogue(
        self, order: PrepareAnswer, dialogue: Dialogue
    ) -> AnswerReady | AnswerFailed:
        session = dialogue.open(f"show:{order.cluster_id}", language=order.language)
        request = ReplyRequest(
            reply_id=order.cluster_id,
            history=(Message("user", order.text, order.language),),
            out_of_band=True,
        )
        texts: list[str] = []
        source = ""
        reply = session.reply(request)
        async with aclosing(reply) as parts:  # type: ignore[type-var]
            async for part in parts:
                if isinstance(part, Clause):
                    texts.append(part.text)
                elif isinstance(part, ReplyEnd):
                    source = part.source
        if source not in GROUNDED or not texts:
            return AnswerFailed(order.cluster_id, "unknown")
        return AnswerReady(order.cluster_id, _joined(texts), order.language)


def _joined(clauses: Sequence[str]) -> tuple[str, ...]:
    """Put clauses that were cut for early speech together again: one text per sentence."""
    sentences: list[str] = []
    for clause in clauses:
        if sentences and not sentences[-1].rstrip().endswith((".", "!", "?", "…")):
            sentences[-1] = f"{sentences[-1]} {clause}"
        else:
            sentences.append(clause)
    return tuple(sentences)


def _uses(intent: str) -> frozenset[str]:
    return {
        "price": frozenset({"price"}),
        "availability": frozenset({"stock"}),
        "product_info": frozenset({"price", "stock"}),
    }.get(intent, frozenset())
