"""``voice-server check PACK``: what is wrong with a shop pack, where, and how to mend it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from voice_server.config import Settings
from voice_server.dialogue.flows.declared import FlowError, read_flow
from voice_server.dialogue.flows.wording import load_texts
from voice_server.dialogue.locales import AVAILABLE
from voice_server.shop import pack
from voice_server.shop.pack_reader import Problem
from voice_server.shop.pack_summary import Summary, summarise
from voice_server.weights import WeightStore

if TYPE_CHECKING:
    from argparse import _SubParsersAction

SOUND, BROKEN, NO_PACK = 0, 1, 2
"""Exit codes: usable (perhaps with warnings), not usable, nothing there to check."""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "check",
        help="check a shop pack",
        description="Check a shop pack and name file, line and remedy of every problem. Exit code "
        "0: it can be served (warnings are for your eyes); 1: it has errors; 2: there is no pack.",
    )
    parser.add_argument("pack", metavar="PACK", help="a folder, or the name of a bundled pack")
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    parser.add_argument(
        "--strict", action="store_true", help="count warnings as errors in the exit code"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Check and print; returns the exit code."""
    try:
        folder = pack.resolve(args.pack)
    except FileNotFoundError as error:
        print(f"voice-server check: {error}", file=sys.stderr)
        return NO_PACK
    shop, problems = pack.inspect(folder, voices=known_voices(WeightStore(settings.models)))
    problems += flow_problems(folder)
    errors = sum(problem.severity == "error" for problem in problems)
    broken = errors > 0 or (args.strict and bool(problems))
    summary = summarise(shop)
    if args.json:
        _print_json(folder, problems, summary, usable=errors == 0)
    else:
        _print_words(folder, problems, summary)
    return BROKEN if broken else SOUND


def flow_problems(folder: Path) -> list[Problem]:
    """Return what is wrong with the pack's own flows and their texts (``flows/``)."""
    found: list[Problem] = []
    for path in sorted((folder / "flows").glob("*.yaml")):
        try:
            read_flow(path)
        except FlowError as error:
            remedy = "compare it with the flows described in docs/flows.md"
            found.append(Problem("error", f"flows/{path.name}", 0, str(error), remedy))
    for language in AVAILABLE:
        try:
            load_texts(language, folder)
        except ValueError as error:
            remedy = "use only the keys and values of the bundled text"
            name = f"flows/texts.{language}.txt"
            found.append(Problem("error", name, 0, str(error), remedy))
    return found


def known_voices(store: WeightStore) -> dict[str, str]:
    """Return the voices of the models that are described or in the folder, with their language."""
    voices: dict[str, str] = {}
    for entry in store.entries():
        for table in entry.engine.get("voices", ()):
            voices[str(table.get("id", ""))] = str(table.get("language", ""))
        if entry.name.startswith("piper-"):
            models = [Path(file.path) for file in entry.files if file.path.endswith(".onnx")]
            voices |= {model.stem: entry.languages[0] for model in models}
    # Voices an operator has put there; Piper names them by their language: nl_BE-nathalie-medium.
    for model in (store.root / "piper").glob("*.onnx"):
        voices[model.stem] = model.stem.partition("-")[0].replace("_", "-")
    return voices


def _print_json(
    folder: Path, problems: Sequence[Problem], summary: Summary, *, usable: bool
) -> None:
    body = {
        "pack": str(folder),
        "usable": usable,
        "errors": sum(problem.severity == "error" for problem in problems),
        "warnings": sum(problem.severity == "warning" for problem in problems),
        "problems": [asdict(problem) for problem in problems],
        "summary": asdict(summary),
    }
    print(json.dumps(body, ensure_ascii=False, indent=2))


def _print_words(folder: Path, problems: Sequence[Problem], summary: Summary) -> None:
    console = Console(width=None if sys.stdout.isatty() else 100, highlight=False)
    for file, found in groupby(problems, key=lambda problem: problem.file):
        console.print(file, style="bold", markup=False)
        for problem in found:
            line = f"line {problem.line}: " if problem.line else ""
            style = "red" if problem.severity == "error" else "yellow"
            console.print(
                f"  {problem.severity}: {line}{problem.message}", style=style, markup=False
            )
            console.print(f"    → {problem.remedy}", markup=False)
    if problems:
        console.print()
    headline = (
        f"{summary.name or summary.id}: {_count(summary.products, 'product')} "
        f"({summary.in_stock} in stock), {_count(summary.variants, 'variant')}, "
        f"{_count(summary.orders, 'order')}"
    )
    console.print(headline, style="bold", markup=False, soft_wrap=True)
    console.print(_table(summary))
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    if errors:
        verdict = f"{_count(errors, 'error')} to mend before {folder.name} can be served"
    else:
        verdict = f"{folder.name} can be served"
    with_warnings = f", {_count(warnings, 'warning')}" if warnings else ""
    console.print(f"{verdict}{with_warnings}.", markup=False, soft_wrap=True)


def _table(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("language", "products", "policies", "answers", "greeting", "complete"):
        table.add_column(heading, justify="left" if heading == "language" else "right")
    for one in summary.languages:
        table.add_row(
            one.language,
            f"{one.products}/{summary.products}",
            f"{one.sections}/{summary.sections}",
            f"{one.answers}/{summary.answers}",
            "yes" if one.greeting else "no",
            f"{one.percent} %",
        )
    return table


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
