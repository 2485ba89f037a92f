"""Cases, packets and a market for the desk's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

from voice_server.desk.builder import Case
from voice_server.desk.packet import HandOffPacket, Line, Priority
from voice_server.shop.markets import Market
from voice_server.shop.policies import Hours

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
"""A Wednesday, 11:00 in Brussels."""

BRUSSELS = Market("BE", "EUR", "Europe/Brussels")

WEEK = (
    *(Hours(day, time(9), time(18)) for day in range(5)),
    Hours(5, time(10), time(16)),
)


def case(**changes: Any) -> Case:
    """A Dutch caller who wants to return a chair; the company speaks French."""
    base = Case(
        session_id="sess_1",
        channel="phone",
        language="nl",
        intent="return_item",
        transcript=(
            Line("assistant", "Dag, waarmee kan ik u helpen?", "nl", "Bonjour ?"),
            Line("user", "Ik wil bestelling BE-10023 terugsturen.", "nl", "Renvoyer BE-10023."),
        ),
        slots=(("commande", "BE-10023"),),
        done=("étiquette de retour envoyée",),
        refused=(),
        citations=("policy:returns_period",),
        customer_name="Ann Peeters",
        email="ann@example.com",
        phone="+32470112233",
    )
    return replace(base, **changes)


def packet(number: int = 1, **changes: Any) -> HandOffPacket:
    """A packet that needs no builder."""
    base = HandOffPacket(
        id=f"ho_{number}",
        session_id=f"sess_{number}",
        shop_id="marolle",
        channel="phone",
        language="nl",
        internal_language="fr",
        reason="asked",
        intent="return_item",
        priority=Priority.HIGH,
        summary="Telefoongesprek. Onderwerp: retour.",
        internal_summary="Appel téléphonique. Sujet : retour <b>urgent</b>.",
        identity_level=1,
        slots=(("commande", "BE-10023"),),
        done=("étiquette envoyée",),
        refused=("remboursement",),
        transcript=(
            Line("user", "Ik wil een mens <script>alert(1)</script>", "nl", "Je veux un humain"),
            Line("assistant", "Een ogenblik.", "nl", "Un instant."),
        ),
        citations=("policy:returns_period",),
        customer_name="Ann Peeters",
        email=f"ann{number}@example.com",
        phone="+32470112233",
        created_at=NOW,
    )
    return replace(base, **changes)
