"""Vendors' REST APIs on a real socket, with their documented shapes, errors and limits.

When a call is accepted the vendor does what it does: rings, asks our webhook, opens the stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from aiohttp import web

from voice_server.telephony.signatures import twilio_signature

TOKEN = "vendor-secret"


class PhoneVendor:
    """All four, told apart by the path."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        """Method, path and body of every request with a good authorisation."""
        self.fail: tuple[int, dict[str, str]] | None = None
        """Status and headers of the next answers."""
        self.slow_s = 0.0
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[PhoneVendor]:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(application, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.slow_s)
        vendor = self._vendor(request.path)
        raw = await request.read()
        authorised = request.headers.get("Authorization", "")
        scheme = "Bearer " if vendor in ("telnyx", "vonage") else "Basic "
        if not authorised.startswith(scheme):
            return self._error(vendor, 401, "Authenticate")
        if self.fail is not None:
            status, headers = self.fail
            return self._error(vendor, status, "Too Many Requests", headers)
        if request.content_type == "application/x-www-form-urlencoded":
            body: dict[str, Any] = {}
            for name, value in parse_qsl(raw.decode()):
                body.setdefault(name, value)
        else:
            body = orjson.loads(raw) if raw else {}
        self.asked.append((request.method, request.path, body))
        number = str(body.get("To") or body.get("to") or "")
        if "999" in number:
            return self._error(vendor, 400, "Invalid 'To' phone number")
        return self._accepted(vendor, request)

    @staticmethod
    def _vendor(path: str) -> str:
        if path.startswith("/2010-04-01/"):
            return "twilio"
        if path.startswith("/v2/"):
            return "telnyx"
        return "plivo" if path.startswith("/v1/Account/") else "vonage"

    @staticmethod
    def _accepted(vendor: str, request: web.Request) -> web.Response:
        if vendor == "twilio":
            return web.json_response({"sid": "CA1", "status": "queued"}, status=201)
        if vendor == "telnyx":
            data = {"call_control_id": "v3:1", "call_leg_id": "l", "is_alive": False,
                    "record_type": "call", "result": "ok"}  # fmt: skip
            return web.json_response({"data": data})
        if vendor == "plivo":
            if request.method == "DELETE":
                return web.Response(status=204)
            fired = {"api_id": "a", "message": "call fired", "request_uuid": "r1"}
            return web.json_response(fired, status=201)
        if request.method == "PUT":
            return web.Response(status=204)
        started = {"uuid": "u1", "status": "started", "direction": "outbound",
                   "conversation_uuid": "CON-1"}  # fmt: skip
        return web.json_response(started, status=201)

    @staticmethod
    def _error(
        vendor: str, status: int, words: str, headers: dict[str, str] | None = None
    ) -> web.Response:
        bodies: dict[str, dict[str, Any]] = {
            "twilio": {"code": 21211, "message": words, "more_info": "…", "status": status},
            "telnyx": {"errors": [{"code": "10015", "title": "Error", "detail": words}]},
            "plivo": {"api_id": "a", "error": words},
            "vonage": {"type": "…", "title": "Error", "detail": words, "instance": "i"},
        }
        return web.json_response(bodies[vendor], status=status, headers=headers)


async def twilio_webhook(client: Any, url: str, form: dict[str, str]) -> Any:
    """POST a webhook as Twilio signs it; return status and text."""
    signature = twilio_signature(TOKEN, url, list(form.items()))
    headers = {
        "X-Twilio-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with client.post(url, data=urlencode(form), headers=headers) as reply:
        return reply.status, await reply.text()
