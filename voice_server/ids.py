"""Identifiers in the shapes the Realtime protocol uses (``item_...``, ``resp_...``)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

IdFactory = Callable[[str], str]
"""Given a prefix ("item", "resp", "event", "call", "sess"), returns a fresh id."""


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and 20 random characters (about 119 bits)."""
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return prefix + "_" + "".join(secrets.choice(alphabet) for _ in range(20))
