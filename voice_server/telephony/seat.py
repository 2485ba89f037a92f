"""One page of the console: what it wants, and what it is sent. The socket is somebody else's.

Bounded for a page that reads slowly: the list's state of a call is sent as it is *then* (however
often it changed before), too many lines become "read all of it again", and sound is dropped from
its old end, because a listener wants to hear now.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import orjson

from voice_server.audio.pcm import decode_pcm16
from voice_server.dialogue.guards.redaction import redact
from voice_server.telephony.calls import Calls
from voice_server.telephony.monitor import Side, TalkLine
from voice_server.telephony.session import CallSession

LINES_WAITING = 200
SOUNDS_WAITING = 50
"""Frames of both sides: half a second."""

GATHER_S = 0.2
"""Changes of the list go out together, so often at most."""

NOTE_MOST = 300
MIC_BYTES_MOST = 9_600
"""200 ms at 24 kHz: more in one frame is no microphone."""


class Seat:
    """Implements :class:`~.monitor.Watcher` for one page. Used in the event loop."""

    def __init__(self, calls: Calls, shop: str, agent: str) -> None:
        """``shop``: the only one whose calls may be seen, "" for all. ``agent``: who sits here."""
        self._calls = calls
        self._shop = shop
        self._agent = agent
        self._watched: CallSession | None = None
        self._whispering = False
        self._dirty: set[str] = set()
        self._gone: deque[str] = deque()
        self._messages: deque[dict[str, Any]] = deque()
        self._sounds: deque[bytes] = deque(maxlen=SOUNDS_WAITING)
        self._whole = False
        self._ready = asyncio.Event()
        self.lost_sounds = 0
        """Frames that were dropped because the page did not read."""

    def open(self) -> None:
        """Show all calls from now on."""
        self._calls.watchers.add(self)
        self._say({"type": "ready", "calls": [self._show(s) for s in self._mine()]})

    def close(self) -> None:
        """The page is gone: what it did to calls ends. Idempotent."""
        self._calls.watchers.discard(self)
        self._unwatch()

    # ------------------------------------------------------------ the watcher

    def changed(self, call_id: str) -> None:
        """See :class:`~.monitor.Watcher`."""
        self._dirty.add(call_id)
        self._ready.set()

    def gone(self, call_id: str) -> None:
        """See :class:`~.monitor.Watcher`."""
        if call_id not in self._gone:
            self._gone.append(call_id)
        self._dirty.discard(call_id)
        if self._watched is not None and self._watched.id == call_id:
            self._watched = None
        self._ready.set()

    def line(self, call_id: str, line: TalkLine) -> None:
        """See :class:`~.monitor.Watcher`."""
        waiting = sum(message["type"] == "line" for message in self._messages)
        if waiting >= LINES_WAITING:
            self._messages = deque(m for m in self._messages if m["type"] != "line")
            self._whole = True
        if not self._whole:
            self._say({"type": "line", "call": call_id, "line": self._line(line)})

    def sound(self, call_id: str, side: Side, pcm: bytes) -> None:
        """See :class:`~.monitor.Watcher`."""
        self.lost_sounds += len(self._sounds) == SOUNDS_WAITING
        self._sounds.append(bytes((side,)) + pcm)
        self._ready.set()

    def opened(self, call_id: str) -> None:
        """See :class:`~.monitor.Watcher`."""
        self._say({"type": "open", "call": call_id})

    # ---------------------------------------------------------------- sending

    async def next(self) -> list[str | bytes]:
        """Wait for something to send, and return it all."""
        await self._ready.wait()
        if not self._sounds and not self._messages:
            await asyncio.sleep(GATHER_S)
        self._ready.clear()
        out: list[str | bytes] = []
        while self._messages:
            out.append(_dump(self._messages.popleft()))
        if self._whole and self._watched is not None:
            out.append(_dump(self._talk(self._watched)))
        self._whole = False
        dirty, self._dirty = self._dirty, set()
        for session in self._mine():
            if session.id in dirty:
                out.append(_dump({"type": "call", "call": self._show(session)}))
        while self._gone:
            out.append(_dump({"type": "gone", "call": self._gone.popleft()}))
        out += self._sounds
        self._sounds.clear()
        return out

    # -------------------------------------------------------------- receiving

    def receive(self, message: Mapping[str, Any]) -> None:
        """Do what the page wants; what cannot be done is answered with a refusal."""
        wanted = message.get("type")
        command = self._COMMANDS.get(wanted) if isinstance(wanted, str) else None
        if command is None:
            self._refuse("unknown_command")
            return
        if wanted == "watch":
            self._watch(message)
            return
        if self._watched is None:
            self._refuse("no_call")
            return
        command(self, self._watched, message)

    def microphone(self, data: bytes) -> None:
        """Take 24 kHz linear sound of the page's microphone; what is none is ignored."""
        if self._watched is None or not data or len(data) % 2 or len(data) > MIC_BYTES_MOST:
            return
        audio = decode_pcm16(data)
        if self._whispering:
            self._watched.people.whisper(self, audio)
        else:
            self._watched.people.speak(self, audio)

    def _watch(self, message: Mapping[str, Any]) -> None:
        wanted = message.get("call")
        if self._watched is not None and self._watched.id == wanted:
            return
        self._unwatch()
        session = next((one for one in self._mine() if one.id == wanted), None)
        if session is None:
            if wanted:
                self._refuse("no_call")
            return
        self._watched = session
        session.people.monitor.join(self)
        self._say(self._talk(session))

    def _unwatch(self) -> None:
        session, self._watched = self._watched, None
        self._whispering = False
        self._sounds.clear()
        if session is not None:
            session.people.leave(self)

    def _listen(self, session: CallSession, message: Mapping[str, Any]) -> None:
        if message.get("on") is False:
            self._whispering = False
            session.people.stop_listening(self)
        elif refusal := session.people.listen(self, self._agent):
            self._refuse(refusal)

    def _take(self, session: CallSession, message: Mapping[str, Any]) -> None:
        if refusal := session.people.take_over(self, self._agent):
            self._refuse(refusal)
            return
        self._whispering = False
        self._say(self._talk(session))

    def _give(self, session: CallSession, message: Mapping[str, Any]) -> None:
        if not session.people.give_back(self):
            self._refuse("not_yours")
            return
        self._say(self._talk(session))

    def _whisper(self, session: CallSession, message: Mapping[str, Any]) -> None:
        self._whispering = message.get("on") is not False

    def _note(self, session: CallSession, message: Mapping[str, Any]) -> None:
        text = message.get("text")
        if isinstance(text, str) and text.strip():
            session.people.prompt(self._agent, text.strip()[:NOTE_MOST])

    def _hang_up(self, session: CallSession, message: Mapping[str, Any]) -> None:
        session.people.did(self._agent, "hung up")
        session.end("an operator hung up")

    def _transfer(self, session: CallSession, message: Mapping[str, Any]) -> None:
        if not session.people.transfer(self._agent, blind=message.get("blind") is True):
            self._refuse("no_human")

    _COMMANDS: Mapping[str, Callable[[Seat, CallSession, Mapping[str, Any]], None]] = {
        "watch": lambda seat, session, message: None,
        "listen": _listen,
        "take": _take,
        "give": _give,
        "whisper": _whisper,
        "note": _note,
        "hang-up": _hang_up,
        "transfer": _transfer,
    }

    # ---------------------------------------------------------------- showing

    def _mine(self) -> list[CallSession]:
        return [one for one in self._calls.live if may_see(one, self._shop)]

    def _show(self, session: CallSession) -> dict[str, Any]:
        return {**session.snapshot(), "yours": session.people.speaks(self)}

    def _talk(self, session: CallSession) -> dict[str, Any]:
        lines = [self._line(line) for line in session.people.monitor.lines.values()]
        return {"type": "talk", "call": session.id, "lines": lines}

    def _line(self, line: TalkLine) -> dict[str, Any]:
        """Who speaks with the caller reads what was said; others, without personal data."""
        shown = {**asdict(line), "at": line.at.isoformat(timespec="seconds")}
        own = self._watched is not None and self._watched.people.speaks(self)
        if not own and line.speaker == "caller":
            shown["text"] = redact(line.text, line.language)
            shown["translation"] = redact(line.translation, _staff(self._watched))
        return shown

    def _refuse(self, code: str) -> None:
        self._say({"type": "refused", "code": code})

    def _say(self, message: dict[str, Any]) -> None:
        self._messages.append(message)
        self._ready.set()


def may_see(session: CallSession, shop: str) -> bool:
    """Whether a call is of ``shop``; "" sees all, and before its line is known only it does."""
    line = session.flow.line
    return not shop or (line is not None and line.shop == shop)


def _staff(session: CallSession | None) -> str:
    line = session.flow.line if session is not None else None
    return line.staff_language if line is not None else "en"


def _dump(message: Mapping[str, Any]) -> str:
    return orjson.dumps(message).decode()
