"""Sunshine Conversations: users, conversations, messages and the switchboard."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.desks.cloud import Cloud, Seen, error

APP = "5e554d2cac66fb73a3c01871"


@dataclass
class FakeSunshine(Cloud):
    """An app whose key is app_1 with secret "sunco-secret"."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    conversations: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    control: dict[str, str] = field(default_factory=dict)
    """Conversation to the switchboard integration in control."""
    passes: list[dict[str, Any]] = field(default_factory=list)

    def perform(self, seen: Seen) -> web.Response:
        basic = base64.b64encode(b"app_1:sunco-secret").decode()
        if seen.headers.get("Authorization") != f"Basic {basic}":
            return error(401, "unauthorized")
        path = seen.path.removeprefix(f"/v2/apps/{APP}")
        if path == "/users" and seen.method == "POST":
            return self._user(seen.body)
        if path == "/conversations":
            return self._list(seen) if seen.method == "GET" else self._create(seen.body)
        if found := re.fullmatch(r"/conversations/(\w+)", path):
            known = self.conversations.get(found.group(1))
            return web.json_response({"conversation": known}) if known else _none()
        if found := re.fullmatch(r"/conversations/(\w+)/messages", path):
            if found.group(1) not in self.conversations:
                return _none()
            if seen.method == "GET":
                stored = self.messages[found.group(1)]
                return web.json_response({"messages": stored, "meta": {"hasMore": False}})
            return self._say(found.group(1), seen.body)
        if found := re.fullmatch(r"/conversations/(\w+)/passControl", path):
            if found.group(1) not in self.conversations:
                return _none()
            assert all(isinstance(value, str) for value in seen.body["metadata"].values())
            self.control[found.group(1)] = seen.body["switchboardIntegration"]
            self.passes.append(seen.body)
            return web.json_response({})
        return _none()

    def _user(self, body: dict[str, Any]) -> web.Response:
        if body["externalId"] in self.users:
            return _error(409, "conflict")
        self.users[body["externalId"]] = body
        return web.json_response({"user": {"id": f"{len(self.users):024x}", **body}}, status=201)

    def _list(self, seen: Seen) -> web.Response:
        wanted = seen.query["filter[userExternalId]"]
        if wanted not in self.users:
            return _none()
        mine = [c for c in self.conversations.values() if c["_user"] == wanted]
        return web.json_response({"conversations": mine, "meta": {"hasMore": False}})

    def _create(self, body: dict[str, Any]) -> web.Response:
        user = body["participants"][0]["userExternalId"]
        if user not in self.users:
            return _error(400, "bad_request")
        ident = f"c{len(self.conversations):023x}"
        self.conversations[ident] = {
            "id": ident,
            "type": body["type"],
            "metadata": body["metadata"],
            "_user": user,
        }
        self.messages[ident] = []
        return web.json_response({"conversation": self.conversations[ident]}, status=201)

    def _say(self, ident: str, body: dict[str, Any]) -> web.Response:
        assert len(body["content"]["text"].encode()) <= 16_000
        assert body["author"]["type"] in ("business", "user")
        message = {
            "id": f"m{len(self.messages[ident]):023x}",
            "received": "2026-11-25T10:00:05.000Z",
            **body,
        }
        self.messages[ident].append(message)
        return web.json_response({"messages": [message]}, status=201)

    def tickets(self) -> list[str]:
        return [c["metadata"]["packet"] for c in self.conversations.values()]

    def notes(self, reference: str) -> list[str]:
        return [message["content"]["text"] for message in self.messages[reference]]


def said(conversation: str, text: str, *, ident: str = "e1", **author: Any) -> dict[str, Any]:
    """The webhook of a message that somebody wrote."""
    return hook(
        "conversation:message",
        ident,
        conversation={"id": conversation, "type": "personal"},
        message={
            "id": f"m{ident}",
            "received": "2026-11-25T10:01:00.000Z",
            "author": {"type": "business", **author},
            "content": {"type": "text", "text": text},
            "source": {"type": "zd:agentWorkspace"},
        },
    )


def passed(conversation: str, to: str, *, ident: str = "e2") -> dict[str, Any]:
    """The webhook of control that changed hands."""
    active = {"id": "62b0", "name": to, "integrationId": "62af", "integrationType": "custom"}
    return hook(
        "switchboard:passControl",
        ident,
        conversation={
            "id": conversation,
            "type": "personal",
            "activeSwitchboardIntegration": active,
        },
        reason="ticketClosed",
        metadata={},
    )


def hook(kind: str, ident: str, **payload: Any) -> dict[str, Any]:
    """A webhook of one event."""
    return {
        "app": {"id": APP},
        "webhook": {"id": "5f6c", "version": "v2"},
        "events": [
            {
                "id": ident,
                "createdAt": "2026-11-25T10:01:00.000Z",
                "type": kind,
                "payload": payload,
            }
        ],
    }


def _none() -> web.Response:
    return _error(404, "not_found")


def _error(status: int, code: str) -> web.Response:
    return web.json_response(
        {"errors": [{"code": code, "title": "ann@example.com"}]}, status=status
    )
