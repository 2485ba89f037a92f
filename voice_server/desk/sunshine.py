"""Zendesk Sunshine Conversations: the switchboard passes control to people, and back.

A hand-off is a conversation of a user of its own (``externalId`` is the packet's id, so it is
found again), the packet as messages, then ``passControl``.  Each message carries the packet's id
and its own in ``metadata``: after a try of unknown outcome only the missing ones are sent.  While
people have control their messages come by webhook, and so does control when it is ours again.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from voice_server.desk.packet import DeskError, DeskEvent, HandOffPacket, Line, Ticket
from voice_server.desk.vendor import REQUEST_S, VendorClient, basic
from voice_server.desk.wording import as_text, tags

MESSAGE_CHARS = 4000
"""Longer texts are cut into several messages; the API takes 4,096 characters."""

PAGE = "100"
"""Messages or conversations of one page: the API's most."""


@dataclass(frozen=True, slots=True)
class SunshineOptions:
    """One app and its switchboard."""

    app: str = ""
    key_id: str = ""
    """Id of the API key; the pack calls it ``account``, since "key" is a secret's word there."""
    token: str = ""
    """The key's secret."""
    agents: str = "zd:agentWorkspace"
    """Switchboard integration of the people, by name or id; "next" works too."""
    ours: str = "voice-server"
    """Name of our own integration: control that comes to it is ours again."""
    hook_secret: str = ""
    """The webhook's secret, which Zendesk sends as X-API-Key."""
    base_url: str = "https://api.smooch.io"
    request_s: float = REQUEST_S


class SunshineDesk:
    """Implements :class:`voice_server.desk.packet.RelayDesk`."""

    name = "sunshine"

    def __init__(self, options: SunshineOptions) -> None:
        """Nothing is opened before the first packet."""
        self._options = options
        self._client = VendorClient(
            f"{options.base_url.rstrip('/')}/v2/apps/{options.app}",
            headers=basic(options.key_id, options.token),
            request_s=options.request_s,
        )

    async def deliver(self, packet: HandOffPacket, *, again: bool = False) -> Ticket:
        """See :class:`Desk`."""
        conversation = await self._find(packet.id) if again else None
        if conversation is None:
            await self._user(packet)
            conversation = await self._create(packet.id)
        sent = await self._sent(conversation) if again else {}
        first = ""
        for number, text in enumerate(_pieces(as_text(packet))):
            part = f"{packet.id}/{number}"
            ident = sent.get(part) or await self._message(conversation, text, part)
            first = first or ident
        await self._pass(conversation, packet, first)
        return Ticket(conversation)

    async def note(self, reference: str, text: str) -> None:
        """Add a message; no customer's client is in this conversation."""
        await self._message(reference, text, "")

    async def relay(self, reference: str, line: Line, line_id: str) -> None:
        """Show what was said; the customer's own words first, the translation below."""
        if line_id in await self._sent(reference):
            return
        words = f"{line.text}\n{line.translation}" if line.translation else line.text
        await self._message(reference, words, line_id, by_customer=line.role == "user")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    # ------------------------------------------------------------- requests

    async def _user(self, packet: HandOffPacket) -> None:
        profile = {
            "givenName": packet.customer_name or None,
            "email": packet.email or None,
            "locale": packet.language,
        }
        body = {
            "externalId": packet.id,
            "profile": {key: value for key, value in profile.items() if value},
        }
        await self._client.request("POST", "/users", body=body, accept={409})

    async def _find(self, packet_id: str) -> str | None:
        answer = await self._client.request(
            "GET",
            "/conversations",
            params={"filter[userExternalId]": packet_id, "page[size]": PAGE},
            accept={404},  # the user was not made yet
        )
        if answer.status == 404:
            return None
        for conversation in answer.items("conversations"):
            if (conversation.get("metadata") or {}).get("packet") == packet_id:
                return _id(conversation)
        return None

    async def _create(self, packet_id: str) -> str:
        body = {
            "type": "personal",
            "participants": [{"userExternalId": packet_id, "subscribeSDKClient": False}],
            "metadata": {"packet": packet_id},
        }
        answer = await self._client.request("POST", "/conversations", body=body)
        return _id(answer.need("conversation"))

    async def _sent(self, conversation: str) -> dict[str, str]:
        """Return the parts that are there already, part to message id."""
        answer = await self._client.request(
            "GET", f"/conversations/{conversation}/messages", params={"page[size]": PAGE}
        )
        found: dict[str, str] = {}
        for message in answer.items("messages"):
            part = (message.get("metadata") or {}).get("part")
            if isinstance(part, str) and part:
                found[part] = _id(message)
        return found

    async def _message(
        self, conversation: str, text: str, part: str, *, by_customer: bool = False
    ) -> str:
        author: dict[str, Any] = {"type": "business", "subtypes": ["AI"]}
        if by_customer:
            # The conversation's only user: the one the packet was made for.
            answer = await self._client.request("GET", f"/conversations/{conversation}")
            metadata = answer.need("conversation").get("metadata") or {}
            author = {"type": "user", "userExternalId": str(metadata.get("packet", ""))}
        body: dict[str, Any] = {"author": author, "content": {"type": "text", "text": text}}
        if part:
            body["metadata"] = {"part": part}
        answer = await self._client.request(
            "POST", f"/conversations/{conversation}/messages", body=body
        )
        messages = answer.items("messages")
        if not messages:
            raise DeskError("the answer has no message")
        return _id(messages[0])

    async def _pass(self, conversation: str, packet: HandOffPacket, first: str) -> None:
        metadata = {
            "first_message_id": first,
            "dataCapture.systemField.tags": ",".join(tags(packet)),
            "dataCapture.systemField.priority": packet.priority.value,
        }
        body = {"switchboardIntegration": self._options.agents, "metadata": metadata}
        await self._client.request("POST", f"/conversations/{conversation}/passControl", body=body)

    # ------------------------------------------------------------- webhooks

    def authentic(self, presented: str) -> bool:
        """Tell whether a webhook's ``X-API-Key`` is right; without a secret none is."""
        secret = self._options.hook_secret
        return bool(secret) and hmac.compare_digest(presented.encode(), secret.encode())

    def events(self, body: bytes) -> list[DeskEvent]:
        """Read a webhook. Raises ValueError for what is no webhook; skips what is not for us."""
        try:
            data = orjson.loads(body)
            found = [self._event(event) for event in data["events"]]
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a Sunshine Conversations webhook") from error
        return [event for event in found if event is not None]

    def _event(self, event: dict[str, Any]) -> DeskEvent | None:
        payload = event["payload"]
        conversation = payload.get("conversation") or {}
        reference, ident = str(conversation.get("id", "")), str(event.get("id", ""))
        if event["type"] == "switchboard:passControl":
            active = conversation.get("activeSwitchboardIntegration") or {}
            if self._options.ours in (active.get("name"), active.get("id")):
                return DeskEvent(ident, "returned", reference)
        elif event["type"] == "switchboard:passControl:failure":
            return DeskEvent(ident, "returned", reference)
        elif event["type"] == "conversation:message":
            message = payload["message"]
            author, content = message["author"], message["content"]
            by_people = author.get("type") == "business" and "AI" not in (
                author.get("subtypes") or ()
            )
            if by_people and content.get("type") == "text" and content.get("text"):
                return DeskEvent(
                    str(message.get("id", ident)),
                    "said",
                    reference,
                    text=str(content["text"]),
                    agent=str(author.get("displayName") or ""),
                )
        return None


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in messages that are short enough, cut at line ends where that is possible."""
    piece = ""
    for line in text.splitlines():
        for start in range(0, max(1, len(line)), MESSAGE_CHARS):
            part = line[start : start + MESSAGE_CHARS]
            if piece and len(piece) + 1 + len(part) > MESSAGE_CHARS:
                yield piece
                piece = part
            else:
                piece = f"{piece}\n{part}" if piece else part
    if piece:
        yield piece


def _id(value: object) -> str:
    found = value.get("id") if isinstance(value, dict) else None
    if not isinstance(found, str) or not found.isalnum():
        raise DeskError("the answer has no id")
    return found
