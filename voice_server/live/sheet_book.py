"""All run-sheets of one shop: those of its pack, and on top of them what the host saved."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voice_server.live.run_sheet import Problem, RunSheet, RunSheetError, parse
from voice_server.live.sheet_store import SheetStore, Table, Version
from voice_server.shop.shop import Shop

PACK = 0
"""Version of a run-sheet as the pack has it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A run-sheet as it is now."""

    id: str
    table: Table
    version: int
    of_pack: bool
    """The pack has one of this id: removing what was saved brings that back."""


class SheetBook:
    """Reads, checks and keeps the run-sheets of a shop. Call in a thread: it reads files."""

    def __init__(self, shop: Shop, packed: Mapping[str, Table], store: SheetStore) -> None:
        """``packed``: tables of the pack's run-sheets (and of the command line's) by id."""
        self._shop = shop
        self._packed = dict(packed)
        self._store = store

    @property
    def shop_id(self) -> str:
        """Whose run-sheets they are."""
        return self._shop.id

    @property
    def shop(self) -> Shop:
        """The shop they are for."""
        return self._shop

    def all(self) -> list[Kept]:
        """Return every run-sheet, the pack's first."""
        ids = dict.fromkeys((*self._packed, *self._store.ids()))
        return [kept for ident in ids if (kept := self.get(ident)) is not None]

    def get(self, ident: str) -> Kept | None:
        """Return a run-sheet, None when there is none of that id (any more)."""
        newest = self._store.newest(ident)
        number = newest.number if newest is not None else PACK
        table = newest.table if newest is not None else None
        packed = self._packed.get(ident)
        if table is None:
            table = packed
        return None if table is None else Kept(ident, table, number, packed is not None)

    def history(self, ident: str) -> Sequence[Version]:
        """Return what was saved, newest first, and the pack's own as version 0."""
        found = self._store.history(ident)
        packed = self._packed.get(ident)
        return [*found, *([Version(PACK, 0.0, packed)] if packed is not None else [])]

    def check(self, table: Table, *, ident: str, on_air: str = "") -> RunSheet:
        """Return the run-sheet of a table. Raises RunSheetError with all that is wrong.

        ``on_air`` is the segment that runs: it cannot be taken out.
        """
        sheet = parse(table)
        problems = [*self._show_problems(sheet, ident), *self._product_problems(sheet)]
        if on_air and on_air not in {segment.id for segment in sheet.segments}:
            words = "this segment is on air: it can go when it is over"
            problems.append(Problem("segment", "on_air", words, on_air))
        if problems:
            raise RunSheetError(f"{problems[0].place}: {problems[0].words}", tuple(problems))
        return sheet

    def save(self, ident: str, table: Table | None, base: int, *, now: float) -> Version:
        """Keep a table that was checked; see :meth:`SheetStore.save`."""
        return self._store.save(ident, table, base, now=now)

    def copy_of(self, ident: str, new_id: str) -> Table | None:
        """Return a run-sheet's table under another id, None when there is none."""
        kept = self.get(ident)
        if kept is None:
            return None
        table = copy.deepcopy(dict(kept.table))
        table["show"]["id"] = new_id
        return table

    def free_id(self, ident: str, taken: Collection[str]) -> str:
        """Return an id like ``ident`` that nobody has: "demo-2"."""
        stem = re.sub(r"-\d+$", "", ident)[:36]
        used = {*self._packed, *self._store.ids(), *taken}
        return next(name for n in range(2, len(used) + 3) if (name := f"{stem}-{n}") not in used)

    def _show_problems(self, sheet: RunSheet, ident: str) -> list[Problem]:
        problems = []
        if sheet.id != ident:
            words = "the id of a run-sheet stays; make a copy for another one"
            problems.append(Problem("show.id", "id_stays", words, ident))
        if sheet.language not in self._shop.languages:
            words = f"{self._shop.name} does not speak it"
            problems.append(Problem("show.language", "language", words, sheet.language))
        unknown = set(sheet.languages) - {sheet.language} - set(self._shop.languages)
        if unknown:
            words = f"{self._shop.name} does not speak {', '.join(sorted(unknown))}"
            problems.append(Problem("show.languages", "language", words, min(unknown)))
        return problems

    def _product_problems(self, sheet: RunSheet) -> list[Problem]:
        problems = []
        for at, segment in enumerate(sheet.segments):
            place = f"segment.{at}"
            product = self._shop.catalogue.get(segment.product_id)
            if segment.product_id and product is None:
                words = "the catalogue has no such product"
                problems.append(Problem(f"{place}.product", "product", words, segment.product_id))
                continue
            if product is None and not segment.points.get(sheet.language):
                words = "a segment without product needs something to say"
                problems.append(Problem(f"{place}.points.{sheet.language}", "silent", words))
            flash = segment.flash
            if flash is None:
                continue
            if product is None:
                words = "a flash sale needs a product"
                problems.append(Problem(f"{place}.flash.price", "flash_product", words))
            elif flash.price >= (usual := product.price):
                words = f"the flash price must be below the usual one, {usual}"
                problems.append(Problem(f"{place}.flash.price", "flash_price", words, str(usual)))
            if flash.starts_s >= segment.duration_s:
                words = "the flash sale begins after the segment's end"
                limit = f"{segment.duration_s:g}"
                problems.append(Problem(f"{place}.flash.starts_s", "flash_late", words, limit))
        return problems


def summary(kept: Kept) -> dict[str, Any]:
    """Return what a list of run-sheets shows of one."""
    show = kept.table.get("show", {})
    segments = kept.table.get("segment", ())
    return {
        "id": kept.id,
        "title": dict(show.get("title", {})),
        "language": show.get("language", ""),
        "segments": len(segments),
        "seconds": sum(entry.get("duration_s", 90) for entry in segments),
        "version": kept.version,
        "of_pack": kept.of_pack,
    }
