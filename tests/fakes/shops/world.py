"""What all fake platforms sell, and the orders they keep; every fake tells it in its own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

EMAIL = "claire.dumont@mail.example"
PHONE = "+32 470 55 01 01"


@dataclass(slots=True)
class Article:
    sku: str
    title: str
    price: Decimal
    stock: int
    was: Decimal | None = None


@dataclass(slots=True)
class Line:
    id: str
    sku: str
    title: str
    quantity: int
    price: Decimal
    returnable: int = 0


@dataclass(slots=True)
class FakeOrder:
    number: str
    state: str
    """unpaid, processing, shipped, delivered, cancelled."""
    lines: list[Line]
    ordered: date
    expected: date | None = None
    carrier: str = ""
    tracking: str = ""
    name: str = "Claire Dumont"
    street: str = "Rue de Fer 3"
    postcode: str = "5000"
    city: str = "Namur"
    country: str = "BE"
    email: str = EMAIL
    phone: str = PHONE
    notes: list[str] = field(default_factory=list)
    returns: list[dict[str, str]] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))

    def line(self, line_id: str) -> Line | None:
        return next((line for line in self.lines if line.id == line_id), None)


@dataclass(slots=True)
class World:
    """The truth behind a fake. ``performed`` is what really changed, in order."""

    orders: dict[str, FakeOrder]
    articles: dict[str, Article]
    performed: list[tuple[str, str]] = field(default_factory=list)

    def did(self, action: str, number: str) -> None:
        self.performed.append((action, number))

    def mine(self, text: str) -> list[FakeOrder]:
        """Orders with this e-mail or phone, newest first."""
        found = [order for order in self.orders.values() if text in (order.email, order.phone)]
        return sorted(found, key=lambda order: order.ordered, reverse=True)

    def cancel(self, order: FakeOrder) -> None:
        order.state = "cancelled"
        self.did("cancel_order", order.number)

    def move(self, order: FakeOrder, **fields: str) -> None:
        for name, value in fields.items():
            setattr(order, name, value)
        self.did("change_address", order.number)

    def note(self, order: FakeOrder, text: str) -> None:
        order.notes.append(text)
        self.did("note", order.number)

    def take_back(self, order: FakeOrder, line: Line, pieces: int, note: str) -> str:
        line.returnable -= pieces
        name = f"{order.number}-R{len(order.returns) + 1}"
        order.returns.append({"name": name, "note": note, "quantity": str(pieces)})
        self.did("return_items", order.number)
        return name

    def less(self, order: FakeOrder, line: Line, pieces: int) -> None:
        line.quantity -= pieces
        order.lines = [one for one in order.lines if one.quantity]
        self.did("cancel_item", order.number)


def world(number: str = "{}") -> World:
    """A fresh world; ``number`` shapes order numbers ("#{}")."""
    articles = [
        Article("MUG-BLUE", "Mug Lola, blue", Decimal("12.50"), 7),
        Article("MUG-RED", "Mug Lola, red", Decimal("12.50"), 3),
        Article("LAMP-BLACK", "Lamp Oslo, black", Decimal("49.90"), 0, Decimal("59.90")),
        Article("CAPE-L", "Rain cape Delta, L", Decimal("89.00"), 5),
    ]
    known = {article.sku: article for article in articles}

    def line(line_id: str, sku: str, pieces: int, returnable: int = 0) -> Line:
        article = known[sku]
        return Line(line_id, sku, article.title, pieces, article.price, returnable)

    orders = [
        FakeOrder(
            number.format(1001),
            "processing",
            [line("501", "MUG-BLUE", 2), line("502", "CAPE-L", 1)],
            date(2026, 11, 23),
            date(2026, 11, 27),
        ),
        FakeOrder(
            number.format(1002),
            "shipped",
            [line("503", "LAMP-BLACK", 1)],
            date(2026, 11, 20),
            date(2026, 11, 26),
            "bpost",
            "323212345600009",
            name="Wim Peeters",
            postcode="9000",
            city="Gent",
            street="Veldstraat 27",
            email="wim.peeters@mail.example",
            phone="+32 470 55 01 02",
        ),
        FakeOrder(
            number.format(1003),
            "delivered",
            [line("504", "CAPE-L", 1, 1), line("505", "MUG-RED", 2, 2)],
            date(2026, 11, 12),
            date(2026, 11, 16),
            "bpost",
            "323212345600010",
        ),
    ]
    return World({order.number: order for order in orders}, known)
