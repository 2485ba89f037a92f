"""``voice-server call``: let a running server call somebody, and tell what becomes of it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import Any

import aiohttp

from voice_server.config import Settings

POLL_S = 1.0
REQUEST_S = 30.0
"""The server itself gives a vendor ten seconds."""

KEY_VARIABLE = "VOICE_SERVER_KEY"

REACHED = frozenset({"talked", "message", "opted_out"})


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "call",
        help="let a running server call a number",
        description="Asks a running server to place a call by one of its lines that call out "
        "(outbound = {...} in the shop pack). Only numbers that the line may call are called, in "
        "opening hours and outside quiet hours, and nobody who has asked not to be. The exit code "
        "is 0 when somebody was reached or a message was left, 1 when not, 2 when the call was "
        "refused.",
        epilog="Example: voice-server call --number +32470123456 --reason 'uw bestelling BE-10497'",
    )
    parser.add_argument("--number", required=True, help="whom to call: +32 470 12 34 56")
    parser.add_argument(
        "--line", default="", help="name or number of the line (default: the first that calls out)"
    )
    parser.add_argument(
        "--shop", dest="of_shop", default="", metavar="SHOP", help="id of the shop (default: any)"
    )
    parser.add_argument(
        "--reason", default="", help="what it is about: said after who calls, in their language"
    )
    parser.add_argument("--language", default="", help="spoken to them (default: the line's first)")
    parser.add_argument(
        "--no-wait", action="store_true", help="do not wait for what becomes of the call"
    )
    parser.add_argument(
        "--url", default="http://127.0.0.1:8080", help="the server (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Call; returns the exit code."""
    key = os.environ.get(KEY_VARIABLE, "")
    if not key and settings.api_keys:
        key = settings.api_keys[0].get_secret_value()
    try:
        return asyncio.run(_call(args, key))
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        print(
            f"voice-server call: no server answers at {args.url} "
            f"({error or type(error).__name__}). Start one with: voice-server serve",
            file=sys.stderr,
        )
        return 2


async def _call(args: argparse.Namespace, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    wish = {name: getattr(args, name) for name in ("number", "line", "reason", "language")}
    wish["shop"] = args.of_shop
    base = f"{args.url.rstrip('/')}/api/calls/out"
    timeout = aiohttp.ClientTimeout(total=REQUEST_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
        async with http.post(base, json=wish) as reply:
            said = await _object(reply)
            if reply.status != 201:
                return _refused(reply.status, said)
        state = _show("", said)
        while not args.no_wait and said["state"] != "over":
            await asyncio.sleep(POLL_S)
            async with http.get(f"{base}/{said['id']}") as reply:
                said = await _object(reply)
                if reply.status != 200:
                    return _refused(reply.status, said)
            state = _show(state, said)
    if args.no_wait:
        return 0
    return 0 if said["outcome"] in REACHED else 1


async def _object(reply: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        said = await reply.json(content_type=None)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {}


def _show(before: str, said: dict[str, Any]) -> str:
    """Print a state that is new; return it."""
    state = f"{said.get('state')}"
    if state != before:
        end = f": {said['outcome']} ({said['words']})" if said.get("outcome") else ""
        call = f", call {said['call']}" if said.get("call") else ""
        print(f"{said.get('id')} to {said.get('number')}: {state}{end}{call}", flush=True)
    return state


def _refused(status: int, said: dict[str, Any]) -> int:
    error = said.get("error")
    error = error if isinstance(error, dict) else {}
    again = f" Not before {error['again_at']}." if error.get("again_at") else ""
    if status in (401, 403) and not error.get("code", "").strip():
        again = f" Set {KEY_VARIABLE} to one of the server's API keys."
    words = error.get("message") or f"the server answered {status}"
    print(f"voice-server call: {words}.{again}", file=sys.stderr)
    return 2
