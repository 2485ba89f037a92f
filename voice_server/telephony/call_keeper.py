"""What a call's flow wants to be kept: a recording, or that somebody must not be called."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from voice_server.call_records import OptOut
from voice_server.records import StorageError
from voice_server.telephony.call import Clear, Codec, SendAudio
from voice_server.telephony.dial_rules import NotDialled, e164
from voice_server.telephony.outbound import NeverCall, Record, Unrecord
from voice_server.telephony.recordings import CallRecorder, RecordingFailed

if TYPE_CHECKING:
    from voice_server.telephony.flow import CallFlow
    from voice_server.telephony.outgoing import CallBook

log = logging.getLogger(__name__)

CLOSING_S = 10.0
"""The last sound of a recording, and what the database must know, get so long at the end."""

KEEPS = (Record, Unrecord, NeverCall)


class CallKeeper:
    """One call's. Owned by its session, which awaits :meth:`close`."""

    def __init__(
        self,
        call_id: str,
        flow: Callable[[], CallFlow],
        book: Callable[[], CallBook | None],
        clock: Callable[[], float],
    ) -> None:
        self._id = call_id
        self._flow = flow
        self._book = book
        self._clock = clock
        self._recorder: CallRecorder | None = None
        self._wanted = False
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()
        """Begin and destruction of a recording, one after the other."""

    # ----------------------------------------------------------------- sound

    def caller(self, data: bytes) -> None:
        """Take sound of the caller in the line's codec."""
        if self._recorder is not None:
            self._recorder.track.caller(data, self._clock())

    def sent(self, command: SendAudio | Clear) -> None:
        """Take sound of ours that goes to the line."""
        if self._recorder is None:
            return
        if isinstance(command, Clear):
            self._recorder.track.clear(self._clock())
        else:
            self._recorder.track.agent(command.data, self._clock())

    def use(self, codec: Codec) -> None:
        """The line has another codec."""
        if self._recorder is not None:
            self._recorder.track.use(codec)

    # --------------------------------------------------------------- keeping

    def carry_out(self, effect: Record | Unrecord | NeverCall) -> None:
        """Do what the flow wants; it need not wait for it."""
        if isinstance(effect, Record):
            self._wanted = True
            self._spawn(self._record(effect.consent))
        elif isinstance(effect, Unrecord):
            self._wanted = False
            if self._recorder is not None:
                self._recorder.stop()
            self._spawn(self._unrecord())
        else:
            self._spawn(self._never())

    async def close(self) -> None:
        """End the recording and wait for what must be written, boundedly."""
        self._closing = True
        if self._recorder is not None:
            self._recorder.stop()
        if not self._tasks:
            return
        _, pending = await asyncio.wait(self._tasks, timeout=CLOSING_S)
        for task in pending:
            log.error("call %s: what had to be kept was not written in time", self._id)
            task.cancel()

    async def _record(self, consent: str) -> None:
        book, flow = self._book(), self._flow()
        line, codec = flow.line, flow.codec
        if book is None or line is None or codec is None:
            log.error("call %s is not recorded: there is no place for recordings", self._id)
            return
        try:
            async with self._lock:
                if not self._wanted:
                    return
                path = await book.recordings.begin(
                    self._id, line.shop, line.recording_days, consent
                )
                recorder = CallRecorder(path, codec, self._clock)
        except RecordingFailed as error:
            log.error("call %s: %s", self._id, error)
            return
        if self._wanted:
            self._recorder = recorder
            if self._closing:  # the call was over before the file was there
                recorder.stop()
            await recorder.run()

    async def _unrecord(self) -> None:
        book = self._book()
        if book is None:
            return
        others = {task for task in self._tasks if task is not asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=CLOSING_S)  # the file is closed
        self._recorder = None
        try:
            async with self._lock:
                await book.recordings.destroy(self._id)
        except RecordingFailed as error:
            log.critical("ALARM: call %s: consent was withdrawn, but %s", self._id, error)

    async def _never(self) -> None:
        book, flow = self._book(), self._flow()
        number = flow.started.caller if flow.started is not None else ""
        shop = flow.line.shop if flow.line is not None else ""
        try:
            number = e164(number if number.startswith("+") else f"+{number}")
        except NotDialled:
            log.warning("call %s: a wish not to be called, from no number that is known", self._id)
            return
        if book is None:
            log.critical("ALARM: call %s: a wish not to be called cannot be kept", self._id)
            return
        try:
            await book.opt_out(OptOut(number, shop, f"call {self._id}", datetime.now(UTC)))
        except StorageError as error:
            log.critical(
                "ALARM: call %s: a wish not to be called was not kept: %s", self._id, error
            )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("call %s: keeping failed", self._id, exc_info=task.exception())
