"""``voice-server show``: the server with a live show, and where its pages are."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from voice_server.commands import serve
from voice_server.config import Settings
from voice_server.live.out.camera import find_browser
from voice_server.live.out.outlet import find_ffmpeg
from voice_server.live.out.target import OutError, parse_record, read_push
from voice_server.live.run_sheet import RunSheetError, load

if TYPE_CHECKING:
    from argparse import _SubParsersAction

DEMO = "demo"


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "show",
        help="put a live show on air",
        description="Serve as 'serve' does, with a live show from a run-sheet. 'demo' is the one "
        "of the demo shop, with a made-up audience.",
        epilog="Example: voice-server show demo, then open http://localhost:8080/watch/demo",
    )
    parser.add_argument("sheet", nargs="?", default=DEMO, help="a run-sheet (TOML), or demo")
    parser.add_argument(
        "--push",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="push to rtmp(s)://host/app/key; @FILE reads the address from a file, which keeps the "
        "key out of the process list; may be given several times",
    )
    parser.add_argument(
        "--record", action="append", default=[], metavar="FILE", help="record into FILE.mp4"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Serve with the show; returns the exit code."""
    show = DEMO
    if args.sheet != DEMO:
        path = Path(args.sheet)
        try:
            show = load(path).id
        except RunSheetError as error:
            print(f"voice-server show: {error}", file=sys.stderr)
            return 2
        settings = settings.model_copy(update={"shows": (path,)})
    try:
        for wish in args.push:
            read_push(wish)
        for wish in args.record:
            parse_record(wish).check()
        if args.push or args.record:
            find_ffmpeg()
            find_browser()
    except OutError as error:
        print(f"voice-server show: {error}", file=sys.stderr)
        return 2
    settings = settings.model_copy(
        update={
            "show_push": (*settings.show_push, *(SecretStr(f"{show}={w}") for w in args.push)),
            "show_record": (*settings.show_record, *(f"{show}={w}" for w in args.record)),
        }
    )
    base = f"http://localhost:{settings.port}"
    print(
        f"Viewers:    {base}/watch/{show}\n"
        f"OBS source: {base}/stage/{show}   (1920 x 1080 or 1080 x 1920)\n"
        f"Host:       {base}/console/shows/{show}",
        file=sys.stderr,
    )
    return serve.run(args, settings)
