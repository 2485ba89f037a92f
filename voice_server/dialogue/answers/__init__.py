"""Answers made by code from the shop's facts: one handler for each intent."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from voice_server.dialogue.answers import advice, orders, products, service
from voice_server.dialogue.answers.scene import Draft, Scene

Handler = Callable[[Scene], Draft | None]
"""Returns None when the facts do not answer after all."""


def _policy(key: str) -> Handler:
    return lambda scene: service.section(scene, key)


HANDLERS: Mapping[str, Handler] = {
    "price": products.price,
    "availability": products.availability,
    "options": products.options,
    "product_info": products.info,
    "product_detail": products.detail,
    "material": products.material,
    "dimensions": products.dimensions,
    "care": products.care,
    "recommend": advice.recommend,
    "assortment": advice.sells,
    "compare": advice.compare,
    "cheaper": advice.cheaper,
    "delivery_cost": service.delivery_cost,
    "delivery_time": service.delivery_time,
    "delivery_countries": service.delivery_countries,
    "pickup": _policy("pickup"),
    "returns_how": _policy("returns_how"),
    "returns_period": _policy("returns_period"),
    "returns_cost": _policy("returns_cost"),
    "exchange": _policy("exchange"),
    "refund_time": _policy("refund_time"),
    "payment_methods": service.payment,
    "warranty": service.warranty,
    "order_status": orders.status,
    "hours": service.hours,
    "contact": service.contact,
    "identity": service.identity,
    "human": service.human,
    "complaint": service.complaint,
    "capabilities": service.talk,
    "greeting": service.talk,
    "thanks": service.talk,
    "goodbye": service.talk,
    "smalltalk": service.talk,
    "affirm": service.talk,
    "deny": service.talk,
    "off_topic": service.talk,
    "repeat": service.repeat,
    "fallback": service.talk,
    "unknown": products.unknown_detail,
}
about_products = frozenset(
    {"price", "availability", "options", "product_info", "product_detail", "material"}
    | {"dimensions", "care", "delivery_time", "warranty", "delivery_cost", "compare", "cheaper"}
)
"""Intents that speak of the product that was named, or that was spoken of last."""
