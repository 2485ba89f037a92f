"""Who may bring calls: the vendors' signatures, our own tickets, the demo on loopback."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web

from voice_server.config import LOOPBACK
from voice_server.telephony.ports import TelephonyBackend
from voice_server.telephony.signatures import Form, Guard, SignatureWrong


class Refused(Exception):
    """A request that cannot be trusted. The text is for the log."""


class Proof:
    """Checks requests of vendors. One for a server, because it remembers what it has seen."""

    def __init__(self, backend: TelephonyBackend, now: Callable[[], float]) -> None:
        """``now``: seconds since the epoch."""
        self._backend = backend
        self._secrets = backend.secrets
        self._guard = Guard()
        self._now = now

    def public_url(self, request: web.Request, path: str | None = None, *, ws: bool = False) -> str:
        """Return the address of ``path`` (None: of this request) as the vendor sees it."""
        base = self._backend.public_url.rstrip("/")
        if not base:
            scheme = request.headers.get("X-Forwarded-Proto", request.scheme)
            base = f"{'https' if scheme in ('https', 'wss') else 'http'}://{request.host}"
        if ws:
            base = base.replace("http", "ws", 1)
        return base + (request.path_qs if path is None else path)

    def webhook(self, vendor: str, request: web.Request, form: Form, body: bytes) -> None:
        """Check a webhook. Raises Refused."""
        secrets, headers, now = self._secrets, request.headers, self._now()
        try:
            if vendor == "twilio" and secrets.twilio:
                signature = headers.get("X-Twilio-Signature", "")
                self._guard.twilio(secrets.twilio, signature, self.public_url(request), form, now)
            elif vendor == "plivo" and secrets.plivo:
                signature = headers.get("X-Plivo-Signature-V3", "")
                nonce = headers.get("X-Plivo-Signature-V3-Nonce", "")
                url = self.public_url(request)
                self._guard.plivo(secrets.plivo, signature, nonce, url, form, now)
            elif vendor == "telnyx" and secrets.telnyx:
                signature = headers.get("telnyx-signature-ed25519", "")
                stamp = headers.get("telnyx-timestamp", "")
                self._guard.telnyx(secrets.telnyx, signature, stamp, body, now)
            elif vendor == "vonage" and secrets.vonage:
                self._guard.vonage(secrets.vonage, headers.get("Authorization", ""), body, now)
            elif vendor == "asterisk" and secrets.asterisk:
                self._password(request)
            else:
                self._demo(vendor, request)
        except SignatureWrong as wrong:
            raise Refused(str(wrong)) from None

    def stream(self, vendor: str, request: web.Request) -> None:
        """Check the handshake of a websocket that brings no ticket. Raises Refused.

        Twilio signs handshakes too, but only their URL: the same for every call, so it would prove
        nothing the second time.  Its streams, as Telnyx' and Plivo's, come with our ticket.
        """
        secrets, headers, now = self._secrets, request.headers, self._now()
        try:
            if vendor == "genesys" and secrets.genesys_key:
                signed = {name.lower(): value for name, value in headers.items()}
                self._guard.genesys(
                    secrets.genesys_key, secrets.genesys_secret, signed, request.path_qs, now
                )
            elif vendor == "vonage" and secrets.vonage:
                self._guard.vonage(secrets.vonage, headers.get("Authorization", ""), b"", now)
            elif vendor == "asterisk" and secrets.asterisk:
                self._password(request)
            elif self._has_secret(vendor):
                raise Refused(f"{vendor}: the stream brings no ticket of our webhook's answer")
            else:
                self._demo(vendor, request)
        except SignatureWrong as wrong:
            raise Refused(str(wrong)) from None

    def _has_secret(self, vendor: str) -> bool:
        return bool(getattr(self._secrets, vendor, ""))

    def _password(self, request: web.Request) -> None:
        """HTTP Basic with any name, as websocket_client.conf and CURL() send it."""
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        given = ""
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(encoded).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        if not hmac.compare_digest(given.encode(), self._secrets.asterisk.encode()):
            raise Refused("asterisk: the password does not fit")

    def _demo(self, vendor: str, request: web.Request) -> None:
        """Take the unsigned, but no web page of another site and no rebound name."""
        if not self._backend.demo:
            raise Refused(f"{vendor}: no secret of this vendor is configured")
        host = urlsplit(f"//{request.host}").hostname
        if host not in LOOPBACK or "Origin" in request.headers:
            raise Refused("demo mode takes calls from this machine's own programs only")
