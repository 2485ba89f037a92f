"""``voice-server serve``: the server itself."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

from voice_server.config import Settings
from voice_server.heap import few_pools
from voice_server.logs import configure_logs

if TYPE_CHECKING:
    from argparse import _SubParsersAction

log = logging.getLogger(__name__)

LOADING_STOPPED = 143
"""Exit code after two signals while the engines were being loaded, as shells have SIGTERM."""

LEAVING_S = 2.0
"""Wait for engines at their work: a window of speech takes 0.3 s, recognition rarely a second."""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command; its options are the Settings."""
    parser = subparsers.add_parser(
        "serve",
        help="run the server",
        description="Serve the voice button, the Realtime API and the demo page on one port. On "
        "loopback without keys this is demo mode: any key is accepted.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Serve until SIGTERM (drains) or a second one (stops at once); returns the exit code."""
    from voice_server.app import StartFailed  # the engines: other commands start without them
    from voice_server.speech.workers import settle

    few_pools()
    configure_logs(settings.log_format, settings.log_level)
    try:
        if sys.platform == "win32":
            code = asyncio.run(_serve(settings))
        else:
            import uvloop

            code = int(uvloop.run(_serve(settings)))
    except StartFailed as error:
        print(f"voice-server serve: {error}", file=sys.stderr)
        return 1
    if not settle(LEAVING_S):
        logging.shutdown()
        os._exit(code)  # an engine still computes: it would abort the process in its own way
    return code


async def _serve(settings: Settings) -> int:
    from voice_server.app import App

    loop = asyncio.get_running_loop()
    first, second = asyncio.Event(), asyncio.Event()
    app = App(settings)

    def signalled() -> None:
        if first.is_set() and not app.loaded:
            os._exit(LOADING_STOPPED)  # threads that load a model cannot be interrupted
        (second if first.is_set() else first).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C ends asyncio.run
            loop.add_signal_handler(number, signalled)
    async with app.running(stop=first):
        with contextlib.suppress(NotImplementedError, AttributeError):  # Windows has no SIGHUP
            loop.add_signal_handler(signal.SIGHUP, app.reload_soon)
        await first.wait()
        log.info("draining: new sessions are refused, a second signal stops at once")
        draining = asyncio.ensure_future(app.drain())
        hurried = asyncio.ensure_future(second.wait())
        await asyncio.wait({draining, hurried}, return_when=asyncio.FIRST_COMPLETED)
        for task in (draining, hurried):
            task.cancel()
        await asyncio.gather(draining, hurried, return_exceptions=True)
    return 0
