"""Dixa: a call-back conversation for the phone, a contact form for everybody else.

Dixa has no idempotency key.  Every conversation gets a note with the packet's mark; after a try
of unknown outcome the requester's newer conversations are searched for that note.  A conversation
without any note of ours, of the same kind and made since the packet was, is the one whose note
could not be written any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from voice_server.desk.packet import DeskError, HandOffPacket, Ticket
from voice_server.desk.vendor import REQUEST_S, VendorClient
from voice_server.desk.wording import as_text, mark, subject, tags

SKEW = timedelta(minutes=2)
"""Dixa's clock and ours may differ by so much."""

OURS = "[ho_"
"""Notes with this are ours: every packet id begins so."""


@dataclass(frozen=True, slots=True)
class DixaOptions:
    """One organisation."""

    token: str = ""
    contact_endpoint: str = ""
    """The shop's phone line at Dixa, "+32…": call-backs come from it."""
    queue_id: str = ""
    email_integration: str = ""
    """Address of the contact form, for customers without a phone number."""
    base_url: str = "https://dev.dixa.io/v1"
    request_s: float = REQUEST_S


class DixaDesk:
    """Implements :class:`voice_server.desk.packet.Desk`."""

    name = "dixa"

    def __init__(self, options: DixaOptions) -> None:
        """Nothing is opened before the first packet."""
        self._options = options
        self._client = VendorClient(
            options.base_url,
            headers={"Authorization": options.token},  # as it is: Dixa wants no "Bearer"
            request_s=options.request_s,
        )
        self._tags: dict[str, str] | None = None

    async def deliver(self, packet: HandOffPacket, *, again: bool = False) -> Ticket:
        """See :class:`Desk`."""
        requester = await self._requester(packet)
        conversation, noted = None, False
        if again:
            conversation, noted = await self._find(packet, requester)
        if conversation is None:
            conversation = await self._create(packet, requester)
        if not noted:
            await self.note(conversation, as_text(packet))
        await self._tag(packet, conversation)
        return Ticket(conversation, f"https://desk.dixa.com/conversation/{conversation}")

    async def note(self, reference: str, text: str) -> None:
        """Add an internal note."""
        await self._client.request(
            "POST", f"/conversations/{int(reference)}/notes", body={"message": text}
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    # ------------------------------------------------------------- end users

    async def _requester(self, packet: HandOffPacket) -> str:
        """Return the end user's id, found by what identifies them best, else made."""
        for key, value in (("email", packet.email), ("phone", packet.phone)):
            if value:
                found = await self._client.request("GET", "/endusers", params={key: value})
                for user in found.items("data"):
                    return _text(user, "id")
        external = f"{packet.shop_id}:{packet.session_id}"
        if not packet.email and not packet.phone:
            found = await self._client.request("GET", "/endusers", params={"externalId": external})
            for user in found.items("data"):
                return _text(user, "id")
        body = {
            "displayName": packet.customer_name or packet.email or packet.phone or external,
            "email": packet.email or None,
            "phoneNumber": packet.phone or None,
            "externalId": external,
        }
        made = await self._client.request(
            "POST", "/endusers", body={key: value for key, value in body.items() if value}
        )
        return _text(made.need("data"), "id")

    # --------------------------------------------------------- conversations

    def _by_phone(self, packet: HandOffPacket) -> bool:
        return bool(packet.phone and self._options.contact_endpoint)

    async def _create(self, packet: HandOffPacket, requester: str) -> str:
        if self._by_phone(packet):
            body: dict[str, Any] = {
                "_type": "Callback",
                "contactEndpointId": self._options.contact_endpoint,
                "direction": "Inbound",
                "queueId": self._options.queue_id,
                "requesterId": requester,
            }
        else:
            content = {"_type": "Text", "value": f"{packet.summary}\n\n{mark(packet)}"}
            body = {
                "_type": "ContactForm",
                "emailIntegrationId": self._options.email_integration,
                "subject": subject(packet),
                "requesterId": requester,
                "language": packet.language,
                "message": {"_type": "Inbound", "content": content},
            }
        made = await self._client.request("POST", "/conversations", body=body)
        return _text(made.need("data"), "id")

    async def _find(self, packet: HandOffPacket, requester: str) -> tuple[str | None, bool]:
        """Return the packet's conversation, if there is one, and whether it has its note."""
        listed = await self._client.request("GET", f"/endusers/{requester}/conversations")
        kind = "Callback" if self._by_phone(packet) else "ContactForm"
        since = (packet.created_at or datetime.min.replace(tzinfo=UTC)) - SKEW
        bare: list[str] = []
        for conversation in listed.items("data"):
            if conversation.get("channel") != kind or _created(conversation) < since:
                continue
            number = _text(conversation, "id")
            answer = await self._client.request("GET", f"/conversations/{number}/notes")
            notes = [str(note.get("message", "")) for note in answer.items("data")]
            if any(mark(packet) in note for note in notes):
                return number, True
            if not any(OURS in note for note in notes):
                bare.append(number)
        return (bare[0], False) if bare else (None, False)

    async def _tag(self, packet: HandOffPacket, conversation: str) -> None:
        """Set the tags that the organisation has; others are not made for it."""
        if self._tags is None:
            listed = await self._client.request("GET", "/tags")
            self._tags = {_text(tag, "name"): _text(tag, "id") for tag in listed.items("data")}
        for name in tags(packet):
            if name in self._tags:
                await self._client.request(
                    "PUT", f"/conversations/{conversation}/tags/{self._tags[name]}"
                )


def _text(value: object, key: str) -> str:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, str | int):
        raise DeskError(f"the answer has no '{key}'")
    return str(found)


def _created(conversation: dict[str, Any]) -> datetime:
    try:
        made = datetime.fromisoformat(_text(conversation, "createdAt").replace("Z", "+00:00"))
    except ValueError as error:
        raise DeskError("the answer has no time in 'createdAt'") from error
    return made if made.tzinfo else made.replace(tzinfo=UTC)
