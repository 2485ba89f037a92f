"""What the telephone knows of shops and customers; promises that become calls; the command."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.telephony.test_dialler import MOBILE, office
from voice_server.call_records import OptOut
from voice_server.cli import main
from voice_server.config import Settings
from voice_server.dialogue.flows.ports import HandOffOutcome, HandOffWish
from voice_server.phone_book import PhoneBook, keep_calls
from voice_server.phone_handoffs import PhoneHandOffs
from voice_server.phone_lines import accounts, lines
from voice_server.shop import pack
from voice_server.shop.pack_reader import PackError
from voice_server.storage import open_storage
from voice_server.telephony.dial_rules import Dialling
from voice_server.telephony.outgoing import Outgoing, Wish
from voice_server.telephony.recordings import Recordings

OUT = """
[[phone.lines]]
number = "+32 2 555 01 23"
name = "Uit"
recording = "ask"
recording_days = 7
outbound = { vendor = "sip", allow = ["BE", "+31 20"], detect = "vendor", machine = "hang_up", call_backs = true }
"""  # noqa: E501
MORNING = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def folder(tmp_path: Path, text: str = OUT) -> Path:
    copy = tmp_path / "shop"
    shutil.copytree(pack.resolve("demo"), copy)
    path = copy / "shop.toml"
    kept = path.read_text(encoding="utf-8").partition("[[phone.lines]]")[0]
    path.write_text(kept + text, encoding="utf-8")
    return copy


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[PhoneBook]:
    shop = pack.load(folder(tmp_path))
    storage = await open_storage("", tmp_path)
    books: Any = SimpleNamespace(storage=storage)
    recordings = Recordings(tmp_path, storage.phone)
    yield PhoneBook(books, recordings, lambda: [shop], lambda: lines([shop]))
    await storage.close()


def test_a_line_that_calls_out_is_read(tmp_path: Path) -> None:
    [line] = lines([pack.load(folder(tmp_path))])
    assert line.dialling == Dialling(
        "sip", ("BE", "+3120"), detect="vendor", machine="hang_up", call_backs=True
    )
    assert (line.recording, line.recording_days, line.shop_name) == ("ask", 7, "Marolle")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('outbound = { vendor = "nobody", allow = ["BE"] }', "nobody carries"),
        ('outbound = { vendor = "sip" }', "may call nobody"),
        ('outbound = { vendor = "sip", allow = ["Belgium"] }', "neither a country"),
        ('outbound = { vendor = "sip", allow = ["BE"], detect = "x" }', "detects machines"),
        ('outbound = { vendor = "sip", allow = ["BE"], machine = "x" }', "a machine gets"),
        ('recording = "always"', "no way to record"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str) -> None:
    head = '[[phone.lines]]\nnumber = "+32 2 555"\n'
    with pytest.raises(PackError) as refused:
        pack.load(folder(tmp_path, head + text + "\n"))
    [problem] = [one for one in refused.value.problems if message in one.message]
    assert problem.file == "shop.toml"


def test_a_line_that_calls_out_shows_its_number(tmp_path: Path) -> None:
    text = '[[phone.lines]]\noutbound = { vendor = "sip", allow = ["BE"] }\n'
    with pytest.raises(PackError, match="own number"):
        pack.load(folder(tmp_path, text))


def test_accounts_come_from_the_settings() -> None:
    settings = Settings(
        twilio_account_sid="AC1", twilio_auth_token="t", twilio_api="https://dublin",
        vonage_application_id="a",
    )  # fmt: skip
    assert accounts(settings).usable() == {"twilio"}
    assert accounts(settings).bases == {"twilio": "https://dublin"}


async def test_opening_hours_are_the_shops(book: PhoneBook) -> None:
    shop = next(iter(book._shops())).id
    assert book.open_from(shop, MORNING) is MORNING
    night = datetime(2026, 11, 26, 22, 0, tzinfo=UTC)
    assert book.open_from(shop, night) == datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
    assert book.open_from("nowhere", MORNING) is None


async def promised(book: PhoneBook, number: str, session: str = "call_1") -> bool:
    shop = next(iter(book._shops())).id
    return await book.promise(
        shop, number, MORNING, session=session, language="nl", topic="mijn pakje"
    )  # fmt: skip


async def test_a_promise_is_kept_as_it_was_said(book: PhoneBook) -> None:
    assert await promised(book, "0470 12 34 56")
    assert await promised(book, "0470 12 34 56")  # told again: still one
    [kept] = await book.lists.call_backs()
    assert (kept.number, kept.line, kept.due, kept.topic) == (MOBILE, "Uit", MORNING, "mijn pakje")
    assert not await promised(book, "12", "call_2")
    assert not await promised(book, "+33612345678", "call_3")
    assert not await book.promise("nowhere", MOBILE, MORNING, session="s", language="nl", topic="")
    await book.opt_out(OptOut(MOBILE, kept.shop_id, "call x", MORNING))
    assert await book.opted_out(MOBILE, kept.shop_id)
    [kept] = await book.lists.call_backs()
    assert kept.state == "cancelled"
    events = await book._books.storage.events()
    assert [event.kind for _, event in events] == ["call_back.promised", "call.opted_out"]
    assert MOBILE not in str(events)


class Desk:
    """Promises to ring back."""

    async def hand_off(self, wish: HandOffWish) -> HandOffOutcome:
        return HandOffOutcome(True, "D-1", MORNING)


@pytest.mark.parametrize(
    ("slots", "caller", "number"),
    [
        ((("phone", "0470 12 34 56"), ("topic", "de lamp")), "+32470999999", MOBILE),
        ((), MOBILE, MOBILE),
        ((), "", None),
    ],
)
async def test_the_desks_promise_becomes_a_call(
    book: PhoneBook, slots: Any, caller: str, number: str | None
) -> None:
    shop = next(iter(book._shops())).id
    session = SimpleNamespace(
        id="call_9", flow=SimpleNamespace(started=SimpleNamespace(caller=caller))
    )
    calls: Any = SimpleNamespace(find=lambda id: session)
    hand_offs = PhoneHandOffs(lambda: calls, Desk(), shop=shop, promises=book)
    told = await hand_offs.hand_off(
        HandOffWish("call_9", "callback", "call_back", "nl", slots=slots)
    )
    assert told.callback_at == MORNING
    kept = await book.lists.call_backs()
    assert [one.number for one in kept] == ([number] if number else [])
    nobody = PhoneHandOffs(lambda: None, Desk())
    assert (await nobody.hand_off(HandOffWish("s", "callback", "c", "nl"))).callback_at == MORNING


async def test_promises_and_old_recordings_are_looked_after(book: PhoneBook) -> None:
    await promised(book, MOBILE)
    placed: list[Wish] = []

    async def place(wish: Wish) -> Outgoing:
        placed.append(wish)
        outgoing = Outgoing(None, "call-back", 0.0, "sip")  # type: ignore[arg-type]
        outgoing.finish("talked", "")
        return outgoing

    [kept] = await book.lists.call_backs()
    await book.lists.cancel(id=kept.id)
    past = replace(kept, id="cb_2", due=datetime(2026, 1, 1, tzinfo=UTC))
    await book.lists.promise(past)
    keeping = asyncio.create_task(keep_calls(book, SimpleNamespace(place=place)))  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        while [one.state for one in await book.lists.call_backs()].count("done") < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    keeping.cancel()
    await asyncio.wait([keeping])
    assert [(wish.number, wish.purpose) for wish in placed] == [(MOBILE, "call_back")]


async def test_the_command_calls_and_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with office(tmp_path) as out:
        url = out.home.url

        def call(*more: str) -> int:
            return main(["call", "--url", url, *more])

        assert await asyncio.to_thread(call, "--number", "0470") == 2
        assert "international form" in capsys.readouterr().err
        assert await asyncio.to_thread(call, "--number", MOBILE, "--no-wait") == 0
        assert "to …56: dialling" in capsys.readouterr().out
        waiting = asyncio.create_task(asyncio.to_thread(call, "--number", "+32470123457"))
        async with asyncio.timeout(5):
            while len(out.dialler.recent) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        out.dialler.recent[0].finish("busy", "the line is busy")
        assert await waiting == 1
        assert "over: busy (the line is busy)" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["call", "--url", url, "--number", MOBILE]) == 2
    assert "no server answers" in capsys.readouterr().err
