"""Routes, health, errors, and who may ask."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.realtime.house import House, house

KEYED = {"demo": False, "api_keys": ("sk-one", "sk-two"), "allowed_origins": ("https://shop.be/",)}


async def get(home: House, path: str, **headers: str) -> tuple[int, str, Any]:
    async with home.client.get(f"{home.url}{path}", headers=headers) as response:
        return response.status, await response.text(), response.headers


async def test_health_and_readiness() -> None:
    engines = {"stt": False}
    async with house(
        ready=lambda: engines, web_options={"details": lambda: {"language_model": "loading"}}
    ) as home:
        assert (await get(home, "/healthz"))[0] == 200
        status, body, _ = await get(home, "/readyz")
        assert status == 503
        assert '"status": "loading"' in body
        assert '"language_model": "loading"' in body
        engines["stt"] = True
        assert (await get(home, "/readyz"))[0] == 200
        home.sessions.draining = True
        status, body, _ = await get(home, "/readyz")
        assert status == 503
        assert '"status": "draining"' in body


async def test_the_api_answers_errors_in_its_own_shape() -> None:
    async with house() as home:
        status, body, _ = await get(home, "/v1/nothing")
        assert status == 404
        assert '"code": "http_error"' in body
        status, body, _ = await get(home, "/v1/audio/speech")
        assert status == 405
        status, body, _ = await get(home, "/nothing")
        assert (status, body) == (404, "404: Not Found")


async def test_a_bug_is_a_500_with_words_and_nothing_inside() -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        raise ZeroDivisionError("secret detail")

    def add(application: web.Application) -> None:
        application.router.add_get("/v1/broken", broken)

    async with house(web_options={"extend": [add]}) as home:
        status, body, _ = await get(home, "/v1/broken")
        assert status == 500
        assert "internal_error" in body
        assert "secret detail" not in body


async def test_metrics_count_requests_by_route() -> None:
    async with house() as home:
        await get(home, "/v1/models/nobody")
        await get(home, "/v1/nobody")
        status, body, headers = await get(home, "/metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert 'http_requests_total{route="/v1/models/{model}",status="404"} 1' in body
        assert 'http_requests_total{route="none",status="404"} 1' in body


# ----------------------------------------------------------------------- who


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer sk-two"},
        {"Authorization": "bearer  sk-one"},
        {"api-key": "sk-one"},
    ],
)
async def test_any_of_the_keys_opens(headers: dict[str, str]) -> None:
    async with house(web_options=KEYED) as home:
        assert (await get(home, "/v1/models", **headers))[0] == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer sk-three"}, {"Authorization": "Basic sk-one"},
     {"Authorization": "Bearer ek_unknown"}, {"Authorization": "Bearer "}],
)  # fmt: skip
async def test_nobody_else_comes_in(headers: dict[str, str]) -> None:
    async with house(web_options=KEYED) as home:
        for path in ("/v1/models", "/v1/realtime", "/openai/v1/models", "/metrics"):
            status, body, _ = await get(home, path, **headers)
            assert status == 401
            assert "invalid_api_key" in body
        assert (await get(home, "/healthz"))[0] == 200


async def test_a_key_in_the_subprotocol() -> None:
    async with house(web_options=KEYED) as home:
        wire = await home.open(protocols=("realtime", "openai-insecure-api-key.sk-one", "sdk.1"))
        assert wire.socket.protocol == "realtime"
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await home.dial(protocols=("realtime", "openai-insecure-api-key.sk-x"))
        assert caught.value.status == 401


async def test_other_sites_pages_stay_out() -> None:
    async with house(web_options=KEYED) as home:
        key = {"Authorization": "Bearer sk-one"}
        for origin in ("https://evil.example", "null", ""):
            status, body, headers = await get(home, "/v1/models", Origin=origin, **key)
            assert status == 403
            assert "allowed_origins" in body
            assert "Access-Control-Allow-Origin" not in headers
        status, _, headers = await get(home, "/v1/models", Origin="https://shop.be", **key)
        assert status == 200
        assert headers["Access-Control-Allow-Origin"] == "https://shop.be"
        status, _, _ = await get(home, "/v1/models", Origin=home.url, **key)
        assert status == 200


async def test_preflights() -> None:
    async with house(web_options=KEYED) as home:
        async with home.client.options(
            f"{home.url}/v1/audio/speech", headers={"Origin": "https://shop.be"}
        ) as response:
            assert response.status == 204
            assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        async with home.client.options(
            f"{home.url}/v1/audio/speech", headers={"Origin": "https://evil.example"}
        ) as response:
            assert response.status == 403


async def test_the_demo_needs_no_key_but_answers_this_machine_only() -> None:
    async with house() as home:
        assert (await get(home, "/v1/models"))[0] == 200
        assert (await get(home, "/v1/models", Authorization="Bearer x"))[0] == 200
        local = "http://localhost:3000"
        assert (await get(home, "/v1/models", Origin=local))[0] == 200
        # a rebound name: origin and host agree, but neither is this machine
        rebound = {"Origin": "http://evil.example", "Host": "evil.example"}
        assert (await get(home, "/v1/models", **rebound))[0] == 403
        status, body, _ = await get(home, "/v1/models", Host="evil.example")
        assert status == 403
        assert "loopback" in body
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await home.dial(headers={"Origin": "https://evil.example"})
        assert caught.value.status == 403
