"""Identity from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError

from voice_server.config import Settings
from voice_server.dialogue.flows.ports import Proofs
from voice_server.dialogue.identity.senders import ConsoleSender, SmtpSender, WebhookSender
from voice_server.identities import code_sender, proofs_for
from voice_server.shop.pack import load, resolve


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def settings(codes: str = "auto", **more: object) -> Settings:
    return Settings(codes=SecretStr(codes), **more)  # type: ignore[arg-type]


async def test_the_demo_shows_codes_and_others_send_none_unless_told(
    http: aiohttp.ClientSession,
) -> None:
    assert isinstance(code_sender(settings(), http, "a@b.be"), ConsoleSender)
    served = settings(host="0.0.0.0", api_keys=(SecretStr("k"),))  # noqa: S104
    assert code_sender(served, http, "a@b.be") is None
    assert code_sender(settings("none"), http, "a@b.be") is None
    assert isinstance(code_sender(settings("console"), http, "a@b.be"), ConsoleSender)


@pytest.mark.parametrize(
    ("url", "port", "security"),
    [
        ("smtp://mail.example", 587, "starttls"),
        ("smtps://me:p%40ss@mail.example", 465, "tls"),
        ("smtp://localhost:2525", 2525, "none"),
    ],
)
async def test_mail(http: aiohttp.ClientSession, url: str, port: int, security: str) -> None:
    sender = code_sender(settings(url), http, "shop@b.be")
    assert isinstance(sender, SmtpSender)
    server = sender._server
    assert (server.port, server.security, server.sender) == (port, security, "shop@b.be")
    assert server.password in {"", "p@ss"}
    named = code_sender(settings(url, codes_from="codes@b.be"), http, "shop@b.be")
    assert isinstance(named, SmtpSender)
    assert named._server.sender == "codes@b.be"


async def test_webhooks_are_signed_and_encrypted(http: aiohttp.ClientSession) -> None:
    secret = SecretStr("hush")
    sender = code_sender(settings("https://x.example/codes", codes_secret=secret), http, "a@b.be")
    assert isinstance(sender, WebhookSender)
    with pytest.raises(ValueError, match="codes_secret"):
        code_sender(settings("https://x.example/codes"), http, "a@b.be")
    with pytest.raises(ValueError, match="https"):
        code_sender(settings("http://x.example/codes", codes_secret=secret), http, "a@b.be")


def test_other_ways_are_refused() -> None:
    with pytest.raises(ValidationError, match="codes must be"):
        settings("pigeon")


def test_proofs_of_the_demo_shop() -> None:
    read = proofs_for(load(resolve("demo")))
    assert read("10482, 1000", "fr", "") == Proofs("BE-10482", "1000")
    assert read("10476 en 1011 AB", "nl", "") == Proofs("BE-10476", "1011 AB")
