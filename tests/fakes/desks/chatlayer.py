"""A shop's own Chatlayer app: the endpoint that people's desk is reached through."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.desks.cloud import Cloud, Seen, error

SECRET = "cl-secret"


@dataclass
class FakeChatlayer(Cloud):
    """Knows the ids it has seen."""

    offloads: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    written: dict[str, list[str]] = field(default_factory=dict)

    def perform(self, seen: Seen) -> web.Response:
        digest = hmac.new(SECRET.encode(), seen.raw, hashlib.sha256).hexdigest()
        if seen.headers.get("X-Signature") != f"sha256={digest}":
            return error(401, "unauthorized")
        body = seen.body
        if body["event"] == "offload":
            fresh = body["id"] not in self.offloads
            self.offloads.setdefault(body["id"], body)
            reference = f"conv-{list(self.offloads).index(body['id'])}"
            self.written.setdefault(reference, [])
            if fresh:
                self.written[reference].append(body["text"])
            return web.json_response({"conversationId": reference}, status=201 if fresh else 200)
        if body["conversationId"] not in self.written:
            return error(404, "not_found")
        if body["event"] == "message":
            if body["id"] not in self.messages:
                self.messages[body["id"]] = body
                self.written[body["conversationId"]].append(body["text"])
        else:
            self.written[body["conversationId"]].append(body["text"])
        return web.json_response({})

    def tickets(self) -> list[str]:
        return list(self.offloads)

    def notes(self, reference: str) -> list[str]:
        return self.written[reference]
