"""YouTube's chat messages as our events: of the JSON pages and of the streamed messages. Pure.

Both say the same in their own spelling.  What is malformed is None: one item must not cost a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_server.live.chat.cleaning import clean, clean_name
from voice_server.live.chat.envelope import ChatEvent, Kind, Role
from voice_server.live.chat.protos.youtube_chat_pb2 import LiveChatMessage, LiveChatMessageSnippet

PLATFORM = "youtube"
ENDED = "chatEndedEvent"

KINDS = {
    "textMessageEvent": Kind.MESSAGE,
    "superChatEvent": Kind.PAID,
    "superStickerEvent": Kind.PAID,
    "newSponsorEvent": Kind.SUBSCRIBE,
    "memberMilestoneChatEvent": Kind.SUBSCRIBE,
    "membershipGiftingEvent": Kind.GIFT,
    "messageDeletedEvent": Kind.DELETE,
    "messageRetractedEvent": Kind.DELETE,
    "userBannedEvent": Kind.BAN,
}
"""What a message's type means; other types are of no use to a show."""

_Type = LiveChatMessageSnippet.TypeWrapper.Type


def kind_name(number: int) -> str:
    """Return the JSON spelling of a streamed type, "" for one we do not know.

    >>> kind_name(1)
    'textMessageEvent'
    """
    value = _Type.DESCRIPTOR.values_by_number.get(number)
    if value is None:
        return ""
    first, *rest = value.name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def from_json(item: Any, *, history: bool, now: float) -> ChatEvent | None:
    """Return an item of ``liveChatMessages.list``."""
    try:
        snippet, author = item["snippet"], item.get("authorDetails") or {}
        paid = snippet.get("superChatDetails") or snippet.get("superStickerDetails") or {}
        gifts = snippet.get("membershipGiftingDetails") or {}
        return _event(
            KINDS[snippet["type"]],
            str(item["id"]),
            now=now,
            history=history,
            author_id=str(author.get("channelId", "")),
            author=str(author.get("displayName", "")),
            text=str(paid.get("userComment") or snippet.get("displayMessage") or ""),
            roles=_roles(
                author.get("isChatOwner") is True,
                author.get("isChatModerator") is True,
                author.get("isChatSponsor") is True,
            ),
            micros=float(paid.get("amountMicros", 0)),
            currency=str(paid.get("currency", "")),
            gifts=float(gifts.get("giftMembershipsCount", 0)),
            target=_target(snippet),
            channel=str(snippet.get("liveChatId", "")),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def from_message(message: LiveChatMessage, *, history: bool, now: float) -> ChatEvent | None:
    """Return a streamed message."""
    try:
        snippet, author = message.snippet, message.author_details
        paid, sticker = snippet.super_chat_details, snippet.super_sticker_details
        banned = snippet.user_banned_details.banned_user_details.channel_id
        return _event(
            KINDS[kind_name(snippet.type)],
            readable(message.id),
            now=now,
            history=history,
            author_id=readable(author.channel_id),
            author=readable(author.display_name),
            text=readable(paid.user_comment or snippet.display_message),
            roles=_roles(author.is_chat_owner, author.is_chat_moderator, author.is_chat_sponsor),
            micros=float(paid.amount_micros or sticker.amount_micros),
            currency=readable(paid.currency or sticker.currency),
            gifts=float(snippet.membership_gifting_details.gift_memberships_count),
            target=readable(
                snippet.message_deleted_details.deleted_message_id
                or snippet.message_retracted_details.retracted_message_id
                or banned
            ),
            channel=readable(snippet.live_chat_id),
        )
    except (KeyError, ValueError):
        return None


def readable(text: object) -> str:
    """Return a field's text. Raises ValueError for what is no UTF-8: its field holds bytes."""
    if not isinstance(text, str):
        raise ValueError("not valid UTF-8")
    return text


def _event(
    kind: Kind,
    ident: str,
    *,
    now: float,
    history: bool,
    author_id: str,
    author: str,
    text: str,
    roles: frozenset[Role],
    micros: float,
    currency: str,
    gifts: float,
    target: str,
    channel: str,
) -> ChatEvent | None:
    if not ident or (kind in (Kind.DELETE, Kind.BAN) and not target):
        return None
    return ChatEvent(
        platform=PLATFORM,
        id=ident,
        kind=kind,
        at=now,
        author_id=author_id,
        author=clean_name(author),
        text=clean(text) if kind in (Kind.MESSAGE, Kind.PAID) else "",
        roles=roles,
        amount=gifts if kind is Kind.GIFT else micros / 1e6,
        currency=clean(currency, 8),
        target=target,
        channel=channel,
        history=history,
    )


def _roles(owner: bool, moderator: bool, member: bool) -> frozenset[Role]:
    flags = {Role.OWNER: owner, Role.MODERATOR: moderator, Role.SUBSCRIBER: member}
    return frozenset(role for role, holds in flags.items() if holds)


def _target(snippet: Mapping[str, Any]) -> str:
    for name, field in (
        ("messageDeletedDetails", "deletedMessageId"),
        ("messageRetractedDetails", "retractedMessageId"),
    ):
        if name in snippet:
            return str(snippet[name][field])
    if "userBannedDetails" in snippet:
        return str(snippet["userBannedDetails"]["bannedUserDetails"]["channelId"])
    return ""
