"""Reading a shop pack's files so that every mistake is reported with its file, line and remedy."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import yaml


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a pack."""

    severity: Literal["error", "warning"]
    file: str
    line: int
    """Counted from 1; 0 means the file as a whole."""
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{self.severity}: {where}: {self.message} → {self.remedy}"


class PackError(ValueError):
    """The pack cannot be used; ``problems`` says why and what to do."""

    def __init__(self, folder: Path, problems: list[Problem]) -> None:
        self.folder = folder
        self.problems = problems
        errors = [p for p in problems if p.severity == "error"]
        lines = "\n".join(f"  {problem}" for problem in errors)
        super().__init__(f"the shop pack {folder} has {len(errors)} error(s):\n{lines}")


@dataclass(slots=True)
class Problems:
    """Collects what is wrong, so that an owner sees everything at once."""

    found: list[Problem] = field(default_factory=list)

    def error(self, file: str, line: int, message: str, remedy: str) -> None:
        """Note something that makes the pack unusable."""
        self.found.append(Problem("error", file, line, message, remedy))

    def warn(self, file: str, line: int, message: str, remedy: str) -> None:
        """Note something the shop can live with."""
        self.found.append(Problem("warning", file, line, message, remedy))

    @property
    def fatal(self) -> bool:
        """There is at least one error."""
        return any(problem.severity == "error" for problem in self.found)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table; its readers note a problem and return a stand-in when a cell is wrong."""

    file: str
    line: int
    cells: Mapping[str, str]
    problems: Problems

    def text(self, column: str, *, required: bool = False) -> str:
        """Return a cell without the spaces around it."""
        value = self.cells.get(column, "").strip()
        if required and not value:
            self.error(f"'{column}' is empty", f"fill in the column '{column}'")
        return value

    def items(self, column: str, separator: str = ",") -> tuple[str, ...]:
        """Return the parts of a cell that holds a list."""
        return tuple(part.strip() for part in self.text(column).split(separator) if part.strip())

    def decimal(self, column: str, *, required: bool = False) -> Decimal | None:
        """Return a number that is not negative; a decimal comma is understood."""
        value = self.text(column, required=required)
        if not value:
            return None
        number = parse_decimal(value)
        if number is None or number < 0:
            self.error(f"'{column}' is {value!r}, not an amount", "write a number such as 49.90")
            return None
        return number

    def integer(self, column: str, default: int | None = None) -> int | None:
        """Return a whole number, ``default`` for an empty cell."""
        value = self.text(column)
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            self.error(f"'{column}' is {value!r}, not a whole number", "write a number such as 12")
            return default

    def day(self, column: str) -> date | int | None:
        """Return a date, or working days from today (-2, 3), or None for an empty cell."""
        value = self.text(column)
        if not value:
            return None
        try:
            return int(value)
        except ValueError:
            pass
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.error(
                f"'{column}' is {value!r}, neither a date nor a number of days",
                "write a date such as 2027-03-15, or working days from today such as -2",
            )
            return None

    def error(self, message: str, remedy: str) -> None:
        """Note an error on this line."""
        self.problems.error(self.file, self.line, message, remedy)

    def warn(self, message: str, remedy: str) -> None:
        """Note a warning on this line."""
        self.problems.warn(self.file, self.line, message, remedy)


def parse_decimal(value: str) -> Decimal | None:
    """Return the number, None if it is none; a comma counts as the decimal mark."""
    try:
        number = Decimal(value.replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def read_text(folder: Path, name: str, problems: Problems, *, required: bool = True) -> str | None:
    """Return a file's text (UTF-8, with or without mark), None with a problem noted."""
    path = folder / name
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if required:
            problems.error(name, 0, "the file is missing", "copy it from the demo pack and edit it")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        problems.error(name, line, "the text is not UTF-8", "save the file with encoding UTF-8")
    except OSError as error:
        problems.error(name, 0, f"the file cannot be read: {error.strerror}", "check its rights")
    return None


def read_table(
    folder: Path,
    name: str,
    columns: tuple[str, ...],
    problems: Problems,
    *,
    required: bool = True,
) -> Iterator[Row]:
    """Yield the rows of a table whose first line names the columns.

    Separator: semicolon, comma or tab, whichever the first line uses.  Empty lines and lines that
    start with ``#`` are skipped.  A missing column is an error and yields nothing.
    """
    text = read_text(folder, name, problems, required=required)
    if text is None:
        return
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        problems.error(name, 1, "the file is empty", f"first line: {';'.join(columns)}")
        return
    separator = max(";,\t", key=lines[0][1].count)
    reader = csv.reader((line for _, line in lines), delimiter=separator)
    header = [cell.strip() for cell in next(reader)]
    missing = [column for column in columns if column not in header]
    if missing:
        problems.error(
            name,
            lines[0][0],
            f"the column(s) {', '.join(missing)} are missing",
            f"name the columns on the first line: {separator.join(columns)}",
        )
        return
    for cells in reader:
        number = lines[reader.line_num - 1][0]
        if len(cells) > len(header):
            problems.error(
                name,
                number,
                f"the line has {len(cells)} cells, the first line names {len(header)}",
                f"put a text that contains {separator!r} between double quotes",
            )
            continue
        yield Row(name, number, dict(zip(header, cells, strict=False)), problems)


class Section:
    """A table of a TOML file that knows on which line each key stands.

    Its readers note a problem and return a stand-in when a value is wrong.
    """

    def __init__(
        self, file: str, text: str, data: Mapping[str, Any], problems: Problems, path: str = ""
    ) -> None:
        self.file = file
        self.data = data
        self.problems = problems
        self.path = path
        self._text = text

    @property
    def source(self) -> str:
        """The whole file's text."""
        return self._text

    def line(self, key: str = "") -> int:
        """Return the line of a key of this table, else of the table, else 1."""
        inside = not self.path
        found = 1
        for number, line in enumerate(self._text.splitlines(), 1):
            head = re.match(r"\s*\[([^\]]+)\]", line)
            if head:
                inside = head.group(1).strip() == self.path
                found = number if inside else found
            elif inside and key and re.match(rf"\s*{re.escape(key)}\s*=", line):
                return number
        return found

    def section(self, key: str, *, required: bool = True) -> Section:
        """Return a sub-table; an absent one is empty."""
        value = self.data.get(key)
        path = f"{self.path}.{key}" if self.path else key
        if not isinstance(value, dict):
            if required or value is not None:
                self.error(key, f"the table [{path}] is missing", "copy it from the demo pack")
            value = {}
        return Section(self.file, self._text, value, self.problems, path)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        value = self.data.get(key, default)
        if isinstance(value, str) and (value.strip() or default is not None):
            return value.strip()
        self.error(key, f"'{key}' must be a text", f'write {key} = "..."')
        return default or ""

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty when it is absent."""
        value = self.data.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.error(key, f"'{key}' must be a list of texts", f'write {key} = ["...", "..."]')
        return ()

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.data.get(key, default)
        if isinstance(value, bool):
            return value
        self.error(key, f"'{key}' must be true or false", f"write {key} = true")
        return default

    def number(self, key: str, default: int | None = None) -> int:
        """Return a whole number that is not negative."""
        value = self.data.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        self.error(key, f"'{key}' must be a whole number", f"write {key} = 2")
        return default or 0

    def amount(self, key: str, default: Decimal | None = None) -> Decimal:
        """Return an amount of money that is not negative."""
        value = self.data.get(key, default)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            number = Decimal(value)
            if number.is_finite() and number >= 0:
                return number
        self.error(key, f"'{key}' must be an amount", f"write {key} = 4.95")
        return default or Decimal(0)

    def error(self, key: str, message: str, remedy: str) -> None:
        """Note an error at a key."""
        self.problems.error(self.file, self.line(key), message, remedy)


def read_toml(folder: Path, name: str, problems: Problems) -> Section:
    """Return the root table of a TOML file, an empty one with a problem noted if it is broken."""
    text = read_text(folder, name, problems) or ""
    data: dict[str, Any] = {}
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        problems.error(
            name,
            int(found.group(1)) if found else 1,
            f"the file is not valid TOML: {error}",
            "texts stand between double quotes; one setting on each line",
        )
    return Section(name, text, data, problems)


@dataclass(frozen=True, slots=True)
class Node:
    """A YAML value with its line. ``value`` is a str, a list of nodes or a dict of nodes."""

    line: int
    value: str | list[Node] | dict[str, Node]


def read_yaml(folder: Path, name: str, problems: Problems) -> dict[str, Node]:
    """Return the top-level mapping of a YAML file, an empty one with a problem noted."""
    text = read_text(folder, name, problems)
    if text is None:
        return {}
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problems.error(
            name,
            mark.line + 1 if mark else 1,
            f"the file is not valid YAML: {getattr(error, 'problem', None) or error}",
            "indent with spaces, and put a text that contains ': ' or '#' between quotes",
        )
        return {}
    node = _node(root) if root is not None else Node(1, {})
    if not isinstance(node.value, dict):
        problems.error(name, 1, "the file is not a list of entries", "write 'name:' and indent")
        return {}
    _complain_about_twins(root, name, problems)
    return node.value


def _complain_about_twins(node: yaml.Node | None, name: str, problems: Problems) -> None:
    """Note keys that stand twice in one mapping: YAML would silently keep the last one."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _complain_about_twins(item, name, problems)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            word = str(key.value)
            if word in seen:
                line = key.start_mark.line + 1
                problems.error(name, line, f"'{word}' is there twice", "keep one of them")
            seen.add(word)
            _complain_about_twins(value, name, problems)


def _node(node: yaml.Node) -> Node:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Node(line, {str(key.value): _node(value) for key, value in node.value})
    if isinstance(node, yaml.SequenceNode):
        return Node(line, [_node(item) for item in node.value])
    return Node(line, str(node.value))
