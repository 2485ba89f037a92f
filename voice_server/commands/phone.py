"""``voice-server phone``: call a running server as each vendor's telephone network would."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from voice_server.config import Settings

if TYPE_CHECKING:
    from argparse import _SubParsersAction

VENDORS = ("twilio", "telnyx", "plivo", "vonage", "genesys", "asterisk", "audiosocket")


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "phone",
        help="call a running server like a telephone, without an account anywhere",
        description="A softphone that speaks each vendor's own wire format to a server in demo "
        "mode: by wav files, which are played as turns after the greeting, or by microphone.",
        epilog="Example: voice-server phone --vendor twilio --wav question.wav --save call.wav",
    )
    parser.add_argument("--vendor", choices=VENDORS, default="twilio", help="default: twilio")
    parser.add_argument(
        "--url",
        default="http://127.0.0.1:8080",
        help="the server (default: http://127.0.0.1:8080; AudioSocket: its port 9092)",
    )
    parser.add_argument(
        "--wav",
        type=Path,
        nargs="+",
        help="turns: files, or keys:6000# to press keys; without it, the microphone",
    )
    parser.add_argument(
        "--keys", default="", help="keys to press after the greeting, before the first turn"
    )
    parser.add_argument(
        "--save", type=Path, help="write the call to this wav file: left the caller, right the shop"
    )
    parser.add_argument("--caller", default="+32470123456", help="the number that calls")
    parser.add_argument("--called", default="+3225550123", help="the number that is called")
    parser.add_argument(
        "--codec",
        choices=("pcmu", "pcma", "l16", "l16-16k"),
        help="sound of the line, where the vendor has a choice (default: what it usually sends)",
    )
    parser.add_argument(
        "--loss", type=float, default=0.0, help="percent of the caller's packets that get lost"
    )
    parser.add_argument(
        "--timeout", type=float, default=30.0, help="seconds to wait for an answer (default: 30)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Call; returns the exit code."""
    from voice_server.commands.phoning import Caller, CallFailed

    try:
        caller = Caller(
            args.vendor,
            args.url,
            caller=args.caller,
            called=args.called,
            codec=args.codec,
            save=args.save,
            loss=args.loss / 100,
            timeout_s=args.timeout,
        )
        if args.wav:
            asyncio.run(caller.play(args.wav, args.keys))
        else:
            asyncio.run(caller.microphone())
    except CallFailed as error:
        print(f"voice-server phone: {error}", file=sys.stderr)
        return 1
    return 0
