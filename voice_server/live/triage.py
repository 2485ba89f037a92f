"""From chat events to questions worth answering. Sans-I/O: time, vectors and facts are given.

    event → screen → language → vector → alike one that is open? joins it
                                       → else: what does it mean? → waiting | host | dropped

A message costs a vector (0.5-1.5 ms) and, when no like question is open, one look into the facts
(a few ms).  What was taken back leaves its cluster; a cluster nobody asks any more is withdrawn.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from voice_server.live.chat.envelope import REMOVALS, ChatEvent, Kind
from voice_server.live.chat.inbox import removes
from voice_server.live.outcomes import Closed, Dropped, Joined, Outcome, Social
from voice_server.live.questions import OPEN, Ask, Cluster, Status, Understood
from voice_server.live.scoring import parts
from voice_server.live.screen import Screen, Verdict, looks_like_question

Vectors = NDArray[np.float32]

WINDOW_S = 90.0
"""Like questions within this time are one; unanswered ones expire after it (chat has moved on)."""
COOLDOWN_S = 150.0
"""A fact that was told is not told again so soon, unless the host wants it."""
SAME = 0.86
"""Cosine from which two messages are the same question, whatever they are about: measured on the
multilingual encoder, paraphrases lie above 0.8 and other questions mostly below 0.7."""
ALIKE = -1.0
"""... when intent and product are the same already they decide: "price??" is far from any whole
sentence."""
ALIKE_DETAIL = 0.55
"""... but not for intents that cover many questions (in stock? what is it good for?)."""
DETAILED = frozenset(
    {"availability", "product_detail", "product_info", "recommend", "compare", "options"}
    | {"delivery_countries", "assortment", "cheaper"}
)
LOOKS = 6
"""Messages of a batch that look like no question and are looked up all the same: "price pls" is
one, but in a crowd most of them are chatter, and a look costs six times a vector."""
SURE_STATEMENT = 0.8
"""Confidence from which such a message is taken for a question nevertheless."""
MOST_OPEN = 60
"""Clusters kept open: more than an hour of show could answer; the lowest score goes."""
KEPT = 200
"""Closed clusters kept for the console and for removals that come late."""

PRIVATE = frozenset({"order_status", "refund_time", "exchange"})
"""Never answered in public: they are about one customer's order."""
FOR_HOST = frozenset({"complaint", "human"})
SOCIAL = frozenset({"greeting"})
CHATTER = frozenset(
    {"thanks", "goodbye", "smalltalk", "affirm", "deny", "repeat", "off_topic", "capabilities"}
)
SURE = 0.6
"""Confidence from which an intent decides alone that a message is no question."""


class Understanding(Protocol):
    """What the triage asks of the shop's dialogue."""

    def language(self, text: str, hint: str) -> str:
        """Return the language of a text (ISO 639-1); ``hint`` is what the sender declared."""

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors, float32 [len(texts), d]."""

    def named(self, text: str) -> str:
        """Return the product that a text names, "" for none. Cheap."""

    def specifics(self, text: str) -> frozenset[str]:
        """Return colours, sizes, numbers in a text: what makes like words another question."""

    def greets(self, text: str) -> bool:
        """Return whether a text is nothing but a greeting. Cheap."""

    def understand(self, text: str, language: str, on_screen: str) -> Understood:
        """Return what a text means while a product is on screen."""


class Triage:
    """The open questions of one show."""

    def __init__(
        self,
        understanding: Understanding,
        *,
        new_id: Callable[[], str] | None = None,
    ) -> None:
        """``new_id`` names clusters; the default counts."""
        self._understanding = understanding
        counter = itertools.count(1)
        self._new_id = new_id or (lambda: f"q{next(counter)}")
        self._screen = Screen()
        self._open: dict[str, Cluster] = {}
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._closed: OrderedDict[str, Cluster] = OrderedDict()
        self._told: dict[tuple[str, str], float] = {}

    # ------------------------------------------------------------------ input

    def receive(self, events: Sequence[ChatEvent], now: float, *, on_screen: str) -> list[Outcome]:
        """Take a batch of events, while ``on_screen`` (a product id or "") is shown."""
        out: list[Outcome] = []
        good: list[tuple[ChatEvent, str]] = []
        for event in events:
            if event.kind in REMOVALS:
                good = [(e, language) for e, language in good if not removes(event)(e)]
                out += self._remove(event, now)
            elif event.kind in (Kind.MESSAGE, Kind.PAID):
                verdict = Verdict.EMPTY if event.history else self._screen.judge(event, now)
                if verdict is Verdict.GOOD:
                    language = self._understanding.language(event.text, event.language)
                    good.append((event, language))
                else:
                    out.append(Dropped(event, "history" if event.history else verdict.value))
                if event.kind is Kind.PAID and verdict not in (Verdict.ABUSE, Verdict.BLOCKED):
                    out.append(self._social(event))
            elif not event.history:
                out.append(self._social(event))
        worth = self._worth_looking(good, out)
        if worth:
            vectors = self._understanding.vectors([event.text for event, _ in worth])
            for (event, language), vector in zip(worth, vectors, strict=True):
                out.append(self._place(event, language, vector, now, on_screen))
        return out + self._bound(now, on_screen)

    def tick(self, now: float) -> list[Outcome]:
        """Let old questions expire."""
        out: list[Outcome] = []
        for cluster in list(self._open.values()):
            held = cluster.pinned or cluster.approved
            if cluster.status in OPEN and not held and now - cluster.last_at > WINDOW_S:
                out.append(self._close(cluster, Status.EXPIRED))
        self._told = {key: at for key, at in self._told.items() if now - at < COOLDOWN_S}
        return out

    # ------------------------------------------------------------------ choice

    def ranked(self, now: float, on_screen: str) -> list[tuple[float, Cluster]]:
        """Return the open clusters with their scores, best first; the host's at the end."""
        scored = [
            (self.score(cluster, now, on_screen), cluster)
            for cluster in self._open.values()
            if cluster.status in OPEN
        ]
        return sorted(
            scored, key=lambda pair: (pair[1].status is Status.HOST, -pair[0], pair[1].first_at)
        )

    def best(self, now: float, on_screen: str) -> Cluster | None:
        """Return the question to answer next, None if none waits."""
        for _, cluster in self.ranked(now, on_screen):
            if cluster.status is Status.WAITING:
                return cluster
        return None

    def score(self, cluster: Cluster, now: float, on_screen: str) -> float:
        """Return how much a question deserves an answer now."""
        return sum(parts(cluster, now, on_screen).values())

    def get(self, cluster_id: str) -> Cluster | None:
        """Return a cluster, open or recently closed."""
        return self._open.get(cluster_id) or self._closed.get(cluster_id)

    # ------------------------------------------------------------------ what became of them

    def take(self, cluster_id: str) -> Cluster | None:
        """The director answers it: nobody else does."""
        cluster = self._open.get(cluster_id)
        if cluster is None or cluster.status not in OPEN:
            return None
        cluster.status = Status.TAKEN
        return cluster

    def answered(self, cluster_id: str, now: float) -> None:
        """It was answered: its fact rests for COOLDOWN_S."""
        cluster = self._open.get(cluster_id)
        if cluster is not None:
            self._told[cluster.key] = now
            self._close(cluster, Status.ANSWERED)

    def for_host(self, cluster_id: str, reason: str) -> None:
        """No answer could be made: the host's list."""
        cluster = self._open.get(cluster_id)
        if cluster is not None:
            cluster.status, cluster.reason, cluster.approved = Status.HOST, reason, False

    def release(self, cluster_id: str) -> None:
        """Its answer was given up (the host took over): it waits again."""
        cluster = self._open.get(cluster_id)
        if cluster is not None and cluster.status is Status.TAKEN:
            cluster.status = Status.WAITING

    def skip(self, cluster_id: str) -> None:
        """The host does not want it answered."""
        cluster = self._open.get(cluster_id)
        if cluster is not None and cluster.status in OPEN:
            self._close(cluster, Status.SKIPPED)

    def approve(self, cluster_id: str) -> None:
        """The host wants it answered next."""
        cluster = self._open.get(cluster_id)
        if cluster is not None and cluster.status in OPEN:
            cluster.status, cluster.approved = Status.WAITING, True

    def pin(self, cluster_id: str, pinned: bool = True) -> None:
        """Pinned questions do not expire."""
        cluster = self._open.get(cluster_id)
        if cluster is not None:
            cluster.pinned = pinned

    # ------------------------------------------------------------------ inside

    def _worth_looking(
        self, good: list[tuple[ChatEvent, str]], out: list[Outcome]
    ) -> list[tuple[ChatEvent, str]]:
        worth: list[tuple[ChatEvent, str]] = []
        looks = LOOKS
        for event, language in good:
            if self._understanding.greets(event.text):
                out.append(Social(Kind.JOIN, event.author, language))
            elif looks_like_question(event.text, language):
                worth.append((event, language))
            elif looks > 0:
                looks -= 1
                worth.append((event, language))
            else:
                out.append(Dropped(event, "chatter"))
        return worth

    def _place(
        self,
        event: ChatEvent,
        language: str,
        vector: NDArray[np.float32],
        now: float,
        on_screen: str,
    ) -> Outcome:
        named = self._understanding.named(event.text)
        ask = Ask(
            event.platform,
            event.id,
            event.author_id,
            event.author,
            event.text,
            now,
            event.amount if event.kind is Kind.PAID else 0.0,
            bool(event.roles),
            language,
        )
        about = {named or on_screen, ""}
        specifics = self._understanding.specifics(event.text)
        found = self._like(
            vector, SAME, lambda c: c.understood.product_id in about and c.specifics == specifics
        )
        if found is not None:
            found.asks.append(ask)
            return Joined(found, new=False)
        understood = self._understanding.understand(event.text, language, on_screen)
        reason = self._unworthy(event, language, understood, now)
        if reason == "greeting":
            return Social(Kind.JOIN, event.author, language)
        if reason:
            return Dropped(event, reason)
        key = (understood.intent, understood.product_id)
        least = ALIKE_DETAIL if understood.intent in DETAILED else ALIKE
        found = self._like(
            vector,
            least,
            lambda c: bool(key[0]) and c.key == key and c.specifics == specifics,
        )
        if found is not None:
            found.asks.append(ask)
            return Joined(found, new=False)
        cluster = Cluster(self._new_id(), event.text, language, understood, [ask], specifics)
        cluster.reason = _host_reason(understood)
        cluster.status = Status.HOST if cluster.reason else Status.WAITING
        self._open[cluster.id] = cluster
        self._vectors[cluster.id] = vector
        return Joined(cluster, new=True)

    def _unworthy(self, event: ChatEvent, language: str, understood: Understood, now: float) -> str:
        """Return why a message is not put to anybody, "" if it is."""
        intent, sure = understood.intent, understood.confidence >= SURE
        asks = looks_like_question(event.text, language)
        if intent in SOCIAL and sure:
            return "greeting"
        if intent in CHATTER and (sure or not asks):
            return "chatter"
        if not asks and (not understood.answerable or understood.confidence < SURE_STATEMENT):
            return "chatter"
        told = self._told.get((intent, understood.product_id))
        if intent and told is not None and now - told < COOLDOWN_S:
            return "answered"
        return ""

    def _like(
        self,
        vector: NDArray[np.float32],
        least: float,
        fits: Callable[[Cluster], bool],
    ) -> Cluster | None:
        found, best = None, least
        for cluster in self._open.values():
            if cluster.status in OPEN and fits(cluster):
                likeness = float(vector @ self._vectors[cluster.id])
                if likeness >= best:
                    found, best = cluster, likeness
        return found

    def _social(self, event: ChatEvent) -> Social:
        return Social(event.kind, event.author, event.language, event.amount, event.currency)

    def _remove(self, removal: ChatEvent, now: float) -> list[Outcome]:
        if removal.kind is Kind.BAN:
            self._screen.block(removal.platform, removal.target, now)
        gone = removes(removal)
        out: list[Outcome] = []
        for cluster in list(self._open.values()):
            kept = [ask for ask in cluster.asks if not gone(_event(ask, removal.channel))]
            if len(kept) == len(cluster.asks):
                continue
            first = cluster.asks[0]
            cluster.asks = kept
            if not kept:
                out.append(self._close(cluster, Status.WITHDRAWN))
            elif kept[0] is not first:
                cluster.text = kept[0].text  # its words were taken back: use another's
        return out

    def _bound(self, now: float, on_screen: str) -> list[Outcome]:
        out: list[Outcome] = []
        excess = len(self._open) - MOST_OPEN
        if excess > 0:
            ranked = self.ranked(now, on_screen)
            for _, cluster in ranked[::-1][:excess]:
                out.append(self._close(cluster, Status.EXPIRED))
        return out

    def _close(self, cluster: Cluster, status: Status) -> Closed:
        cluster.status = status
        del self._open[cluster.id]
        del self._vectors[cluster.id]
        self._closed[cluster.id] = cluster
        if len(self._closed) > KEPT:
            self._closed.popitem(last=False)
        return Closed(cluster)


def _host_reason(understood: Understood) -> str:
    if understood.intent in PRIVATE:
        return "private"
    if understood.intent in FOR_HOST:
        return understood.intent
    return "" if understood.answerable else "unknown"


def _event(ask: Ask, channel: str) -> ChatEvent:
    """Return an ask as the event it came from, to be matched against a removal."""
    return ChatEvent(
        ask.platform,
        ask.message_id,
        Kind.MESSAGE,
        ask.at,
        author_id=ask.author_id,
        channel=channel,
    )
