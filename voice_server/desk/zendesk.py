"""Zendesk Support: a ticket for each hand-off, notes that only staff sees.

A ticket is made with an ``Idempotency-Key`` (remembered by Zendesk for a few hours) and carries
the packet's id as ``external_id``, by which it is found for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voice_server.desk.packet import HandOffPacket, Priority, Ticket
from voice_server.desk.vendor import REQUEST_S, Answer, VendorClient, basic
from voice_server.desk.wording import as_html, subject, tags

LOCALES: Mapping[str, int] = {"en": 1, "fr": 16, "de": 8, "nl": 1005}
"""Zendesk's numbers for languages; an account may lack some, hence the option."""

RECORDED = "ai_recording_attached"
"""Tag of tickets that have their recording: it is attached once."""


@dataclass(frozen=True, slots=True)
class ZendeskOptions:
    """One account. ``token`` is an API token of ``email``, or alone an OAuth access token."""

    subdomain: str = ""
    token: str = ""
    email: str = ""
    group_id: int = 0
    """Group that gets the tickets; 0: the account's own triage."""
    fields: Mapping[str, int] = field(default_factory=dict)
    """Slot name to the id of a custom field."""
    locales: Mapping[str, int] = field(default_factory=lambda: dict(LOCALES))
    line: str = ""
    """The shop's phone number, for the voice comment."""
    base_url: str = ""
    """Instead of the subdomain's, for tests."""
    request_s: float = REQUEST_S


class ZendeskDesk:
    """Implements :class:`voice_server.desk.packet.Desk`."""

    name = "zendesk"

    def __init__(self, options: ZendeskOptions) -> None:
        """Nothing is opened before the first packet."""
        self._options = options
        if options.email:
            headers = basic(f"{options.email}/token", options.token)
        else:
            headers = {"Authorization": f"Bearer {options.token}"}
        self._client = VendorClient(
            options.base_url or f"https://{options.subdomain}.zendesk.com",
            headers=headers,
            request_s=options.request_s,
        )

    async def deliver(self, packet: HandOffPacket, *, again: bool = False) -> Ticket:
        """See :class:`Desk`."""
        ticket = await self._find(packet) if again else None
        if ticket is None:
            ticket = await self._create(packet)
        if packet.recording and RECORDED not in ticket.get("tags", ()):
            await self._attach_recording(packet, ticket["id"])
        return Ticket(str(ticket["id"]), self._url(ticket))

    async def note(self, reference: str, text: str) -> None:
        """Add a private comment."""
        await self._update(reference, {"comment": {"body": text, "public": False}})

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _find(self, packet: HandOffPacket) -> dict[str, Any] | None:
        answer = await self._client.request(
            "GET", "/api/v2/tickets.json", params={"external_id": packet.id}
        )
        found = answer.items("tickets")
        for ticket in found:
            if ticket.get("external_id") == packet.id:
                return _with_id(ticket)
        return None

    async def _create(self, packet: HandOffPacket) -> dict[str, Any]:
        answer: Answer = await self._client.request(
            "POST",
            "/api/v2/tickets.json",
            body={"ticket": self._ticket(packet)},
            headers={"Idempotency-Key": packet.id},
        )
        answer.need("ticket", "id")
        return _with_id(answer.need("ticket"))

    def _ticket(self, packet: HandOffPacket) -> dict[str, Any]:
        options = self._options
        ticket: dict[str, Any] = {
            "subject": subject(packet),
            "comment": {"html_body": as_html(packet), "public": False},
            "priority": packet.priority.value,
            "type": "problem" if packet.priority.rank >= Priority.HIGH.rank else "question",
            "status": "open",
            "tags": list(tags(packet)),
            "external_id": packet.id,
        }
        if packet.email:  # Zendesk makes no requester without one
            requester: dict[str, Any] = {
                "name": packet.customer_name or packet.email,
                "email": packet.email,
            }
            if packet.language in options.locales:
                requester["locale_id"] = options.locales[packet.language]
            ticket["requester"] = requester
        if options.group_id:
            ticket["group_id"] = options.group_id
        custom = [
            {"id": options.fields[name], "value": value}
            for name, value in packet.slots
            if name in options.fields
        ]
        if custom:
            ticket["custom_fields"] = custom
        return ticket

    async def _attach_recording(self, packet: HandOffPacket, ticket_id: int) -> None:
        started = packet.created_at.isoformat() if packet.created_at else ""
        voice = {
            "from": packet.phone,
            "to": self._options.line,
            "recording_url": packet.recording,
            "started_at": started,
            "call_duration": 0,
            "transcription_text": packet.internal_summary,
        }
        change = {"voice_comment": voice, "additional_tags": [RECORDED]}
        await self._update(str(ticket_id), change)

    async def _update(self, reference: str, change: dict[str, Any]) -> None:
        await self._client.request(
            "PUT", f"/api/v2/tickets/{int(reference)}.json", body={"ticket": change}
        )

    def _url(self, ticket: dict[str, Any]) -> str:
        subdomain = self._options.subdomain
        return f"https://{subdomain}.zendesk.com/agent/tickets/{ticket['id']}" if subdomain else ""


def _with_id(ticket: dict[str, Any]) -> dict[str, Any]:
    tags_ = ticket.get("tags")
    return {**ticket, "id": int(ticket["id"]), "tags": tags_ if isinstance(tags_, list) else []}
