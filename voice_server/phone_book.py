"""What the telephone must know of shops and customers: hours, opt-outs, call-backs, recordings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voice_server.bookkeeping import Bookkeeping
from voice_server.call_records import CallBack, OptOut
from voice_server.desk.hours import DeskHours
from voice_server.phone_lines import lines
from voice_server.records import Event, StorageError
from voice_server.shop.shop import Shop
from voice_server.storage.phone import CallStore
from voice_server.telephony.call_backs import CallBackKeeper
from voice_server.telephony.dial_rules import NotDialled, check_number, e164
from voice_server.telephony.dialler import Dialler
from voice_server.telephony.line import Line, masked
from voice_server.telephony.recordings import Recordings
from voice_server.tenants import Tenants

log = logging.getLogger(__name__)


class PhoneBook:
    """Implements :class:`voice_server.telephony.outgoing.CallBook` for all shops of a server."""

    def __init__(
        self,
        books: Bookkeeping,
        recordings: Recordings,
        shops: Callable[[], Iterable[Shop]],
        lines: Callable[[], Iterable[Line]],
    ) -> None:
        """``shops`` and ``lines``: as their packs are now."""
        self._books = books
        self.recordings = recordings
        self._shops = shops
        self._lines = lines

    @property
    def lists(self) -> CallStore:
        """Promises and opt-outs."""
        return self._books.storage.phone

    async def opted_out(self, number: str, shop: str) -> bool:
        """Tell whether the number must not be called. Raises StorageError."""
        return await self.lists.opted_out(number, shop)

    async def opt_out(self, entry: OptOut) -> None:
        """Keep that a number must not be called, and call it back no more. Raises StorageError."""
        await self.lists.opt_out(entry)
        await self.lists.cancel(number=entry.number, shop_id=entry.shop_id)
        self.audit("call.opted_out", entry.shop_id, "", number=masked(entry.number))

    def open_from(self, shop: str, now: datetime) -> datetime | None:
        """Return ``now`` while the shop is open, else its next opening; None for no hours."""
        found = self._shop(shop)
        if found is None:
            return None
        opens = DeskHours(found.policies.hours, found.market).next_opening(now)
        # While it is open the answer must be the very moment that was asked for.
        return now if opens is not None and opens <= now else opens

    def audit(self, kind: str, shop: str, session: str, **payload: Any) -> None:
        """Note something in the log of events. Numbers are masked. Never waits."""
        self._books.storage.append(Event(session, shop, kind, payload, datetime.now(UTC)))

    async def promise(
        self, shop: str, number: str, due: datetime, *, session: str, language: str, topic: str
    ) -> bool:
        """Keep a promise to ring somebody, where a line of the shop does that. Never raises.

        ``number`` as the customer said it.  False: nobody will ring by itself, the desk's people
        must; the log says why.
        """
        found = self._shop(shop)
        line = next(
            (
                one for one in self._lines()
                if one.shop == shop and one.dialling is not None and one.dialling.call_backs
            ),
            None,
        )  # fmt: skip
        if found is None or line is None or line.dialling is None:
            return False
        try:
            whole = e164(number, found.market.country)
            check_number(whole, line.dialling.allow)
            call_back = CallBack(
                f"cb_{session}"[:64], shop, line.name, whole, language, topic, due, session
            )
            kept = await self.lists.promise(call_back)
        except NotDialled as refused:
            log.warning("a call-back to %s is left to the desk: %s", masked(number), refused)
            return False
        except StorageError as error:
            log.error("a call-back is left to the desk: %s", error)
            return False
        if kept:
            self.audit(
                "call_back.promised", shop, session, number=masked(whole), due=due.isoformat()
            )
            log.info("a call-back to %s is promised for %s", masked(whole), due.isoformat())
        return True

    def _shop(self, id: str) -> Shop | None:
        return next((one for one in self._shops() if one.id == id), None)


def open_phone_book(books: Bookkeeping, data: Path, tenants: Tenants) -> PhoneBook:
    """Return the phone book of a server; ``data``: its data folder."""

    def shops() -> list[Shop]:
        return [tenant.shop for tenant in tenants]

    recordings = Recordings(data, books.storage.phone)
    return PhoneBook(books, recordings, shops, lambda: lines(shops()))


async def keep_calls(book: PhoneBook, dialler: Dialler) -> None:
    """Keep promises, and delete old recordings, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(CallBackKeeper(book.lists, dialler.place).run())
        tasks.create_task(book.recordings.run())
