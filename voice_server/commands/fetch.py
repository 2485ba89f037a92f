"""``voice-server fetch``: bring, list or check the models' weights."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from voice_server.config import Settings
from voice_server.weights import (
    DiskFull,
    FetchFailed,
    UnknownWeights,
    WeightStore,
    progress_for,
)
from voice_server.weights.files import megabytes

if TYPE_CHECKING:
    from argparse import _SubParsersAction

INTERRUPTED = 130
"""Exit code of a command ended by Ctrl-C, as shells have it."""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "fetch",
        help="fetch the models' weights",
        description="Fetch models' weights into the models folder, verified by sha256. Without "
        "names: the default set (speech). What is there already is not fetched again, and an "
        "interrupted fetch goes on where it stopped.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="entries or groups (see --list)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="list what exists and what is here")
    what.add_argument("--verify", action="store_true", help="hash every file again")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Carry the command out; returns the exit code. Results go to stdout, the rest to stderr."""
    store = WeightStore(settings.models)
    try:
        if args.list:
            return _list(store)
        if args.verify:
            return _verify(store, args.names)
        asyncio.run(_fetch(store, args.names))
    except UnknownWeights as error:
        print(f"voice-server fetch: {error}", file=sys.stderr)
        return 2
    except (FetchFailed, DiskFull) as error:
        print(f"voice-server fetch: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"voice-server fetch: cannot write {settings.models}: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print(
            "voice-server fetch: interrupted; the same command goes on where it stopped",
            file=sys.stderr,
        )
        return INTERRUPTED
    return 0


async def _fetch(store: WeightStore, names: list[str]) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101
    # Ended by a service manager, the registry clients must go too: cancel instead of dying.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await store.fetch(names, progress_for(sys.stderr))
    for entry in store.select(names):
        print(f"{entry.name}: {store.root / entry.name}")


def _verify(store: WeightStore, names: list[str]) -> int:
    found = store.verify(names)
    for name, bad in found.items():
        print(f"{name}: {'ok' if not bad else 'missing or damaged: ' + ', '.join(bad)}")
    if not found:
        print(f"no weights in {store.root}")
    return 1 if any(found.values()) else 0


def _list(store: WeightStore) -> int:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "group", "size", "here", "licence", "what"):
        table.add_column(heading, justify="right" if heading == "size" else "left", no_wrap=True)
    for entry in store.entries():
        here = "yes" if store.is_ready(entry.name) else "no"
        table.add_row(
            entry.name, entry.group, megabytes(entry.size), here, entry.licence, entry.title
        )
    # Not cut to a pipe's imaginary 80 columns.
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    print(f"folder: {store.root}")
    return 0
