"""Dixa as far as hand-offs need it: end users, call-backs, contact forms, notes, tags."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.desks.cloud import Cloud, Seen, error

TAGS = {"ai_handoff": "9b1d-1", "lang_nl": "9b1d-2"}


@dataclass
class FakeDixa(Cloud):
    """An organisation whose token is "dixa-token"."""

    users: list[dict[str, Any]] = field(default_factory=list)
    conversations: list[dict[str, Any]] = field(default_factory=list)
    written: dict[str, list[str]] = field(default_factory=dict)
    tagged: set[tuple[str, str]] = field(default_factory=set)
    now: str = "2026-11-25T10:00:05Z"

    def perform(self, seen: Seen) -> web.Response:
        if seen.headers.get("Authorization") != "dixa-token":
            return error(401, "Unauthorized")
        path = seen.path.removeprefix("/v1")
        if path == "/endusers":
            return self._find_user(seen) if seen.method == "GET" else self._make_user(seen)
        if path == "/tags":
            return _data([{"id": ident, "name": name} for name, ident in TAGS.items()])
        if path == "/conversations" and seen.method == "POST":
            return self._make_conversation(seen.body)
        if found := re.fullmatch(r"/endusers/([\w-]+)/conversations", path):
            mine = [c for c in self.conversations if c["requesterId"] == found.group(1)]
            return _data(mine)
        if found := re.fullmatch(r"/conversations/(\d+)/notes", path):
            return self._notes(found.group(1), seen)
        if found := re.fullmatch(r"/conversations/(\d+)/tags/([\w-]+)", path):
            self.tagged.add((found.group(1), found.group(2)))
            return web.Response(status=204)
        return error(404, "NotFound")

    def _find_user(self, seen: Seen) -> web.Response:
        filters = [key for key in ("email", "phone", "externalId") if key in seen.query]
        if len(filters) != 1:
            return error(400, "BadRequest")
        name = {"phone": "phoneNumber"}.get(filters[0], filters[0])
        return _data([u for u in self.users if u.get(name) == seen.query[filters[0]]])

    def _make_user(self, seen: Seen) -> web.Response:
        user = {**seen.body, "id": f"7a52c0de-{len(self.users)}"}
        self.users.append(user)
        return _data(user, 201)

    def _make_conversation(self, body: dict[str, Any]) -> web.Response:
        needed = {
            "Callback": {"contactEndpointId", "direction", "queueId", "requesterId"},
            "ContactForm": {"emailIntegrationId", "subject", "requesterId", "message"},
        }.get(body["_type"])
        if needed is None or not needed <= body.keys():
            return error(400, "BadRequest")
        number = 500 + len(self.conversations)
        self.conversations.append(
            {
                "id": number,
                "requesterId": body["requesterId"],
                "channel": body["_type"],
                "createdAt": self.now,
                "direction": "Inbound",
                "state": "Open",
            }
        )
        self.written[str(number)] = []
        return _data({"id": number}, 201)

    def _notes(self, number: str, seen: Seen) -> web.Response:
        if number not in self.written:
            return error(404, "NotFound")
        if seen.method == "GET":
            notes = [{"id": str(i), "message": text} for i, text in enumerate(self.written[number])]
            return _data(notes)
        self.written[number].append(seen.body["message"])
        return _data({"id": str(len(self.written[number])), "message": seen.body["message"]}, 201)

    def tickets(self) -> list[str]:
        found = []
        for conversation in self.conversations:
            notes = "\n".join(self.written[str(conversation["id"])])
            mark = re.search(r"\[(ho_\w+)\]", notes)
            found.append(mark.group(1) if mark else "bare")
        return found

    def notes(self, reference: str) -> list[str]:
        return self.written[reference]


def _data(data: object, status: int = 200) -> web.Response:
    return web.json_response({"data": data, "meta": {}}, status=status)
