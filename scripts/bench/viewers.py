"""A hundred viewers of one show on one server, one of whom never reads.

    python -m scripts.bench.viewers [--viewers 100] [--seconds 60] [--json out.json]

Starts a server with the demo show, opens the viewers' websockets, and measures what each gets:
how late its speech is against the first viewer to get the same piece (the server sends to one
after the other), pieces missing, and the server's CPU and memory.  A viewer that never reads must
be closed and must not delay the others.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import time
from base64 import b64encode
from collections import defaultdict
from pathlib import Path

import aiohttp
import orjson

from scripts.bench.server import Server, running


class Viewer:
    """One page that watches."""

    def __init__(self) -> None:
        self.pieces: dict[tuple[str, float], float] = {}
        self.lines = 0
        self.closed: int | None = None

    async def watch(self, session: aiohttp.ClientSession, url: str, until: float) -> None:
        """Note every piece of speech until a moment of the monotonic clock."""
        async with session.ws_connect(url, max_msg_size=0) as ws:
            while (left := until - time.monotonic()) > 0:
                try:
                    message = await ws.receive(timeout=left)
                except TimeoutError:
                    return
                if message.type is aiohttp.WSMsgType.BINARY:
                    size = int.from_bytes(message.data[:4], "little")
                    header = orjson.loads(message.data[4 : 4 + size])
                    self.pieces[header["id"], header["at_ms"]] = time.monotonic()
                elif message.type is aiohttp.WSMsgType.TEXT:
                    self.lines += message.data.startswith('{"type":"line",')
                else:
                    self.closed = ws.close_code
                    return


def deaf(port: int) -> socket.socket:
    """Open a viewer's websocket and never read from it again."""
    found = socket.create_connection(("127.0.0.1", port), timeout=10)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    key = b64encode(b"never-reads-1234").decode()
    found.sendall(
        (
            "GET /live/demo/watch HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n"
        ).encode()
    )
    return found


async def measure(server: Server, viewers: int, seconds: float) -> dict[str, object]:
    """Watch with all viewers; return what they saw and what it cost."""
    url = f"http://127.0.0.1:{server.port}/live/demo/watch"
    silent = deaf(server.port)
    pages = [Viewer() for _ in range(viewers)]
    until = time.monotonic() + seconds
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        watching = [asyncio.ensure_future(page.watch(session, url, until)) for page in pages]
        await asyncio.sleep(min(10.0, seconds / 3))
        before, at = server.process.cpu_times(), time.monotonic()
        memory = server.memory_mb()
        await asyncio.gather(*watching)
        after = server.process.cpu_times()
        spent = time.monotonic() - at
    silent.close()
    first: dict[tuple[str, float], float] = {}
    seen: dict[tuple[str, float], int] = defaultdict(int)
    for page in pages:
        for piece, when in page.pieces.items():
            first[piece] = min(when, first.get(piece, when))
            seen[piece] += 1
    # Who joined late missed the beginning, and the last pieces were cut off by the end.
    whole = [piece for piece, when in sorted(first.items(), key=lambda pair: pair[1])][3:-1]
    late = sorted(
        1000 * (page.pieces[piece] - first[piece])
        for page in pages
        for piece in whole
        if piece in page.pieces
    )
    cpu = after.user + after.system - before.user - before.system
    return {
        "viewers": viewers,
        "seconds": seconds,
        "lines": max(page.lines for page in pages),
        "pieces": len(whole),
        "missing": sum(viewers - seen[piece] for piece in whole),
        "behind_first_ms": {
            "p50": round(late[len(late) // 2], 1) if late else None,
            "p95": round(late[int(0.95 * len(late))], 1) if late else None,
            "most": round(late[-1], 1) if late else None,
        },
        "closed": sum(page.closed is not None for page in pages),
        "server_cores": round(cpu / spent, 2),
        "server_mb": [memory, server.memory_mb()],
    }


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    results = {}
    for viewers in (1, args.viewers):
        with running("--llm", "none") as server:
            results[str(viewers)] = asyncio.run(measure(server, viewers, args.seconds))
        print(json.dumps(results[str(viewers)], indent=2))
    if args.json:
        args.json.write_text(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
