"""Run-sheets that were edited: versions, conflicts, damage, and what is checked before a save."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from voice_server.live.run_sheet import RunSheetError
from voice_server.live.sheet_book import PACK, SheetBook, summary
from voice_server.live.sheet_store import KEPT, Conflict, SheetStore
from voice_server.shop.shop import Shop


def table(**more: Any) -> dict[str, Any]:
    show = {"id": "evening", "language": "fr", "languages": ["nl"], "title": {"fr": "Soirée"}}
    return {"show": show, "segment": [{"product": "oslo"}], **more}


def test_every_save_is_a_version(tmp_path: Path) -> None:
    store = SheetStore(tmp_path / "shows")
    assert store.ids() == []
    assert store.newest("evening") is None
    store.save("evening", table(), 0, now=1.0)
    store.save("evening", table(segment=[{"product": "nemo"}]), 1, now=2.0)
    assert [version.number for version in store.history("evening")] == [2, 1]
    newest = store.newest("evening")
    assert newest is not None
    assert newest.table is not None
    assert newest.table["segment"][0]["product"] == "nemo"
    assert store.ids() == ["evening"]


def test_two_savers_do_not_overwrite_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SheetStore(tmp_path)
    store.save("evening", table(), 0, now=1.0)
    with pytest.raises(Conflict) as found:
        store.save("evening", table(), 0, now=2.0)
    assert found.value.version == 1
    # The other process writes between our look and our link.
    monkeypatch.setattr(store, "_numbers", lambda ident: [])
    with pytest.raises(Conflict):
        store.save("evening", table(), 0, now=2.0)
    assert not list((tmp_path / "evening").glob(".saving*"))


def test_a_damaged_version_is_said_and_the_one_before_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SheetStore(tmp_path)
    store.save("evening", table(), 0, now=1.0)
    store.save("evening", table(), 1, now=2.0)
    (tmp_path / "evening" / "000002.json").write_bytes(b'{"saved_at": 2')
    with caplog.at_level(logging.ERROR):
        newest = store.newest("evening")
    assert newest is not None
    assert newest.number == 1
    assert "version 2 cannot be read" in caplog.text


def test_versions_are_bounded_and_ids_are_checked(tmp_path: Path) -> None:
    store = SheetStore(tmp_path)
    for base in range(KEPT + 3):
        store.save("evening", table(), base, now=float(base))
    assert len(store.history("evening")) == KEPT
    for ident in ("../x", "", "A"):
        with pytest.raises(ValueError, match="no id"):
            store.save(ident, table(), 0, now=1.0)
        assert store.newest(ident) is None


def test_the_packs_sheet_lies_beneath(shop: Shop, tmp_path: Path) -> None:
    book = SheetBook(shop, {"evening": table()}, SheetStore(tmp_path))
    kept = book.get("evening")
    assert kept is not None
    assert (kept.version, kept.of_pack) == (PACK, True)
    book.save("evening", table(segment=[{"product": "nemo"}, {"product": "luna"}]), 0, now=5.0)
    book.save("late", {**table(), "show": {**table()["show"], "id": "late"}}, 0, now=6.0)
    assert [(k.id, k.version) for k in book.all()] == [("evening", 1), ("late", 1)]
    assert [v.number for v in book.history("evening")] == [1, 0]
    assert summary(book.all()[0])["seconds"] == 180
    book.save("evening", None, 1, now=7.0)
    back = book.get("evening")
    assert back is not None
    assert back.table["segment"][0]["product"] == "oslo"
    book.save("late", None, 1, now=8.0)
    assert book.get("late") is None
    copied = book.copy_of("evening", "evening-2")
    assert copied is not None
    assert copied["show"]["id"] == "evening-2"
    assert book.copy_of("nobody", "x") is None
    assert book.free_id("evening", ["evening-2"]) == "evening-3"


@pytest.mark.parametrize(
    ("segment", "place", "code"),
    [
        ({"product": "unicorn"}, "segment.0.product", "product"),
        ({"title": {"fr": "Pause"}}, "segment.0.points.fr", "silent"),
        ({"product": "oslo", "flash": {"price": "99"}}, "segment.0.flash.price", "flash_price"),
        (
            {"points": {"fr": ["Pause."]}, "flash": {"price": "9"}},
            "segment.0.flash.price",
            "flash_product",
        ),
        (
            {"product": "oslo", "duration_s": 60, "flash": {"price": "9", "starts_s": 60}},
            "segment.0.flash.starts_s",
            "flash_late",
        ),
        ({"product": "oslo", "duration_s": 1}, "segment.0.duration_s", "greater_than_equal"),
    ],
)
def test_what_is_wrong_is_named_at_its_field(
    shop: Shop, tmp_path: Path, segment: dict[str, Any], place: str, code: str
) -> None:
    book = SheetBook(shop, {}, SheetStore(tmp_path))
    with pytest.raises(RunSheetError) as found:
        book.check(table(segment=[segment]), ident="evening")
    assert (place, code) in [(p.place, p.code) for p in found.value.problems]


def test_the_show_itself_is_checked(shop: Shop, tmp_path: Path) -> None:
    book = SheetBook(shop, {}, SheetStore(tmp_path))
    show = {**table()["show"], "id": "other", "language": "pl", "languages": ["xx"]}
    with pytest.raises(RunSheetError) as found:
        book.check({"show": show, "segment": [{"product": "oslo"}]}, ident="evening", on_air="nemo")
    assert [p.place for p in found.value.problems] == [
        "show.id", "show.language", "show.languages", "segment",
    ]  # fmt: skip
    sheet = book.check(table(), ident="evening", on_air="1-oslo")
    assert sheet.languages == ("fr", "nl")
