"""How much a question deserves an answer: weights in units of one ordinary product question."""

from __future__ import annotations

import math

from voice_server.live.questions import Cluster

WEIGHTS = {
    "price": 1.0,
    "availability": 1.0,
    "product_info": 1.0,
    "product_detail": 1.0,
    "options": 1.0,
    "identity": 1.0,
    "recommend": 0.9,
    "compare": 0.9,
    "cheaper": 0.9,
    "dimensions": 0.9,
    "material": 0.9,
    "care": 0.8,
    "delivery_cost": 0.8,
    "delivery_time": 0.8,
    "delivery_countries": 0.8,
    "returns_how": 0.7,
    "returns_period": 0.7,
    "returns_cost": 0.7,
    "warranty": 0.7,
    "payment_methods": 0.7,
    "assortment": 0.7,
}
OTHER_WEIGHT = 0.6
PER_LOG_ASKER, PAID, TRUSTED, ON_SCREEN, PER_MINUTE, APPROVED = 0.8, 0.8, 0.2, 0.6, 0.8, 100.0
"""What counts how much in a score, in units of one ordinary product question."""


def parts(cluster: Cluster, now: float, on_screen: str) -> dict[str, float]:
    """Return what a question's score is made of, by reason; their sum is the score."""
    weight = WEIGHTS.get(cluster.understood.intent, OTHER_WEIGHT)
    found = {
        "intent": weight,
        "askers": weight * PER_LOG_ASKER * math.log(max(cluster.askers, 1)),
        "paid": PAID if any(ask.paid for ask in cluster.asks) else 0.0,
        "trusted": TRUSTED if any(ask.trusted for ask in cluster.asks) else 0.0,
        "on_screen": ON_SCREEN if on_screen and cluster.understood.product_id == on_screen else 0.0,
        "age": PER_MINUTE * max(now - cluster.first_at, 0.0) / 60.0,
        "approved": APPROVED if cluster.approved else 0.0,
    }
    return {name: value for name, value in found.items() if value}
