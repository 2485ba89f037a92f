"""The shell of identity: platform, senders, wording; over real sockets where there are any."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from email import message_from_string, policy

import aiohttp
import pytest
from aiohttp import web

from tests.fakes.smtp import mail_server
from voice_server.dialogue.identity.events import Outcome
from voice_server.dialogue.identity.levels import Level
from voice_server.dialogue.identity.senders import (
    CodeMessage,
    ConsoleSender,
    SendFailed,
    SmtpSender,
    SmtpServer,
    WebhookSender,
)
from voice_server.dialogue.identity.service import IdentityService, SessionIdentity, new_code
from voice_server.dialogue.identity.wording import ask_for, mail_texts, wording
from voice_server.dialogue.locales import AVAILABLE, UnknownLocale
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import (
    Capability,
    Offer,
    PlatformDown,
    PlatformOrder,
    Receipt,
    Write,
)

ORDER = PlatformOrder(
    "BE-10482",
    OrderStatus.SHIPPED,
    (),
    date(2026, 11, 20),
    None,
    Decimal("83.70"),
    "EUR",
    "1000",
    email="an@example.be",
)
OTHER = replace(ORDER, number="BE-10497", postcode="9000", email="bo@example.be")
MESSAGE = CodeMessage("email", "an@example.be", "042137", "nl", "Marolle", 10)


class Platform:
    """Two orders in memory."""

    name = "memory"
    capabilities = frozenset({Capability.ORDERS})

    def __init__(self) -> None:
        self.down = False
        self.slow = False
        self.asked: list[str] = []

    async def find_order(self, number: str) -> PlatformOrder | None:
        self.asked.append(number)
        if self.slow:
            await asyncio.Event().wait()
        if self.down:
            raise PlatformDown("it is down")
        return {order.number: order for order in (ORDER, OTHER)}.get(number)

    async def find_orders(self, *, email: str = "", phone: str = "") -> Sequence[PlatformOrder]:
        return [order for order in (ORDER, OTHER) if email and order.email == email]

    async def offers(self, skus: Sequence[str]) -> Sequence[Offer]:
        return []

    def refusal(self, write: Write, order: PlatformOrder) -> str:
        return "unsupported"

    async def write(self, write: Write, *, key: str) -> Receipt:
        raise PlatformDown("read only")

    async def close(self) -> None:
        pass


class Desk:
    """A service with a mailbox in place of a sender."""

    def __init__(self, *, sender: bool = True, look_up_s: float = 8.0) -> None:
        self.lines: list[str] = []
        self.platform = Platform()
        self.service = IdentityService(
            self.platform,
            ConsoleSender(self.lines.append) if sender else None,
            shop="Marolle",
            digits=5,
            look_up_s=look_up_s,
        )
        self.session: SessionIdentity = self.service.open()

    async def code(self) -> str:
        await self.service.close()
        return self.lines[-1].split()[2]


async def test_from_nothing_to_level_two() -> None:
    desk = Desk()
    first = await desk.session.prove("BE-10482", "", "nl")
    assert first.outcome is Outcome.NEED_POSTCODE
    told = await desk.session.prove("", "1000", "nl")
    assert (told.outcome, told.level, told.order) == (Outcome.PROVED, Level.ORDER, "BE-10482")
    assert told.proved
    assert desk.session.missing("write.change_address", "BE-10482") is Level.CODE
    assert "6 cijfers" in desk.session.question(Level.CODE, "nl")
    assert (await desk.session.want_code("nl")).outcome is Outcome.CODE_SENT
    wrong = await desk.session.try_code("abc", "nl")
    assert (wrong.outcome, wrong.proved) == (Outcome.CODE_WRONG, False)
    told = await desk.session.try_code(await desk.code(), "nl")
    assert (told.outcome, told.level) == (Outcome.CODE_PROVED, Level.CODE)
    assert desk.session.allows("write.change_address", "BE-10482")
    assert (desk.session.level, desk.session.order) == (Level.CODE, "BE-10482")
    desk.session.caller_changed()
    assert desk.session.state.level is Level.NONE


async def test_orders_open_only_to_who_proved_them() -> None:
    desk = Desk()
    assert await desk.session.open_order("BE-10482", desk.platform) is None
    assert await desk.session.open_order("BE-1", desk.platform) is None
    await desk.session.prove("BE-10482", "1000", "fr")
    assert await desk.session.open_order("BE-10482", desk.platform) == ORDER
    by_mail = desk.service.open()
    await by_mail.want_code("fr", contact="bo@example.be")
    await by_mail.try_code(await desk.code(), "fr")
    assert await by_mail.open_order("BE-10482", desk.platform) is None
    assert await by_mail.open_order("BE-10497", desk.platform) == OTHER


async def test_without_a_sender_level_two_is_out_of_reach() -> None:
    desk = Desk(sender=False)
    await desk.session.prove("BE-10482", "1000", "de")
    assert (await desk.session.want_code("de")).outcome is Outcome.NO_CONTACT


async def test_a_platform_that_fails_or_hangs_is_told_and_not_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk(look_up_s=0.02)
    desk.platform.down = True
    for _ in range(4):
        told = await desk.session.prove("BE-10482", "1000", "en")
        assert told.outcome is Outcome.UNAVAILABLE
    desk.platform.down, desk.platform.slow = False, True
    assert (await desk.session.prove("BE-10482", "1000", "en")).outcome is Outcome.UNAVAILABLE
    desk.platform.slow = False
    assert (await desk.session.prove("BE-10482", "1000", "en")).outcome is Outcome.PROVED
    assert "10482" not in caplog.text


async def test_a_send_that_fails_makes_its_code_void(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(ConsoleSender):
        async def send(self, message: CodeMessage) -> None:
            raise SendFailed("the gateway answered 500")

    service = IdentityService(Platform(), Broken(), shop="Marolle", digits=5)
    session = service.open()
    await session.prove("BE-10482", "1000", "en")
    assert (await session.want_code("en")).outcome is Outcome.CODE_SENT
    await service.close()
    assert "was not sent" in caplog.text
    assert (await session.want_code("en")).outcome is Outcome.CODE_SENT, "no wait after a failure"
    await service.close()


async def test_codes_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk = Desk()
    await desk.session.prove("BE-10482", "1000", "en")
    await desk.session.want_code("en")
    code = await desk.code()
    assert code not in caplog.text
    assert "an@example.be" not in caplog.text


def test_codes_have_six_digits() -> None:
    codes = {new_code() for _ in range(200)}
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(codes) > 190


@pytest.mark.parametrize("language", AVAILABLE)
def test_every_outcome_has_its_words(language: str) -> None:
    texts = {
        wording(outcome, language, shop="Marolle", digits=5, code_digits=6) for outcome in Outcome
    }
    assert len(texts) == len(Outcome)
    assert not any("{" in text for text in texts)
    assert ask_for(Level.NONE, language, shop="Marolle", digits=5, code_digits=6) == ""
    both = ask_for(Level.ORDER, language, shop="Marolle", digits=5, code_digits=6)
    assert both == wording(Outcome.NEED_BOTH, language, shop="M", digits=5, code_digits=6)
    subject, body = mail_texts(language, shop="Marolle", code="042137", minutes=10)
    assert "042137" in subject
    assert "042137" in body


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(UnknownLocale):
        wording(Outcome.PROVED, "pt", shop="M", digits=5, code_digits=6)


# -- senders ----------------------------------------------------------------------------------


async def test_mail_is_sent() -> None:
    async with mail_server() as server:
        sender = SmtpSender(
            SmtpServer("127.0.0.1", "shop@marolle.example", server.port, security="none")
        )
        await sender.send(MESSAGE)
    (text,) = server.mails
    mail = message_from_string(text, policy=policy.default)
    assert mail["To"] == "an@example.be"
    assert "042137" in mail["Subject"]
    assert "042137" in mail.get_content()


async def test_a_mail_server_that_refuses_fails_without_naming_anybody() -> None:
    async with mail_server(refuse=True) as server:
        sender = SmtpSender(SmtpServer("127.0.0.1", "s@m.example", server.port, security="none"))
        with pytest.raises(SendFailed) as caught:
            await sender.send(MESSAGE)
    assert "example.be" not in str(caught.value)
    assert "042137" not in str(caught.value)


async def test_a_silent_mail_server_is_given_up() -> None:
    async with mail_server(silent=True) as server:
        sender = SmtpSender(
            SmtpServer("127.0.0.1", "s@m.example", server.port, security="none", timeout_s=0.05)
        )
        with pytest.raises(SendFailed):
            await sender.send(MESSAGE)


async def test_a_contact_cannot_smuggle_headers() -> None:
    async with mail_server() as server:
        sender = SmtpSender(SmtpServer("127.0.0.1", "s@m.example", server.port, security="none"))
        with pytest.raises(SendFailed, match="cannot stand"):
            await sender.send(replace(MESSAGE, contact="a@b.c\nBcc: all@b.c"))
    assert server.mails == []


def test_mail_elsewhere_is_encrypted() -> None:
    with pytest.raises(ValueError, match="encrypted"):
        SmtpSender(SmtpServer("mail.example", "s@m.example", security="none"))
    with pytest.raises(ValueError, match="security"):
        SmtpSender(SmtpServer("mail.example", "s@m.example", security="maybe"))


async def test_the_webhook_is_signed_and_not_retried() -> None:
    got: list[tuple[bytes, str]] = []
    status = 200

    async def take(request: web.Request) -> web.Response:
        got.append((await request.read(), request.headers["X-Signature"]))
        return web.Response(status=status)

    application = web.Application()
    application.router.add_post("/codes", take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/codes"
    async with aiohttp.ClientSession() as http:
        sender = WebhookSender(url, "hush", http)
        await sender.send(MESSAGE)
        status = 302
        with pytest.raises(SendFailed, match="302"):
            await sender.send(MESSAGE)
        await runner.cleanup()
        with pytest.raises(SendFailed, match="gateway failed"):
            await sender.send(MESSAGE)
    body, signature = got[0]
    assert len(got) == 2
    assert json.loads(body)["code"] == "042137"
    assert signature == "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest()
    assert "042137" not in repr(MESSAGE)


async def test_a_webhook_that_hangs_is_given_up() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as http:
        sender = WebhookSender(f"http://127.0.0.1:{port}/", "hush", http, timeout_s=0.05)
        with pytest.raises(SendFailed, match="in time"):
            await sender.send(MESSAGE)
    server.close()
