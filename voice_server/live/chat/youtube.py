"""YouTube live chat by ``liveChatMessages.list``, sans-I/O: pages in, events and the next wait out.

A call costs five of a project's 10 000 units a day: at one call a second the quota is gone after
33 minutes.  So the wait is what the API asks for, or what makes the quota last for the rest of the
show, whichever is longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from voice_server.live.chat.cleaning import clean, clean_name
from voice_server.live.chat.envelope import ChatEvent, Kind, Role

CALL_UNITS = 5
DAILY_UNITS = 10_000
RESERVE = 0.05
"""Share of the quota kept for reconnecting and looking up the chat's id."""
SHORTEST_S = 1.0
LONGEST_S = 30.0
"""However little quota is left, viewers are heard twice a minute."""

_KINDS = {
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


class PageError(Exception):
    """A page is not what the API promises; the message is for the operator."""


class YouTubePages:
    """Reads the pages of one live chat."""

    def __init__(self, *, hours: float = 4.0, units: int = DAILY_UNITS) -> None:
        """``hours`` the show may last, ``units`` of quota left for it."""
        self._left_s = hours * 3600
        self._units = units * (1 - RESERVE)
        self._began: float | None = None
        self._first = True
        self.token = ""
        """``pageToken`` of the next call, "" for the first."""
        self.ended = False
        """The chat is over: no more calls."""

    @property
    def units(self) -> float:
        """Quota left."""
        return self._units

    def reconnected(self) -> None:
        """The next page may repeat what was there before; ids tell, and history is marked."""
        if not self.token:
            self._first = True

    def receive(self, body: bytes, now: float) -> tuple[list[ChatEvent], float]:
        """Take one page; return its events and the seconds until the next call.

        Raises PageError.
        """
        self._began = now if self._began is None else self._began
        self._units -= CALL_UNITS
        try:
            page = orjson.loads(body)
            self.token = str(page["nextPageToken"]) if page.get("nextPageToken") else self.token
            asked = float(page.get("pollingIntervalMillis", 5000)) / 1000
            items = list(page.get("items", ()))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise PageError(f"not a page of live chat: {type(error).__name__}") from None
        history, self._first = self._first, False
        events = [event for item in items if (event := self._event(item, history, now))]
        if page.get("offlineAt"):
            self.ended = True
        return events, self._wait(asked, now)

    def _wait(self, asked: float, now: float) -> float:
        began = now if self._began is None else self._began
        rest = max(self._left_s - (now - began), 60.0)
        calls = max(self._units / CALL_UNITS, 1.0)
        return min(max(asked, rest / calls, SHORTEST_S), LONGEST_S)

    def _event(self, item: Any, history: bool, now: float) -> ChatEvent | None:
        try:
            snippet, author = item["snippet"], item.get("authorDetails") or {}
            if snippet["type"] == "chatEndedEvent":
                self.ended = True
                return None
            kind = _KINDS.get(snippet["type"])
            if kind is None:
                return None
            paid = snippet.get("superChatDetails") or snippet.get("superStickerDetails") or {}
            text = paid.get("userComment") or snippet.get("displayMessage") or ""
            return ChatEvent(
                platform="youtube",
                id=str(item["id"]),
                kind=kind,
                at=now,
                author_id=str(author.get("channelId", "")),
                author=clean_name(str(author.get("displayName", ""))),
                text=clean(str(text)) if kind in (Kind.MESSAGE, Kind.PAID) else "",
                roles=_roles(author),
                amount=float(paid.get("amountMicros", 0)) / 1e6,
                currency=clean(str(paid.get("currency", "")), 8),
                target=_target(snippet),
                channel=str(snippet.get("liveChatId", "")),
                history=history,
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            return None  # one malformed item must not cost the page


def _roles(author: Mapping[str, Any]) -> frozenset[Role]:
    flags = {
        "isChatOwner": Role.OWNER,
        "isChatModerator": Role.MODERATOR,
        "isChatSponsor": Role.SUBSCRIBER,
    }
    return frozenset(role for flag, role in flags.items() if author.get(flag) is True)


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
