"""``voice-server new-shop FOLDER``: a small commented shop pack to begin with."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from voice_server.config import Settings
from voice_server.shop import pack
from voice_server.shop.wording import LANGUAGES

if TYPE_CHECKING:
    from argparse import _SubParsersAction

STARTER = "starter"
"""The bundled pack that is copied."""

OLD_NAME, OLD_ID = "Tilleul", "tilleul"
"""What the starter calls itself; the owner's name takes its place."""

_TEXTS = frozenset({".toml", ".csv", ".md", ".yaml"})
_UNSAFE = re.compile(r"[\"\\{}<>\x00-\x1f\x7f]")


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "new-shop",
        help="write a small shop pack to begin with",
        description="Write a small commented shop pack into FOLDER, ready to be served and to be "
        "edited. Nothing that is there is overwritten.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="it must not exist, or be empty"
    )
    parser.add_argument("--name", default="", help="what customers call your shop")
    parser.add_argument(
        "--languages",
        default=",".join(LANGUAGES),
        help=f"those you serve, the default first (default: {','.join(LANGUAGES)})",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write the pack; returns the exit code."""
    folder = args.folder.expanduser()
    name = " ".join(args.name.split()) or folder.resolve().name.replace("-", " ").title()
    languages = tuple(dict.fromkeys(filter(None, re.split(r"[,\s]+", args.languages.lower()))))
    fault = _fault(folder, name, languages)
    if fault:
        print(f"voice-server new-shop: {fault}", file=sys.stderr)
        return 2
    try:
        write(folder, name, languages)
    except OSError as error:
        print(f"voice-server new-shop: cannot write {folder}: {error.strerror}", file=sys.stderr)
        return 1
    print(
        f"{name} is in {folder}. Now:\n"
        f"  voice-server serve --shop {folder}      talk to it at http://localhost:{settings.port}/\n"
        f"  voice-server check {folder}             after each change"
    )
    return 0


def _fault(folder: Path, name: str, languages: tuple[str, ...]) -> str:
    """Return what is wrong with the wish, "" for nothing."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return f"{folder} is there already: choose another folder"
    if _UNSAFE.search(name):
        return f"the name {name!r} has a character that cannot be spoken: use letters"
    strangers = [language for language in languages if language not in LANGUAGES]
    if strangers or not languages:
        unknown = ", ".join(strangers) or "no language"
        return f"--languages: {unknown}; there are {', '.join(LANGUAGES)}"
    return ""


def write(folder: Path, name: str, languages: tuple[str, ...]) -> None:
    """Copy the starter pack under another name, without the languages that are not wanted.

    Raises:
        OSError: the folder cannot be written.
    """
    source = pack.resolve(STARTER)
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if not path.is_file() or _language(inside) not in {"", *languages}:
            continue
        target = folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix not in _TEXTS:
            shutil.copyfile(path, target)
            continue
        text = path.read_text(encoding="utf-8").replace(OLD_NAME, name).replace(OLD_ID, slug(name))
        if inside.name == "shop.toml":
            text = _only(text, languages)
        target.write_text(text, encoding="utf-8")


def slug(name: str) -> str:
    """Return a name as it stands in web addresses: a-z, 0-9 and "-"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "shop"


def _language(path: Path) -> str:
    """Return the language of products.nl.csv and policies/nl.md, "" for other files."""
    if path.parts[0] == "policies":
        return path.stem
    parts = path.name.split(".")
    return parts[1] if len(parts) == 3 else ""


def _only(settings: str, languages: tuple[str, ...]) -> str:
    """Return shop.toml with these languages, the first of them the default."""
    listed = ", ".join(f'"{language}"' for language in languages)
    settings = re.sub(r"^languages = \[[^\]]*\]", f"languages = [{listed}]", settings, flags=re.M)
    for stranger in set(LANGUAGES) - set(languages):
        settings = re.sub(rf'^{stranger} = ".*"\n', "", settings, flags=re.M)
    return settings
