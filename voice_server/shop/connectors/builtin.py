"""The built-in store: the pack's orders, with changes that are really made and kept.

For shops without a platform, for demonstrations and for tests: the same rules and the same answers
as a vendor's, without a vendor.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from voice_server.shop.connectors import rules
from voice_server.shop.connectors.builtin_state import (
    Article,
    Change,
    apply,
    sent_out,
    stock_taken,
)
from voice_server.shop.connectors.ledger import Journal
from voice_server.shop.orders import OrderRecord, OrderStatus
from voice_server.shop.platform import (
    Address,
    Capability,
    Offer,
    PlatformDown,
    PlatformItem,
    PlatformOrder,
    Receipt,
    Refusal,
    Refused,
    Write,
)
from voice_server.shop.shop import Shop

_log = logging.getLogger(__name__)


class BuiltinPlatform:
    """Orders and offers of a shop pack (see :class:`~voice_server.shop.platform.ShopPlatform`).

    Args:
        shop: whose orders.
        journal: where changes are kept; None keeps them in memory, so that a restart undoes them.
        today: the present day of the shop; None reads the clock in its time zone.
    """

    name = "builtin"
    capabilities = frozenset(Capability)

    def __init__(
        self,
        shop: Shop,
        *,
        journal: Journal | None = None,
        today: Callable[[], date] | None = None,
    ) -> None:
        zone = ZoneInfo(shop.market.timezone)
        self._today = today or (lambda: datetime.now(zone).date())
        self._shop = shop
        self._records = {record.number: record for record in shop.orders}
        self._articles: dict[str, Article] = {}
        language = shop.default_language
        for product in shop.catalogue:
            for variant in product.variants:
                self._articles[variant.sku] = Article(
                    variant.sku, product.text(language).name, variant.price, variant.stock
                )
        self._journal = journal
        self._writing = asyncio.Lock()
        self._changes: dict[str, Change] = {}
        for record in journal.read() if journal else ():
            try:
                change = Change.read(record)
            except ValueError:
                _log.warning("a kept change of an order is not understood and is left out")
                continue
            self._changes[change.key] = change

    async def find_order(self, number: str) -> PlatformOrder | None:
        """Return an order with all changes."""
        record = self._records.get(number)
        return None if record is None else self._now(record)

    async def find_orders(self, *, email: str = "", phone: str = "") -> Sequence[PlatformOrder]:
        """Return a customer's orders, newest first."""
        wanted, digits = email.strip().casefold(), _digits(phone)
        found = [
            self._now(record)
            for record in self._records.values()
            if (wanted and record.email.casefold() == wanted)
            or (digits and _digits(record.phone) == digits)
        ]
        return sorted(found, key=lambda order: order.ordered, reverse=True)

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        """Return the pack's prices, and its stock less what changes took."""
        was = {
            variant.sku: product.was_price
            for product in self._shop.catalogue
            for variant in product.variants
        }
        currency = self._shop.market.currency
        return tuple(
            Offer(sku, self._articles[sku].price, currency, self._stock(sku), was[sku])
            for sku in skus
            if sku in self._articles
        )

    def refusal(self, write: Write, order: PlatformOrder) -> str:
        """Return why the write is not possible, "" when it is."""
        reason = rules.refusal(write, order, self.capabilities)
        over = order.status is OrderStatus.DELIVERED and not self._returnable(order.expected)
        if reason == Refusal.NOT_RETURNABLE and over:
            return Refusal.RETURN_WINDOW
        if reason or write.action not in {Capability.CHANGE_ITEM, Capability.EXCHANGE_ITEM}:
            return reason
        article = self._articles.get(write.value("sku"))
        line = rules.item(order, write.value("line_id"))
        if article is None or line is None:
            return Refusal.UNKNOWN_ITEM
        if self._stock(article.sku) < rules.quantity(write):
            return Refusal.OUT_OF_STOCK
        return Refusal.PRICE_HIGHER if article.price > line.price else ""

    async def write(self, write: Write, *, key: str) -> Receipt:
        """Do it once.

        Cancelled, it is still done or refused as a whole: a second call tells which.

        Raises:
            Refused: it is not possible.
            PlatformDown: the change could not be kept, so it was not made.
        """
        return await asyncio.shield(self._write(write, key))

    async def close(self) -> None:
        """Nothing is open."""

    def notes(self, number: str) -> tuple[str, ...]:
        """Return the notes of an order, oldest first: for staff."""
        return tuple(
            change.write.value("text")
            for change in self._changes.values()
            if change.write.order == number and change.write.action is Capability.NOTE
        )

    async def erase(self, number: str) -> None:
        """Drop what customers said of themselves in changes of an order (GDPR art. 17).

        Raises:
            PlatformDown: the file could not be written; nothing was dropped.
        """
        personal = {Capability.NOTE, Capability.CHANGE_ADDRESS}
        async with self._writing:
            kept = {
                key: change
                for key, change in self._changes.items()
                if change.write.order != number or change.write.action not in personal
            }
            if self._journal:
                records = [change.record() for change in kept.values()]
                try:
                    await asyncio.to_thread(self._journal.rewrite, records)
                except OSError as error:
                    raise PlatformDown(f"changes cannot be kept: {error.strerror}") from None
            self._changes = kept

    # -- parts ------------------------------------------------------------------------------

    async def _write(self, write: Write, key: str) -> Receipt:
        async with self._writing:
            known = self._changes.get(key)
            if known is not None:
                if known.write.digest != write.digest:
                    raise Refused(Refusal.KEY_REUSED)
                return Receipt(known.reference)
            order = await self.find_order(write.order)
            if order is None:
                raise Refused(Refusal.UNKNOWN_ORDER)
            if reason := self.refusal(write, order):
                raise Refused(reason)
            change = Change(key, write, self._reference(write, order))
            await self._keep(change)
            self._changes[key] = change
            return Receipt(change.reference)

    async def _keep(self, change: Change) -> None:
        if self._journal is None:
            return
        try:
            await asyncio.to_thread(self._journal.append, change.record())
        except OSError as error:
            raise PlatformDown(f"changes cannot be kept: {error.strerror}") from None

    def _now(self, record: OrderRecord) -> PlatformOrder:
        order = self._base(record)
        for change in self._changes.values():
            if change.write.order == record.number:
                order = apply(order, change, self._articles)
        return order

    def _base(self, record: OrderRecord) -> PlatformOrder:
        known = self._shop.orders.verified(record.number, today=self._today())
        assert known is not None, "records are the order book's own"  # noqa: S101
        may_return = known.status is OrderStatus.DELIVERED and self._returnable(known.expected)
        items = tuple(
            PlatformItem(
                str(place),
                line.sku,
                self._articles[line.sku].title,
                line.quantity,
                self._articles[line.sku].price,
                line.quantity if may_return else 0,
            )
            for place, line in enumerate(record.items, 1)
        )
        address = Address(record.name, record.street, record.postcode, record.city, record.country)
        return PlatformOrder(
            number=record.number,
            status=known.status,
            items=items,
            ordered=known.ordered,
            expected=known.expected,
            total=known.total,
            currency=self._shop.market.currency,
            postcode=record.postcode,
            address=address if record.street else None,
            email=record.email,
            phone=record.phone,
            carrier=record.carrier,
            tracking=record.tracking,
            refunded=known.total if known.status is OrderStatus.REFUNDED else known.total * 0,
        )

    def _returnable(self, delivered: date | None) -> bool:
        """The days to change one's mind, counted from delivery, are not over."""
        days = timedelta(days=self._shop.policies.return_days)
        return delivered is not None and self._today() <= delivered + days

    def _stock(self, sku: str) -> int:
        touched = {change.write.order for change in self._changes.values()}
        records = [self._records[number] for number in touched if number in self._records]
        taken = sent_out(sku, self._changes.values()) + sum(
            stock_taken(sku, self._base(record), self._now(record)) for record in records
        )
        return max(0, self._articles[sku].stock - taken)

    @staticmethod
    def _reference(write: Write, order: PlatformOrder) -> str:
        letter = {Capability.RETURN_ITEMS: "R", Capability.EXCHANGE_ITEM: "X"}.get(write.action)
        return f"{letter}{_digits(order.number)}-{len(order.returns) + 1}" if letter else ""


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())
