"""Answers for the show: from the shop's facts, in the language asked for, never invented."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing

from voice_server.dialogue.dialogue import Clause, Dialogue, Message, ReplyEnd, ReplyRequest
from voice_server.live.facts import ShopFacts
from voice_server.live.show_events import AnswerFailed, AnswerReady, PrepareAnswer
from voice_server.live.triage import PRIVATE
from voice_server.live.understanding import ABOUT_PRODUCT, ShopUnderstanding

log = logging.getLogger(__name__)

GROUNDED = frozenset({"facts", "faq", "llm"})
"""Sources of a reply that may go on air; a fallback is for one customer, not for a stage."""
STATES = {
    "price": frozenset({"price"}),
    "availability": frozenset({"stock"}),
    "options": frozenset({"stock"}),
    "delivery_time": frozenset({"stock"}),
    "product_info": frozenset({"price", "stock"}),
}
"""What answers say that may change while the show runs; prices are found in their words besides."""
TRIES = 3
"""An answer made while the platform was read is made again; it takes some milliseconds."""
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
        """Answer in ``order.language``, with captions in ``languages``. Never raises.

        With the prices and stock of this moment: it is found again when they were read meanwhile.
        """
        try:
            await self._understanding.refresh(order.text, asked_in, order.on_screen)
            for _ in range(TRIES):
                revision = self._facts.revision
                found = await asyncio.to_thread(self._from_facts, order, asked_in, languages)
                if revision == self._facts.revision:
                    break
            return found
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
        about = frozenset(fact.product_id for fact in first.facts if fact.product_id)
        if not all(map(self._facts.known, about | ({product} - {""}))):
            raise LookupError  # the platform sells it no more: the host knows what to say
        found = {asked_in: first}
        for language in {order.language, *languages} - {asked_in}:
            other = self._understanding.answer(order.text, language, product or order.on_screen)
            if other is not None and other.intent == first.intent:
                found[language] = other
        language = order.language if order.language in found else asked_in
        said = {
            spoken: _joined([clause.text for clause in answer.clauses])
            for spoken, answer in found.items()
        }
        return AnswerReady(
            order.cluster_id,
            said[language],
            language,
            product,
            STATES.get(first.intent, frozenset()) | self._priced(said, about),
            tuple((spoken, texts) for spoken, texts in said.items() if spoken != language),
            about=about,
        )

    def _priced(self, said: Mapping[str, Sequence[str]], products: Iterable[str]) -> frozenset[str]:
        """Return {"price"} if a price of these products is said in any language."""
        for product in products:
            for language, texts in said.items():
                amounts = self._facts.amounts(product, language)
                if any(amount in text for text in texts for amount in amounts):
                    return frozenset({"price"})
        return frozenset()

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
        sources: set[str] = set()
        source = ""
        reply = session.reply(request)
        async with aclosing(reply) as parts:  # type: ignore[type-var]
            async for part in parts:
                if isinstance(part, Clause):
                    texts.append(part.text)
                    sources.update(citation.source_id for citation in part.citations)
                elif isinstance(part, ReplyEnd):
                    source = part.source
        if source not in GROUNDED or not texts:
            return AnswerFailed(order.cluster_id, "unknown")
        # A model words what it likes: it is taken to state what its sources' price and stock are.
        kinds = (source_id.partition(":") for source_id in sources)
        about = {name for kind, _, name in kinds if kind == "product"} | ({order.on_screen} - {""})
        return AnswerReady(
            order.cluster_id,
            _joined(texts),
            order.language,
            uses=frozenset({"price", "stock"}),
            about=frozenset(about),
        )


def _joined(clauses: Sequence[str]) -> tuple[str, ...]:
    """Put clauses that were cut for early speech together again: one text per sentence."""
    sentences: list[str] = []
    for clause in clauses:
        if sentences and not sentences[-1].rstrip().endswith((".", "!", "?", "…")):
            sentences[-1] = f"{sentences[-1]} {clause}"
        else:
            sentences.append(clause)
    return tuple(sentences)
