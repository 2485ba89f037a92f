"""Zendesk Support as far as hand-offs need it: tickets, idempotency keys, private comments."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.desks.cloud import Cloud, Seen, error


@dataclass
class FakeZendesk(Cloud):
    """An account whose API token is "zd-token" of ops@shop.be."""

    store: dict[int, dict[str, Any]] = field(default_factory=dict)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    voice_comments: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    keys_expire: bool = False
    """Zendesk forgets idempotency keys after some hours."""

    def perform(self, seen: Seen) -> web.Response:
        basic = base64.b64encode(b"ops@shop.be/token:zd-token").decode()
        if seen.headers.get("Authorization") not in (f"Basic {basic}", "Bearer zd-token"):
            return error(401, "Couldn't authenticate you")
        if seen.method == "POST" and seen.path == "/api/v2/tickets.json":
            return self._create(seen)
        if seen.method == "GET" and seen.path == "/api/v2/tickets.json":
            wanted = seen.query.get("external_id")
            found = [t for t in self.store.values() if t["external_id"] == wanted]
            return web.json_response({"tickets": found, "count": len(found), "next_page": None})
        update = re.fullmatch(r"/api/v2/tickets/(\d+)\.json", seen.path)
        if seen.method == "PUT" and update:
            return self._update(int(update.group(1)), seen.body["ticket"])
        return error(404, "InvalidEndpoint")

    def _create(self, seen: Seen) -> web.Response:
        key = seen.headers.get("Idempotency-Key", "")
        assert 0 < len(key) <= 255
        known = None if self.keys_expire else self.keys.get(key)
        if known is not None:
            if known[0] != seen.raw:
                return error(400, "IdempotentRequestError")
            return self._answer(known[1], 201, "hit")
        ticket = seen.body["ticket"]
        if ticket["priority"] not in ("urgent", "high", "normal", "low"):
            return error(422, "RecordInvalid")
        if ticket["type"] not in ("problem", "incident", "question", "task"):
            return error(422, "RecordInvalid")
        if "requester" in ticket and not ticket["requester"].get("email"):
            return error(422, "RecordInvalid")
        number = 100 + len(self.store)
        self.store[number] = {
            **{name: value for name, value in ticket.items() if name != "comment"},
            "id": number,
            "url": f"{self.url}/api/v2/tickets/{number}.json",
        }
        self.comments[number] = [ticket["comment"]]
        self.keys[key] = (seen.raw, number)
        return self._answer(number, 201, "miss")

    def _update(self, number: int, change: dict[str, Any]) -> web.Response:
        if number not in self.store:
            return error(404, "RecordNotFound")
        if "comment" in change:
            self.comments[number].append(change["comment"])
        if "voice_comment" in change:
            self.voice_comments.append(change["voice_comment"])
        self.store[number]["tags"] = [
            *self.store[number]["tags"], *change.get("additional_tags", [])
        ]  # fmt: skip
        return self._answer(number, 200, "miss")

    def _answer(self, number: int, status: int, lookup: str) -> web.Response:
        return web.json_response(
            {"ticket": self.store[number], "audit": {"id": 1, "events": []}},
            status=status,
            headers={
                "x-idempotency-lookup": lookup,
                "Location": self.store[number]["url"],
                "X-Rate-Limit": "700",
            },
        )

    def tickets(self) -> list[str]:
        return [ticket["external_id"] for ticket in self.store.values()]

    def notes(self, reference: str) -> list[str]:
        comments = self.comments[int(reference)]
        assert not any(comment["public"] for comment in comments)
        return [comment.get("html_body") or comment["body"] for comment in comments]
