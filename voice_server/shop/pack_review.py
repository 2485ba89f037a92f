"""What a pack's owner should look at although the shop can open: warnings across the files.

The readers note what is wrong with one cell; here the whole is read again with an owner's eyes.
Everything found is a warning: the shop can live with it, its customers may not.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from voice_server.shop.orders import OrderStatus
from voice_server.shop.pack_parity import compare_languages
from voice_server.shop.pack_platform import review_platform
from voice_server.shop.pack_reader import Problems, Row, Section, read_table, read_yaml
from voice_server.shop.shop import Shop
from voice_server.shop.wording import discloses

TABLES = (
    *("shop", "contact", "hours", "voices", "greeting", "description", "delivery", "pickup"),
    *("returns", "warranty", "payment", "orders", "taste", "phone", "platform"),
)
"""Tables of shop.toml whose misspelling would go unnoticed."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "products.csv": (
        *("id", "model", "category", "price", "was_price", "delivery_days", "dimensions"),
        *("weight_kg", "warranty_years", "tags", "image", "url"),
    ),
    "variants.csv": ("product", "colour", "size", "price", "stock", "restock_days"),
    "categories.csv": ("id", "parent"),
    "orders.csv": (
        *("number", "postcode", "status", "items", "ordered", "expected", "carrier"),
        *("tracking", "country", "name", "street", "city", "email", "phone"),
    ),
}
TEXT_COLUMNS = ("id", "name", "gender", "aliases", "summary", "details", "material", "care")

ALIKE = 0.75
"""Likeness (difflib's ratio) from which an unknown name is taken for a slip of the pen."""

LONGEST_ANSWER = 400
"""Characters of an approved answer; spoken that is half a minute, and nobody remembers more."""

ESPEAK = "espeak-"
"""Voices of espeak-ng are this and a language tag; they are known once its process runs."""

_MARKUP = re.compile(r"</?[a-z][^>]*>|\*\*|https?://|\bwww\.", re.IGNORECASE)
_YEAR = re.compile(r"\b(20\d\d)(?:-(\d\d)-(\d\d))?\b")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_OPEN = frozenset(
    {OrderStatus.SHIPPED, OrderStatus.PROCESSING, OrderStatus.DELAYED, OrderStatus.PENDING_PAYMENT}
)


def review(
    folder: Path,
    root: Section,
    shop: Shop,
    problems: Problems,
    *,
    today: date,
    voices: Mapping[str, str] | None = None,
) -> None:
    """Note what the owner of a pack should look at.

    Args:
        folder: the pack.
        root: its shop.toml.
        shop: what was made of it; need not be free of errors.
        problems: where to note it.
        today: dates before it are stale.
        voices: ids of the voices that may be installed, with their language; None checks none.
    """
    _settings(root, shop, problems)
    review_platform(folder, root, problems)
    _voices(root, shop, voices, problems)
    _prices(folder, problems)
    _variants(folder, problems)
    _names(folder, shop, problems)
    _columns(folder, shop.languages, problems)
    _answers(folder, shop.languages, problems)
    _spoken(folder, root, shop.languages, today, problems)
    _orders(folder, shop, today, problems)
    compare_languages(folder, shop.languages, problems)


def _rows(folder: Path, name: str, columns: tuple[str, ...] = ()) -> list[Row]:
    """Return a table's rows; what is wrong with them was noted when it was read first."""
    return list(read_table(folder, name, columns, Problems(), required=False))


# -- shop.toml --------------------------------------------------------------------------------


def _settings(root: Section, shop: Shop, problems: Problems) -> None:
    for table in root.data:
        absent = [known for known in TABLES if known not in root.data]
        meant = difflib.get_close_matches(table, absent, n=1, cutoff=ALIKE)
        if table not in TABLES and meant:
            line = Section(root.file, root.source, {}, problems, table).line()
            problems.warn(root.file, line, f"[{table}] is not used", f"write [{meant[0]}]")
    greeting = root.section("greeting", required=False)
    for language in shop.languages:
        text = shop.texts[language].greeting
        line = greeting.line(language)
        if text and not discloses(text, language):
            problems.warn(
                root.file,
                line,
                f"the greeting in {language} does not say that an AI speaks",
                "name it, for example 'an artificial intelligence': the law wants it",
            )
        if text and shop.name and shop.name not in text:
            problems.warn(
                root.file,
                line,
                f"the greeting in {language} does not say for whom it speaks",
                f"name the shop: {shop.name}",
            )
    contact = root.section("contact", required=False)
    if shop.policies.email and not _EMAIL.fullmatch(shop.policies.email):
        problems.warn(
            root.file,
            contact.line("email"),
            f"'{shop.policies.email}' is no e-mail address",
            'write email = "hello@shop.example"',
        )
    if not shop.policies.phone:
        problems.warn(
            root.file,
            contact.line(),
            "there is no telephone number: callers who want a human are sent to it",
            "fill in [contact] phone",
        )
    if not shop.policies.hours:
        problems.warn(
            root.file,
            root.section("hours", required=False).line(),
            "there are no opening hours: callers are told that nobody ever answers",
            'fill in [hours], such as monday = "09:00-18:00"',
        )
    _delivery(root, shop, problems)


def _delivery(root: Section, shop: Shop, problems: Problems) -> None:
    countries, home = list(shop.policies.delivery), shop.market.country
    section = root.section("delivery", required=False)
    line = section.section(countries[0], required=False).line() if countries else 0
    if countries and home not in countries:
        problems.warn(
            root.file,
            line,
            f"there is no delivery to {home}, the shop's own country",
            f"add [delivery.{home}]",
        )
    elif countries and countries[0] != home:
        problems.warn(
            root.file,
            line,
            f"[delivery.{countries[0]}] comes first and is taken for the home country",
            f"put [delivery.{home}] first",
        )


def _voices(
    root: Section, shop: Shop, voices: Mapping[str, str] | None, problems: Problems
) -> None:
    section = root.section("voices", required=False)
    for language, voice in shop.voices.items():
        line = section.line(language)
        if language not in shop.languages:
            problems.warn(
                root.file, line, f"the shop does not speak '{language}'", "remove this voice"
            )
            continue
        if voices is None:
            continue
        fitting = sorted(name for name, tag in voices.items() if tag.split("-")[0] == language)
        remedy = (
            f"use one of {', '.join(fitting)}, or remove the line" if fitting else "remove the line"
        )
        known = voices.get(voice.partition("#")[0])  # a Piper model's speaker: model#speaker
        if known is None and voice.startswith(ESPEAK):
            known = voice.removeprefix(ESPEAK)
        if known is None:
            problems.warn(root.file, line, f"the voice '{voice}' is unknown", remedy)
        elif known.split("-")[0] != language:
            problems.warn(
                root.file,
                line,
                f"the voice '{voice}' speaks {known}, not {language}",
                remedy,
            )


# -- the catalogue ----------------------------------------------------------------------------


def _prices(folder: Path, problems: Problems) -> None:
    for name in ("products.csv", "variants.csv"):
        for row in _rows(folder, name):
            if re.fullmatch(r"0+(?:[.,]0+)?", row.text("price")):
                problems.warn(
                    name, row.line, "the price is 0: it will be given away", "write the price"
                )


def _variants(folder: Path, problems: Problems) -> None:
    lines: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(folder, "variants.csv"):
        lines[row.text("product")].append(row)
    for product, rows in lines.items():
        chosen = any(row.text("colour") or row.text("size") for row in rows)
        for row in rows:
            if chosen and not row.text("colour") and not row.text("size"):
                problems.warn(
                    "variants.csv",
                    row.line,
                    f"this stock of '{product}' has neither colour nor size, its other lines do",
                    "say which variant it is",
                )


def _names(folder: Path, shop: Shop, problems: Problems) -> None:
    """Two products of one name cannot be told apart by ear."""
    for language in shop.languages:
        file = f"products.{language}.csv"
        owners: dict[str, str] = {}
        for row in _rows(folder, file):
            product = row.text("id")
            for name in (row.text("name"), *row.items("aliases")):
                owner = owners.setdefault(name.casefold(), product)
                if name and owner != product:
                    problems.warn(
                        file,
                        row.line,
                        f"'{name}' is also a name of '{owner}'",
                        "give each product names of its own",
                    )


def _columns(folder: Path, languages: tuple[str, ...], problems: Problems) -> None:
    tables = dict(COLUMNS)
    tables |= {f"products.{language}.csv": TEXT_COLUMNS for language in languages}
    for name, known in tables.items():
        row = next(iter(_rows(folder, name)), None)
        present = list(row.cells) if row is not None else []
        for column in present:
            absent = [one for one in known if one not in present]
            meant = difflib.get_close_matches(column, absent, n=1, cutoff=ALIKE)
            if column not in known and meant:
                problems.warn(name, 1, f"the column '{column}' is not used", f"write '{meant[0]}'")


# -- texts ------------------------------------------------------------------------------------


def _answers(folder: Path, languages: tuple[str, ...], problems: Problems) -> None:
    """Approved answers that will be hard to find or hard to listen to."""
    asked: dict[tuple[str, str], str] = {}
    for key, node in read_yaml(folder, "faq.yaml", Problems()).items():
        for language, entry in node.value.items() if isinstance(node.value, dict) else ():
            if language not in languages or not isinstance(entry.value, dict):
                continue
            questions, answer = entry.value.get("q"), entry.value.get("a")
            listed = questions.value if questions and isinstance(questions.value, list) else []
            if questions is not None and len(listed) < 2:
                problems.warn(
                    "faq.yaml",
                    questions.line,
                    f"'{key}' in {language} has only one example of the question",
                    "add two or three other wordings",
                )
            for question in listed:
                text = str(question.value).casefold().strip(" ?.!")
                owner = asked.setdefault((language, text), key)
                if owner != key:
                    problems.warn(
                        "faq.yaml",
                        question.line,
                        f"'{owner}' has the same question in {language}",
                        "keep it in one of them",
                    )
            if answer is not None and len(str(answer.value)) > LONGEST_ANSWER:
                problems.warn(
                    "faq.yaml",
                    answer.line,
                    f"the answer of '{key}' in {language} is too long to be listened to",
                    "say it in three sentences",
                )


def _spoken(
    folder: Path, root: Section, languages: tuple[str, ...], today: date, problems: Problems
) -> None:
    for file, line, text in _texts(folder, root, languages):
        found = _MARKUP.search(text)
        if found:
            problems.warn(
                file, line, f"'{found.group()}' would be read aloud", "write plain sentences"
            )
        for stamp in _YEAR.finditer(text):
            if _is_past(stamp, today):
                problems.warn(
                    file, line, f"'{stamp.group()}' is in the past", "correct it or remove it"
                )


def _texts(
    folder: Path, root: Section, languages: tuple[str, ...]
) -> Iterator[tuple[str, int, str]]:
    """Yield every text that may be spoken, with its file and line."""
    for table in ("greeting", "description"):
        section = root.section(table, required=False)
        for language in languages:
            yield root.file, section.line(language), str(section.data.get(language, ""))
    for language in languages:
        for row in _rows(folder, f"products.{language}.csv"):
            words = (row.text(column) for column in ("name", "summary", "details", "care"))
            yield row.file, row.line, " ".join(words)
        path = folder / "policies" / f"{language}.md"
        yield from _lines(path, f"policies/{language}.md")
    yield from _lines(folder / "faq.yaml", "faq.yaml")


def _lines(path: Path, name: str) -> Iterable[tuple[str, int, str]]:
    if not path.is_file():
        return ()
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return [
        (name, number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if not line.lstrip().startswith("#") or line.startswith("## ")
    ]


def _is_past(stamp: re.Match[str], today: date) -> bool:
    year, month, day = stamp.groups()
    if month is None:
        return int(year) < today.year
    try:
        return date(int(year), int(month), int(day)) < today
    except ValueError:
        return False


# -- orders -----------------------------------------------------------------------------------


def _orders(folder: Path, shop: Shop, today: date, problems: Problems) -> None:
    for row in _rows(folder, "orders.csv"):
        scratch = Row(row.file, row.line, row.cells, Problems())
        ordered, expected = scratch.day("ordered"), scratch.day("expected")
        if isinstance(ordered, date) and ordered > today:
            row_warn = f"the order of {ordered} lies in the future"
            problems.warn(row.file, row.line, row_warn, "correct the date")
        late = isinstance(expected, date) and expected < today
        if late and row.text("status") in _OPEN:
            problems.warn(
                row.file,
                row.line,
                f"the order is '{row.text('status')}', but was expected on {expected}",
                "bring status and date up to date",
            )
