"""The HTTP client of the connectors, and the write that happens once, at their edges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.fakes.shops.rest import MAPPING, FakeRest
from tests.fakes.shops.server import FakeShop
from tests.shop.connectors.platforms import SECRETS, FakeTime, opened
from voice_server.shop.connectors import http as http_module
from voice_server.shop.connectors.http import Clock, Http, Request
from voice_server.shop.connectors.ledger import Ledger
from voice_server.shop.connectors.mapping import load
from voice_server.shop.connectors.resilience import Limits
from voice_server.shop.connectors.rest import RestPlatform, authorization
from voice_server.shop.platform import Capability, OutcomeUnknown, PlatformDown, Write

CANCEL = Write(Capability.CANCEL_ORDER, "1001")


class Odd(FakeShop):
    """Answers that no vendor should give."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/moved", self._moved),
            web.get("/long", self._long),
            web.put("/drop", self._drop),
            web.get("/secret", self._secret),
        ]

    async def _moved(self, _: web.Request) -> web.Response:
        raise web.HTTPFound("https://elsewhere.example/")

    async def _long(self, _: web.Request) -> web.Response:
        return web.Response(body=b"x" * (http_module.BODY_LIMIT + 1))

    async def _drop(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _secret(self, request: web.Request) -> web.Response:
        return web.json_response({"key": request.headers.get("X-Key"), "q": dict(request.query)})


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    async with Odd() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    client = Http("odd", clock=FakeTime().clock())
    yield client
    await client.close()


async def test_redirects_are_not_followed_because_the_key_would_go_along(
    odd: Odd, http: Http
) -> None:
    with pytest.raises(PlatformDown, match="redirects"):
        await http.call(Request("x", "GET", f"{odd.url}/moved"))


async def test_endless_answers_are_cut(odd: Odd, http: Http) -> None:
    with pytest.raises(PlatformDown, match="hung up"):
        await http.call(Request("x", "GET", f"{odd.url}/long"))


async def test_a_put_is_never_sent_twice_by_the_library_itself(odd: Odd, http: Http) -> None:
    await http.call(Request("x", "GET", f"{odd.url}/secret"))  # a connection to be reused
    with pytest.raises(OutcomeUnknown):
        await http.call(Request("x", "PUT", f"{odd.url}/drop", write=True))
    assert odd.requests.count("PUT /drop") == 1


async def test_a_write_that_cannot_connect_changed_nothing(odd: Odd, http: Http) -> None:
    await odd.stop()
    with pytest.raises(PlatformDown, match="cannot be reached"):
        await http.call(Request("x", "PUT", f"{odd.url}/drop", write=True))


async def test_a_request_shows_nothing_when_it_is_printed() -> None:
    request = Request("x", "GET", "u", {"email": "secret"}, {"X-Key": "secret"}, {"a": "secret"})
    assert "secret" not in repr(request)


def test_real_time_and_chance() -> None:
    clock = Clock()
    assert 0 <= clock.random() <= 1
    assert clock.now().tzinfo is not None


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("none", {}),
        ("bearer", {"Authorization": "Bearer a"}),
        ("basic", {"Authorization": "Basic YTpi"}),
        ("header", {"X-Api-Key": "a"}),
    ],
)
def test_how_we_prove_who_we_are(kind: str, headers: dict[str, str]) -> None:
    assert authorization(kind, "X-Api-Key", ("a", "b")) == headers


def test_an_unknown_proof() -> None:
    with pytest.raises(ValueError, match="magic"):
        authorization("magic", "", ())


class Flaky:
    """A journal whose disk is full from its n-th record on."""

    def __init__(self, good: int) -> None:
        self.good = good

    def read(self) -> list[dict[str, Any]]:
        return []

    def append(self, record: Mapping[str, Any]) -> None:
        self.good -= 1
        if self.good < 0:
            raise OSError(28, "No space left on device")

    def rewrite(self, records: Iterable[Mapping[str, Any]]) -> None:
        raise AssertionError


async def rest_platform(fake: FakeRest, folder: Path, ledger: Ledger, **given: Any) -> RestPlatform:
    (folder / "m.toml").write_text(MAPPING)
    mapping = load(folder / "m.toml", "EUR", mcp=False)
    headers = authorization("bearer", "", (SECRETS["REST_TOKEN"],))
    return RestPlatform(Http("rest", **given), fake.url, headers, mapping, ledger)


async def test_what_cannot_be_noted_is_not_sent(tmp_path: Path) -> None:
    async with FakeRest() as fake:
        platform = await rest_platform(fake, tmp_path, Ledger(Flaky(0)))
        with pytest.raises(PlatformDown, match="No space left"):
            await platform.write(CANCEL, key="k")
        await platform.close()
        assert fake.world.performed == []


async def test_what_was_done_is_done_though_the_disk_is_full(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeRest() as fake:
        platform = await rest_platform(fake, tmp_path, Ledger(Flaky(1)))
        await platform.write(CANCEL, key="k")
        await platform.write(CANCEL, key="k")  # it looks, and sends nothing
        await platform.close()
        assert fake.world.performed == [("cancel_order", "1001")]
        assert "free the disk" in caplog.text


async def test_a_write_has_one_deadline_over_all_its_steps(tmp_path: Path) -> None:
    async with FakeRest() as fake:
        limits = Limits(request_s=30, read_s=30, write_s=0.05)
        platform = await rest_platform(fake, tmp_path, Ledger(), limits=limits)
        async with platform._locks.hold("1001"):  # another write of the order takes long
            with pytest.raises(PlatformDown, match="too long"):
                await platform.write(CANCEL, key="k")
        await platform.close()
        assert fake.world.performed == []


async def test_a_read_has_one_deadline_over_all_its_steps(tmp_path: Path) -> None:
    async with opened("rest", tmp_path) as case:
        platform = case.platform
        assert isinstance(platform, RestPlatform)
        platform._limits = Limits(read_s=0.01)
        stuck = asyncio.Event()

        async def never(number: str) -> None:
            await stuck.wait()

        platform._find = never  # type: ignore[method-assign]
        with pytest.raises(PlatformDown, match="too long"):
            await platform.find_order("1001")
