"""Pages, keys and reloads of a server with two shops; and such a server with its real engines."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from tests.shop.test_pack import change
from voice_server.app import App, StartFailed
from voice_server.config import Settings
from voice_server.realtime.session import RealtimeSession
from voice_server.realtime.sessions import Sessions
from voice_server.shop import pack
from voice_server.shop.pack_reader import Problem
from voice_server.tenants import Reload, Tenant
from voice_server.web.application import create_application
from voice_server.web.metrics import Metrics
from voice_server.weights import WeightStore

Client = TestClient[web.Request, web.Application]

KEYED = {
    "api_keys": ("sk-all",),
    "shop_keys": {"marolle": ("sk-m",), "tilleul": ("sk-t1", "sk-t2")},
}


def settings(tmp_path: Path, **options: Any) -> Settings:
    return Settings(
        **{"shop": ("demo", "starter"), "llm": "none", "data": tmp_path, "port": 0, **options}
    )


@pytest.fixture
async def server(
    tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[App, Client]]:
    """A server whose engines are not loaded: everything but talking works."""
    app = App(settings(tmp_path, shop_hosts={"tea.example": "starter"}, **request.param))
    application = create_application(app._web_backend())
    async with TestClient(TestServer(application)) as client:
        yield app, client


demo = pytest.mark.parametrize("server", [{}], indirect=True)
keyed = pytest.mark.parametrize("server", [KEYED], indirect=True)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@demo
@pytest.mark.parametrize(
    ("path", "host", "shop"),
    [
        ("/api/shop", "localhost", "Marolle"),
        ("/api/shop", "tea.example", "Tilleul"),
        ("/api/shop?shop=tilleul", "localhost", "Tilleul"),
        ("/s/marolle/api/shop", "tea.example", "Marolle"),
        ("/s/tilleul/api/shop", "localhost", "Tilleul"),
        ("/s/starter/api/shop", "localhost", "Tilleul"),
    ],
)
async def test_what_a_page_shows(
    server: tuple[App, Client], path: str, host: str, shop: str
) -> None:
    _, client = server
    async with client.get(path, headers={"Host": host}) as response:
        body = await response.json()
        assert response.headers["Vary"] == "Host"
    assert body["name"] == shop
    for product in body["products"]:
        assert product["image"].startswith(f"/s/{body['id']}/pictures/")
    async with client.get(body["products"][0]["image"]) as response:
        assert response.status == 200
        assert "sandbox" in response.headers["Content-Security-Policy"]
    tag = {"If-None-Match": response.headers["ETag"]}
    async with client.get(path, headers={"Host": host}) as response:
        tag = {"If-None-Match": response.headers["ETag"]}
    async with client.get(path, headers={"Host": host, **tag}) as response:
        assert response.status == 304


@demo
async def test_pages_and_strangers(server: tuple[App, Client]) -> None:
    _, client = server
    async with client.get("/s/tilleul/") as response:
        assert response.content_type == "text/html"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    async with client.get("/s/tilleul", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (308, "/s/tilleul/")
    for path in ("/s/x/", "/s/x/api/shop", "/s/tilleul/pictures/oslo.svg",
                 "/s/tilleul/pictures/..%2Fshop.toml", "/v1/realtime?shop=x"):  # fmt: skip
        async with client.get(path) as response:
            assert response.status == 404, path


@demo
async def test_a_page_shows_the_pack_as_it_is_now(server: tuple[App, Client]) -> None:
    app, client = server
    tenant = app.tenants.get("tilleul")
    async with client.get("/s/tilleul/api/shop") as response:
        before = (await response.json())["name"]
    renamed = Tenant(pack.load(pack.resolve("demo")), "")
    tenant.page = renamed.page
    async with client.get("/s/tilleul/api/shop") as response:
        assert (before, (await response.json())["name"]) == ("Tilleul", "Marolle")


@keyed
@pytest.mark.parametrize(
    ("key", "shop", "status"),
    [
        ("sk-all", "", 200), ("sk-all", "tilleul", 200), ("sk-all", "x", 404),
        ("sk-t1", "", 200), ("sk-t2", "tilleul", 200), ("sk-t1", "marolle", 403),
        ("sk-t1", "x", 403), ("sk-m", "tilleul", 403), ("sk-x", "", 401),
    ],
)  # fmt: skip
async def test_a_shops_key_opens_this_shop_only(
    server: tuple[App, Client], key: str, shop: str, status: int
) -> None:
    _, client = server
    query = f"?shop={shop}" if shop else ""
    url = f"/v1/realtime/client_secrets{query}"
    async with client.post(url, json={}, headers=bearer(key)) as response:
        assert response.status == status
        body = await response.json()
    if status != 200:
        return
    own = shop or ("tilleul" if key.startswith("sk-t") else "marolle")
    other = "marolle" if own == "tilleul" else "tilleul"
    # Not a websocket: what is allowed gets as far as the handshake, which refuses it with 400.
    for asked, expected in ((own, 400), ("", 400), (other, 403)):
        query = f"?shop={asked}" if asked else ""
        async with client.get(f"/v1/realtime{query}", headers=bearer(body["value"])) as response:
            assert response.status == expected, await response.text()


@keyed
async def test_who_may_reload_and_list(server: tuple[App, Client]) -> None:
    _, client = server

    async def status(method: str, path: str, key: str = "") -> tuple[int, Any]:
        async with client.request(method, path, headers=bearer(key) if key else {}) as response:
            return response.status, await response.json()

    assert (await status("POST", "/api/shops/tilleul/reload"))[0] == 401
    assert (await status("GET", "/api/shops"))[0] == 401
    assert (await status("POST", "/api/shops/marolle/reload", "sk-t1"))[0] == 403
    assert (await status("POST", "/api/shops/x/reload", "sk-all"))[0] == 404
    code, body = await status("POST", "/api/shops/tilleul/reload", "sk-t1")
    assert (code, body["changed"]) == (409, False)
    assert "still loading" in body["refusal"]
    _, body = await status("POST", "/v1/realtime/client_secrets", "sk-all")
    assert (await status("POST", "/api/shops/marolle/reload", body["value"]))[0] == 403
    assert (await status("GET", "/metrics", body["value"]))[0] == 403
    assert [one["id"] for one in (await status("GET", "/api/shops", "sk-all"))[1]["data"]] == [
        "marolle",
        "tilleul",
    ]
    [own] = (await status("GET", "/api/shops", "sk-t1"))[1]["data"]
    assert (own["id"], own["products"], own["page"]) == ("tilleul", 3, "/s/tilleul/")


@demo
async def test_a_reload_answers_with_what_is_wrong(
    server: tuple[App, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, client = server
    problem = Problem("error", "products.csv", 3, "the price is 'dear'", "write 49.90")

    async def reload(tenant: Tenant) -> Reload:
        return Reload(False, (problem,), "the new pack has errors")

    monkeypatch.setattr(app, "_reloader", Mock(reload=reload))
    async with client.post("/api/shops/marolle/reload") as response:
        assert response.status == 409
        assert (await response.json())["problems"] == [
            {"severity": "error", "file": "products.csv", "line": 3,
             "message": "the price is 'dear'", "remedy": "write 49.90"}
        ]  # fmt: skip


async def test_a_session_is_resumed_with_its_own_shops_key_only() -> None:
    numbers = iter(range(9))
    sessions = Sessions(9, Metrics(), lambda prefix: f"{prefix}_{next(numbers)}")
    call = cast(RealtimeSession, Mock(shop="tilleul", finished=False))
    sessions.add(call)
    token = sessions.token(call)
    assert sessions.claim(token, "marolle") is None
    assert sessions.claim(token, "tilleul") is call, "the stranger's try has not used it up"
    assert sessions.claim(token, "tilleul") is None
    assert sessions.claim(sessions.token(call)) is call


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shop": ("demo", "demo")}, "two shop packs have the id 'marolle'"),
        ({"shop_hosts": {"a.example": "x"}}, "stands for 'x'"),
        ({"shop_keys": {"x": ("sk",)}}, "shop_keys: There is no shop 'x'"),
        ({"shop": ("demo", "nowhere")}, "nowhere"),
    ],
)
def test_shops_that_cannot_be_served_together(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(StartFailed, match=words):
        App(settings(tmp_path, **options))


@pytest.mark.models
def test_two_shops_talk_on_one_port_and_one_is_edited_meanwhile(
    weights: WeightStore, tmp_path: Path
) -> None:
    folder = tmp_path / "corner"
    shutil.copytree(pack.resolve("starter"), folder)

    async def ask(client: ClientSession, url: str, question: str) -> str:
        async with client.ws_connect(url) as socket:
            return await say(socket, question)

    async def say(socket: Any, question: str) -> str:
        content = [{"type": "input_text", "text": question}]
        item = {"type": "message", "role": "user", "content": content}
        await socket.send_json({"type": "conversation.item.create", "item": item})
        response = {"output_modalities": ["text"]}
        await socket.send_json({"type": "response.create", "response": response})
        async with asyncio.timeout(60):
            while (event := await socket.receive_json())["type"] != "response.done":
                assert event["type"] != "error", event
        text: str = event["response"]["output"][0]["content"][0]["text"]
        return text

    async def scene() -> None:
        wish = settings(tmp_path, shop=("demo", str(folder)), warm_phrases=False, watch_s=0.05)
        async with App(wish).running() as app, ClientSession() as client:
            base = f"http://127.0.0.1:{app.port}"
            realtime = f"{base}/v1/realtime?model=x"
            question = "How much does delivery cost?"
            assert "4.95" in await ask(client, realtime, question)
            async with client.ws_connect(f"{realtime}&shop=tilleul") as call:
                assert "4.50" in await say(call, question)
                change(folder, "shop.toml", "cost = 4.50", "cost = 3.75")
                async with asyncio.timeout(60):
                    while app.tenants.get("tilleul").shop.policies.delivery["BE"].cost != 3.75:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                # The same call goes on, and hears the new price.
                assert "3.75" in await say(call, question)
            async with client.post(f"{base}/api/shops/corner/reload") as response:
                assert (response.status, (await response.json())["changed"]) == (200, False)
            assert "4.95" in await ask(client, realtime, question)
            await app.drain()

    asyncio.run(scene())
