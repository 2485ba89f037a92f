"""Ways to send a one-time code.  Every way has a deadline; a failure raises, with no code in it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol

import aiohttp
import orjson

from voice_server.dialogue.identity.events import Channel
from voice_server.dialogue.identity.wording import mail_texts

logger = logging.getLogger(__name__)

SEND_S = 20.0
"""A mail server or webhook gets so long. The caller does not wait for it."""


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """A code on its way. Its secrets do not show in logs."""

    channel: Channel
    contact: str = field(repr=False)
    code: str = field(repr=False)
    language: str
    shop: str
    minutes: int
    informal: bool = False
    """The customer is addressed by "je", "tu" or "du"."""


class SendFailed(Exception):
    """The code did not leave; the text says why, without contact or code."""


class CodeSender(Protocol):
    """Sends codes over some channels."""

    channels: frozenset[Channel]

    async def send(self, message: CodeMessage) -> None:
        """Send, within :data:`SEND_S`. Raises SendFailed."""


class ConsoleSender:
    """Shows codes to whoever runs the demo: prints them, for demo mode only.

    The log only ever says that there was one.
    """

    channels: frozenset[Channel] = frozenset({"email", "sms"})

    def __init__(self, show: Callable[[str], None] = print) -> None:
        """``show`` gets the line for the operator's screen."""
        self._show = show

    async def send(self, message: CodeMessage) -> None:
        """Print the code."""
        logger.info("a one-time code is shown on the console (%s, demo)", message.channel)
        self._show(f"one-time code: {message.code} (demo: nothing was sent)")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail leaves. ``security``: TLS from the start, STARTTLS, or none (loopback only)."""

    host: str
    sender: str
    """The address in From."""
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    security: str = "starttls"
    timeout_s: float = SEND_S


class SmtpSender:
    """Sends codes by mail, over the standard library's client in a worker thread."""

    channels: frozenset[Channel] = frozenset({"email"})

    def __init__(self, server: SmtpServer) -> None:
        """Nothing is opened yet.

        Raises:
            ValueError: no security for a server elsewhere, or an unknown kind of it.
        """
        if server.security not in {"tls", "starttls", "none"}:
            raise ValueError(f"security must be tls, starttls or none, not {server.security!r}")
        if server.security == "none" and server.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError(f"mail to {server.host} must be encrypted: use starttls or tls")
        self._server = server

    async def send(self, message: CodeMessage) -> None:
        """Send one mail. At the deadline the thread is left to its own socket timeout."""
        try:
            async with asyncio.timeout(self._server.timeout_s):
                await asyncio.to_thread(self._deliver, self._mail(message))
        except TimeoutError:
            raise SendFailed("the mail server did not answer in time") from None
        except (OSError, smtplib.SMTPException) as error:
            # Their texts may hold the recipient: the kind of error is enough.
            raise SendFailed(f"the mail server failed ({type(error).__name__})") from None
        except ValueError:
            raise SendFailed("the address cannot stand in a mail") from None

    def _mail(self, message: CodeMessage) -> EmailMessage:
        subject, body = mail_texts(
            message.language,
            shop=message.shop,
            code=message.code,
            minutes=message.minutes,
            informal=message.informal,
        )
        mail = EmailMessage()
        mail["From"] = self._server.sender
        mail["To"] = message.contact  # refuses line breaks: no further headers can be smuggled in
        mail["Subject"] = subject
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(body)
        return mail

    def _deliver(self, mail: EmailMessage) -> None:
        server = self._server
        context = ssl.create_default_context()
        client = (
            smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_s, context=context)
            if server.security == "tls"
            else smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
        )
        with client:
            if server.security == "starttls":
                client.starttls(context=context)
            if server.user:
                client.login(server.user, server.password)
            client.send_message(mail)


class WebhookSender:
    """Hands codes to somebody's own gateway (SMS, WhatsApp, marketing tool) as signed JSON.

    ``POST url`` with ``{"channel", "to", "code", "language", "shop", "expires_minutes", "text"}``
    and ``X-Signature: sha256=<hex HMAC of the body>``; any 2xx is success.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        http: aiohttp.ClientSession,
        *,
        channels: frozenset[Channel] = frozenset({"email", "sms"}),
        timeout_s: float = SEND_S,
    ) -> None:
        """``http`` is the application's client; it is not closed here."""
        self.channels = channels
        self._url = url
        self._secret = secret.encode()
        self._http = http
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def send(self, message: CodeMessage) -> None:
        """Post once: a gateway that got it may have sent it, so it is not tried again."""
        text = mail_texts(
            message.language,
            shop=message.shop,
            code=message.code,
            minutes=message.minutes,
            informal=message.informal,
        )[0]
        body = orjson.dumps(
            {
                "channel": message.channel,
                "to": message.contact,
                "code": message.code,
                "language": message.language,
                "shop": message.shop,
                "expires_minutes": message.minutes,
                "text": text,
            }
        )
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Signature": f"sha256={signature}"}
        try:
            async with self._http.post(
                self._url,
                data=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                if not 200 <= answer.status < 300:
                    raise SendFailed(f"the gateway answered {answer.status}")
        except TimeoutError:
            raise SendFailed("the gateway did not answer in time") from None
        except aiohttp.ClientError as error:
            raise SendFailed(f"the gateway failed ({type(error).__name__})") from None
