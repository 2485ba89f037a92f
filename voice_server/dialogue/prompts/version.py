"""One version of the prompts' wording, read from a TOML file and checked before it is used."""

from __future__ import annotations

import difflib
import functools
import re
import string
import tomllib
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

DEFAULT = "shop-2"

LONGEST = 1400
"""Characters of the system text (about 440 tokens): it is a third of the whole prompt."""

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_TEXTS = {"id", "author", "note", "system", "choose"}
_MARKS = ("<facts>", "</facts>", "<customer>", "AI")
"""What the system text must speak of: how information is marked, and that an AI says what it is."""


class PromptError(ValueError):
    """A version or a rollout cannot be used; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """The wording of one shop assistant's prompts."""

    id: str
    author: str
    date: date
    note: str
    """Why it was made."""
    system: str
    """With {shop} and {about}."""
    choose: str
    """With {functions}: asks a model without tool calls to choose one."""
    parent: str = ""
    """Id of the version that it was made from."""

    def difference(self, other: PromptVersion) -> str:
        """Return a unified diff from this version to another one."""
        lines = difflib.unified_diff(
            f"{self.system}\n\n{self.choose}".splitlines(),
            f"{other.system}\n\n{other.choose}".splitlines(),
            f"{self.id} ({self.author}, {self.date})",
            f"{other.id} ({other.author}, {other.date})",
            lineterm="",
        )
        return "\n".join(lines)


def read_version(text: str, name: str) -> PromptVersion:
    """Return the version that a file holds; ``name`` is for messages.

    Raises:
        PromptError: it is not TOML, lacks something, or would take a guard from the prompt.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PromptError(f"{name}: {error}") from None
    if missing := sorted(key for key in _TEXTS if not isinstance(raw.get(key), str)):
        raise PromptError(f"{name}: write {', '.join(missing)} as text")
    if not isinstance(raw.get("date"), date):
        raise PromptError(f"{name}: write the date as in date = 2026-11-22")
    if unknown := sorted(set(raw) - _TEXTS - {"date", "parent"}):
        raise PromptError(f"{name}: {', '.join(unknown)} is unknown here")
    version = PromptVersion(
        raw["id"], raw["author"], raw["date"], raw["note"], raw["system"], raw["choose"],
        str(raw.get("parent", "")),
    )  # fmt: skip
    _check(version, name)
    return version


def _check(version: PromptVersion, name: str) -> None:
    if not _ID.fullmatch(version.id):
        raise PromptError(f"{name}: an id is made of small letters, digits, dots and hyphens")
    if not version.author.strip():
        raise PromptError(f"{name}: somebody must sign it: fill in author")
    _check_fields(version.system, {"shop", "about"}, f"{name}: system")
    _check_fields(version.choose, {"functions"}, f"{name}: choose")
    for mark in _MARKS:
        if mark not in version.system:
            raise PromptError(f"{name}: system must speak of {mark}")
    if len(version.system) > LONGEST:
        raise PromptError(f"{name}: system has {len(version.system)} characters, of {LONGEST}")
    if "none" not in version.choose:
        raise PromptError(f'{name}: choose must offer "none"')


def _check_fields(text: str, wanted: set[str], where: str) -> None:
    try:
        found = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    except ValueError as error:
        raise PromptError(f"{where}: {error}; write {{{{ and }}}} for braces") from None
    if found != wanted:
        fields = " and ".join(f"{{{field}}}" for field in sorted(wanted))
        raise PromptError(f"{where}: use {fields}, and no other field")


def bundled() -> dict[str, PromptVersion]:
    """Return the versions that come with the program."""
    folder = resources.files("voice_server.dialogue.prompts") / "versions"
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    versions = [read_version((folder / name).read_text(encoding="utf-8"), name) for name in files]
    return {version.id: version for version in versions}


def in_folder(folder: Path) -> dict[str, PromptVersion]:
    """Return an operator's own versions: every TOML file in a folder but ``rollout.toml``.

    Raises:
        PromptError: one of them cannot be used, or two have the same id.
    """
    found: dict[str, PromptVersion] = {}
    for path in sorted(folder.glob("*.toml")):
        if path.name == "rollout.toml":
            continue
        version = read_version(path.read_text(encoding="utf-8-sig"), path.name)
        if version.id in found:
            raise PromptError(f"{path.name}: there is another version {version.id}")
        found[version.id] = version
    return found


@functools.cache
def default_version() -> PromptVersion:
    """Return the version that answers where nobody chose another."""
    return bundled()[DEFAULT]
