"""One Realtime session: a conversation, the protocol core, and the socket that is attached now.

The session outlives a socket when the client asked for ``resume``: it is *parked* for a while,
its clock stopped, until another socket attaches or the time is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from aiohttp import WSMsgType

from voice_server.conversation.notices import Notice, Trouble, TurnTimings
from voice_server.conversation.transcript import History
from voice_server.realtime.effects import Close, Effect, Send
from voice_server.realtime.line import Line
from voice_server.realtime.ports import Meter, RealtimeBackend
from voice_server.realtime.protocol import RealtimeProtocol
from voice_server.realtime.returning import Kept
from voice_server.realtime.session_config import SessionConfig
from voice_server.speech.engine import LISTENING_RATE

log = logging.getLogger(__name__)

CLOSE_DEADLINE_S = 5.0
"""What a conversation gets to end by itself; then it is cancelled."""

NORMAL, INTERNAL_ERROR, TAKEN_OVER = 1000, 1011, 4001
"""Close codes. 4001: the same session was resumed on another socket."""


class RealtimeSession:
    """Carries out what the core wants and feeds it; owned by the handler of its first socket."""

    def __init__(
        self,
        backend: RealtimeBackend,
        meter: Meter,
        *,
        session_id: str,
        config: SessionConfig,
        extensions: frozenset[str],
        clock: Callable[[], float],
        shop: str = "",
        language: str | None = None,
    ) -> None:
        """Open a conversation.

        ``shop`` is the id of the shop it talks for, "" where there is but one; ``language`` what
        the page speaks, None if it did not say.
        """
        self.id = session_id
        self.shop = shop
        self._language = language or ""
        self.configured: Callable[[], None] = _nothing
        """Called when the client has changed the session's configuration."""
        self._meter = meter
        self._clock = clock
        self._resume_s = backend.resume_s
        self._line: Line | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._finished = asyncio.Event()
        history = History()
        self.protocol = RealtimeProtocol(
            session_id=session_id,
            history=history,
            config=config,
            new_id=backend.new_id,
            extensions=extensions,
            visemes=backend.visemes,
        )
        self._conversation = backend.open_conversation(
            session_id=session_id,
            input_rate=LISTENING_RATE,
            emit=self._observe,
            history=history,
            flushes="playback" in extensions,
            language=language,
        )

    @property
    def resumable(self) -> bool:
        """Whether the client asked for, and the operator allows, coming back."""
        return "resume" in self.protocol.extensions and self._resume_s > 0

    def kept(self) -> Kept:
        """Return what another process needs to go on with the session."""
        config = self.protocol.config.effective(self.id)
        for name in ("id", "object"):
            del config[name]
        extensions = tuple(sorted(self.protocol.extensions))
        return Kept(self.id, self.shop, extensions, config, self._language)

    @property
    def finished(self) -> bool:
        """Whether the session is over."""
        return self._finished.is_set()

    @property
    def parked(self) -> bool:
        """Whether no socket is attached."""
        return self._line is None

    async def run(self, line: Line, token: str | None, *, again: bool = False) -> None:
        """Serve the session from its first socket until it is over. Leaves no task behind.

        ``again``: an earlier process has begun it, and its client is back.
        """
        async with asyncio.TaskGroup() as tasks:
            conversation = tasks.create_task(self._converse())
            try:
                self._line = line
                self._perform(self.protocol.restarted() if again else self.protocol.start())
                if token is not None:
                    self._perform(self.protocol.offer_token(token, self._resume_s))
                await self._serve(line)
                await self._finished.wait()
            finally:
                self._finished.set()
                self._disarm()
                self._conversation.close("the session is over")
                await self._end(conversation)

    async def rejoin(
        self, line: Line, token: str, last_event_id: str | None, position_ms: float | None
    ) -> None:
        """Serve the session from another socket until that ends; an older one is closed."""
        old, self._line = self._line, None
        if old is not None:
            old.send(Close(TAKEN_OVER, "resumed on another connection"))
            self._perform(self.protocol.detached())
        self._disarm()
        self._line = line
        self._perform(self.protocol.resumed(last_event_id, position_ms))
        self._perform(self.protocol.offer_token(token, self._resume_s))
        await self._serve(line)

    def close(self, code: int, reason: str) -> None:
        """End the session: the client is told why."""
        self._perform(self.protocol.close(code, reason))
        self._finished.set()

    async def _converse(self) -> None:
        try:
            await self._conversation.run()
        except Exception:  # a broken conversation ends this session and no other
            log.exception("the conversation of session %s failed", self.id)
            self.close(INTERNAL_ERROR, "internal error")
        else:
            self.close(NORMAL, "the conversation is over")

    async def _end(self, conversation: asyncio.Task[None]) -> None:
        """Give the conversation a moment to end, then cancel it."""
        _, pending = await asyncio.wait({conversation}, timeout=CLOSE_DEADLINE_S)
        if pending:
            log.error("the conversation of session %s did not end in time", self.id)
            conversation.cancel()

    async def _serve(self, line: Line) -> None:
        """Read and write one socket until it ends, then park or finish the session."""
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(line.run())
            try:
                await self._read(line)
            finally:
                line.lost()
                # The writer may be inside a closing handshake, which has its own deadline.
                await asyncio.wait({writer}, timeout=CLOSE_DEADLINE_S)
                writer.cancel()
        if line.dropped:
            self._meter.count("realtime_dropped_clients_total")
            log.warning("session %s: client dropped: %s", self.id, line.dropped)
        if self._line is not line:
            return  # the client has come back on another socket already
        self._line = None
        if self._finished.is_set():
            return
        if not self.resumable or line.socket.close_code == NORMAL:
            self._finished.set()
            return
        self._perform(self.protocol.detached())
        self._expiry = asyncio.get_running_loop().call_later(self._resume_s, self._finished.set)

    async def _read(self, line: Line) -> None:
        async for message in line.socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._receive(message.data)
            if line.dead:
                return

    def _receive(self, data: str | bytes) -> None:
        before = self.protocol.config
        try:
            self._perform(self.protocol.receive(data, self._clock()))
            if self.protocol.config is not before:
                self.configured()
        except Exception:  # one event must not end the session
            log.exception("session %s: a client event failed", self.id)
            self._meter.count("realtime_internal_errors_total")

    def _observe(self, notice: Notice) -> None:
        """Take a notice; called by the conversation, in the loop."""
        if isinstance(notice, TurnTimings):
            self._measure(notice)
        elif isinstance(notice, Trouble):
            self._meter.count("conversation_troubles_total", stage=notice.stage)
            log.warning(
                "session %s: %s: %s (%s)", self.id, notice.stage, notice.message, notice.consequence
            )
        try:
            self._perform(self.protocol.observe(notice))
        except Exception:  # the conversation is not to blame
            log.exception("session %s: a notice failed: %r", self.id, type(notice))
            self._meter.count("realtime_internal_errors_total")

    def _measure(self, timings: TurnTimings) -> None:
        total = 0.0
        for name in ("end_of_turn", "transcript", "clause", "audio", "send"):
            part = getattr(timings, f"{name}_ms") / 1000
            total += part
            self._meter.observe("turn_segment_seconds", part, segment=name)
        self._meter.observe("voice_to_voice_seconds", total, first=timings.first_kind)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send | Close):
                if self._line is not None:
                    self._line.send(effect)
                if isinstance(effect, Close):
                    self._finished.set()
            else:
                self._conversation.order(effect)

    def _disarm(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None


def _nothing() -> None:
    """Nobody wants to know."""
