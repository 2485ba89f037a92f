"""What flows say: items, read-backs, results, in the four languages.  Pure.

Texts are in ``data/flows/texts/<language>.txt`` in the form of the answer templates; the words of
an order's status are the answers' own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, time
from importlib import resources
from pathlib import Path

from voice_server.dialogue.address import familiar
from voice_server.dialogue.answers.phrasing import Phrasebook, breathe, noun, parse
from voice_server.dialogue.flows.declared import Flow
from voice_server.dialogue.flows.slots import SlotReader
from voice_server.dialogue.flows.state import FlowState
from voice_server.shop import wording
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import Capability, PlatformItem, PlatformOrder, Refusal, Write
from voice_server.shop.shop import Shop

_FIELD = re.compile(r"\{(\w+)\}")
_COMMON = ("shop", "phone", "email", "hours", "digits", "return_days", "refund")
"""Values that every text may use."""
_QUESTION = ("items", "item", "most", "wishes")
"""Values that every question may use."""
_REFUNDS = {OrderStatus.CANCELLED, OrderStatus.RETURN_RECEIVED, OrderStatus.REFUNDED}


def load_texts(language: str, pack: Path | None = None, *, informal: bool = False) -> Phrasebook:
    """Return the flow texts of a language; a pack's ``flows/texts.<language>.txt`` lies on top.

    ``informal``: the bundled ones address customers by "je", "tu" or "du".

    Raises:
        ValueError: a sentence stands before the first ``[key]``, a key has no sentence, a text
            uses a value that there is not, or a read-back is no question about its order.
    """
    name = f"{language}.txt"
    data = resources.files("voice_server.dialogue") / "data" / "flows" / "texts" / name
    text = data.read_text(encoding="utf-8")
    entries = parse(familiar(text, language) if informal else text, name)
    own = pack / "flows" / f"texts.{language}.txt" if pack else None
    if own is not None and own.is_file():
        texts = parse(own.read_text(encoding="utf-8"), own.name)
        for key, wordings in texts.items():
            _check(own.name, key, wordings, entries.get(key))
        entries |= texts
    return Phrasebook(language, entries)


def _check(
    name: str,
    key: str,
    wordings: Sequence[tuple[str, ...]],
    bundled: Sequence[tuple[str, ...]] | None,
) -> None:
    """Hold a pack's text to what the flows can fill in, and to what consent needs."""
    asked = key.startswith("ask_")
    if bundled is None and not asked and not key.startswith(("why_", "refused_")):
        raise ValueError(f"{name}: nobody says [{key}]")
    fields = set(_COMMON) | (set(_QUESTION) if asked else set())
    for texts in bundled or ():
        fields |= set(_FIELD.findall(" ".join(texts)))
    for texts in wordings:
        text = " ".join(texts)
        unknown = set(_FIELD.findall(text)) - fields
        if unknown:
            known = ", ".join(sorted(fields))
            raise ValueError(f"{name}: [{key}] has no {{{unknown.pop()}}}; there is {known}")
        if key.startswith("rb_") and not (text.endswith("?") and "{order}" in text):
            raise ValueError(f"{name}: [{key}] must name {{order}} and end with a question mark")


class FlowWording:
    """The sentences of one language for one shop."""

    def __init__(self, shop: Shop, language: str, pack: Path | None = None) -> None:
        """Raises ValueError for broken texts (see :func:`load_texts`)."""
        self.language = language
        self.slots = SlotReader(shop, language)
        self.home = shop.market.country
        """Where parcels go unless somebody says another country."""
        self._shop = shop
        informal = language in shop.familiar
        self._texts = load_texts(language, pack, informal=informal)
        self._answers = Phrasebook.load(language, informal=informal)

    def has(self, key: str) -> bool:
        """Is there a text of this name?"""
        return key in self._texts.entries

    def say(self, key: str, turn: int = 0, /, **fields: str) -> tuple[str, ...]:
        """Return the clauses of a text. Raises KeyError for an unknown one."""
        policies = self._shop.policies
        common = {
            "shop": self._shop.name,
            "phone": policies.phone,
            "email": policies.email,
            "hours": wording.opening_hours(policies.hours, self._shop.market, self.language),
            "digits": str(self._shop.orders.digits),
            "return_days": self._days(policies.return_days, "day"),
            "refund": self._days(policies.refund_days, "working_day"),
        }
        return tuple(self._texts.clauses(key, turn, None, **{**common, **fields}))

    def text(self, key: str, /, **fields: str) -> str:
        """Return a text as one string."""
        return " ".join(self.say(key, **fields))

    def fixed(self) -> tuple[str, ...]:
        """Return every clause that is said as it stands, for the phrase cache."""
        found: dict[str, None] = {}
        for key, wordings in self._texts.entries.items():
            for turn in range(len(wordings)):
                try:
                    clauses = self.say(key, turn)
                except KeyError:
                    continue  # it has values of its own
                found |= dict.fromkeys(breathe(list(clauses)))
        return tuple(found)

    # -- things -----------------------------------------------------------------------------

    def item(self, item: PlatformItem, *, quantity: int = 1, article: bool = True) -> str:
        """Word a line of an order: "la lampe de table Oslo", "2 keer stoel Nora"."""
        known = self.slots.product(item.sku)
        if known is None:
            name = named = item.title
        else:
            thing = noun(known[0].text(self.language), self.language)
            name, named = thing.name, thing.den
        if quantity > 1:
            return self.text("pieces", count=str(quantity), item=name)
        return named if article else name

    def items(self, order: PlatformOrder) -> str:
        """Word the lines of an order as a choice."""
        names = [self.item(item) for item in order.items]
        return self._shop.market.join(names, self.language, "or")

    def variant(self, sku: str) -> str:
        """Word a variant by its colour and size."""
        known = self.slots.product(sku)
        if known is None:
            return sku
        variant = known[1]
        colour = self._shop.colour(variant.colour, self.language) if variant.colour else ""
        return ", ".join(part for part in (colour, variant.size) if part)

    def variants(self, item: PlatformItem) -> str:
        """Word what an item could be exchanged for, "" if there is nothing."""
        known = self.slots.product(item.sku)
        if known is None:
            return ""
        others = [v for v in known[0].variants if v.sku != item.sku and v.available]
        names = [self.variant(v.sku) for v in others[:6]]
        return self._shop.market.join(names, self.language, "or") if names else ""

    def moment(self, at: datetime) -> dict[str, str]:
        """Return day and hour of a promised call."""
        market = self._shop.market
        return {
            "day": market.day(at.date(), self.language),
            "time": market.clock(at.timetz(), self.language),
        }

    # -- writes -----------------------------------------------------------------------------

    def read_back(self, write: Write, order: PlatformOrder, flow: Flow) -> str:
        """Return exactly what will be done, as a question, for the caller to confirm."""
        return self.text(f"rb_{write.action}", **self._fields(write, order, flow))

    def done(
        self, write: Write, order: PlatformOrder | None, flow: Flow | None, reference: str
    ) -> tuple[str, ...]:
        """Say that it was done."""
        fields = self._fields(write, order, flow)
        key = f"done_{write.action}"
        if reference and self.has(f"{key}_ref"):
            return self.say(f"{key}_ref", reference=reference, **fields)
        return self.say(key, **fields)

    def refused(self, reason: str) -> tuple[str, ...]:
        """Say why it cannot be done."""
        key = f"refused_{reason}"
        return self.say(key if self.has(key) else "refused_other")

    def _fields(
        self, write: Write, order: PlatformOrder | None, flow: Flow | None
    ) -> dict[str, str]:
        line = write.value("line_id")
        item = next((i for i in order.items if i.line_id == line), None) if order else None
        count = int(write.value("quantity") or 1)
        fields = {
            "order": write.order,
            "items": self.item(item, quantity=count) if item else "",
            "wish": self.variant(write.value("sku")) if write.value("sku") else "",
            "address": ", ".join(
                part
                for part in (
                    write.value("street"),
                    f"{write.value('postcode')} {write.value('city')}".strip(),
                )
                if part
            ),
            "total": self._shop.market.money(order.total, self.language) if order else "",
            "reason": self._choice(flow, "reason", write.value("reason")),
        }
        return fields

    def _choice(self, flow: Flow | None, slot: str, key: str) -> str:
        step = flow.step(slot) if flow else None
        if step is None or key not in step.choices:
            return key
        return step.words_of(key, self.language)[0]

    # -- telling ----------------------------------------------------------------------------

    def status(self, order: PlatformOrder, now: datetime) -> tuple[str, ...]:
        """Say how far an order is, in the words of the answers from facts."""
        today, expected = now.date(), order.expected
        day = self._shop.market.day(expected, self.language) if expected else ""
        key = f"order_{order.status}"
        if order.status is OrderStatus.SHIPPED and expected is not None and expected < today:
            return self.say("status_overdue", date=day)
        if order.status is OrderStatus.SHIPPED and expected == today:
            key = "order_shipped_today"
        coming = order.status in {OrderStatus.PROCESSING, OrderStatus.DELAYED}
        overdue = coming and expected is not None and expected < today
        fields = {
            "date": "" if overdue else day,
            "carrier": order.carrier,
            "refund": wording.units(self._shop.policies.refund_days, "working_day", self.language),
        }
        used = _FIELD.findall(" ".join(" ".join(text) for text in self._answers.entries[key]))
        if any(not fields[name] for name in used) and self.has(f"status_{order.status}"):
            return self.say(f"status_{order.status}")  # the platform does not know that much
        return tuple(self._answers.clauses(key, 0, None, **fields))

    def _days(self, count: int, unit: str) -> str:
        """Word a period; in German as it stands behind "in" and "von"."""
        said = wording.units(count, unit, self.language)
        return said.replace("age", "agen") if self.language == "de" else said

    def refunds(self, order: PlatformOrder, now: datetime) -> tuple[str, ...]:
        """Say where the money of an order is."""
        if order.status in _REFUNDS:
            return self.status(order, now)
        if order.refunded:
            return self.say(
                "refund_partly", amount=self._shop.market.money(order.refunded, self.language)
            )
        if order.returns:
            return self.say("refund_awaits", reference=order.returns[-1])
        return (*self.say("refund_none"), *self.status(order, now))

    def estimate(self, country: str, flow: Flow, now: datetime) -> tuple[str, ...]:
        """Say when a parcel that is ordered now arrives: cut-off hour, weekends and holidays."""
        policies, market = self._shop.policies, self._shop.market
        delivery = policies.delivery.get(country)
        if delivery is None:
            countries = wording.to_countries(list(policies.delivery), market, self.language)
            to = wording.to_country(country, market, self.language)
            return self.say("estimate_no", to=to, countries=countries)
        starts = now.date()
        said: tuple[str, ...] = ()
        if "cut_off" in flow.options:
            cut = time.fromisoformat(flow.options["cut_off"])
            late = now.time() >= cut
            key = "estimate_late" if late else "estimate_early"
            if market.is_working_day(starts):
                said = self.say(key, hour=market.clock(cut, self.language))
                starts = market.working_day(starts, 1) if late else starts
        starts = market.working_day(starts, 0)
        first = market.working_day(starts, delivery.days_min)
        last = market.working_day(starts, delivery.days_max)
        to = wording.to_country(country, market, self.language)
        days = {
            "first": market.day(first, self.language),
            "last": market.day(last, self.language),
            "to": to,
        }
        return (*said, *self.say("estimate" if first != last else "estimate_one", **days))


def build_write(
    action: Capability, order: PlatformOrder, state: FlowState, values: Sequence[tuple[str, str]]
) -> Write:
    """Return the write that the filled slots amount to."""
    known = {name: state.slot(slot) for name, slot in values}
    line = next((i for i in order.items if i.line_id == known.get("line_id")), None)
    if line is not None and "quantity" not in known:
        known["quantity"] = str(line.returnable or line.quantity)
    if action is Capability.CHANGE_ADDRESS and order.address is not None:
        known = {"name": order.address.name, **known, "country": order.address.country}
    if action is Capability.CANCEL_ORDER:
        known.setdefault("reason", "customer")
    return Write(action, order.number, tuple(sorted(known.items())))


EARLY = {
    Refusal.UNSUPPORTED,
    Refusal.CLOSED,
    Refusal.SHIPPED,
    Refusal.NOT_DELIVERED,
    Refusal.RETURN_WINDOW,
}
"""Refusals that no answer of the caller can change: told before anything is asked."""


def trial(action: Capability, order: PlatformOrder) -> Write:
    """Return a write whose refusal, if it is one of :data:`EARLY`, holds for any."""
    line = order.items[0].line_id if order.items else ""
    return Write(action, order.number, (("line_id", line), ("quantity", "1")))


def snapshot(write: Write, order: PlatformOrder) -> str:
    """Return what of an order a write of this kind changes, to tell later whether it was done."""
    line = next((i for i in order.items if i.line_id == write.value("line_id")), None)
    if write.action is Capability.CANCEL_ORDER:
        return str(order.status)
    if write.action is Capability.CHANGE_ADDRESS:
        return f"{order.address.street}|{order.address.postcode}" if order.address else ""
    if write.action in {Capability.RETURN_ITEMS, Capability.EXCHANGE_ITEM}:
        return f"{len(order.returns)}|{line.returnable if line else 0}"
    return f"{line.sku}|{line.quantity}" if line else "gone"


def happened(write: Write, before: str, after: PlatformOrder) -> bool | None:
    """Was the write done, by what the order says now? None where an order cannot tell."""
    if write.action is Capability.CANCEL_ORDER:
        return after.status is OrderStatus.CANCELLED
    if write.action is Capability.CHANGE_ADDRESS:
        wanted = f"{write.value('street')}|{write.value('postcode')}"
        return snapshot(write, after) == wanted if after.address else None
    if write.action is Capability.NOTE:
        return None
    return snapshot(write, after) != before
