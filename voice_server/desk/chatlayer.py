"""Chatlayer by Sinch: an offload endpoint in the shop's Chatlayer app, and a webhook of ours.

Chatlayer has no public call to send messages: a shop's own app there (its SDK's ``performOffload``,
``performSend`` and ``performReceive``) talks to a human desk.  This is the other end of that app:
we POST the packet and what is said to its endpoint, it POSTs what people say to our webhook.  Both
sides sign the body: ``X-Signature: sha256=<HMAC of the body in hex>``.

To the app::

    {"event": "offload", "id": "ho_…", "session": "sess_…", "language": "nl", "summary": "…",
     "customerSummary": "…", "priority": "high", "tags": ["…"], "customer": {…}, "text": "…"}
                                                   -> 200 or 201 {"conversationId": "…"}
    {"event": "message", "id": "…", "conversationId": "…", "from": "user", "text": "…",
     "translation": "…", "language": "nl"}         -> 200; the same id twice is shown once
    {"event": "note", "conversationId": "…", "text": "…"}

From the app::

    {"event": "message", "id": "…", "conversationId": "…", "text": "…", "agent": "…"}
    {"event": "resume" or "end", "id": "…", "conversationId": "…"}
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import orjson

from voice_server.desk.packet import DeskError, DeskEvent, HandOffPacket, Line, Ticket
from voice_server.desk.vendor import REQUEST_S, VendorClient
from voice_server.desk.wording import as_text, tags

KINDS = {"message": "said", "resume": "returned", "end": "ended"}
"""Events of the app and what they mean here."""


@dataclass(frozen=True, slots=True)
class ChatlayerOptions:
    """One app. ``secret`` signs both ways."""

    url: str = ""
    """The app's endpoint, https."""
    secret: str = ""
    request_s: float = REQUEST_S


class ChatlayerDesk:
    """Implements :class:`voice_server.desk.packet.RelayDesk`."""

    name = "chatlayer"

    def __init__(self, options: ChatlayerOptions) -> None:
        """Nothing is opened before the first packet."""
        self._options = options
        self._client = VendorClient(options.url, request_s=options.request_s)

    async def deliver(self, packet: HandOffPacket, *, again: bool = False) -> Ticket:
        """See :class:`Desk`; the app knows an id that it has seen, so ``again`` changes nothing."""
        customer = {
            "name": packet.customer_name,
            "email": packet.email,
            "phone": packet.phone,
            "identityLevel": packet.identity_level,
        }
        answer = await self._post(
            {
                "event": "offload",
                "id": packet.id,
                "session": packet.session_id,
                "language": packet.language,
                "summary": packet.internal_summary,
                "customerSummary": packet.summary,
                "priority": packet.priority.value,
                "tags": list(tags(packet)),
                "customer": customer,
                "text": as_text(packet),
            },
            key=packet.id,
        )
        reference = answer.get("conversationId") if isinstance(answer, dict) else None
        if not isinstance(reference, str) or not reference:
            raise DeskError("the app's answer has no 'conversationId'")
        return Ticket(reference)

    async def note(self, reference: str, text: str) -> None:
        """Add a note."""
        await self._post({"event": "note", "conversationId": reference, "text": text})

    async def relay(self, reference: str, line: Line, line_id: str) -> None:
        """Show what was said."""
        await self._post(
            {
                "event": "message",
                "id": line_id,
                "conversationId": reference,
                "from": line.role,
                "text": line.text,
                "translation": line.translation,
                "language": line.language,
            },
            key=line_id,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _post(self, body: dict[str, Any], *, key: str = "") -> Any:
        headers = {"X-Signature": self.signature(orjson.dumps(body))}
        if key:
            headers["Idempotency-Key"] = key
        return (await self._client.request("POST", "", body=body, headers=headers)).body

    def signature(self, body: bytes) -> str:
        """Return the signature of a body."""
        digest = hmac.new(self._options.secret.encode(), body, hashlib.sha256)
        return f"sha256={digest.hexdigest()}"

    def authentic(self, body: bytes, presented: str) -> bool:
        """Tell whether a webhook's signature is right; without a secret none is."""
        right = self.signature(body)
        return bool(self._options.secret) and hmac.compare_digest(
            presented.encode(), right.encode()
        )

    def events(self, body: bytes) -> list[DeskEvent]:
        """Read a webhook. Raises ValueError for what is none; an unknown event is skipped."""
        try:
            data = orjson.loads(body)
            kind = KINDS.get(data["event"])
            if kind is None:
                return []
            event = DeskEvent(
                str(data["id"]),
                kind,
                str(data["conversationId"]),
                text=str(data.get("text") or ""),
                agent=str(data.get("agent") or ""),
            )
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError("not a Chatlayer webhook") from error
        return [] if kind == "said" and not event.text else [event]
