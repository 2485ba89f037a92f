"""The mapping file of the generic connectors (REST and MCP): where another shop keeps what we ask.

A TOML file in the pack, all its places JSON pointers.  ``docs/shop-platforms.md`` explains it;
mistakes are found when the server starts, not when somebody is on the phone.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from voice_server.shop.connectors.documents import Doc, Malformed
from voice_server.shop.connectors.rules import ADDRESS_FIELDS
from voice_server.shop.orders import OrderStatus
from voice_server.shop.platform import Address, Capability, Offer, PlatformItem, PlatformOrder
from voice_server.shop.platform_config import ConfigError

WRITE_VALUES = frozenset({"number", "key", "line_id", "sku", "quantity", "reason", "text"}).union(
    ADDRESS_FIELDS
)
_HOLE = re.compile(r"\{([a-z_]+)\}")
_ORDER_FIELDS = frozenset(
    [
        "number",
        "status",
        "ordered",
        "expected",
        "total",
        "currency",
        "postcode",
        "email",
        "phone",
        "name",
        "street",
        "city",
        "country",
        "carrier",
        "tracking",
        "tracking_url",
        "refunded",
        "returns",
    ]
)
_ORDER_NEEDS = ("number", "status", "ordered", "total", "postcode")
_ITEM_FIELDS = frozenset(["list", "line_id", "sku", "title", "quantity", "price", "returnable"])
_ITEM_NEEDS = ("list", "line_id", "sku", "title", "quantity", "price")
_OFFER_FIELDS = frozenset(["sku", "price", "currency", "stock", "was_price"])
_OFFER_NEEDS = ("sku", "price", "stock")


@dataclass(frozen=True, slots=True)
class Call:
    """A request of REST (``method``, ``path``, ``query``, ``body``) or of MCP (``tool``, ``body``).

    Texts in ``path``, ``query`` and ``body`` may hold ``{number}`` and its like.
    """

    path: str = ""
    tool: str = ""
    method: str = "GET"
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    root: str = ""
    """Pointer to the order, or to the list."""
    missing: str = ""
    """MCP: words of an error that mean "there is none"."""


@dataclass(frozen=True, slots=True)
class WriteCall:
    """How a write is sent."""

    call: Call
    reference: str = ""
    """Pointer to the platform's own number for it."""
    reason: str = "/message"
    """Pointer to the words of a refusal."""
    key_header: str = ""
    """REST: the header that carries the idempotency key."""
    repeatable: bool = False
    """The platform knows the key, so that sending again is safe."""


@dataclass(frozen=True, slots=True)
class PlatformMap:
    """A mapping file that was read and checked."""

    order: Call
    fields: Mapping[str, str]
    items: Mapping[str, str]
    statuses: Mapping[str, OrderStatus]
    currency: str
    auth: Mapping[str, str]
    customer: Call | None = None
    """Orders by e-mail or phone."""
    offers: Call | None = None
    offer_fields: Mapping[str, str] = field(default_factory=dict)
    writes: Mapping[Capability, WriteCall] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    """MCP: tools that only read, by the owner's word."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What is mapped can be done."""
        offers = {Capability.OFFERS} if self.offers else set()
        return frozenset({Capability.ORDERS} | offers | set(self.writes))

    def order_of(self, doc: Doc) -> PlatformOrder:
        """Return an order from the document at ``order.root``. Raises Malformed."""
        get = self.fields.get
        word = doc.text(self.fields["status"])
        status = self.statuses.get(word.casefold())
        if status is None:
            raise Malformed(f"the status '{word}' is not translated in [order.statuses]")
        ordered = doc.day(self.fields["ordered"])
        if ordered is None:
            raise Malformed("the order has no date")

        def text(name: str) -> str:
            pointer = get(name)
            return "" if pointer is None else doc.text(pointer, "")

        postcode = doc.text(self.fields["postcode"])
        address = Address(text("name"), text("street"), postcode, text("city"), text("country"))
        returns, refunded, expected = get("returns"), get("refunded"), get("expected")
        return PlatformOrder(
            number=doc.text(self.fields["number"]),
            status=status,
            items=tuple(self._item(line) for line in doc.items(self.items["list"], needed=True)),
            ordered=ordered,
            expected=doc.day(expected) if expected is not None else None,
            total=doc.decimal(self.fields["total"]),
            currency=self._currency(doc, get("currency")),
            postcode=postcode,
            address=address if address.street else None,
            email=text("email"),
            phone=text("phone"),
            carrier=text("carrier"),
            tracking=text("tracking"),
            tracking_url=text("tracking_url"),
            refunded=Decimal(0) if refunded is None else doc.decimal(refunded, Decimal(0)),
            returns=() if returns is None else tuple(one.text() for one in doc.items(returns)),
        )

    def offers_of(self, doc: Doc) -> Iterator[Offer]:
        """Yield the offers of an answer. Raises Malformed."""
        get = self.offer_fields
        for one in doc.items(self.offers.root if self.offers else "", needed=True):
            was = one.decimal(get["was_price"], Decimal(0)) if "was_price" in get else Decimal(0)
            price = one.decimal(get["price"])
            yield Offer(
                one.text(get["sku"]),
                price,
                self._currency(one, get.get("currency")),
                max(0, one.integer(get["stock"])),
                was if was > price else None,
            )

    def _item(self, line: Doc) -> PlatformItem:
        returnable = self.items.get("returnable")
        return PlatformItem(
            line.text(self.items["line_id"]),
            line.text(self.items["sku"], ""),
            line.text(self.items["title"]),
            line.integer(self.items["quantity"]),
            line.decimal(self.items["price"]),
            0 if returnable is None else line.integer(returnable, 0),
        )

    def _currency(self, doc: Doc, pointer: str | None) -> str:
        return self.currency if pointer is None else doc.currency(pointer, self.currency)


def load(path: Path, currency: str, *, mcp: bool) -> PlatformMap:
    """Read and check a mapping file.

    Args:
        path: the file.
        currency: of the shop, where the platform names none.
        mcp: calls name tools, not paths.

    Raises:
        ConfigError: the file is wrong; the text names the table and says what to write.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"the mapping {path.name} cannot be read: {error}") from None
    order = _table(data, "order")
    customer = data.get("orders")
    offers = data.get("offers")
    return PlatformMap(
        order=_call(order, "order", {"number"}, mcp=mcp),
        fields=_pointers(_table(order, "fields"), "order.fields", _ORDER_FIELDS, _ORDER_NEEDS),
        items=_pointers(_table(order, "items"), "order.items", _ITEM_FIELDS, _ITEM_NEEDS),
        statuses=statuses(_table(order, "statuses"), "order.statuses"),
        currency=currency,
        auth=_texts(data.get("auth", {}), "auth"),
        customer=None
        if customer is None
        else _call(_table(data, "orders"), "orders", {"email", "phone"}, mcp=mcp),
        offers=None if offers is None else _call(offers, "offers", {"skus"}, mcp=mcp),
        offer_fields={}
        if offers is None
        else _pointers(_table(offers, "fields"), "offers.fields", _OFFER_FIELDS, _OFFER_NEEDS),
        writes=_writes(data.get("writes", {}), mcp=mcp),
        tools=_list(data.get("tools", {})),
    )


def statuses(table: Mapping[str, Any], where: str) -> dict[str, OrderStatus]:
    """Return a platform's words for states, in small letters. Raises ConfigError."""
    found = {}
    for word, value in table.items():
        try:
            found[str(word).casefold()] = OrderStatus(value)
        except ValueError:
            raise ConfigError(
                f"[{where}] {word} = {value!r}: use one of {', '.join(OrderStatus)}"
            ) from None
    return found


def fill(template: Any, values: Mapping[str, str]) -> Any:
    """Put values into a template's texts; a text that is only ``{quantity}`` becomes a number."""
    if isinstance(template, dict):
        return {key: fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, values) for value in template]
    if not isinstance(template, str):
        return template
    if template == "{quantity}" and values.get("quantity", "").isdigit():
        return int(values["quantity"])
    return _HOLE.sub(lambda hole: values.get(hole.group(1), ""), template)


def _call(table: Mapping[str, Any], where: str, names: set[str], *, mcp: bool) -> Call:
    needed = "tool" if mcp else "path"
    if not isinstance(table, dict) or not isinstance(table.get(needed), str):
        raise ConfigError(f"[{where}] '{needed}' is missing: write {needed} = \"...\"")
    body = table.get("arguments" if mcp else "body")
    call = Call(
        path=str(table.get("path", "")),
        tool=str(table.get("tool", "")),
        method=str(table.get("method", "GET")).upper(),
        query=_texts(table.get("query", {}), f"{where}.query"),
        body=body,
        root=_pointer(table.get("root", ""), f"{where}.root"),
        missing=str(table.get("missing", "")),
    )
    for text in (call.path, *call.query.values(), *_strings(body)):
        for hole in _HOLE.findall(text):
            if hole not in names:
                raise ConfigError(f"[{where}] {{{hole}}}: use one of {', '.join(sorted(names))}")
    if not mcp and not call.path.startswith("/"):
        raise ConfigError(f"[{where}] path must begin with '/'")
    if call.method not in {"GET", "POST", "PUT", "PATCH", "DELETE"}:
        raise ConfigError(f"[{where}] method {call.method!r} is unknown")
    return call


def _writes(table: Any, *, mcp: bool) -> dict[Capability, WriteCall]:
    found: dict[Capability, WriteCall] = {}
    able = [one for one in Capability if one not in {Capability.ORDERS, Capability.OFFERS}]
    for name, entry in _dict(table, "writes").items():
        where = f"writes.{name}"
        if name not in able:
            raise ConfigError(f"[{where}] is unknown: use one of {', '.join(able)}")
        given = {"method": "POST", **_dict(entry, where)}
        call = _call(given, where, set(WRITE_VALUES), mcp=mcp)
        header = str(given.get("key_header", ""))
        found[Capability(name)] = WriteCall(
            call,
            _pointer(given.get("reference", ""), f"{where}.reference"),
            _pointer(given.get("reason", "/message"), f"{where}.reason"),
            header,
            bool(given.get("repeatable", bool(header))),
        )
    return found


def _pointers(
    table: Mapping[str, Any], where: str, known: frozenset[str], needs: tuple[str, ...]
) -> dict[str, str]:
    for name in table:
        if name not in known:
            raise ConfigError(f"[{where}] {name}: use one of {', '.join(sorted(known))}")
    for name in needs:
        if name not in table:
            raise ConfigError(f"[{where}] '{name}' is missing: write {name} = \"/...\"")
    return {name: _pointer(value, f"{where}.{name}") for name, value in table.items()}


def _pointer(value: object, where: str) -> str:
    if not isinstance(value, str) or (value and not value.startswith("/")):
        raise ConfigError(f"{where} must be a JSON pointer such as /total/amount")
    return value


def _table(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    return _dict(data.get(name), name)


def _dict(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"the table [{where}] is missing")
    return value


def _texts(value: object, where: str) -> dict[str, str]:
    table = _dict(value, where)
    if not all(isinstance(text, str) for text in table.values()):
        raise ConfigError(f"[{where}] must hold texts")
    return table


def _list(value: object) -> tuple[str, ...]:
    names = _dict(value, "tools").get("read", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError('[tools] read must be a list: write read = ["search"]')
    return tuple(names)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
