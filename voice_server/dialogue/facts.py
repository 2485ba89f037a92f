"""Facts, what a session remembers of them, and answers made from them."""

from __future__ import annotations

from dataclasses import dataclass

from voice_server.dialogue.dialogue import Citation, Clause


@dataclass(frozen=True, slots=True)
class Fact:
    """Something true of the shop, with its source. Whatever may be said is in ``text``."""

    source_id: str
    """For example "product:oslo", "policy:delivery_cost", "faq:gift_wrap", "order:BE-10482"."""
    kind: str
    """product, policy, faq, order or shop."""
    title: str
    text: str
    """One to four plain sentences in ``language`` with all numbers, prices and dates."""
    language: str
    product_id: str | None = None
    url: str = ""

    def citation(self) -> Citation:
        """Return the citation that is shown beside an answer from this fact."""
        excerpt = self.text if len(self.text) <= 160 else self.text[:157].rsplit(" ", 1)[0] + " …"
        return Citation(self.source_id, self.title, excerpt, self.url)


@dataclass(frozen=True, slots=True)
class Context:
    """What a session remembers between turns to answer from facts.

    Immutable, so that a speculative answer cannot disturb it: an answer carries the context that
    holds if, and only if, the answer is committed.
    """

    last_product: str | None = None
    last_intent: str | None = None
    order: str | None = None
    """Number of the order that this session has proved to be the customer's (level 1)."""
    offered: tuple[str, ...] = ()
    """Products named in the last answer, in that order ("the second one")."""
    listed: tuple[str, ...] = ()
    """Products of the last list, though one of them was spoken of since."""
    category: str | None = None
    """The kind of product that advice was asked for."""
    wishes: tuple[str, ...] = ()
    """Occasions and people that advice was asked for ("gift", "father")."""
    country: str = ""
    """The country that delivery was asked for."""
    colour: str = ""
    size: str = ""
    awaiting: str = ""
    """What the last answer asked for: "", "order", "postcode" or "product"."""
    pending_number: str = ""
    """An order number that still lacks its postcode."""
    pending_postcode: str = ""
    """A postcode that still lacks its order number."""
    failed_lookups: int = 0
    """Look-ups that failed; after a few the session gets no more."""
    said: tuple[str, ...] = ()
    """The sentences of the last answer from facts, to say them again."""
    turn: int = 0
    """Answers committed so far: chooses among the wordings of a template."""
    level: str = "standard"
    """How much the caller seems to know (:mod:`voice_server.dialogue.level`)."""
    level_chosen: bool = False
    """They asked for that level: what they say does not change it any more."""
    level_evidence: tuple[str, ...] = ()
    """What spoke for a level, newest last: "expert: term lumen"."""
    bought: tuple[str, ...] = ()
    """Products the caller bought before; only ever with consent
    (:mod:`voice_server.dialogue.personal`)."""
    likes: tuple[str, ...] = ()
    """Tags the caller likes; only ever with consent."""
    consent: str = ""
    """Id of that consent."""
    reasons: tuple[str, ...] = ()
    """Why the last advice was given: "wish gift", "kind lighting", "limit 60", "bought oslo"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer from facts: one to three spoken sentences."""

    clauses: tuple[Clause, ...]
    confidence: float
    """0 to 1: how sure the intent and the facts are."""
    intent: str
    facts: tuple[Fact, ...]
    context: Context
    """What holds after this answer, if it is committed."""

    @property
    def text(self) -> str:
        """The transcript: the clauses joined by spaces."""
        return " ".join(clause.text for clause in self.clauses)
