"""How many streaming sessions one core holds: 20 ms frames, real VAD, every other engine faked.

The server runs in a process of its own on core 0, the clients on core 1.  Lag is the time from
the moment a frame was due at the client to the verdict of the voice-activity model on it at the
server: network, websocket, decoding, resampling, batching and the model are all inside.

    .venv/bin/python scripts/bench/sessions.py --sessions 50 100 150 200 --json out/sessions.json
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.tables import percentile, print_table, write_json

FRAME_S = 0.02
RATE = 24_000


# ------------------------------------------------------------------ the server


def serve(models: Path) -> None:
    """Run a server with the real VAD; print its port; dump lags as JSON at SIGTERM."""
    import gc

    import uvloop
    from aiohttp import web

    from tests.fakes.engines import FakeDialogue, FakeEndOfTurn, FakeStt, FakeTts
    from voice_server.conversation import orders
    from voice_server.conversation.services import ConversationOptions, Services
    from voice_server.conversation.session import Conversation
    from voice_server.conversation.vad_batch import VadBatcher
    from voice_server.realtime.ports import RealtimeBackend
    from voice_server.speech.vad import SileroVad
    from voice_server.speech.workers import Workers
    from voice_server.web.application import WebBackend, create_application
    from voice_server.weights import WeightStore

    lags: list[float] = []
    measuring = {"since": float("inf"), "cpu": 0.0}

    class Measured(Conversation):
        """Notes when each frame was due at the client and when it was judged."""

        began: float | None = None

        def order(self, order: orders.Order) -> None:
            if self.began is None and type(order) is orders.Hear:
                self.began = time.monotonic()
            super().order(order)

        def _frame(self, probability: float, end_ms: float) -> None:
            now = time.monotonic()
            if self.began is not None and now >= measuring["since"]:
                # The last sample of this frame came with the 20 ms piece that ends at or after it.
                piece = np.ceil(end_ms / 20.0) - 1
                lags.append(now - (self.began + piece * FRAME_S))
            super()._frame(probability, end_ms)

    async def main() -> None:
        vad = SileroVad(WeightStore(models).path("silero-vad"))
        batcher = VadBatcher(vad, Workers("vad", 1))
        services = Services(
            batcher,
            FakeEndOfTurn(),
            FakeStt("hello there", delay_s=0.08),
            FakeTts(delay_s=0.02),
            FakeDialogue(delay_s=0.01),
        )

        def open_conversation(
            *,
            session_id: str,
            input_rate: int,
            emit: Any,
            history: Any,
            flushes: bool,
            language: str | None,
        ) -> Conversation:
            options = ConversationOptions(session_id, input_rate=input_rate, flushes=flushes)
            return Measured(services=services, options=options, emit=emit, history=history)

        realtime = RealtimeBackend(open_conversation=open_conversation, max_sessions=5000)
        application = create_application(WebBackend(realtime=realtime))
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=2048)
        await site.start()
        vad_task = asyncio.create_task(batcher.run())
        print(runner.addresses[0][1], flush=True)
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, done.set)

        def start_measuring() -> None:
            lags.clear()
            measuring["since"] = time.monotonic()

        loop.add_signal_handler(signal.SIGUSR1, start_measuring)
        gc.collect()
        gc.freeze()
        await done.wait()
        vad_task.cancel()
        print(json.dumps([round(lag * 1000, 2) for lag in lags]), flush=True)
        os._exit(0)

    uvloop.run(main())


# ------------------------------------------------------------------ the clients


def frames_of(load: str, seed: int) -> list[str]:
    """Return eight seconds of append messages: noise at -66 dBFS, or one question in it."""
    rng = np.random.default_rng(seed)
    audio = rng.normal(0, 10 ** (-66 / 20), RATE * 8)
    if load == "room":
        audio = rng.normal(0, 10 ** (-50 / 20), RATE * 8)
    if load == "talk":
        audio[RATE : RATE * 5 // 2] += voice_like(RATE * 3 // 2, rng)
    pcm = (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
    step = round(2 * RATE * FRAME_S)
    return [
        '{"type":"input_audio_buffer.append","audio":"'
        + base64.b64encode(pcm[start : start + step]).decode()
        + '"}'
        for start in range(0, len(pcm), step)
    ]


def voice_like(samples: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return a buzz with formants and syllables, which Silero takes for speech."""
    t = np.arange(samples) / RATE
    pitch = 120 + 20 * np.sin(2 * np.pi * 2 * t)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 30))
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * t)
    return np.asarray(0.1 * buzz * syllables + rng.normal(0, 0.002, samples))


async def clients(port: int, count: int, load: str, seconds: float) -> None:
    """Open ``count`` sessions and stream for ``seconds``."""
    variants = [frames_of(load, seed) for seed in range(8)]
    end = time.monotonic() + seconds + 0.02 * count

    async def one(number: int) -> None:
        await asyncio.sleep(number * 0.02)
        url = f"ws://127.0.0.1:{port}/v1/realtime?model=x"
        async with connect(url, compression=None, max_size=None, open_timeout=60) as socket:

            async def drain() -> None:
                with contextlib.suppress(ConnectionClosed):
                    async for _ in socket:
                        pass

            reader = asyncio.create_task(drain())
            frames = variants[number % len(variants)]
            begin = time.monotonic()
            index = 0
            while time.monotonic() < end and not reader.done():
                with contextlib.suppress(ConnectionClosed):  # the server went first
                    await socket.send(frames[index % len(frames)])
                index += 1
                await asyncio.sleep(max(0.0, begin + index * FRAME_S - time.monotonic()))
            reader.cancel()

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))


# --------------------------------------------------------------------- the run


def measure(models: Path, count: int, load: str, seconds: float) -> dict[str, Any]:
    """Measure one point."""
    server = subprocess.Popen(
        [*pinned(0), sys.executable, __file__, "--serve", "--models", str(models)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None  # noqa: S101
    port = int(server.stdout.readline())
    process = psutil.Process(server.pid)
    base_rss = process.memory_info().rss
    client = subprocess.Popen(
        [
            *pinned(1), sys.executable, __file__, "--client", str(port), str(count), load,
            str(seconds),
        ]
    )  # fmt: skip
    time.sleep(0.02 * count + 3.0)  # everybody is connected and warm
    server.send_signal(signal.SIGUSR1)
    cpu, since = process.cpu_times(), time.monotonic()
    time.sleep(seconds - 5.0)
    spent = process.cpu_times()
    wall = time.monotonic() - since
    rss = process.memory_info().rss
    client.terminate()
    client.wait()
    server.send_signal(signal.SIGTERM)
    lags = sorted(json.loads(server.stdout.readline()))
    server.wait()
    used = (spent.user + spent.system - cpu.user - cpu.system) / wall
    return {
        "load": load,
        "sessions": count,
        "core": round(used, 2),
        "cpu_ms_per_session_second": round(1000 * used / count, 2),
        "lag_p50_ms": percentile(lags, 50),
        "lag_p95_ms": percentile(lags, 95),
        "lag_p99_ms": percentile(lags, 99),
        "frames": len(lags),
        "rss_mb": round(rss / 1e6),
        "mb_per_session": round((rss - base_rss) / 1e6 / count, 2),
    }


def pinned(core: int) -> list[str]:
    """Return a command prefix that pins a process to a core, where that is possible."""
    return ["taskset", "-c", str(core)] if sys.platform == "linux" else []


def main() -> None:
    """Parse the command line and run."""
    if sys.argv[1:2] == ["--client"]:
        port, count, load, seconds = sys.argv[2:]
        import uvloop

        uvloop.run(clients(int(port), int(count), load, float(seconds)))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, nargs="+", default=[50, 100, 150, 200])
    parser.add_argument("--load", nargs="+", default=["room"], choices=["silence", "room", "talk"])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument(
        "--models", type=Path, default=Path.home() / ".cache" / "voice-server" / "models"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.models)
        return
    rows = [
        measure(args.models, count, load, args.seconds)
        for load in args.load
        for count in args.sessions
    ]
    print_table(rows)
    if args.json:
        write_json(args.json, "sessions", rows)


if __name__ == "__main__":
    main()
