"""Makes the hand-off packet of a conversation: summaries in both languages, priority, reason.

The summaries are put together from templates and never leave out a fact.  A model may word them
better: its text is used only if it comes in time and says no number that the case does not have.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from voice_server.desk.packet import HandOffPacket, Line, Priority
from voice_server.desk.rules import REASONS, Assessment, DeskRules, Signals, assess
from voice_server.desk.texts import label, texts, when
from voice_server.shop.markets import Market

log = logging.getLogger(__name__)

SUMMARY_S = 1.5
"""What a model gets for both summaries: half of what the caller waits for the desk."""

SUMMARY_CHARS = 600
"""Three sentences; a longer text is no summary."""

WORDS_CHARS = 160
"""Of the customer's last words, in the company's summary."""

TRANSCRIPT_LINES = 400
"""The newest lines are kept: an hour's call has about as many."""

AS_RULE = {"complaint": "intent", "unknown_outcome": "failed"}
"""Reasons of the dialogue's own that weigh as a rule of another name."""

Summarise = Callable[[HandOffPacket, str], Awaitable[str]]
"""Words the summary of a packet in a language; may raise or take too long."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation as the dialogue knows it at the moment of the hand-off."""

    session_id: str
    channel: str
    language: str
    intent: str
    """Key of the concern, for example "return_item"; empty: unknown."""
    reason: str = "asked"
    identity_level: int = 0
    transcript: tuple[Line, ...] = ()
    slots: tuple[tuple[str, str], ...] = ()
    done: tuple[str, ...] = ()
    """In words of the company's language, as everything below that staff reads."""
    refused: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    """All concerns of the conversation."""
    failures: int = 0
    order_value: Decimal | None = None
    customer_name: str = ""
    email: str = ""
    phone: str = ""
    recording: str = ""
    extra: tuple[tuple[str, str], ...] = field(default=())

    def signals(self) -> Signals:
        """Return what the rules look at."""
        said = tuple((line.text, line.language) for line in self.transcript if line.role == "user")
        intents = self.intents or ((self.intent,) if self.intent else ())
        return Signals(said, intents, self.failures, self.order_value, len(self.refused))


class PacketBuilder:
    """Builds the packets of one shop."""

    def __init__(
        self,
        shop_id: str,
        market: Market,
        rules: DeskRules,
        internal_language: str,
        *,
        summarise: Summarise | None = None,
        summary_s: float = SUMMARY_S,
    ) -> None:
        """``summarise`` improves the summaries, within ``summary_s`` seconds."""
        self._shop_id = shop_id
        self._market = market
        self._rules = rules
        self._internal = internal_language
        self._summarise = summarise
        self._summary_s = summary_s

    def assess(self, case: Case) -> Assessment:
        """Tell whether the rules ask for a human, and how urgently."""
        return assess(case.signals(), self._rules)

    async def build(
        self, case: Case, packet_id: str, now: datetime, *, callback_at: datetime | None = None
    ) -> HandOffPacket:
        """Return the packet; never fails for a slow or wrong model."""
        packet = self.plain(case, packet_id, now, callback_at=callback_at)
        if self._summarise is None:
            return packet
        languages = dict.fromkeys((packet.internal_language, packet.language))
        try:
            async with asyncio.timeout(self._summary_s):
                worded = dict(
                    zip(
                        languages,
                        await asyncio.gather(*(self._summarise(packet, one) for one in languages)),
                        strict=True,
                    )
                )
        except TimeoutError:
            log.info("no worded summary within %g s: the template's is used", self._summary_s)
            return packet
        except Exception as error:  # whatever a model does, the case must reach the desk
            log.warning("a summary failed (%s): the template's is used", type(error).__name__)
            return packet
        known = grounds(packet)
        customers, internal = worded[packet.language], worded[packet.internal_language]
        if sound(customers, known):
            packet = replace(packet, summary=customers.strip())
        if sound(internal, known):
            packet = replace(packet, internal_summary=internal.strip())
        return packet

    def plain(
        self, case: Case, packet_id: str, now: datetime, *, callback_at: datetime | None = None
    ) -> HandOffPacket:
        """Return the packet with the templates' summaries."""
        found = self.assess(case)
        reason = case.reason if case.reason in REASONS else found.reason or "asked"
        declared = self._rules.priorities.get(AS_RULE.get(reason, reason), Priority.NORMAL)
        packet = HandOffPacket(
            id=packet_id,
            session_id=case.session_id,
            shop_id=self._shop_id,
            channel=case.channel,
            language=case.language,
            internal_language=self._internal,
            reason=reason,
            intent=case.intent,
            priority=max(found.priority, declared, key=lambda one: one.rank),
            summary="",
            internal_summary="",
            identity_level=case.identity_level,
            slots=case.slots,
            done=case.done,
            refused=case.refused,
            transcript=case.transcript[-TRANSCRIPT_LINES:],
            citations=case.citations,
            customer_name=case.customer_name,
            email=case.email,
            phone=case.phone,
            callback_at=callback_at,
            extra=case.extra,
            created_at=now,
            rules=found.fired,
            recording=case.recording,
        )
        return replace(
            packet,
            summary=self.summary(packet, packet.language, internal=False),
            internal_summary=self.summary(packet, self._internal, internal=True),
        )

    def summary(self, packet: HandOffPacket, language: str, *, internal: bool) -> str:
        """Word a packet in a language; ``internal`` adds what only staff should read."""
        words = texts(language)["summary"]
        sentences = [words.get(packet.channel, words["chat"])]
        if packet.intent:
            intent = label("intents", packet.intent, language)
            sentences.append(words["about"].format(intent=intent))
        else:
            sentences.append(words["about_unknown"])
        sentences.append(words[packet.reason])
        if packet.callback_at is not None:
            moment = when(packet.callback_at, self._market, language)
            sentences.append(words["promised"].format(when=moment))
        if internal:
            sentences += _staff(packet, words)
        return " ".join(sentences)


def _staff(packet: HandOffPacket, words: Mapping[str, str]) -> list[str]:
    """Return the sentences that only staff reads."""
    found: list[str] = []
    if packet.slots:
        slots = ", ".join(f"{name} {value}" for name, value in packet.slots)
        found.append(words["slots"].format(slots=slots))
    if packet.done:
        found.append(words["done"].format(done="; ".join(packet.done)))
    if packet.refused:
        found.append(words["refused_writes"].format(refused="; ".join(packet.refused)))
    said = [line for line in packet.transcript if line.role == "user"]
    if said:
        last = said[-1].translation or said[-1].text
        if len(last) > WORDS_CHARS:
            last = last[:WORDS_CHARS].rsplit(" ", 1)[0] + " …"
        found.append(words["last_words"].format(words=last))
    return found


def grounds(packet: HandOffPacket) -> frozenset[str]:
    """Return every number that a summary of this packet may name."""
    parts: list[str] = [packet.summary, packet.internal_summary, packet.phone, packet.email]
    parts += [value for _, value in packet.slots]
    parts += [*packet.done, *packet.refused]
    for line in packet.transcript:
        parts += [line.text, line.translation]
    return frozenset(_NUMBER.findall(" ".join(parts)))


def sound(text: str, known: frozenset[str]) -> bool:
    """Tell whether a model's summary can be trusted: not empty, short, no number of its own."""
    plain = text.strip()
    if not plain or len(plain) > SUMMARY_CHARS:
        return False
    return all(number in known for number in _NUMBER.findall(plain))
