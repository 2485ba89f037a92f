"""Identity, put together from the settings: how codes are sent, and the desk of a shop."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import aiohttp

from voice_server.config import LOOPBACK, Settings
from voice_server.dialogue.flows.ports import ProofReader
from voice_server.dialogue.identity.hearing import proof_reader
from voice_server.dialogue.identity.senders import (
    CodeSender,
    ConsoleSender,
    SmtpSender,
    SmtpServer,
    WebhookSender,
)
from voice_server.dialogue.identity.service import IdentityService
from voice_server.dialogue.spelling.checks import OrderFormat
from voice_server.shop.platform import ShopPlatform
from voice_server.shop.shop import Shop


def code_sender(settings: Settings, http: aiohttp.ClientSession, sender: str) -> CodeSender | None:
    """Return how one-time codes are sent; None: not at all, level 2 is out of reach.

    Args:
        settings: ``codes`` says how.
        http: the application's client, for webhooks.
        sender: the address that mail comes from where the settings name none (the shop's own).

    Raises:
        ValueError: mail to another machine would not be encrypted, or a webhook lacks its secret.
    """
    how = settings.codes.get_secret_value()
    if how == "auto":
        how = "console" if settings.demo_mode else "none"
    if how == "none":
        return None
    if how == "console":
        return ConsoleSender()
    url = urlsplit(how)
    if url.scheme in {"http", "https"}:
        secret = settings.codes_secret.get_secret_value()
        if not secret:
            raise ValueError("codes by webhook need codes_secret: it signs what is posted")
        if url.scheme == "http" and url.hostname not in LOOPBACK:
            raise ValueError("codes by webhook to another machine need https")
        return WebhookSender(how, secret, http)
    plain = url.scheme == "smtp" and url.hostname in LOOPBACK
    security = "tls" if url.scheme == "smtps" else "none" if plain else "starttls"
    return SmtpSender(
        SmtpServer(
            host=url.hostname or "",
            sender=settings.codes_from or sender,
            port=url.port or {"tls": 465, "starttls": 587, "none": 25}[security],
            user=unquote(url.username or ""),
            password=unquote(url.password or ""),
            security=security,
        )
    )


def identity_service(
    shop: Shop, platform: ShopPlatform, settings: Settings, http: aiohttp.ClientSession
) -> IdentityService:
    """Return the identity desk of a shop; one lives as long as the server does.

    Raises:
        ValueError: see :func:`code_sender`.
    """
    return IdentityService(
        platform,
        code_sender(settings, http, shop.policies.email),
        shop=shop.name,
        digits=shop.orders.digits,
        familiar=shop.familiar,
    )


def proofs_for(shop: Shop) -> ProofReader:
    """Return the reader of proofs for a shop's order numbers and the countries it delivers to."""
    home = shop.market.country
    others = [country for country in shop.policies.delivery if country != home]
    return proof_reader(OrderFormat(shop.orders.prefix, shop.orders.digits), (home, *others))
