"""Chat events and an understanding made of a table, for tests of the triage and the show."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from voice_server.live.chat.envelope import ChatEvent, Kind, Role
from voice_server.live.questions import Understood

_ids = itertools.count()


def says(
    text: str,
    author: str = "Ana",
    *,
    ident: str = "",
    kind: Kind = Kind.MESSAGE,
    platform: str = "twitch",
    target: str = "",
    amount: float = 0.0,
    roles: frozenset[Role] = frozenset(),
    history: bool = False,
    language: str = "",
) -> ChatEvent:
    return ChatEvent(
        platform=platform,
        id=ident or f"e{next(_ids)}",
        kind=kind,
        at=0.0,
        author_id=author.lower(),
        author=author,
        text=text,
        roles=roles,
        amount=amount,
        target=target,
        channel="c",
        history=history,
        language=language,
    )


class TableUnderstanding:
    """Knows a few words; the vector is a bag of hashed words."""

    INTENTS: ClassVar[dict[str, str]] = {
        "price": "price",
        "cost": "price",
        "stock": "availability",
        "order": "order_status",
        "scam": "complaint",
        "thanks": "thanks",
        "waterproof": "",
    }

    def __init__(self) -> None:
        self.looked = 0
        self.table = self.INTENTS

    def language(self, text: str, hint: str) -> str:
        return hint or ("fr" if "combien" in text else "en")

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), 64), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[sum(map(ord, word)) % 64] += 1
            row /= np.linalg.norm(row) or 1
        return rows

    def named(self, text: str) -> str:
        return next((p for p in ("oslo", "nemo") if p in text.lower()), "")

    def specifics(self, text: str) -> frozenset[str]:
        return frozenset(word for word in ("blue", "green") if word in text)

    def greets(self, text: str) -> bool:
        return text.lower().startswith("hello")

    def understand(self, text: str, language: str, on_screen: str) -> Understood:
        self.looked += 1
        for word, intent in self.table.items():
            if word in text.lower():
                about = intent in {"price", "availability"}
                product = (self.named(text) or on_screen) if about else ""
                return Understood(intent, 0.9 if intent else 0.0, product, about)
        return Understood("")
