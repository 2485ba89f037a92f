"""Whether a pack says the same in all its languages: a customer may ask twice, in two of them.

Words cannot be compared by rules, numbers can: where one language has a number that the other
lacks, and the other way round, the two contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from voice_server.shop.pack_reader import Node, Problems, parse_decimal, read_table, read_yaml

_VALUE = re.compile(r"\{([^{}]*)\}")
_CLOCKS = (
    re.compile(r"(?P<h>\d{1,2})(?:[:.](?P<m>\d\d))?\s?(?P<half>am|pm)\b", re.IGNORECASE),
    re.compile(r"(?P<h>\d{1,2})(?:[:.](?P<m>\d\d))?\s?(?:uur|Uhr)\b", re.IGNORECASE),
    re.compile(r"(?P<h>\d{1,2})\s?h(?:\s?(?P<m>\d\d))?\b(?!\w)"),
    re.compile(r"(?P<h>\d{1,2}):(?P<m>\d\d)"),
)
# Not inside a code such as "E27" or "MP3".
_NUMBER = re.compile(r"(?<![\w.,])(?:\d{1,3}(?: \d{3})+\b|\d+(?:[.,\u00a0\u202f]\d+)*)")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,\u00a0\u202f ]\d{3})+")


@dataclass(frozen=True, slots=True)
class _Text:
    file: str
    line: int
    text: str


def numbers(text: str) -> frozenset[str]:
    """Return the numbers of a text, written alike whatever the language: "1.5", "17:30", "{x}"."""
    found: set[str] = set()

    def value(match: re.Match[str]) -> str:
        found.add("{" + match.group(1).strip() + "}")
        return " "

    def clock(match: re.Match[str]) -> str:
        groups = match.groupdict()
        hour, minute = int(groups["h"]), groups.get("m") or "00"
        if (groups.get("half") or "").lower() == "pm":
            hour = hour % 12 + 12
        # "17 uur" is five o'clock or seventeen hours: a bare number is both.
        found.add(f"{hour}:{minute}" if int(minute) else str(hour))
        return " "

    text = _VALUE.sub(value, text)
    for pattern in _CLOCKS:
        text = pattern.sub(clock, text)
    for match in _NUMBER.finditer(text):
        digits = match.group()
        if _THOUSANDS.fullmatch(digits):
            digits = re.sub(r"\D", "", digits)
        number = parse_decimal(digits)
        found.add(_plain(number) if number is not None else digits)
    return frozenset(found)


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


def compare_languages(folder: Path, languages: tuple[str, ...], problems: Problems) -> None:
    """Warn where a translation's numbers contradict those of the shop's first language."""
    sources = (
        {language: _sections(folder, language) for language in languages},
        _answers(folder, languages),
        {language: _products(folder, language) for language in languages},
    )
    first = languages[0]
    for texts in sources:
        for language in languages[1:]:
            for key, there in texts[language].items():
                here = texts[first].get(key)
                if here is not None:
                    _compare(key, (first, here), (language, there), problems)


def _compare(
    key: str, first: tuple[str, _Text], other: tuple[str, _Text], problems: Problems
) -> None:
    (language, here), (tongue, there) = first, other
    mine, theirs = numbers(here.text), numbers(there.text)
    if mine - theirs and theirs - mine:
        problems.warn(
            there.file,
            there.line,
            f"'{key}' says {_words(theirs - mine)} in {tongue}, but {_words(mine - theirs)} "
            f"in {language}",
            "make both say the same; a value of shop.toml can be written as {returns.days}",
        )


def _words(found: frozenset[str]) -> str:
    return " and ".join(sorted(found))


def _sections(folder: Path, language: str) -> Mapping[str, _Text]:
    name = f"policies/{language}.md"
    path = folder / name
    if not path.is_file():
        return {}
    found: dict[str, _Text] = {}
    key, start, lines = "", 0, list[str]()
    raw = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate([*raw, "## end:"], 1):
        if line.startswith("## "):
            if key:
                found[key] = _Text(name, start, " ".join(lines))
            key, start, lines = line[3:].partition(":")[0].strip(), number, []
        elif not line.startswith("#"):
            lines.append(line)
    return found


def _answers(folder: Path, languages: tuple[str, ...]) -> dict[str, dict[str, _Text]]:
    found: dict[str, dict[str, _Text]] = {language: {} for language in languages}
    for key, node in read_yaml(folder, "faq.yaml", Problems()).items():
        for language, answer in _spoken(node):
            if language in found:
                found[language][key] = _Text("faq.yaml", answer.line, str(answer.value))
    return found


def _spoken(node: Node) -> Iterator[tuple[str, Node]]:
    for language, entry in node.value.items() if isinstance(node.value, dict) else ():
        answer = entry.value.get("a") if isinstance(entry.value, dict) else None
        if answer is not None:
            yield language, answer


def _products(folder: Path, language: str) -> dict[str, _Text]:
    name = f"products.{language}.csv"
    return {
        row.text("id"): _Text(
            name,
            row.line,
            " ".join(row.text(column) for column in ("summary", "details", "material", "care")),
        )
        for row in read_table(folder, name, (), Problems(), required=False)
    }
