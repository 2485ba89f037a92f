"""``voice-server talk``: speak with a running server by microphone or by wav file."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from voice_server.config import Settings

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "talk",
        help="speak with a running server",
        description="Speak with a server that is running: by microphone, or by a wav file that is "
        "played to it in real time (at any rate; several files are several turns).",
        epilog="Example: voice-server talk --wav question.wav --save answer.wav",
    )
    parser.add_argument(
        "--url",
        default="ws://127.0.0.1:8080/v1/realtime",
        help="the server (default: ws://127.0.0.1:8080/v1/realtime)",
    )
    parser.add_argument("--key", default="", help="API key; demo mode needs none")
    parser.add_argument("--wav", type=Path, nargs="+", help="questions; without it, the microphone")
    parser.add_argument("--save", type=Path, help="write the answers to this wav file")
    parser.add_argument("--lang", default="", help="force a language (default: it is heard)")
    parser.add_argument(
        "--timeout", type=float, default=30.0, help="seconds to wait for an answer (default: 30)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Talk; returns the exit code."""
    from voice_server.commands.talking import Talker, TalkFailed

    talker = Talker(
        args.url, key=args.key, language=args.lang, save=args.save, timeout_s=args.timeout
    )
    try:
        if args.wav:
            asyncio.run(talker.play(args.wav))
        else:
            asyncio.run(talker.microphone())
    except TalkFailed as error:
        print(f"voice-server talk: {error}", file=sys.stderr)
        return 1
    return 0
