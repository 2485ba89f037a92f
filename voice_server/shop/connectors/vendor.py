"""What all connectors to a vendor share: a write that happens once, whatever goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

from voice_server.shop.connectors import rules
from voice_server.shop.connectors.documents import Malformed
from voice_server.shop.connectors.ledger import Entry, Ledger, Locks
from voice_server.shop.connectors.resilience import Limits
from voice_server.shop.platform import (
    Capability,
    Offer,
    OutcomeUnknown,
    PlatformDown,
    PlatformOrder,
    Receipt,
    Refusal,
    Refused,
    Write,
)

_log = logging.getLogger(__name__)

Found = TypeVar("Found")
"""What a vendor's answer says of an order, with the ids that a write needs."""

REASON_LIMIT = 200
"""Characters of a vendor's own words that go into a log."""


class VendorPlatform(ABC, Generic[Found]):
    """A platform behind a wire. A connector says how to find, send and look; this says when.

    A write is found, checked, noted in the ledger, sent, and noted as done.  When its outcome is
    not known, its key stays noted as sent, and the next call with the key looks whether the change
    is there before it sends again.  Writes of one order run one after the other.
    """

    name: str
    capabilities: frozenset[Capability]

    def __init__(self, ledger: Ledger, limits: Limits) -> None:
        self._ledger = ledger
        self._limits = limits
        self._locks = Locks()

    # -- what a connector says --------------------------------------------------------------

    @abstractmethod
    async def _find(self, number: str) -> Found | None:
        """Return what the vendor knows of an order. Raises PlatformDown."""

    @abstractmethod
    def _order(self, found: Found) -> PlatformOrder:
        """Translate it. Raises Malformed."""

    @abstractmethod
    async def _send(self, write: Write, found: Found, order: PlatformOrder, key: str) -> Receipt:
        """Do it. Raises Refused, PlatformDown (nothing changed), OutcomeUnknown or Malformed."""

    @abstractmethod
    async def _look(
        self, write: Write, found: Found, order: PlatformOrder, key: str, before: str
    ) -> Receipt | None:
        """Return the receipt if the write with this key is done, None if it is surely not.

        Raises OutcomeUnknown (nobody can tell) or PlatformDown.
        """

    def _repeatable(self, write: Write) -> bool:
        """Return whether the vendor knows the key itself, so that sending again is safe."""
        return False

    def _before(self, write: Write, order: PlatformOrder) -> str:
        """Return what to note of an order, to see later whether the write changed it."""
        return ""

    # -- the Protocol -----------------------------------------------------------------------

    async def find_order(self, number: str) -> PlatformOrder | None:
        """See :class:`~voice_server.shop.platform.ShopPlatform`."""
        found = await self._within_read(number)
        return None if found is None else self._order(found)

    async def find_orders(self, *, email: str = "", phone: str = "") -> Sequence[PlatformOrder]:
        """Return nothing: a vendor that can be searched overrides this."""
        return ()

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        """Return nothing: a vendor that has prices overrides this."""
        return ()

    def refusal(self, write: Write, order: PlatformOrder) -> str:
        """See :class:`~voice_server.shop.platform.ShopPlatform`."""
        return rules.refusal(write, order, self.capabilities)

    async def write(self, write: Write, *, key: str) -> Receipt:
        """See :class:`~voice_server.shop.platform.ShopPlatform`."""
        if write.action not in self.capabilities:
            raise Refused(Refusal.UNSUPPORTED)
        sent = False
        try:
            async with asyncio.timeout(self._limits.write_s), self._locks.hold(write.order):
                entry = self._ledger.get(key)
                if entry and entry.digest != write.digest:
                    raise Refused(Refusal.KEY_REUSED)
                if entry and entry.done:
                    return Receipt(entry.reference)
                found = await self._find(write.order)
                if found is None:
                    raise Refused(Refusal.UNKNOWN_ORDER)
                order = self._order(found)
                repeat = entry is not None and self._repeatable(write)
                if entry and not repeat:
                    receipt = await self._look(write, found, order, key, entry.before)
                    if receipt is not None:
                        await self._note_done(key, write, receipt)
                        return receipt
                if not repeat and (reason := self.refusal(write, order)):
                    raise Refused(reason)
                before = entry.before if entry else self._before(write, order)
                await self._note(key, Entry(write.digest, before=before))
                sent = True
                return await self._sent(write, found, order, key, repeat=repeat)
        except TimeoutError:
            _log.warning("the shop platform %s takes too long (%s)", self.name, write.action)
            problem = f"{self.name} takes too long ({write.action})"
            raise (OutcomeUnknown if sent else PlatformDown)(problem) from None

    # -- parts ------------------------------------------------------------------------------

    async def _sent(
        self, write: Write, found: Found, order: PlatformOrder, key: str, *, repeat: bool
    ) -> Receipt:
        try:
            receipt = await self._send(write, found, order, key)
        except Malformed as error:
            # Something was answered: most likely it was done.
            raise OutcomeUnknown(f"{self.name}: {error} ({write.action})") from None
        except (Refused, PlatformDown):
            if not repeat:  # else the first sending may have done it
                await self._forget(key)
            raise
        await self._note_done(key, write, receipt)
        return receipt

    async def _taken(self, key: str, write: Write, reference: str) -> None:
        """Note what the vendor calls a write that it works on; ``_look`` gets it as ``before``."""
        await self._note_or_tell(key, Entry(write.digest, before=reference))

    async def _note_done(self, key: str, write: Write, receipt: Receipt) -> None:
        await self._note_or_tell(key, Entry(write.digest, True, receipt.reference))

    async def _note_or_tell(self, key: str, entry: Entry) -> None:
        """Note what has happened already: if that fails, a retry looks before it sends."""
        try:
            await self._note(key, entry)
        except PlatformDown:
            _log.error("the ledger of %s cannot be written: free the disk", self.name)

    async def _forget(self, key: str) -> None:
        try:
            await asyncio.to_thread(self._ledger.forget, key)
        except OSError:
            # It stays noted as sent: a retry looks before it sends.
            _log.error("the ledger of %s cannot be written: free the disk", self.name)

    async def _note(self, key: str, entry: Entry) -> None:
        """Keep a key's state. Raises PlatformDown: what is not noted is not sent."""
        try:
            await asyncio.to_thread(self._ledger.put, key, entry)
        except OSError as error:
            raise PlatformDown(f"the ledger cannot be written: {error.strerror}") from None

    async def _within_read(self, number: str) -> Found | None:
        try:
            async with asyncio.timeout(self._limits.read_s):
                return await self._find(number)
        except TimeoutError:
            raise PlatformDown(f"{self.name} takes too long (find order)") from None


def shortened(words: str) -> str:
    """Return a vendor's own words as a reason for the log."""
    return words[:REASON_LIMIT] or "refused"


def marker(key: str) -> str:
    """Return the trace of a key that a vendor's notes can carry, to be found again."""
    return f"voice-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
