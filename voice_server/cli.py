"""The ``voice-server`` command: options become Settings, each command is a module of its own."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsError

# Before numpy is imported: the small products of the frame path are slower on several threads,
# and many times so on a loaded machine. The engines have threads of their own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from voice_server import __version__
from voice_server.commands import (
    call,
    check,
    data,
    fetch,
    new_shop,
    phone,
    say,
    serve,
    show,
    talk,
)
from voice_server.config import Settings

COMMANDS = (serve, show, new_shop, check, fetch, talk, phone, call, say, data)
"""Each has ``add_parser(subparsers)`` and sets ``run(args, settings) -> exit code``."""

_EPILOG = """Every option of "serve" may also be set as a VOICE_SERVER_* environment variable
(VOICE_SERVER_LLM=none) or in voice-server.toml in the working directory (llm = "none").
Command line wins over environment, environment over file."""


def settings_options(parser: argparse.ArgumentParser, names: Sequence[str] | None = None) -> None:
    """Add an option for each setting, or for ``names``; not for secrets: ``ps`` shows them."""
    for name, field in Settings.model_fields.items():
        if (names is not None and name not in names) or _is_secret(field.annotation):
            continue
        if get_origin(field.annotation) is dict:
            continue  # tables are for voice-server.toml
        flag = "--" + name.replace("_", "-")
        default = field.get_default(call_default_factory=True)
        if isinstance(default, tuple):
            default = ", ".join(default)
        text = f"{field.description or name} (default: {default or 'none'})".replace("%", "%%")
        if field.annotation is bool:
            parser.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=None, help=text
            )
        elif name == "shop":
            parser.add_argument(flag, action="append", default=None, metavar="PACK", help=text)
        elif name in ("allowed_origins", "sip_peers"):
            what = "ORIGIN" if name == "allowed_origins" else "ADDRESS"
            parser.add_argument(flag, nargs="*", default=None, metavar=what, help=text)
        else:
            kind: Any = field.annotation if field.annotation in (int, float, Path) else str
            parser.add_argument(flag, type=kind, default=None, help=text)


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def load_settings(args: argparse.Namespace) -> Settings:
    """Merge command line, environment and file. Raises ValidationError."""
    given = {
        name: value
        for name in Settings.model_fields
        if (value := getattr(args, name, None)) is not None
    }
    return Settings(**given)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser = argparse.ArgumentParser(
        prog="voice-server",
        description="One server lets a shop talk with its customers, in their language.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"voice-server {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    for name in ("serve", "show"):
        settings_options(subparsers.choices[name])
    for name in ("check", "fetch", "say"):
        settings_options(subparsers.choices[name], ["models"])
    return parser


def explain(error: ValidationError) -> str:
    """Return a settings error in words an operator can act on."""
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"]) or "settings"
        lines.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
    return "; ".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    args = build_parser().parse_args(argv)
    try:
        settings = load_settings(args)
    except ValidationError as error:
        print(f"voice-server: {explain(error)}", file=sys.stderr)
        return 2
    except SettingsError as error:
        print(f"voice-server: {error}", file=sys.stderr)
        return 2
    try:
        return int(args.run(args, settings))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
