"""Stands in for the llama.cpp child: same lines on stdin and stdout, any fault on demand.

``python -m tests.fakes.llama_child MODE FOLDER``; each start leaves a file in FOLDER, so that a
mode may fail only the first time.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from tests.fakes.llm import FakeLlm, Script


async def serve(mode: str, starts: int) -> None:
    """Serve as ``mode`` says until standard input ends."""
    config = json.loads(await asyncio.to_thread(sys.stdin.readline))
    print("loading", config["model"], file=sys.stderr, flush=True)
    if mode == "mute":
        await asyncio.to_thread(sys.stdin.read)
        return
    if mode == "bad_model":
        print(json.dumps({"event": "failed", "message": "cannot load it"}), flush=True)
        sys.exit(4)
    if mode == "dies_once" and starts == 1:
        print("out of memory", file=sys.stderr, flush=True)
        sys.exit(9)
    slow = Script("Hello from the child. " * 40, tokens_per_s=20)
    scripts: list[Script | str] = ["."]
    if mode == "cold":
        scripts = [Script(status=500), Script(status=500)]
    elif mode == "reads_slowly":
        scripts += [Script("H", ttft_ms=400)] * 2
    elif mode == "thinks_not":
        scripts += [Script("Never.", ttft_ms=3_600_000)] * 4
    async with FakeLlm(scripts, default=lambda _: slow, key=config["api_key"]) as llm:
        print(json.dumps({"event": "ready", "url": llm.url.removesuffix("/v1")}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    os._exit(0)


def main() -> None:
    """Run from the command line."""
    mode, folder = sys.argv[1], Path(sys.argv[2])
    (folder / f"{os.getpid()}").touch()
    asyncio.run(serve(mode, len(list(folder.iterdir()))))


if __name__ == "__main__":
    main()
