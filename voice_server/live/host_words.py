"""The host's own words, held against the shop's facts before an avatar says them.

The same sentence gate and guards stand before them as before a model's words.  What the facts
contradict or a guard pack forbids is not said.  What they merely do not know (a washing
temperature) the host may vouch for; a price never: it is on the card, and the shop is bound by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voice_server.dialogue.claims import Kind, read_claims
from voice_server.dialogue.facts import Context, Fact
from voice_server.dialogue.gates import Drop, Pass, Reason, Replace, SentenceGate
from voice_server.dialogue.grounds import build_grounds
from voice_server.dialogue.guards.packs import GuardPack
from voice_server.dialogue.knowledge import Knowledge
from voice_server.live.facts import ShopFacts
from voice_server.live.understanding import Identify
from voice_server.speech.clauses import ClauseLimits, ClauseSplitter

VOUCHED = frozenset({Reason.CLAIM, Reason.NAME, Reason.LANGUAGE})
"""What the host may answer for. Not: what a guard forbids, a promise, or that no AI speaks."""
BOUND = frozenset({Kind.MONEY, Kind.PERCENT, Kind.FREE, Kind.CODE})
"""Claims that only the shop's facts can make."""
FACTS = 6
"""Facts looked at: the product's, and those nearest to the question."""
_SENTENCES = ClauseLimits(
    first_chars=2, first_words=1000, sentence_chars=2, part_chars=1000, longest_chars=1000
)
"""Cuts at the ends of sentences only: each is spoken in one go."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of the host's words."""

    sentences: tuple[str, ...] = ()
    """To be said; empty when they are refused."""
    reason: str = ""
    """Why they are refused: a reason of the sentence gate, "" when they are not."""
    detail: str = ""
    """The words that offend."""
    may_vouch: bool = False
    """The host may have it said on their word."""


class HostWords:
    """Judges what the host types."""

    def __init__(
        self,
        facts: ShopFacts,
        knowledge: Knowledge,
        guards: Mapping[str, GuardPack],
        identify: Identify | None,
    ) -> None:
        """``guards`` by language, as the dialogue has them."""
        self._facts = facts
        self._knowledge = knowledge
        self._guards = guards
        self._identify = identify

    def judge(
        self,
        text: str,
        language: str,
        product_id: str,
        *,
        question: str = "",
        asked_in: str = "",
        vouched: bool = False,
    ) -> Judged:
        """Judge words in ``language`` while ``product_id`` (or "") is spoken of.

        Takes some milliseconds: call it in a thread.
        """
        gate = self._gate(language, product_id, question, asked_in)
        kept: list[str] = []
        for sentence in sentences(text, language):
            verdict = gate.check(sentence, said=kept)
            if isinstance(verdict, Pass):
                kept.append(verdict.text)
            elif isinstance(verdict, Replace):
                may = verdict.reason in VOUCHED and not _binding(verdict.detail, sentence, language)
                if not (may and vouched):
                    return Judged((), verdict.reason.value, verdict.detail, may)
                kept.append(sentence)
            else:
                assert isinstance(verdict, Drop), "the third verdict"  # noqa: S101
        return Judged(tuple(kept)) if kept else Judged((), Reason.EMPTY.value)

    def doubt(self, text: str, language: str, product_id: str) -> str:
        """Return the words of a line that the facts do not back, "" when all are backed."""
        return self.judge(text, language, product_id).detail

    def _gate(self, language: str, product_id: str, question: str, asked_in: str) -> SentenceGate:
        context = Context(last_product=product_id or None)
        about = question or self._name(product_id, language)
        facts = self._knowledge.retrieve(about, language, context, FACTS)
        if product_id and not question:
            # Spoken of a product, "49 euros" is its price, not what delivery is free from.
            facts = [fact for fact in facts if fact.product_id == product_id]
        fields = self._facts.fields(product_id, language)
        if fields:
            now = " ".join(fields[key] for key in ("price", "was", "stock") if key in fields)
            facts.append(Fact("live:offer", "product", fields["name"], now, language, product_id))
        grounds = build_grounds(
            facts,
            echoes=[(question, asked_in or language)] if question else (),
            names=(self._facts.shop_name, *self._knowledge.product_names().values()),
        )
        languages = tuple(self._knowledge.shop.languages)
        return SentenceGate(
            grounds, language, languages, self._identify, guards=self._guards.get(language)
        )

    def _name(self, product_id: str, language: str) -> str:
        noun = self._facts.noun(product_id, language)
        return noun.name if noun is not None else self._facts.shop_name


def sentences(text: str, language: str) -> list[str]:
    """Cut a text into its sentences.

    >>> sentences("Oui, à 30 degrés. Merci !", "fr")
    ['Oui, à 30 degrés.', 'Merci !']
    """
    splitter = ClauseSplitter(language, _SENTENCES)
    found: list[str] = []
    for part in (*splitter.feed(text.strip()), *splitter.flush()):
        # The splitter also cuts short beginnings off ("Oui,"): together again.
        if found and not found[-1].rstrip().endswith((".", "!", "?", "…")):
            found[-1] += part
        else:
            found.append(part)
    return [sentence.strip() for sentence in found if sentence.strip()]


def _binding(detail: str, sentence: str, language: str) -> bool:
    """Whether the offending words are a claim that only the shop can make."""
    return any(
        claim.kind in BOUND and detail in sentence[claim.start : claim.end]
        for claim in read_claims(sentence, language)
    )
