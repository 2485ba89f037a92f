"""Clients that come back to another process: what is kept of a session beyond it.

The token is kept as a digest, and only while its session is open or parked: the process renews it
every :data:`RENEW_S`, so that it dies with the process, a while later.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

log = logging.getLogger(__name__)

RENEW_S = 15.0
"""Between renewals: a token outlives its process by this much more than it may, at most."""

TAKE_S = 3.0
"""The store gets so long to tell whose token it is; then the client opens a new session."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a session begins from again."""

    session_id: str
    shop: str
    extensions: tuple[str, ...]
    config: Mapping[str, Any]
    """As of ``session.update``."""
    language: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "session": self.session_id,
            "shop": self.shop,
            "extensions": list(self.extensions),
            "config": dict(self.config),
            "language": self.language,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Kept:
        """Read what :meth:`to_json` gave. Raises KeyError, TypeError."""
        return cls(
            str(raw["session"]),
            str(raw["shop"]),
            tuple(map(str, raw["extensions"])),
            dict(raw["config"]),
            str(raw["language"]),
        )


class TokenStore(Protocol):
    """A shared store of small states (:class:`voice_server.records.SessionStore`)."""

    def save(self, key: str, shop_id: str, state: Mapping[str, Any], ttl_s: float) -> None:
        """Replace a state; it is gone after ``ttl_s`` seconds. Never waits, never raises."""

    async def load(self, key: str) -> Mapping[str, Any] | None:
        """Return a state that still lives."""


NOBODY = "-"
"""The shop of the rows: they are no conversation of a shop's."""


class Returning:
    """Keeps tokens beyond the process."""

    def __init__(self, store: TokenStore, resume_s: float) -> None:
        """``resume_s``: seconds a token holds after its session was lost."""
        self._store = store
        self._resume_s = resume_s

    def keep(self, token: str, kept: Kept) -> None:
        """Let a token hold for a while from now."""
        self._store.save(_key(token), NOBODY, kept.to_json(), self._resume_s + RENEW_S)

    def spend(self, token: str) -> None:
        """Let a token hold no more."""
        self._store.save(_key(token), NOBODY, {}, 0.0)

    async def take(self, token: str, shop: str) -> Kept | None:
        """Return what a token of a shop stands for, once; None if it is unknown, used or over."""
        try:
            async with asyncio.timeout(TAKE_S):
                raw = await self._store.load(_key(token))
                if not raw:
                    return None
                kept = Kept.from_json(raw)
        except (TimeoutError, KeyError, TypeError) as error:
            log.warning("a session of before cannot be gone on with: %r", error)
            return None
        except Exception:  # a database that is away: the client opens a new session
            log.exception("a session of before cannot be looked up")
            return None
        if kept.shop != shop:
            return None
        self.spend(token)
        return kept


def _key(token: str) -> str:
    # Whoever reads the database cannot come back as somebody else.
    return "resume:" + hashlib.sha256(token.encode()).hexdigest()
