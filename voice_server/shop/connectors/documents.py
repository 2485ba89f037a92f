"""Reading a vendor's JSON, which is never trusted: wrong shapes raise, texts are cleaned."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from voice_server.shop.platform import PlatformDown

TEXT_LIMIT = 500
"""Characters kept of a text: titles are spoken, nobody speaks more."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_CURRENCY = re.compile(r"[A-Z]{3}")


class Malformed(PlatformDown):
    """The platform answered something that is not what it promises."""


def parse(body: bytes) -> Doc:
    """Return a JSON document; its decimals stay exact.

    Raises:
        Malformed: it is none.
    """
    try:
        return Doc(json.loads(body, parse_float=Decimal, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        raise Malformed("the answer is no JSON") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


class Doc:
    """A part of a JSON document, read by JSON pointers (RFC 6901): ``doc.text("/total/amount")``.

    What is absent or null takes the default; without a default, and for a wrong type, the readers
    raise Malformed.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __bool__(self) -> bool:
        return self.value is not None

    def at(self, pointer: str) -> Doc:
        """Return what is at a pointer; an absent part is Doc(None)."""
        value = self.value
        for token in pointer.split("/")[1:] if pointer else ():
            key = token.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and key.isascii() and key.isdigit():
                value = value[int(key)] if int(key) < len(value) else None
            else:
                return Doc(None)
        return Doc(value)

    def text(self, pointer: str = "", default: str | None = None) -> str:
        """Return a text (a number too is one), without control characters, shortened."""
        value = self._value(pointer, default)
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            raise _wrong(pointer, "text")
        return _CONTROL.sub(" ", str(value)).strip()[:TEXT_LIMIT]

    def decimal(self, pointer: str = "", default: Decimal | None = None) -> Decimal:
        """Return an exact number, written as a number or as a text; a float as it is printed."""
        value = self._value(pointer, default)
        if isinstance(value, str) and not value.strip() and default is not None:
            return default
        if isinstance(value, str | int | float | Decimal) and not isinstance(value, bool):
            try:
                number = Decimal(str(value).strip())
            except InvalidOperation:
                raise _wrong(pointer, "number") from None
            if number.is_finite():
                return number
        raise _wrong(pointer, "number")

    def integer(self, pointer: str = "", default: int | None = None) -> int:
        """Return a whole number."""
        number = self.decimal(pointer, None if default is None else Decimal(default))
        if number != number.to_integral_value():
            raise _wrong(pointer, "whole number")
        return int(number)

    def flag(self, pointer: str, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self._value(pointer, default)
        if not isinstance(value, bool):
            raise _wrong(pointer, "true or false")
        return value

    def day(self, pointer: str = "") -> date | None:
        """Return the day of an ISO date or time as it is written there, None if absent."""
        value = self.at(pointer).value
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                return datetime.fromisoformat(value).date()
            except ValueError:
                pass
        raise _wrong(pointer, "date")

    def currency(self, pointer: str = "", default: str | None = None) -> str:
        """Return an ISO 4217 code."""
        code = self.text(pointer, default).upper()
        if not _CURRENCY.fullmatch(code):
            raise _wrong(pointer, "currency")
        return code

    def has(self, pointer: str) -> bool:
        """Return whether there is something at a pointer, null included."""
        parent, _, token = pointer.rpartition("/")
        value = self.at(parent).value
        key = token.replace("~1", "/").replace("~0", "~")
        return not pointer or (isinstance(value, dict) and key in value)

    def items(self, pointer: str = "", *, needed: bool = False) -> Iterator[Doc]:
        """Yield the parts of a list; an absent one has none, unless it is ``needed``."""
        value = self.at(pointer).value
        if value is None and not needed:
            return
        if not isinstance(value, list):
            raise _wrong(pointer, "list")
        for item in value:
            yield Doc(item)

    def _value(self, pointer: str, default: Any) -> Any:
        value = self.at(pointer).value
        if value is None:
            if default is None:
                raise _wrong(pointer, "value")
            return default
        return value


def _wrong(pointer: str, what: str) -> Malformed:
    return Malformed(f"the answer has no {what} at {pointer or '/'}")
