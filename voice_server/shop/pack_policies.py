"""The files of a pack that make policies, approved answers and orders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from pathlib import Path

from voice_server.shop.catalogue import Catalogue, Variant
from voice_server.shop.markets import Market
from voice_server.shop.orders import OrderBook, OrderItem, OrderRecord, OrderStatus
from voice_server.shop.pack_reader import Node, Problems, Row, Section, read_table, read_text
from voice_server.shop.policies import Delivery, FaqEntry, Hours, Policies, PolicySection

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SECTIONS = (
    "delivery_cost",
    "delivery_time",
    "delivery_countries",
    "pickup",
    "tracking",
    "returns_period",
    "returns_how",
    "returns_cost",
    "exchange",
    "refund_time",
    "payment_methods",
    "warranty",
    "contact",
    "hours",
)
"""Sections that answers look for; a pack may lack some and may have others."""
ORDERS = ("number", "postcode", "status", "items", "ordered")
_VALUE = re.compile(r"\{([^{}]*)\}")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_SECTION = re.compile(r"##\s+([a-z0-9_]+)\s*:\s*(.+)")


def read_policies(root: Section, known_payments: Mapping[str, str], problems: Problems) -> Policies:
    """Read the numbers of shop.toml."""
    delivery = _delivery(root)
    payments = root.section("payment")
    methods = payments.texts("methods")
    for method in methods:
        if method not in known_payments:
            problems.warn(
                root.file,
                payments.line("methods"),
                f"the payment method '{method}' is unknown and will be named as it stands",
                f"use one of {', '.join(known_payments)}",
            )
    returns = root.section("returns")
    pickup = root.section("pickup", required=False)
    contact = root.section("contact")
    return Policies(
        delivery=delivery,
        return_days=returns.number("days"),
        return_cost=returns.amount("cost", Decimal(0)),
        refund_days=returns.number("refund_days"),
        warranty_years=root.section("warranty").number("years"),
        payment_methods=methods,
        hours=_hours(root.section("hours", required=False)),
        phone=contact.text("phone", ""),
        email=contact.text("email"),
        pickup_points=pickup.texts("points"),
        pickup_days=pickup.number("days", 0),
        pickup_cost=pickup.amount("cost", Decimal(0)),
    )


def _delivery(root: Section) -> dict[str, Delivery]:
    section = root.section("delivery")
    found: dict[str, Delivery] = {}
    for country in section.data:
        entry = section.section(country)
        if not re.fullmatch(r"[A-Z]{2}", country):
            entry.error("", f"'{country}' is no country code", "write two capitals, such as BE")
            continue
        days = entry.data.get("days")
        if not (
            isinstance(days, list)
            and len(days) == 2
            and all(isinstance(day, int) for day in days)
            and 0 <= days[0] <= days[1]
        ):
            entry.error("days", "'days' must be two whole numbers", "write days = [1, 2]")
            days = [0, 0]
        free_from = entry.amount("free_from") if "free_from" in entry.data else None
        found[country] = Delivery(country, entry.amount("cost"), free_from, days[0], days[1])
    return found


def _hours(section: Section) -> tuple[Hours, ...]:
    found: list[Hours] = []
    for key in section.data:
        span = _HOURS.fullmatch(section.text(key))
        if key not in WEEKDAYS or span is None:
            section.error(key, f"'{key}' is not understood", 'write monday = "09:00-18:00"')
            continue
        numbers = [int(part) for part in span.groups()]
        try:
            opens, closes = time(numbers[0], numbers[1]), time(numbers[2], numbers[3])
        except ValueError:
            section.error(key, "no such time of day", "hours go from 00:00 to 23:59")
            continue
        if opens >= closes:
            section.error(key, "closing comes before opening", 'write "09:00-18:00"')
            continue
        found.append(Hours(WEEKDAYS.index(key), opens, closes))
    return tuple(sorted(found, key=lambda hours: hours.weekday))


def fill(text: str, values: Mapping[str, str], file: str, line: int, problems: Problems) -> str:
    """Put values in the place of ``{name}``; an unknown name is an error."""

    def replace(found: re.Match[str]) -> str:
        value = values.get(found.group(1).strip())
        if value is None:
            problems.error(
                file,
                line,
                f"the value {{{found.group(1)}}} is unknown",
                f"use one of {', '.join(sorted(values))}",
            )
            return ""
        return value

    return _VALUE.sub(replace, text)


def read_sections(
    folder: Path, language: str, values: Mapping[str, str], *, required: bool, problems: Problems
) -> tuple[PolicySection, ...]:
    """Read policies/<language>.md: sections that start with ``## key: Title``."""
    name = f"policies/{language}.md"
    text = read_text(folder, name, problems, required=required)
    if text is None:
        if not required:
            problems.warn(
                name, 0, f"there are no policies in {language}", "translate those of the first"
            )
        return ()
    found: dict[str, tuple[str, list[str]]] = {}
    current: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            head = _SECTION.fullmatch(line.strip())
            if head is None:
                problems.error(
                    name, number, f"the heading {line!r} has no key", "## delivery_cost: Your title"
                )
                current = None
                continue
            key, title = head.groups()
            if key in found:
                problems.error(name, number, f"the section '{key}' is there twice", "keep one")
            current = []
            found[key] = (title, current)
        elif line.strip() and not line.startswith("#") and current is not None:
            current.append(fill(line.strip(), values, name, number, problems))
    for key in SECTIONS:
        if key not in found:
            problems.warn(
                name, 0, f"the section '{key}' is missing", f"add '## {key}: ...' and its text"
            )
    return tuple(
        PolicySection(key, language, title, " ".join(lines))
        for key, (title, lines) in found.items()
        if lines
    )


def read_faq(
    nodes: Mapping[str, Node],
    file: str,
    languages: tuple[str, ...],
    values: Mapping[str, Mapping[str, str]],
    problems: Problems,
) -> dict[str, tuple[FaqEntry, ...]]:
    """Read faq.yaml: entry → language → q (list) and a (text)."""
    found: dict[str, list[FaqEntry]] = {language: [] for language in languages}
    for key, node in nodes.items():
        if not isinstance(node.value, dict):
            problems.error(file, node.line, f"'{key}' has no languages", "write 'en:' and indent")
            continue
        for language in languages:
            entry = node.value.get(language)
            if entry is None:
                problems.warn(file, node.line, f"'{key}' has no {language}", "translate it")
                continue
            questions = _questions(entry)
            answer = entry.value.get("a") if isinstance(entry.value, dict) else None
            if not questions or answer is None or not isinstance(answer.value, str):
                problems.error(
                    file,
                    entry.line,
                    f"'{key}' in {language} lacks its questions 'q' or its answer 'a'",
                    "write q: with a list below it, and a: with a text",
                )
                continue
            text = fill(answer.value, values[language], file, answer.line, problems)
            found[language].append(FaqEntry(key, language, questions, text))
    return {language: tuple(entries) for language, entries in found.items()}


def _questions(entry: Node) -> tuple[str, ...]:
    node = entry.value.get("q") if isinstance(entry.value, dict) else None
    if node is None:
        return ()
    if isinstance(node.value, str):
        return (node.value,)
    if isinstance(node.value, list):
        return tuple(item.value for item in node.value if isinstance(item.value, str))
    return ()


def read_orders(
    folder: Path, root: Section, catalogue: Catalogue, market: Market, problems: Problems
) -> OrderBook:
    """Read orders.csv, which a pack may lack (a shop platform then knows the orders)."""
    section = root.section("orders", required=False)
    prefix, digits = section.text("prefix", ""), section.number("digits", 5)
    variants = {variant.sku: variant for product in catalogue for variant in product.variants}
    found: dict[str, OrderRecord] = {}
    for row in read_table(folder, "orders.csv", ORDERS, problems, required=False):
        number = row.text("number", required=True)
        if not re.fullmatch(re.escape(prefix) + rf"\d{{{digits}}}", number):
            row.error(
                f"the number {number!r} is not '{prefix}' and {digits} digits",
                "correct it, or [orders] in shop.toml",
            )
        if number in found:
            row.error(f"the order {number} is there twice", "give each order its own number")
        record = _order(row, number, variants, market.country)
        if record is not None:
            found[number] = record
    return OrderBook(tuple(found.values()), market, prefix=prefix, digits=digits)


def _order(row: Row, number: str, variants: Mapping[str, Variant], home: str) -> OrderRecord | None:
    try:
        status = OrderStatus(row.text("status"))
    except ValueError:
        row.error(
            f"the status {row.text('status')!r} is unknown",
            f"use one of {', '.join(OrderStatus)}",
        )
        return None
    items: list[OrderItem] = []
    total = Decimal(0)
    for item in row.items("items"):
        sku, _, count = item.rpartition(" x")
        variant = variants.get(sku.strip())
        if variant is None or not count.isdigit():
            row.error(f"the item {item!r} is not understood", "write product-colour-size x1")
            continue
        items.append(OrderItem(variant.sku, variant.product_id, int(count)))
        total += variant.price * int(count)
    ordered: date | int | None = row.day("ordered")
    if ordered is None:
        row.error("'ordered' is empty", "write a date, or working days from today such as -2")
        return None
    return OrderRecord(
        number=number,
        postcode=row.text("postcode", required=True),
        status=status,
        items=tuple(items),
        ordered=ordered,
        expected=row.day("expected"),
        carrier=row.text("carrier"),
        tracking=row.text("tracking"),
        total=total,
        country=row.text("country") or home,
        name=row.text("name"),
        street=row.text("street"),
        city=row.text("city"),
        email=row.text("email"),
        phone=row.text("phone"),
    )
