"""``voice-server data``: one customer's data, handed out or erased."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from voice_server.bookkeeping import open_subjects
from voice_server.config import Settings
from voice_server.customer_data import CustomerData, Found
from voice_server.records import StorageError
from voice_server.storage import open_storage

if TYPE_CHECKING:
    from argparse import _SubParsersAction

DONE, FAILED, NOTHING = 0, 1, 2
"""Exit codes; nothing: there are no conversations of that customer."""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "data",
        help="hand out or erase one customer's data",
        description="Hand out (GDPR articles 15 and 20) or erase (article 17) what is kept of one "
        "customer's conversations: words, decisions, memory, desk cases, recordings. They are "
        "found by an order that was proved, a number that called, or who the shop's page said it "
        "is; with --said also by an address or number that was only said. Make sure that whoever "
        "asks is the customer. Exit code 2: nothing is kept of them.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    export = actions.add_parser("export", help="print one JSON object")
    export.add_argument("--output", type=Path, metavar="FILE", help="write it to a new file")
    erase = actions.add_parser("erase", help="erase, after a question")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    for action in (export, erase):
        who = action.add_mutually_exclusive_group(required=True)
        who.add_argument(
            "--customer", metavar="WHO", help="e-mail address, telephone number, order number or "
            "the shop's own id of the customer",
        )  # fmt: skip
        who.add_argument("--session", metavar="ID", help="one conversation, by its id")
        action.add_argument("--of", metavar="SHOP", help="only of the shop with this id")
        action.add_argument(
            "--said", action="store_true", help="also where it was only said, perhaps by another"
        )
        action.add_argument("--data", type=Path, default=None, help="the server's data folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it; returns the exit code."""
    try:
        return asyncio.run(_run(args, settings))
    except (StorageError, OSError) as error:
        print(f"voice-server data: {error}", file=sys.stderr)
        return FAILED


async def _run(args: argparse.Namespace, settings: Settings) -> int:
    subjects = open_subjects(settings)
    storage = await open_storage(settings.database.get_secret_value(), settings.data)
    try:
        data = CustomerData(storage, subjects, settings.data)
        found = await _found(args, data)
        if not found:
            return NOTHING
        if args.action == "export":
            return await _export(args, data, found)
        return await _erase(args, data, found)
    finally:
        await storage.close()


async def _found(args: argparse.Namespace, data: CustomerData) -> list[Found]:
    if args.session:
        found = await data.session(args.session, args.of)
    else:
        found = await data.find(args.customer, args.of)
    unsure = [one for one in found if not one.sure]
    if unsure and not args.said and not args.session:
        print(
            f"{len(unsure)} more conversation(s) where this was only said, perhaps by somebody "
            "else, are left out: --said takes them in.",
            file=sys.stderr,
        )
        found = [one for one in found if one.sure]
    if not found:
        print("Nothing is kept of this customer.", file=sys.stderr)
    return found


async def _export(args: argparse.Namespace, data: CustomerData, found: list[Found]) -> int:
    text = json.dumps(await data.export(found), ensure_ascii=False, indent=2)
    if args.output is None:
        print(text)
        return DONE
    with args.output.open("x", encoding="utf-8") as file:  # never over another customer's
        args.output.chmod(0o600)
        file.write(text + "\n")
    print(f"{len(found)} conversation(s) are in {args.output}.", file=sys.stderr)
    return DONE


async def _erase(args: argparse.Namespace, data: CustomerData, found: list[Found]) -> int:
    if not args.yes:
        question = f"Erase {len(found)} conversation(s) for good? [y/N] "
        answer = await asyncio.to_thread(input, question)
        if answer.strip().lower() not in {"y", "yes"}:
            print("Nothing was erased.")
            return FAILED
    gone = await data.erase(found)
    print(
        f"Erased {len(found)} conversation(s): {gone.rows} records, {gone.cases} desk case(s), "
        f"{gone.files} recording(s)."
    )
    for ticket in gone.tickets:
        print(f"Erase this ticket at the desk's vendor: {ticket}")
    print("Backups keep what they had: erase there too, or let them run out.")
    return DONE
