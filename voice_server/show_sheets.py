"""Editing the run-sheets of all shops: checked, kept as versions, and given to the shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from voice_server.live.host_words import HostWords
from voice_server.live.run_sheet import RunSheet
from voice_server.live.script import script
from voice_server.live.sheet_book import Kept, SheetBook, summary
from voice_server.live.sheet_store import Table

if TYPE_CHECKING:
    from voice_server.live.session import ShowSession
    from voice_server.shows import ShopEngines


class RunningShows(Protocol):
    """What an edited run-sheet is given to."""

    def get(self, show_id: str) -> ShowSession | None:
        """Return the session of a show, None when there is none (yet)."""

    def take(self, sheet: RunSheet, shop_id: str) -> None:
        """Put an edited or new run-sheet to use."""

    def drop(self, show_id: str) -> None:
        """End a show whose run-sheet is gone."""

    def shop_of(self, show_id: str) -> str:
        """Return whose show it is, "" when there is none."""


class ShowSheets:
    """The run-sheets of every shop; what the console's editor works on."""

    def __init__(self, shows: RunningShows) -> None:
        """No shop yet."""
        self._shows = shows
        self._books: dict[str, tuple[SheetBook, ShopEngines]] = {}
        self._lock = asyncio.Lock()

    def add(self, shop_id: str, book: SheetBook, engines: ShopEngines) -> None:
        """Take a shop's run-sheets."""
        self._books[shop_id] = (book, engines)

    def engines(self, shop_id: str) -> ShopEngines:
        """Return what a shop's shows are made of. Raises KeyError."""
        return self._books[shop_id][1]

    def shop_of(self, show_id: str) -> str:
        """Return whose run-sheet it is, "" when there is none."""
        return self._shows.shop_of(show_id)

    async def all(self, shop_id: str) -> list[dict[str, Any]]:
        """Return what lists show of the run-sheets; of all shops for ``shop_id`` ""."""
        found = []
        for ident, (book, _) in self._books.items():
            if shop_id in ("", ident):
                kept = await asyncio.to_thread(book.all)
                found += [{**summary(entry), "shop": book.shop.name} for entry in kept]
        for entry in found:
            session = self._shows.get(entry["id"])
            entry["state"] = session.state.value if session is not None else ""
        return found

    async def get(self, show_id: str) -> Kept | None:
        """Return a run-sheet as it is now."""
        book = self._book(show_id)
        return await asyncio.to_thread(book.get, show_id) if book is not None else None

    async def history(self, show_id: str) -> list[dict[str, Any]]:
        """Return when it was saved, newest first; version 0 is the pack's."""
        book = self._book(show_id)
        versions = await asyncio.to_thread(book.history, show_id) if book is not None else ()
        return [
            {
                "version": version.number,
                "saved_at": version.saved_at,
                "removed": version.table is None,
                "segments": len((version.table or {}).get("segment", ())),
            }
            for version in versions
        ]

    async def save(self, show_id: str, table: Table, base: int) -> Kept | None:
        """Check and keep a run-sheet, and give it to its show; None when there is none.

        Raises RunSheetError (nothing is kept), Conflict (somebody was faster), OSError.
        """
        book = self._book(show_id)
        if book is None:
            return None
        async with self._lock:
            sheet = book.check(table, ident=show_id, on_air=self.on_air(show_id))
            await asyncio.to_thread(book.save, show_id, table, base, now=time.time())
            self._shows.take(sheet, book.shop_id)
            return await asyncio.to_thread(book.get, show_id)

    async def restore(self, show_id: str, number: int, base: int) -> Kept | None:
        """Save an old version anew; None when there is none. Raises as :meth:`save`."""
        book = self._book(show_id)
        versions = await asyncio.to_thread(book.history, show_id) if book is not None else ()
        found = next((version for version in versions if version.number == number), None)
        if found is None or found.table is None:
            return None
        return await self.save(show_id, found.table, base)

    async def copy(self, show_id: str) -> str:
        """Keep a run-sheet once more under a new id and return that, "" when there is none."""
        book = self._book(show_id)
        if book is None:
            return ""
        async with self._lock:
            taken = [entry["id"] for entry in await self.all("")]
            new_id = book.free_id(show_id, taken)
            table = await asyncio.to_thread(book.copy_of, show_id, new_id)
            if table is None:
                return ""
            newest = max((v.number for v in book.history(new_id)), default=0)
            sheet = book.check(table, ident=new_id)
            await asyncio.to_thread(book.save, new_id, table, newest, now=time.time())
            self._shows.take(sheet, book.shop_id)
        return new_id

    async def remove(self, show_id: str, base: int) -> bool:
        """Take a run-sheet away; one of the pack is as the pack has it again.

        Raises Conflict and OSError; False when there is none.
        """
        book = self._book(show_id)
        if book is None:
            return False
        async with self._lock:
            await asyncio.to_thread(book.save, show_id, None, base, now=time.time())
            kept = await asyncio.to_thread(book.get, show_id)
            if kept is None:
                self._shows.drop(show_id)
            else:
                self._shows.take(book.check(kept.table, ident=show_id), book.shop_id)
        return True

    async def script(
        self, show_id: str, product_id: str, points: Mapping[str, list[str]]
    ) -> dict[str, list[dict[str, object]]]:
        """Return what will be said of a segment, by language. ``show_id`` is known."""
        session = self._shows.get(show_id)
        assert session is not None, "asked for a show that runs"  # noqa: S101
        words = session.host_words
        doubt = words.doubt if isinstance(words, HostWords) else None
        more = {} if doubt is None else {"doubt": doubt}
        languages = session.sheet.languages
        return await asyncio.to_thread(script, session.facts, product_id, points, languages, **more)

    def on_air(self, show_id: str) -> str:
        """Return the segment that runs, "" when the show does not."""
        session = self._shows.get(show_id)
        return session.segment_id if session is not None else ""

    def about(self, show_id: str) -> dict[str, Any]:
        """Return what an editor must know beside the run-sheet: products, languages."""
        book, engines = self._books[self._shows.shop_of(show_id)]
        shop = book.shop
        session = self._shows.get(show_id)
        return {
            "shop": shop.name,
            "languages": list(shop.languages),
            "currency": shop.market.currency,
            "on_air": self.on_air(show_id),
            "state": session.state.value if session is not None else "",
            "products": [
                {
                    "id": product.id,
                    "name": {lang: product.text(lang).name for lang in shop.languages},
                    "price": str(product.price),
                    "picture": f"{engines.pictures}/{product.image}" if product.image else "",
                }
                for product in shop.catalogue
            ],
        }

    def _book(self, show_id: str) -> SheetBook | None:
        found = self._books.get(self._shows.shop_of(show_id))
        return found[0] if found is not None else None
