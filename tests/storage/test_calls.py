"""Call detail records, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from voice_server.records import CallDetail, CallFilter, Erased
from voice_server.storage import Storage

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def detail(id: str = "call_1", n: int = 0, **more: object) -> CallDetail:
    made = CallDetail(
        id,
        "marolle",
        "twilio",
        "Bruxelles",
        NOON + timedelta(minutes=n),
        NOON + timedelta(minutes=n + 2),
        answered_at=NOON + timedelta(minutes=n, seconds=1),
        reason="the caller hung up",
        caller="…23",
        called="…99",
        market="BE",
        languages=("fr", "nl"),
        vendor_ids={"call": "CA1", "stream": "MZ1"},
        turns=3,
        transfers=({"target": "…99", "warm": True, "result": "busy"},),
        consent="granted",
        p50_ms=812.5,
        p95_ms=1400.0,
        listeners=({"agent": "Léa", "did": "listened", "seconds": 12.5},),
    )
    return replace(made, **more)  # type: ignore[arg-type]


async def test_a_record_comes_back_as_it_was(storage: Storage) -> None:
    one = detail(reason="nul \x00 byte")
    storage.note_call(one)
    [(_, found)] = await storage.calls(CallFilter())
    assert found == replace(one, reason="nul  byte")
    unanswered = detail("call_2", answered_at=None, p50_ms=None, languages=())
    storage.note_call(unanswered)
    assert [call for _, call in await storage.calls(CallFilter(limit=1))] == [unanswered]


async def test_what_became_of_a_transfer_replaces_the_record(storage: Storage) -> None:
    storage.note_call(detail())
    await storage.flush()
    later = detail(transfers=({"target": "…99", "warm": True, "result": "answered"},))
    storage.note_call(detail(turns=4))
    storage.note_call(later)
    [(place, found)] = await storage.calls(CallFilter())
    assert found == later
    assert place == 1


async def test_calls_are_found_by_every_filter(storage: Storage) -> None:
    for n in range(6):
        storage.note_call(
            detail(
                f"call_{n}",
                n,
                shop_id=f"shop{n % 2}",
                vendor="sip" if n < 2 else "twilio",
                line="Gent" if n == 3 else "Bruxelles",
                languages=("nl",) if n % 2 else ("fr", "nl-BE"),
                handed_off="key" if n == 4 else "",
            )
        )

    async def ids(**wanted: object) -> list[str]:
        rows = await storage.calls(CallFilter(**wanted))  # type: ignore[arg-type]
        return [call.id[-1] for _, call in rows]

    assert await ids() == list("543210")
    assert await ids(shop_id="shop1") == list("531")
    assert await ids(vendor="sip") == list("10")
    assert await ids(line="Gent") == ["3"]
    assert await ids(language="nl") == list("531"), "nl-BE is another"
    assert await ids(language="%") == [], "no pattern of the caller's reaches the database"
    assert await ids(handed_off=True) == ["4"]
    assert await ids(handed_off=False, limit=2) == list("53")
    assert await ids(since=NOON + timedelta(minutes=2), until=NOON + timedelta(minutes=4)) == [
        "3",
        "2",
    ]
    page = await storage.calls(CallFilter(limit=2))
    assert [c.id[-1] for _, c in await storage.calls(CallFilter(before=page[-1][0]))] == list(
        "3210"
    )


async def test_records_are_forgotten(storage: Storage) -> None:
    for n in range(4):
        storage.note_call(detail(f"call_{n}", n, shop_id=f"shop{n % 2}"))
    assert await storage.erase_before(NOON + timedelta(minutes=3), "calls") == 1
    assert await storage.erase_before(NOON + timedelta(days=1), "calls", shop_id="shop0") == 1
    assert await storage.erase_session("call_3") == Erased(calls=1)
    assert await storage.erase_shop("shop1") == Erased(calls=1)
    assert not await storage.calls(CallFilter())
