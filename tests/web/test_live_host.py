"""The host's part of the live routes: words, microphone, run-sheets, reports, keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
import pytest_asyncio
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from tests.live.crowd import TableUnderstanding, says
from tests.live.test_session import FakeAnswerer, WordVoice
from tests.web.test_live import until
from voice_server.assets import assets_dir
from voice_server.live.facts import ShopFacts
from voice_server.live.host_words import Judged
from voice_server.live.out.output import ShowOutput
from voice_server.live.report_store import ReportStore
from voice_server.live.run_sheet import RunSheet, parse
from voice_server.live.session import ShowSession
from voice_server.live.sheet_book import SheetBook
from voice_server.live.sheet_store import SheetStore
from voice_server.live.show import State
from voice_server.realtime.ports import PRINCIPAL, Principal
from voice_server.shop import pack
from voice_server.show_sheets import ShowSheets
from voice_server.web.live import LiveBackend, add_live, may_host
from voice_server.web.live_out import OutBackend, add_live_out
from voice_server.web.live_sheets import add_sheets

Client = TestClient[web.Request, web.Application]
TABLE: Mapping[str, Any] = {
    "show": {"id": "demo", "language": "fr", "languages": ["nl", "en"]},
    "segment": [{"id": "oslo", "product": "oslo"}, {"id": "nemo", "product": "nemo"}],
}


class Strict:
    """Lets nothing with a digit pass, unless the host vouches."""

    def judge(
        self, text: str, language: str, product_id: str, *, question: str = "", asked_in: str = "",
        vouched: bool = False,
    ) -> Judged:  # fmt: skip
        if any(letter.isdigit() for letter in text) and not vouched:
            return Judged((), "claim", text, True)
        return Judged((text,))


class House:
    """Shows by id, as ``voice_server.shows.Shows`` keeps them."""

    def __init__(self, folder: Path) -> None:
        self.shop = pack.load(pack.resolve("demo"))
        self.sessions: dict[str, ShowSession] = {}
        self.tasks: list[asyncio.Future[None]] = []
        self.taken: list[RunSheet] = []
        self.sheets = ShowSheets(self)
        self.reports = ReportStore(folder / "reports")
        book = SheetBook(self.shop, {"demo": TABLE}, SheetStore(folder / "shows"))
        self.sheets.add("marolle", book, cast(Any, SimpleNamespace(pictures="/shop")))
        self.take(parse(TABLE), "marolle")

    def get(self, show_id: str) -> ShowSession | None:
        return self.sessions.get(show_id)

    def take(self, sheet: RunSheet, shop_id: str) -> None:
        self.taken.append(sheet)
        if sheet.id in self.sessions:
            self.sessions[sheet.id].revise(sheet)
            return

        session = self.sessions[sheet.id] = ShowSession(
            sheet,
            ShopFacts(self.shop),
            TableUnderstanding(),
            FakeAnswerer(),  # type: ignore[arg-type]
            WordVoice(),
            host_words=cast(Any, Strict()),
        )
        self.tasks.append(asyncio.ensure_future(session.run()))

    def drop(self, show_id: str) -> None:
        del self.sessions[show_id]

    def shop_of(self, show_id: str) -> str:
        return "marolle" if show_id in self.sessions else ""


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    found = House(tmp_path)
    yield found
    for task in found.tasks:
        task.cancel()
    await asyncio.gather(*found.tasks, return_exceptions=True)


@pytest_asyncio.fixture
async def client(house: House, tmp_path: Path) -> AsyncIterator[Client]:
    @web.middleware
    async def bound(request: web.Request, handler: Any) -> web.StreamResponse:
        shop = request.headers.get("X-Bound-To", "")
        request[PRINCIPAL] = Principal(request.headers.get("X-Kind", "key"), shop=shop)
        return cast(web.StreamResponse, await handler(request))

    app = web.Application(middlewares=[bound])
    shows = LiveBackend(house.get, assets_dir("avatars"), lambda: "", house.shop_of, house.reports)
    add_live(app, shows)
    add_sheets(app, house.sheets, assets_dir("avatars"))
    output = ShowOutput("demo", address=str, alarms=house.sessions["demo"].alarms, language="fr")
    add_live_out(app, OutBackend({"demo": output}.get, tmp_path / "recordings", house.shop_of))
    async with TestClient(TestServer(app)) as found:
        yield found


# ---------------------------------------------------------------------------- words


async def test_a_draft_an_answer_refused_vouched_for_and_said(client: Client, house: House) -> None:
    show = house.sessions["demo"]
    async with client.ws_connect("/api/live/demo/console") as host:
        await host.send_json({"type": "begin"})
        show.chat(says("can i wash it ?", "Ana", language="en"))
        queue = await until(host, "queue")
        while not queue["questions"]:
            queue = await until(host, "queue")
        question = queue["questions"][0]
        assert question["languages"] == ["en"]
        assert sum(question["why"].values()) == pytest.approx(question["score"], abs=0.02)
        await host.send_json({"type": "draft", "id": question["id"]})
        draft = await until(host, "draft")
        assert draft["text"] == "Cela fait 49 €."
        answer = {
            "type": "answer",
            "id": question["id"],
            "text": "At 30 degrees.",
            "language": "en",
        }
        await host.send_json(answer)
        refused = await until(host, "refused")
        assert (refused["reason"], refused["may_vouch"]) == ("claim", True)
        await host.send_json({**answer, "vouched": True})
        assert (await until(host, "accepted"))["id"] == question["id"]
        await host.send_json({**answer, "id": "q99"})
        assert (await until(host, "refused"))["reason"] == "gone"
        await host.send_json({"type": "draft", "id": "q99"})
        assert (await until(host, "draft"))["reason"] == "gone"


async def test_the_hosts_sentence_is_judged_too(client: Client) -> None:
    async with client.ws_connect("/api/live/demo/console") as host:
        await host.send_json({"type": "begin"})
        await host.send_json({"type": "say", "text": " \0 "})
        await host.send_json({"type": "say", "text": "Only 9 euros", "language": "xx"})
        assert (await until(host, "refused"))["detail"] == "Only 9 euros"
        await host.send_json({"type": "say", "text": "Bonsoir"})
        await until(host, "accepted")


# ---------------------------------------------------------------------------- microphone


async def test_the_microphone_reaches_stage_and_viewers(client: Client, house: House) -> None:
    show = house.sessions["demo"]
    async with (
        client.ws_connect("/api/live/demo/console") as host,
        client.ws_connect("/api/live/demo/console") as second,
        client.ws_connect("/live/demo/watch") as viewer,
    ):
        await host.send_json({"type": "begin"})
        await until(viewer, "line")
        await host.send_json({"type": "mic", "on": True})
        await until(viewer, "host_voice")
        for _ in range(5):
            await host.send_bytes(bytes(960))
        await second.send_json({"type": "mic", "on": True})
        assert (await until(second, "refused"))["reason"] == "mic_taken"
        await second.send_bytes(bytes(960))
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(5):
            while len(heard) < 5:
                message = await viewer.receive()
                if message.type is WSMsgType.BINARY:
                    size = int.from_bytes(message.data[:4], "little")
                    header = orjson.loads(message.data[4 : 4 + size])
                    heard += [header] if header.get("host") else []
        assert [header["at_ms"] for header in heard] == [0, 20, 40, 60, 80]
        assert show.state is State.HOST
        await host.send_json({"type": "mic", "on": False})
        state = await until(host, "state")
        while state["state"] == "host":
            state = await until(host, "state")
        await host.send_json({"type": "mic", "on": True})
        await until(viewer, "host_voice")
    async with client.ws_connect("/api/live/demo/console") as again:
        state = await until(again, "state")
        while not state["alarms"]:
            state = await until(again, "state")
        assert state["alarms"][0]["kind"] == "microphone"
        await again.send_json({"type": "mic", "on": True, "again": True})
        await again.send_bytes(bytes(960))
        while state["alarms"]:
            state = await until(again, "state")


# ---------------------------------------------------------------------------- run-sheets


async def test_a_run_sheet_over_http(client: Client, house: House) -> None:
    whole = await (await client.get("/api/live/demo/sheet")).json()
    assert (whole["version"], whole["of_pack"], whole["state"]) == (0, True, "idle")
    assert {"lea", "noor", "tom"} <= set(whole["avatars"])
    assert whole["products"][0]["picture"].startswith("/shop/")
    table = {**whole["table"], "segment": [{"product": "luna", "duration_s": 60}]}
    saved = await client.put("/api/live/demo/sheet", json={"table": table, "version": 0})
    assert (await saved.json())["version"] == 1
    assert house.taken[-1].segments[0].product_id == "luna"
    late = await client.put("/api/live/demo/sheet", json={"table": table, "version": 0})
    assert (late.status, await late.json()) == (409, {"conflict": 1})
    wrong = {**table, "segment": [{"product": "unicorn"}, {"product": "oslo", "duration_s": 1}]}
    bad = await client.put("/api/live/demo/sheet", json={"table": wrong, "version": 1})
    problems = (await bad.json())["problems"]
    assert bad.status == 422
    assert problems[0]["place"] == "segment.1.duration_s"
    back = await client.post("/api/live/demo/sheet/restore", json={"restore": 0, "version": 1})
    assert (await back.json())["version"] == 2
    assert len(house.taken[-1].segments) == 2
    none = await client.post("/api/live/demo/sheet/restore", json={"restore": 77, "version": 2})
    assert none.status == 404
    listed = await (await client.get("/api/live")).json()
    assert [entry["id"] for entry in listed] == ["demo"]


async def test_copies_and_removal(client: Client, house: House) -> None:
    copied = await client.post("/api/live/demo/sheet/copy")
    assert (copied.status, await copied.json()) == (201, {"id": "demo-2"})
    assert house.shop_of("demo-2")
    gone = await client.delete("/api/live/demo-2/sheet?version=7")
    assert gone.status == 409
    assert (await client.delete("/api/live/demo-2/sheet?version=1")).status == 200
    assert house.get("demo-2") is None
    assert (await client.get("/api/live/demo-2/sheet")).status == 404
    assert (await client.delete("/api/live/demo/sheet?version=x")).status == 400
    assert (await client.delete("/api/live/demo/sheet?version=0")).status == 200
    assert house.get("demo") is not None  # the pack's is back


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 400),
        (b"{", 400),
        (b'{"table": 5, "version": 0}', 400),
        (b'{"table": {}, "version": "0"}', 400),
        (b'{"table": {}, "version": 0}', 422),
        (b'{"x": "' + b"y" * 1_100_000 + b'"}', 413),
    ],
)
async def test_bad_bodies(client: Client, body: bytes, status: int) -> None:
    response = await client.put("/api/live/demo/sheet", data=body)
    assert response.status == status


async def test_the_script_of_a_segment(client: Client) -> None:
    body = {"product": "oslo", "points": {"nl": ["Kost {price}.", "Was {was}."]}}
    lines = await (await client.post("/api/live/demo/sheet/script", json=body)).json()
    assert set(lines) == {"fr", "nl", "en"}
    assert "49,90" in lines["nl"][0]["text"]
    assert lines["fr"][0]["text"]
    bad = await client.post("/api/live/demo/sheet/script", json={"product": 5})
    assert bad.status == 400


# ---------------------------------------------------------------------------- reports, keys


async def test_reports_of_shows_that_are_over(client: Client, house: House) -> None:
    name = house.reports.save(
        "demo", {"ended_at": 5.0, "questions": 3, "rows": [{"text": "=1+1", "asked_s": 1.25}]}
    )
    listed = await (await client.get("/api/live/demo/reports")).json()
    assert [(entry["name"], entry["questions"]) for entry in listed] == [(name, 3)]
    report = await (await client.get(f"/api/live/demo/report.json?name={name}")).json()
    assert (report["questions"], report["shop"]) == (3, "Marolle")
    table = await (await client.get(f"/api/live/demo/report.csv?name={name}")).text()
    assert "'=1+1" in table
    assert (await client.get("/api/live/demo/report.json?name=../x")).status == 404


@pytest.mark.parametrize(
    "path",
    ["sheet", "console", "report.json", "report.csv", "reports", "out"],
)
async def test_a_key_of_another_shop_opens_nothing(client: Client, path: str) -> None:
    other = await client.get(f"/api/live/demo/{path}", headers={"X-Bound-To": "other"})
    assert other.status == 403
    if path != "console":
        own = await client.get(f"/api/live/demo/{path}", headers={"X-Bound-To": "marolle"})
        assert own.status == 200
    # What a shopper's browser holds is no key of the host.
    shopper = {"X-Bound-To": "marolle", "X-Kind": "ephemeral"}
    assert (await client.get(f"/api/live/demo/{path}", headers=shopper)).status == 403


@pytest.mark.parametrize(
    "headers", [{"X-Bound-To": "other"}, {"X-Bound-To": "marolle", "X-Kind": "ephemeral"}]
)
async def test_only_a_key_of_the_shop_sends_a_show_out(
    client: Client, headers: dict[str, str], tmp_path: Path
) -> None:
    url = "/api/live/demo/out"
    assert (await client.post(url, json={"record": True}, headers=headers)).status == 403
    assert (await client.delete(url, headers=headers)).status == 403
    assert not (tmp_path / "recordings").exists()
    own = {"X-Bound-To": "marolle"}
    assert (await (await client.get(url, headers=own)).json())["outlets"] == []
    assert (await client.delete(url, headers=own)).status == 200
    assert (await client.post(url, data=b"[]", headers=own)).status == 400
    assert (await client.post(url, data=b" " * 5_000, headers=own)).status == 413


@pytest.mark.parametrize(
    "path",
    ["/console", *(f"/console/shows{end}" for end in ("", "/demo", "/demo/sheet", "/demo/report"))],
)
async def test_the_hosts_pages_run_nothing_inline(client: Client, path: str) -> None:
    response = await client.get(path)
    assert response.status == 200
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    text = await response.text()
    assert text.count("<script") == text.count('<script type="module" src="/static/host/')


def test_a_show_that_was_removed_just_now_is_no_other_shops() -> None:
    request = make_mocked_request("GET", "/api/live/gone/out")
    may_host(request, "")  # no key is bound: demo mode
    request[PRINCIPAL] = Principal("key", shop="other")
    for shop in ("", "marolle"):
        with pytest.raises(web.HTTPForbidden):
            may_host(request, shop)
    may_host(request, "other")
