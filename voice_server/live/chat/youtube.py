"""YouTube live chat, sans-I/O: pages of ``list`` and frames of ``streamList`` in, events out.

A call of ``list`` costs five of a project's 10 000 units a day: at one call a second the quota is
gone after 33 minutes.  A connection of ``streamList`` costs the same five, however long it lasts.
So the wait for the next of either is what the API asks for, or what makes the quota last for the
rest of the show, whichever is longer.
"""

from __future__ import annotations

from datetime import datetime

import orjson
from google.protobuf.message import DecodeError

from voice_server.live.chat.envelope import ChatEvent
from voice_server.live.chat.protos.youtube_chat_pb2 import (
    LiveChatMessage,
    LiveChatMessageListRequest,
    LiveChatMessageListResponse,
)
from voice_server.live.chat.youtube_events import (
    ENDED,
    from_json,
    from_message,
    kind_name,
    readable,
)

CALL_UNITS = 5
DAILY_UNITS = 10_000
RESERVE = 0.05
"""Share of the quota kept for reconnecting and looking up the chat's id."""
SHORTEST_S = 1.0
LONGEST_S = 30.0
"""However little quota is left, viewers are heard twice a minute."""

REPLAY_S = 20.0
"""So long after connecting a message may be a replayed one. Not longer: a wrong clock of ours must
not make the whole chat look old."""
STALE_S = 60.0
"""After an interruption: whoever asked longer ago has left, or has asked again."""
PARTS = ("id", "snippet", "authorDetails")


class PageError(Exception):
    """A page or frame is not what the API promises; the message is for the operator."""


class Quota:
    """What is left of the day's units, spread over the hours of a show."""

    def __init__(self, *, hours: float = 4.0, units: int = DAILY_UNITS) -> None:
        """``hours`` the show may last, ``units`` of quota left for it."""
        self._left_s = hours * 3600
        self._units = units * (1 - RESERVE)
        self._began: float | None = None

    @property
    def units(self) -> float:
        """Quota left; below 0 when more was spent than we know to be there."""
        return self._units

    def spend(self, now: float) -> None:
        """A call is made."""
        self._began = now if self._began is None else self._began
        self._units -= CALL_UNITS

    def interval(self, now: float) -> float:
        """Return the seconds between two calls that make the quota last: 1 to 30."""
        began = now if self._began is None else self._began
        rest = max(self._left_s - (now - began), 60.0)
        calls = max(self._units / CALL_UNITS, 1.0)
        return min(max(rest / calls, SHORTEST_S), LONGEST_S)


class YouTubePages:
    """Reads the pages of one live chat."""

    def __init__(self, quota: Quota | None = None) -> None:
        """``quota`` may be shared with a stream of the same key."""
        self.quota = quota or Quota()
        self._first = True
        self.token = ""
        """``pageToken`` of the next call, "" for the first."""
        self.ended = False
        """The chat is over: no more calls."""

    def reconnected(self) -> None:
        """The next page may repeat what was there before; ids tell, and history is marked."""
        if not self.token:
            self._first = True

    def receive(self, body: bytes, now: float) -> tuple[list[ChatEvent], float]:
        """Take one page; return its events and the seconds until the next call.

        Raises PageError.
        """
        self.quota.spend(now)
        try:
            page = orjson.loads(body)
            self.token = str(page["nextPageToken"]) if page.get("nextPageToken") else self.token
            asked = float(page.get("pollingIntervalMillis", 5000)) / 1000
            items = list(page.get("items", ()))
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise PageError(f"not a page of live chat: {type(error).__name__}") from None
        history, self._first = self._first, False
        events = []
        for item in items:
            event = from_json(item, history=history, now=now)
            if event is not None:
                events.append(event)
            elif isinstance(item, dict) and _type(item) == ENDED:
                self.ended = True
        if page.get("offlineAt"):
            self.ended = True
        return events, min(max(asked, self.quota.interval(now)), LONGEST_S)


def _type(item: dict[str, object]) -> object:
    snippet = item.get("snippet")
    return snippet.get("type") if isinstance(snippet, dict) else None


class YouTubeStream:
    """Reads the frames of one live chat, over all its connections.

    Replayed history is marked: the whole first frame of a chat not read before, and for REPLAY_S
    after each connection what was published before it (before STALE_S, when it goes on at the last
    token: what was missed is answered).
    """

    def __init__(self, chat_id: str) -> None:
        """``chat_id`` is the ``activeLiveChatId`` of the video."""
        self._chat_id = chat_id
        self._first = True
        self._replayed_until = 0.0
        self._old_before = 0.0
        self.token = ""
        self.ended = False
        """The chat is over: no more connections."""

    def connected(self, now: float, *, unix_now: float) -> bytes:
        """Return the request of a new connection."""
        self._first = not self.token
        self._replayed_until = now + REPLAY_S
        self._old_before = unix_now - (STALE_S if self.token else 0.0)
        request = LiveChatMessageListRequest(live_chat_id=self._chat_id, part=PARTS)
        if self.token:
            request.page_token = self.token
        return request.SerializeToString()

    def forget(self) -> None:
        """The token is of no use any more: begin anew at the next connection."""
        self.token = ""

    def receive(self, frame: bytes, now: float) -> list[ChatEvent]:
        """Take one frame; return its events. Raises PageError."""
        try:
            page = LiveChatMessageListResponse.FromString(frame)
            token, offline = readable(page.next_page_token), bool(page.offline_at)
        except (DecodeError, ValueError) as error:
            raise PageError(f"not a frame of live chat: {type(error).__name__}") from None
        self.token = token or self.token
        first, self._first = self._first, False
        events = []
        for item in page.items:
            old = first or (now < self._replayed_until and self._is_old(_published(item)))
            event = from_message(item, history=old, now=now)
            if event is not None:
                events.append(event)
            elif kind_name(item.snippet.type) == ENDED:
                self.ended = True
        self.ended = self.ended or offline
        return events

    def _is_old(self, published: float | None) -> bool:
        return published is not None and published < self._old_before


def _published(item: LiveChatMessage) -> float | None:
    """Return the Unix seconds of a message, None if it does not say."""
    try:
        return datetime.fromisoformat(readable(item.snippet.published_at)).timestamp()
    except (ValueError, OverflowError):
        return None
