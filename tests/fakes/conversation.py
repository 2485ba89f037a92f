"""A scripted conversation: what the Realtime server talks to when no engine should run.

It hears speech by level, understands every utterance as the next line of its script, answers in
two clauses, and calls the first tool it is offered when the user's words contain "order".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation.transcript import ContentKind, History, Item
from voice_server.dialogue.dialogue import Card, Citation, Clause, Tool, ToolCall, Usage
from voice_server.ids import new_id
from voice_server.speech.engine import SPEAKING_RATE, Audio, Phone, Transcript

LOUD = 0.05
SILENCE_MS = 200.0
PIECE_MS = 40


@dataclass
class Script:
    """What happens."""

    lines: list[str] = field(default_factory=lambda: ["What does it cost?"])
    clauses: tuple[str, ...] = ("It costs twenty euros.", "Delivery is free.")
    clause_ms: int = 400
    speed: float = 4.0
    """Times faster than real time."""
    fail: str = ""
    crash: bool = False
    timings: bool = True


@dataclass
class _Reply:
    id: str
    item_id: str
    options: o.ReplyOptions
    task: asyncio.Task[None] | None = None
    marks: list[tuple[str, float]] = field(default_factory=list)
    sent_ms: float = 0.0
    at_ms: float = 0.0


class FakeConversation:
    """The same methods as the real one."""

    def __init__(
        self,
        *,
        session_id: str,
        input_rate: int,
        emit: Callable[[n.Notice], None],
        history: History,
        flushes: bool,
        script: Script | None = None,
    ) -> None:
        self.history = history
        self.orders: list[o.Order] = []
        self.flushes = flushes
        self.script = script or Script()
        self.heard_ms = 0.0
        self._rate = input_rate
        self._emit = emit
        self._configured = o.Configure(o.TurnOptions(), o.ReplyOptions())
        self._closed = asyncio.Event()
        self._reason = "closed"
        self._group: asyncio.TaskGroup | None = None
        self._reply: _Reply | None = None
        self._utterance = ""
        self._quiet_ms = 0.0
        self._going = asyncio.Event()
        self._going.set()

    def of(self, kind: type[Any]) -> list[Any]:
        """The orders of one kind."""
        return [order for order in self.orders if isinstance(order, kind)]

    async def run(self) -> None:
        if self.script.crash:
            raise RuntimeError("scripted crash")
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._closed.wait()
                for task in list(group._tasks):
                    task.cancel()
        finally:
            self._emit(n.Closed(self._reason))

    def close(self, reason: str = "closed") -> None:
        self._reason = reason
        self._closed.set()

    def order(self, order: o.Order) -> None:
        if not isinstance(order, o.Hear):
            self.orders.append(order)
        match order:
            case o.Hear():
                self._hear(order.audio)
            case o.Configure():
                self._configured = order
            case o.CommitAudio():
                self._commit(order.item_id)
            case o.Respond():
                self._start(order.reply_id, order.options)
            case o.Say():
                self._start(order.reply_id, o.ReplyOptions(), (order.text,))
            case o.Cancel():
                self._stop("client_cancelled")
            case o.Truncate():
                self._truncate(order.item_id, order.heard_ms)
            case o.Hold():
                self._going.clear()
            case o.Resume():
                if self._reply is not None and order.position_ms is not None:
                    self._reply.at_ms = min(order.position_ms, self._reply.sent_ms)
                self._going.set()
            case _:
                pass

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        assert self._group is not None
        return self._group.create_task(work)

    # ------------------------------------------------------------- listening

    def _hear(self, audio: Audio) -> None:
        length = len(audio) * 1000 / self._rate
        loud = bool(np.abs(audio).max(initial=0.0) > LOUD)
        self.heard_ms += length
        if self._configured.turns.detection == "none":
            return
        if loud and not self._utterance:
            self._utterance = new_id("item")
            self._emit(n.SpeechStarted(self._utterance, round(self.heard_ms - length)))
            if self._configured.turns.interrupt_response:
                self._stop("turn_detected")
        self._quiet_ms = 0.0 if loud else self._quiet_ms + length
        if self._utterance and self._quiet_ms >= SILENCE_MS:
            item_id, self._utterance = self._utterance, ""
            self._emit(n.SpeechStopped(item_id, round(self.heard_ms)))
            self._commit(item_id)

    def _commit(self, item_id: str) -> None:
        item = Item(item_id, content="input_audio", text=None)
        previous = self.history.insert(item)
        self._emit(n.UtteranceCommitted(item_id, previous))
        self.spawn(self._understand(item_id))

    async def _understand(self, item_id: str) -> None:
        await asyncio.sleep(0.01)
        lines = self.script.lines
        text = lines.pop(0) if len(lines) > 1 else lines[0]
        self.history.replace(replace(self.history.get(item_id), text=text, language="en"))
        if self._configured.transcribe:
            self._emit(n.TranscriptDelta(item_id, text))
            self._emit(n.TranscriptFinal(item_id, Transcript(text, "en", 0.9, -0.2, 0.0, 900)))
        turns = self._configured.turns
        automatic = turns.detection != "none" and turns.create_response
        if automatic and self._configured.reply_enabled:
            self._start(new_id("resp"), o.ReplyOptions())
            if self.script.timings and self._reply is not None:
                self._emit(
                    n.TurnTimings(
                        item_id, self._reply.id, 300.0, 20.0, 30.0, 200.0, 5.0, True, "content"
                    )
                )

    # -------------------------------------------------------------- replying

    def _start(
        self, reply_id: str, options: o.ReplyOptions, texts: tuple[str, ...] | None = None
    ) -> None:
        session = self._configured.reply
        tools = session.tools if options.tools is None else options.tools
        modality = options.modality or session.modality
        options = replace(options, tools=tools, modality=modality)
        reply = _Reply(reply_id, new_id("item"), options)
        if not options.out_of_band:
            self._stop("client_cancelled")
            self._reply = reply
        reply.task = self.spawn(self._speak(reply, texts or self.script.clauses))

    async def _speak(self, reply: _Reply, texts: tuple[str, ...]) -> None:
        await asyncio.sleep(0)
        options = reply.options
        self._emit(n.ReplyStarted(reply.id, reply.item_id, options.out_of_band))
        if self.script.fail:
            self._finish(reply, "failed", "error", error=self.script.fail)
            return
        tool = self._tool(options.tools or ())
        if tool is not None:
            call = ToolCall(new_id("call"), tool.name, '{"order_number": "1001"}')
            item_id = new_id("item")
            self.history.insert(
                Item(
                    item_id,
                    kind="function_call",
                    role="assistant",
                    text=call.arguments,
                    call_id=call.call_id,
                    name=call.name,
                )
            )
            self._emit(n.ReplyToolCall(reply.id, item_id, call))
            self._finish(reply, "completed")
            return
        as_text = options.modality == "text"
        if not options.out_of_band:
            kind: ContentKind = "output_text" if as_text else "output_audio"
            self.history.insert(
                Item(reply.item_id, role="assistant", content=kind, status="in_progress")
            )
        texts = self._answers(texts)
        for index, text in enumerate(texts):
            clause = Clause(
                text,
                "en",
                citations=(Citation("policy/delivery", "Delivery"),),
                cards=(Card("p1", "Mug", "€ 20"),),
            )
            self._emit(n.ClauseText(reply.id, index, clause))
            reply.marks.append((text, (index + 1) * float(self.script.clause_ms)))
            if not as_text:
                await self._sound(reply, (index + 1) * self.script.clause_ms)
        self._finish(reply, "completed")

    def _answers(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        last = self.history.items[-2] if len(self.history.items) > 1 else None
        if last is not None and last.kind == "function_call_output":
            return (f"The shop says {last.text}.", *texts[1:])
        return texts

    def _tool(self, tools: tuple[Tool, ...]) -> Tool | None:
        items = self.history.items
        wants = bool(items) and items[-1].kind == "message" and "order" in (items[-1].text or "")
        return tools[0] if tools and wants else None

    async def _sound(self, reply: _Reply, until_ms: float) -> None:
        samples = SPEAKING_RATE * PIECE_MS // 1000
        while reply.at_ms < until_ms:
            await self._going.wait()
            phase = np.arange(samples, dtype=np.float32) * 0.05
            audio = (0.2 * np.sin(phase)).astype(np.float32)
            phones = (Phone("a", reply.at_ms, reply.at_ms + PIECE_MS),)
            self._emit(n.ReplyAudio(reply.id, reply.at_ms, audio, phones))
            reply.at_ms += PIECE_MS
            reply.sent_ms = max(reply.sent_ms, reply.at_ms)
            await asyncio.sleep(PIECE_MS / 1000 / self.script.speed)

    def _finish(
        self, reply: _Reply, status: n.ReplyStatus, reason: Any = "", error: str = ""
    ) -> None:
        if self._reply is reply:
            self._reply = None
        text = " ".join(words for words, _ in reply.marks)
        if any(item.id == reply.item_id for item in self.history.items):
            item = replace(
                self.history.get(reply.item_id),
                text=text,
                marks=tuple(reply.marks),
                status="completed" if status == "completed" else "incomplete",
            )
            self.history.replace(item)
            if status == "cancelled" and reply.options.modality != "text":
                text = self.history.truncate(reply.item_id, reply.sent_ms).text or ""
        self._emit(
            n.ReplyDone(reply.id, status, reason, text, reply.sent_ms, Usage(12, 7, 3), error)
        )

    def _stop(self, reason: str) -> None:
        reply = self._reply
        if reply is None:
            return
        self._reply = None
        if reply.task is not None:
            reply.task.cancel()
        self._finish(reply, "cancelled", reason)

    def _truncate(self, item_id: str, heard_ms: float) -> None:
        item = self.history.get(item_id)
        end = item.marks[-1][1] if item.marks else 0.0
        heard = min(heard_ms, end)
        item = self.history.truncate(item_id, heard)
        self._emit(n.ItemTruncated(item_id, round(heard), item.text or ""))
