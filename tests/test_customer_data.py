"""One customer's data: masked when written, found by what they are known by, handed out, erased."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from voice_server.bookkeeping import Bookkeeping
from voice_server.cli import main
from voice_server.config import Settings
from voice_server.desk.console_store import ConsoleStore
from voice_server.desk.outbox_store import OutboxStore
from voice_server.desk.packet import HandOffPacket, Line, Priority, Ticket
from voice_server.dialogue.guards.masking import Given
from voice_server.dialogue.journal import AnsweredTurn
from voice_server.shop import pack
from voice_server.shop.shop import Shop
from voice_server.trust.decisions import Decision
from voice_server.trust.subjects import Subjects, normal, read_key


@pytest.fixture(scope="module")
def shop() -> Shop:
    return pack.load(pack.resolve("demo"))


@asynccontextmanager
async def books(folder: Path) -> AsyncIterator[Bookkeeping]:
    kept = await Bookkeeping.open(Settings(data=folder))
    running = asyncio.ensure_future(kept.run())
    await asyncio.sleep(0)
    yield kept
    running.cancel()
    await asyncio.wait([running])
    await kept.close()


def answered(session: str, user: str, ours: str, **rest: object) -> AnsweredTurn:
    decision = Decision(f"resp_{session}", session, "marolle", source="flow", language="nl")
    return AnsweredTurn(user, ours, "nl", decision, **rest)  # type: ignore[arg-type]


async def talk(shop: Shop, folder: Path) -> None:
    """Three conversations: one's own, one where its address was said, and somebody else's."""
    async with books(folder) as kept:
        records = await kept.records(shop, None, lambda: True)
        assert records.journal is not None
        records.journal.answered(
            answered(
                "sess_own",
                "de code is 482913, bel nul vier zeven vijf twaalf vierendertig zesenvijftig",
                f"Naar Kouter 3. Ons nummer is {shop.policies.phone}.",
                given=Given("code", ("Kouter 3",)),
                order="BE-10497",
            )
        )
        records.journal.answered(answered("sess_said", "mail jan@peeters.be", "Goed."))
        records.journal.answered(answered("sess_other", "wat kost de Oslo", "€ 49,90."))
        assert records.keeper is not None
        records.keeper.keep("sess_own", {"language": "nl"})
    packet = HandOffPacket(
        "p1", "sess_own", shop.id, "button", "nl", "fr", "asked", "", Priority.NORMAL, "", "", 1,
        transcript=(Line("user", "help", "nl"),),
    )  # fmt: skip
    desk = folder / "desk" / shop.id
    cases = ConsoleStore(desk / "console.db")
    cases.put(packet, 1.0)
    cases.add_line("p1", "l1", Line("human", "bonjour", "fr"), 2.0)
    cases.close()
    outbox = OutboxStore(desk / "outbox.db")
    outbox.put(packet, 1.0)
    outbox.delivered("p1", Ticket("4711", "https://shop.zendesk.com/agent/tickets/4711"))
    outbox.close()


def exported(folder: Path, capsys: pytest.CaptureFixture[str], *who: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["data", "export", "--data", str(folder), *who]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def residue(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def test_what_is_written_is_masked(shop: Shop, tmp_path: Path) -> None:
    await talk(shop, tmp_path)
    async with books(tmp_path) as kept:
        user, ours = await kept.storage.turns("sess_own")
    assert user.text == "de code is [code], bel [phone]"
    assert ours.text == f"Naar [address]. Ons nummer is {shop.policies.phone}."
    on_disk = residue(tmp_path)
    for private in ("482913", "zesenvijftig", "Kouter", "peeters", "BE-10497"):
        assert private.encode() not in on_disk, private


def test_a_customers_data_is_handed_out_and_erased(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(talk(shop, tmp_path))
    (one,) = exported(tmp_path, capsys, "--customer", "be-10497")["conversations"]
    assert (one["session"], one["known_by"]) == ("sess_own", ["proved"])
    assert next(turn["text"] for turn in one["turns"]).startswith("de code is [code]")
    assert one["decisions_verified"] is True
    assert one["memory"] == {"language": "nl"}
    assert one["desk_cases"][0]["lines"][0]["text"] == "bonjour"
    by_phone = exported(tmp_path, capsys, "--customer", "+32 475 12 34 56", "--said")
    assert [c["session"] for c in by_phone["conversations"]] == ["sess_own"]

    # What was only said may be somebody else's doing.
    assert main(["data", "export", "--data", str(tmp_path), "--customer", "Jan@Peeters.be"]) == 2
    assert "1 more conversation" in capsys.readouterr().err
    said = exported(tmp_path, capsys, "--customer", "Jan@Peeters.be", "--said")
    assert [c["session"] for c in said["conversations"]] == ["sess_said"]

    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert main(["data", "erase", "--data", str(tmp_path), "--customer", "BE-10497"]) == 1
    assert main(["data", "erase", "--data", str(tmp_path), "--customer", "BE-10497", "--yes"]) == 0
    told = capsys.readouterr().out
    assert "1 desk case(s)" in told
    assert "marolle: 4711 https://shop.zendesk.com/agent/tickets/4711" in told
    for word in (b"sess_own", b"bonjour"):
        assert word not in residue(tmp_path), "no byte stays, in the write-ahead log either"
    assert main(["data", "export", "--data", str(tmp_path), "--customer", "BE-10497"]) == 2
    others = exported(tmp_path, capsys, "--session", "sess_other")
    assert others["conversations"][0]["decisions_verified"] is True


def test_an_export_is_never_written_over_another(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(talk(shop, tmp_path))
    out = tmp_path / "out.json"
    command = ["data", "export", "--data", str(tmp_path), "--session", "sess_said", "--output"]
    assert main([*command, str(out)]) == 0
    assert out.stat().st_mode & 0o077 == 0
    assert main([*command, str(out)]) == 1
    assert "File exists" in capsys.readouterr().err


async def test_words_that_were_changed_later_are_not_the_decisions(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import sqlalchemy as sa

    await talk(shop, tmp_path)
    async with books(tmp_path) as kept, kept.storage._engine.begin() as connection:
        forge = "UPDATE turns SET text = 'gratis' WHERE id = 'resp_sess_other'"
        await connection.execute(sa.text(forge))
    args = ["data", "export", "--data", str(tmp_path), "--session", "sess_other"]
    assert await asyncio.to_thread(main, args) == 0
    assert json.loads(capsys.readouterr().out)["conversations"][0]["decisions_verified"] is False


async def test_what_is_too_old_is_forgotten(shop: Shop, tmp_path: Path) -> None:
    await talk(shop, tmp_path)
    async with books(tmp_path) as kept:
        now = datetime.now(UTC)
        await kept.forget(now + timedelta(days=89))
        assert await kept.storage.turns("sess_other")
        assert await kept.storage.load("sess_own") is None
        await kept.forget(now + timedelta(days=91))
        assert not await kept.storage.turns("sess_other")
        assert await kept.storage.events(session_id="sess_other"), "the log has no words"
        await kept.forget(now + timedelta(days=401))
        assert not await kept.storage.events(session_id="sess_other")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0475/12.34.56", "+32 475 12 34 56"),
        ("0031 6 12345678", "06-12345678"),
        ("02 512 34 56", "+3225123456"),
        ("+49 (0)151 23456789", "+4915123456789"),
        ("Jan@Peeters.BE ", "jan@peeters.be"),
        ("#be-10497", "BE-10497"),
    ],
)
def test_an_identifier_is_one_however_it_is_written(one: str, other: str) -> None:
    if "(0)" in one:
        one = one.replace("(0)", "")
    assert normal(one) == normal(other)
    subjects = Subjects(b"k" * 16)
    assert subjects.digest(one) == subjects.digest(other)
    assert other not in subjects.digest(other)
    assert repr(subjects) == "Subjects()"


def test_different_people_and_kinds_are_different() -> None:
    assert normal("+32 475 12 34 56") != normal("+32 485 12 34 56")
    assert normal("10497") == "id:10497"
    with pytest.raises(ValueError, match="16 bytes"):
        Subjects(b"short")


def test_the_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "customers.key"
    key = read_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o077 == 0
    assert read_key(path) == key
    assert list(path.parent.iterdir()) == [path]


def test_log_lines_name_nobody() -> None:
    from voice_server.logs import masked

    assert masked("mail to jan@peeters.be failed") == "mail to [email] failed"
    assert masked("call from +32475123456") == "call from [phone]"
    assert masked("card 4111 1111 1111 1111") == "card [card]"
    line = "listening on 0.0.0.0:8080, ready after 12.345 s at 2026-11-25T20:00:00, 123456789 rows"
    assert masked(line) == line
