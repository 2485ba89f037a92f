"""How evenly calls are paced, and how fast a barge-in silences the line: engines faked.

The server runs in a process of its own on core 0, the callers on core 1.  Every call is greeted,
asks, hears the answer to its end, asks again and interrupts the second answer.

* jitter: how far each 20 ms frame of an AudioSocket call comes from 20 ms after the one before it;
* late: how much later than due the server handed each of those frames to its socket;
* clear: from the first voiced frame that a Twilio caller sends to the ``clear`` that comes back;
* silence: from that frame to the last sound that an AudioSocket call sends, which has no ``clear``;
* answer: from the last voiced frame to the first sound: the turn's closing silence, faked engines.

    .venv/bin/python scripts/bench/phone.py --calls 10 25 50 --json out/phone.json

Other programs on the same cores are measured too.  Where they cannot be stopped, ``chrt -r 10``
before the command (as root) keeps them from interrupting.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.tables import percentile, print_table, write_json
from voice_server.telephony.call import Close, Message
from voice_server.telephony.softphone import Softphone
from voice_server.telephony.softphones import PHONES

FRAME_S = 0.02
QUIET = bytes((0, 0x10, 1, 0x40))
"""All that an AudioSocket frame of 20 ms of silence is made of."""
ANSWER = "It costs twenty nine euros and ninety five cents and we deliver it the day after tomorrow"
"""Seventeen words of a quarter of a second: long enough to be interrupted."""


# ------------------------------------------------------------------ the server


def serve() -> None:
    """Run a server with faked engines; print its ports; end at SIGTERM with its processor time."""
    import gc

    import uvloop
    from aiohttp import web

    from tests.fakes.engines import FakeDialogue, FakeEndOfTurn, FakeStt, FakeTts, InlineWorkers
    from tests.telephony.booth import LINE, PhoneVad
    from voice_server.conversation.services import ConversationOptions, Services
    from voice_server.conversation.session import Conversation
    from voice_server.conversation.vad_batch import VadBatcher
    from voice_server.dialogue.dialogue import Clause, ReplyEnd
    from voice_server.telephony import session
    from voice_server.telephony.pacer import Pacer
    from voice_server.telephony.ports import TelephonyBackend
    from voice_server.web.application import METRICS
    from voice_server.web.metrics import Metrics
    from voice_server.web.telephony import AUDIOSOCKET, add_telephony

    late: list[float] = []

    class MeasuredPacer(Pacer):
        """Notes how late each frame is."""

        def _tick(self) -> None:
            if self._queue:
                late.append((self._loop.time() - self._next) * 1000)
            super()._tick()

    setattr(session, "Pacer", MeasuredPacer)  # noqa: B010 - mypy has no word for it

    async def answer(request: Any) -> Any:
        yield Clause(ANSWER, "en")
        yield ReplyEnd(source="facts")

    async def main() -> None:
        batcher = VadBatcher(PhoneVad(), InlineWorkers())  # type: ignore[arg-type]
        services = Services(
            batcher,
            FakeEndOfTurn(),
            FakeStt("what does it cost", delay_s=0.05),
            FakeTts(delay_s=0.01),
            FakeDialogue(answer),
        )

        def open_call(
            *, session_id: str, line: Any, language: str, features: Any, emit: Any, history: Any
        ) -> Conversation:
            options = ConversationOptions(
                session_id, input_rate=16_000, language=language, flushes=True,
                lead_ms=features.lead_ms, piece_ms=20.0,
            )  # fmt: skip
            return Conversation(services=services, options=options, emit=emit, history=history)

        backend = TelephonyBackend(open_call, lambda: (LINE,), demo=True, max_calls=1000)
        application = web.Application()
        application[METRICS] = Metrics()
        add_telephony(application, backend, audiosocket=("127.0.0.1", 0))
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
        await site.start()
        vad_task = asyncio.create_task(batcher.run())
        print(runner.addresses[0][1], application[AUDIOSOCKET].port, flush=True)
        done = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
        gc.collect()
        gc.freeze()
        await done.wait()
        vad_task.cancel()
        told = {"cpu_s": time.process_time(), "late_p99_ms": percentile(late, 99)}
        print(json.dumps(told), flush=True)
        os._exit(0)

    uvloop.run(main())


# ----------------------------------------------------------------- the callers


class Call:
    """One caller, and what they measured."""

    def __init__(self, vendor: str, http: int, tcp: int, seed: int) -> None:
        kind, codec = PHONES[vendor]
        self.phone: Softphone = kind(
            codec, caller="+32470123456", called="", call_id=str(uuid.uuid4())
        )
        self.vendor = vendor
        self._http, self._tcp = http, tcp
        rng = np.random.default_rng(seed)
        size = codec.rate // 50
        noise = (rng.standard_normal(size) * 0.1).astype(np.float32)
        self._voice, self._silence = codec.encode(noise), codec.silence * size
        self._write: Any = None
        self.arrivals: list[float] = []
        """Of frames, silent ones as well."""
        self.sounds: list[float] = []
        self.cleared_at: list[float] = []
        self.jitter_ms: list[float] = []
        self.clear_ms: list[float] = []
        self.silence_ms: list[float] = []
        self.answer_ms: list[float] = []

    async def run(self) -> None:
        """Make the whole call."""
        if self.vendor == "audiosocket":
            reader, writer = await asyncio.open_connection("127.0.0.1", self._tcp)
            self._write = writer.write
            reading = asyncio.create_task(self._read_stream(reader))
            await self._script()
            reading.cancel()
            writer.close()
            return
        url = f"ws://127.0.0.1:{self._http}/telephony/{self.vendor}"
        async with connect(url, compression=None, ping_interval=None, proxy=None) as socket:
            self._write = socket.send
            reading = asyncio.create_task(self._read_socket(socket))
            await self._script()
            reading.cancel()

    async def _read_stream(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(4096):
            now = time.perf_counter()
            self.phone.receive(data)
            self.arrivals.append(now)
            if data.strip(QUIET):
                self.sounds.append(now)

    async def _read_socket(self, socket: Any) -> None:
        async for message in socket:
            now = time.perf_counter()
            event = orjson.loads(message)
            if event["event"] == "media":
                self.arrivals.append(now)
                self.sounds.append(now)
            elif event["event"] == "clear":
                self.cleared_at.append(now)
            await self._give(self.phone.receive(message))

    async def _give(self, messages: list[Message]) -> None:
        for message in messages:
            if not isinstance(message, Close):
                sent = self._write(message)
                if sent is not None:
                    await sent

    async def _speak(self, seconds: float, *, voice: bool) -> float:
        """Send frames in real time; return when the first was sent."""
        start = time.perf_counter()
        for count in range(round(seconds / FRAME_S)):
            await self._give(self.phone.speak(self._voice if voice else self._silence))
            _, answers = self.phone.play(20)
            await self._give(answers)
            await asyncio.sleep(max(0.0, start + (count + 1) * FRAME_S - time.perf_counter()))
        return start

    async def _script(self) -> None:
        await self._give(self.phone.dial())
        await self._speak(4.5, voice=False)  # the greeting and the offer of a language
        await self._speak(1.0, voice=True)
        asked = time.perf_counter()
        await self._speak(6.5, voice=False)
        heard = [at for at in self.arrivals if at >= asked]
        answers = [at for at in self.sounds if at >= asked]
        if answers:
            self.answer_ms.append((answers[0] - asked) * 1000)
        gaps = np.diff(heard) * 1000
        self.jitter_ms += [abs(float(gap) - 20) for gap in gaps if gap < 100]
        await self._speak(1.0, voice=True)
        await self._speak(1.6, voice=False)
        began = await self._speak(1.0, voice=True)
        cleared = [at for at in self.cleared_at if at >= began]
        if cleared:
            self.clear_ms.append((cleared[0] - began) * 1000)
        said = [at for at in self.sounds if began <= at]
        if said and self.vendor == "audiosocket":
            self.silence_ms.append((said[-1] - began) * 1000)
        await self._speak(0.5, voice=False)
        await self._give(self.phone.hang_up())


async def measure(calls: int) -> dict[str, Any]:
    """Make so many calls at once, half of each vendor, and return what they measured."""
    server = await asyncio.create_subprocess_exec(
        *_pinned(0), sys.executable, __file__, "--serve", stdout=subprocess.PIPE
    )
    assert server.stdout is not None  # noqa: S101 - it was asked for
    http, tcp = map(int, (await server.stdout.readline()).split())
    made = [
        Call("audiosocket" if number % 2 else "twilio", http, tcp, number)
        for number in range(calls)
    ]

    async def later(call: Call, delay: float) -> None:
        await asyncio.sleep(delay)
        await call.run()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, call in enumerate(made):
            group.create_task(later(call, number * FRAME_S / calls + number * 0.007))
    seconds = time.perf_counter() - began
    server.send_signal(signal.SIGTERM)
    told = json.loads(await server.stdout.readline())
    await asyncio.wait_for(server.wait(), 10)
    jitter = [one for call in made if call.vendor == "audiosocket" for one in call.jitter_ms]
    clear = [one for call in made for one in call.clear_ms]
    silence = [one for call in made for one in call.silence_ms]
    answers = [one for call in made for one in call.answer_ms]
    return {
        "calls": calls,
        "frames": len(jitter),
        "jitter_p50_ms": percentile(jitter, 50),
        "jitter_p99_ms": percentile(jitter, 99),
        "late_p99_ms": told["late_p99_ms"],
        "clear_p50_ms": percentile(clear, 50),
        "clear_p99_ms": percentile(clear, 99),
        "silence_p99_ms": percentile(silence, 99),
        "answer_p50_ms": percentile(answers, 50),
        "answered": f"{len(answers)}/{calls}",
        "cleared": f"{len(clear)}/{(calls + 1) // 2}",
        "silenced": f"{len(silence)}/{calls // 2}",
        "core": round(told["cpu_s"] / seconds, 2),
    }


def _pinned(core: int) -> list[str]:
    """Return the prefix that keeps a process on one core, where there is one to spare."""
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 else []


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, nargs="+", default=[10, 25, 50])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve()
        return
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    rows = [asyncio.run(measure(calls)) for calls in args.calls]
    print_table(rows)
    if args.json:
        write_json(args.json, "phone", rows)


if __name__ == "__main__":
    main()
