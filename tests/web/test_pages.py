from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from voice_server.web.pages import STATIC, ShopProduct, add_pages, shop_json

Client = TestClient[web.Request, web.Application]

NASTY = '</script><img src=x onerror="alert(1)">'


@dataclass(frozen=True)
class Shop:
    pictures: Path | None
    name: str = NASTY
    languages: tuple[str, ...] = ("fr", "en")
    taglines: dict[str, str] = field(default_factory=lambda: {"fr": "Des choses"})
    examples: dict[str, list[str]] = field(default_factory=lambda: {"fr": ["Combien ?"]})
    products: tuple[ShopProduct, ...] = (
        ShopProduct("oslo", {"fr": "lampe Oslo"}, Decimal("49.90"), "EUR", "oslo.svg"),
        ShopProduct(
            "luna",
            {"fr": "Luna"},
            Decimal("89"),
            "EUR",
            "",
            was_price=Decimal("99.00"),
            several_prices=True,
            available=False,
        ),
    )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "oslo.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (pictures / "notes.txt").write_text("not a picture")
    (tmp_path / "shop.toml").write_text("secret = 1")
    (pictures / "escape.svg").symlink_to(tmp_path / "shop.toml")
    return Shop(pictures)


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[Client]:
    app = web.Application()
    add_pages(app, shop)
    async with TestClient(TestServer(app)) as opened:
        yield opened


async def test_the_page_is_static_and_nothing_of_the_shop_is_in_it(client: Client) -> None:
    response = await client.get("/")
    body = await response.text()
    assert response.status == 200
    assert response.content_type == "text/html"
    assert response.charset == "utf-8"
    assert NASTY not in body
    assert body == (STATIC / "index.html").read_text(encoding="utf-8")


async def test_the_page_may_load_nothing_from_elsewhere(client: Client) -> None:
    response = await client.get("/")
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert not any("unsafe" in rule or "http" in rule for rule in policy)
    assert "microphone=(self)" in response.headers["Permissions-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    body = await response.text()
    assert "style=" not in body
    assert "onclick" not in body


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/static/voice-button.js", "text/javascript"),
        ("/static/voice/capture-worklet.js", "text/javascript"),
        ("/static/tokens.css", "text/css"),
        ("/static/icons/icon-192.png", "image/png"),
        ("/static/fonts/figtree-latin-wght-normal.woff2", "font/woff2"),
    ],
)
async def test_files_may_be_used_from_any_site(
    client: Client, path: str, content_type: str
) -> None:
    response = await client.get(path)
    assert response.status == 200
    assert response.content_type == content_type
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers["Cache-Control"] == "no-cache"


async def test_an_unchanged_file_is_not_sent_again(client: Client) -> None:
    first = await client.get("/static/voice-button.js")
    again = await client.get(
        "/static/voice-button.js", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status == 304
    assert await again.read() == b""


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/voice",
        "/static/nothing.js",
        "/static/%2e%2e/pages.py",
        "/static/..%2fpages.py",
        "/static/voice/..%2f..%2f..%2fconfig.py",
        "/static/.hidden.js",
        "/static/index%00.html",
        "/shop/pictures/..%2fshop.toml",
        "/shop/pictures/notes.txt",
        "/shop/pictures/escape.svg",
        "/shop/pictures/missing.svg",
    ],
)
async def test_nothing_else_is_served(client: Client, path: str) -> None:
    response = await client.get(path)
    assert response.status == 404


async def test_a_picture_cannot_run_scripts_in_our_origin(client: Client) -> None:
    response = await client.get("/shop/pictures/oslo.svg")
    assert response.status == 200
    assert response.content_type == "image/svg+xml"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "max-age=86400" in response.headers["Cache-Control"]


async def test_the_shop_is_described_as_json(client: Client) -> None:
    response = await client.get("/api/shop")
    body = await response.json()
    assert body["name"] == NASTY
    assert body["languages"] == ["fr", "en"]
    assert body["default_language"] == "fr"
    assert body["tagline"] == {"fr": "Des choses"}
    assert body["examples"] == {"fr": ["Combien ?"]}
    assert body["products"] == [
        {
            "id": "oslo",
            "name": {"fr": "lampe Oslo"},
            "price": "49.90",
            "was_price": None,
            "currency": "EUR",
            "from": False,
            "available": True,
            "image": "/shop/pictures/oslo.svg",
        },
        {
            "id": "luna",
            "name": {"fr": "Luna"},
            "price": "89",
            "was_price": "99.00",
            "currency": "EUR",
            "from": True,
            "available": False,
            "image": "",
        },
    ]


async def test_an_unchanged_shop_is_not_sent_again(client: Client) -> None:
    first = await client.get("/api/shop")
    again = await client.get("/api/shop", headers={"If-None-Match": first.headers["ETag"]})
    other = await client.get("/api/shop", headers={"If-None-Match": '"something-else"'})
    assert again.status == 304
    assert again.headers["ETag"] == first.headers["ETag"]
    assert other.status == 200


async def test_the_application_can_be_installed(client: Client) -> None:
    response = await client.get("/manifest.webmanifest")
    manifest = json.loads(await response.text())
    assert response.content_type == "application/manifest+json"
    assert manifest["start_url"] == "/"
    assert manifest["display"] == "standalone"
    sizes = {icon["sizes"] for icon in manifest["icons"]}
    assert {"192x192", "512x512"} <= sizes
    assert any(icon["purpose"] == "maskable" for icon in manifest["icons"])
    for icon in manifest["icons"]:
        assert (await client.get(icon["src"])).status == 200


async def test_the_service_worker_keeps_only_files_that_exist(client: Client) -> None:
    script = await (await client.get("/sw.js")).text()
    assert "/api/" not in script
    assert "/v1/" not in script
    names = script.split('"/static/voice/')[0]
    listed = [part for part in names.split('"') if part.startswith("/static/")]
    modules = [path.stem for path in (STATIC / "voice").glob("*.js")]
    assert listed
    for path in listed:
        assert (await client.get(path)).status == 200, path
    for module in modules:
        assert f'"{module}"' in script, f"sw.js forgets voice/{module}.js"


async def test_a_shop_that_embeds_the_button_needs_no_page(shop: Shop) -> None:
    app = web.Application()
    add_pages(app, replace(shop, pictures=None), index=False)
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/static/voice-button.js")).status == 200
        assert (await client.get("/api/shop")).status == 200
        assert (await client.get("/")).status == 404
        assert (await client.get("/shop/pictures/oslo.svg")).status == 404


async def test_a_broken_installation_says_so(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Install again"):
        add_pages(web.Application(), shop, static=tmp_path)


def test_prices_are_exact(shop: Shop) -> None:
    product = ShopProduct("x", {}, Decimal("0.10") * 3, "EUR", "")
    body = shop_json(replace(shop, products=(product,)))
    assert body["products"][0]["price"] == "0.30"
