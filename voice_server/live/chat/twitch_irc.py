"""Twitch chat over IRC, sans-I/O: what to send, and what the lines mean.

Anonymous reading needs no account (nick ``justinfan`` and digits).  The tags carry ids, roles and
emote ranges; CLEARMSG, CLEARCHAT and USERNOTICE need the ``commands`` capability.  The same reader
works on any IRC server: without tags, ids are made of the order of arrival.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voice_server.live.chat.cleaning import clean, clean_name, without_ranges
from voice_server.live.chat.envelope import ChatEvent, Kind, Role
from voice_server.live.chat.irc import MAX_LINE, IrcLine, parse

QUIET_S = 330.0
"""Twitch pings about every five minutes; silence for longer is doubtful."""
PONG_S = 10.0
"""A doubtful connection that does not answer our ping in time is dead: reconnect."""
REGISTER_S = 15.0
"""No welcome so long after connecting: reconnect."""
CAPABILITIES = "twitch.tv/tags twitch.tv/commands"

_BADGES = {
    "broadcaster": Role.OWNER,
    "moderator": Role.MODERATOR,
    "subscriber": Role.SUBSCRIBER,
    "founder": Role.SUBSCRIBER,
    "vip": Role.VIP,
}
_NOTICES = {
    "sub": Kind.SUBSCRIBE,
    "resub": Kind.SUBSCRIBE,
    "subgift": Kind.GIFT,
    "submysterygift": Kind.GIFT,
    "raid": Kind.RAID,
}
_REFUSALS = ("Login authentication failed", "Improperly formatted auth", "Login unsuccessful")


@dataclass(frozen=True, slots=True)
class Send:
    """A line for the server, without its end."""

    line: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Close and open anew. ``reason`` is for the operator."""

    reason: str


Output = ChatEvent | Send | Reconnect


class TwitchIrc:
    """One connection to one channel. Make a new one for each connection."""

    def __init__(self, channel: str, *, nick: str = "justinfan7531", password: str = "") -> None:
        """``channel`` with or without "#"; an empty ``password`` reads anonymously.

        Raises ValueError for a name that is none: it would end up in a line of IRC.
        """
        name = channel.lstrip("#").lower()
        if not name or not name.replace("_", "").replace("-", "").isalnum() or len(name) > 50:
            raise ValueError(f"{channel!r} is no channel name")
        self.channel = name
        self._nick = nick
        self._password = password
        self._buffer = ""
        self._serial = 0
        self._joined = False
        self._deadline: float | None = None
        self._pinged = False

    @property
    def joined(self) -> bool:
        """Whether the server let us into the channel."""
        return self._joined

    def connected(self, now: float) -> list[Output]:
        """Return what to send first."""
        self._deadline = now + REGISTER_S
        lines = [f"CAP REQ :{CAPABILITIES}"]
        if self._password or self._nick.startswith("justinfan"):
            lines.append(f"PASS {self._password or 'SCHMOOPIIE'}")
        lines += [f"NICK {self._nick}", f"USER {self._nick} 8 * :{self._nick}"]
        return [Send(line) for line in lines]

    def next_deadline(self) -> float | None:
        """Return when :meth:`tick` must be called."""
        return self._deadline

    def tick(self, now: float) -> list[Output]:
        """Ask a quiet server for a sign of life; give up a dead one."""
        if self._deadline is None or now < self._deadline:
            return []
        if self._pinged or not self._joined:
            self._deadline = None
            return [Reconnect("no answer")]
        self._pinged = True
        self._deadline = now + PONG_S
        return [Send("PING :alive")]

    def receive(self, data: str, now: float) -> list[Output]:
        """Take what arrived: lines, or parts of lines (over TCP)."""
        self._buffer += data
        *lines, self._buffer = self._buffer.split("\n")
        self._buffer = self._buffer[:MAX_LINE]  # a line without end: keep what a line may be
        out: list[Output] = []
        for line in lines:
            parsed = parse(line)
            if parsed is not None:
                out += self._line(parsed, now)
        if lines and self._joined and self._deadline is not None:
            self._pinged = False
            self._deadline = now + QUIET_S
        return out

    def _line(self, line: IrcLine, now: float) -> list[Output]:
        match line.command:
            case "PING":
                return [Send(f"PONG :{line.text}")]
            case "CAP" if not line.prefix.endswith("twitch.tv"):
                return self._negotiate(line)
            case "001":
                return [Send(f"JOIN #{self.channel}")]
            case "366" | "ROOMSTATE":
                self._joined = True
                return []
            case "433":
                return [Reconnect("the nick is taken")]
            case "RECONNECT":
                return [Reconnect("the server asks for it")]
            case "ERROR":
                return [Reconnect(clean(line.text, 80) or "server error")]
            case "NOTICE" if line.text.startswith(_REFUSALS):
                return [Reconnect(clean(line.text, 80))]
        if not line.params or line.params[0].lower() != f"#{self.channel}":
            return []
        match line.command:
            case "PRIVMSG" if len(line.params) > 1:
                return self._message(line, now)
            case "USERNOTICE":
                return self._notice(line, now)
            case "CLEARMSG":
                return self._removal(Kind.DELETE, line.tags.get("target-msg-id", ""), now)
            case "CLEARCHAT":
                user = line.tags.get("target-user-id", "")
                whole = Kind.CLEAR if len(line.params) < 2 else Kind.BAN
                return self._removal(whole, user, now)
        return []

    @staticmethod
    def _negotiate(line: IrcLine) -> list[Output]:
        """Another server than Twitch's: it waits for our END before it lets us in."""
        refused = len(line.params) > 1 and line.params[1].upper() == "NAK"
        if refused and "twitch.tv" in line.text:
            return [Send("CAP REQ :message-tags"), Send("CAP END")]
        return [Send("CAP END")]

    def _message(self, line: IrcLine, now: float) -> list[Output]:
        tags = line.tags
        if tags.get("source-room-id", tags.get("room-id")) != tags.get("room-id"):
            return []  # shared chat: another channel's message, which that channel has
        text = line.text
        # Emote ranges count from the first character of what the author wrote.
        if text.startswith("\x01ACTION ") and text.endswith("\x01"):
            text = text[8:-1]
        text = without_ranges(text, _ranges(tags.get("emotes", "")))
        bits = _number(tags.get("bits", ""))
        return [
            self._event(
                line,
                now,
                kind=Kind.PAID if bits else Kind.MESSAGE,
                text=clean(text),
                amount=bits,
                currency="bits" if bits else "",
            )
        ]

    def _notice(self, line: IrcLine, now: float) -> list[Output]:
        kind = _NOTICES.get(line.tags.get("msg-id", ""))
        if kind is None:
            return []
        count = line.tags.get("msg-param-mass-gift-count") or line.tags.get(
            "msg-param-viewerCount", "1"
        )
        text = clean(line.text) if len(line.params) > 1 else ""
        return [self._event(line, now, kind=kind, text=text, amount=_number(count))]

    def _event(
        self, line: IrcLine, now: float, *, kind: Kind, text: str, amount: float, currency: str = ""
    ) -> ChatEvent:
        tags = line.tags
        self._serial += 1
        login = tags.get("login") or line.nick
        return ChatEvent(
            platform="twitch",
            id=tags.get("id") or tags.get("msgid") or f"{login}:{now:.3f}:{self._serial}",
            kind=kind,
            at=now,
            author_id=tags.get("user-id") or login,
            author=clean_name(tags.get("display-name") or login),
            text=text,
            roles=_roles(tags),
            amount=amount,
            currency=currency,
            channel=self.channel,
        )

    def _removal(self, kind: Kind, target: str, now: float) -> list[Output]:
        if not target and kind is not Kind.CLEAR:
            return []
        self._serial += 1
        return [
            ChatEvent(
                platform="twitch",
                id=f"{kind}:{target}:{now:.3f}:{self._serial}",
                kind=kind,
                at=now,
                target=target,
                channel=self.channel,
            )
        ]


def _roles(tags: Mapping[str, str]) -> frozenset[Role]:
    names = {badge.partition("/")[0] for badge in tags.get("badges", "").split(",")}
    roles = {_BADGES[name] for name in names if name in _BADGES}
    if tags.get("mod") == "1":
        roles.add(Role.MODERATOR)
    if tags.get("subscriber") == "1":
        roles.add(Role.SUBSCRIBER)
    return frozenset(roles)


def _ranges(emotes: str) -> list[tuple[int, int]]:
    """Read ``25:0-4,12-16/1902:6-10``; what is malformed is left out."""
    found = []
    for emote in emotes.split("/"):
        for span in emote.partition(":")[2].split(","):
            first, dash, last = span.partition("-")
            if dash and first.isdecimal() and last.isdecimal() and len(first + last) < 12:
                found.append((int(first), int(last)))
    return found


def _number(text: str) -> float:
    return float(text) if text.isdecimal() and len(text) < 12 and text.isascii() else 0.0
