"""Whose a conversation was, without writing down who: keyed digests of what people are known by.

A conversation's log holds digests of the contacts said in it and of the orders proved in it.  Who
knows the address, the number or the order finds the conversations by it; the log tells nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

Means = Literal["proved", "signed", "called", "said"]
"""How sure it is that the conversation is the customer's: an order was proved, the shop's page
signed who it is, they called from the number; or it was only said, perhaps by somebody else."""

SURE: frozenset[str] = frozenset({"proved", "signed", "called"})

LINKED = "customer.linked"
"""Kind of the events that hold a digest: ``{"subject": ..., "means": ...}``."""

KEY_BYTES = 32

_COUNTRIES = ("352", "32", "31", "33", "49", "44")
"""Codes of the countries that are called with and without them: LU, BE, NL, FR, DE, GB."""


class Subjects:
    """Makes digests with one server's key."""

    def __init__(self, key: bytes) -> None:
        """Raises ValueError for a key of less than 16 bytes."""
        if len(key) < 16:
            raise ValueError("the key for customers' digests needs 16 bytes or more")
        self._key = key

    def digest(self, identifier: str) -> str:
        """Return the digest of an e-mail address, a telephone number, an order or a customer id."""
        return hmac.new(self._key, normal(identifier).encode(), hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        """Show no key."""
        return "Subjects()"


def normal(identifier: str) -> str:
    """Return the one way an identifier is written: "+32 475 12 34 56" is "0475/12.34.56"."""
    text = identifier.strip().casefold()
    if "@" in text:
        return "email:" + "".join(text.split())
    if re.fullmatch(r"\+?[\d\s()./-]{7,}", text):
        digits = re.sub(r"\D", "", text)
        abroad = text.startswith(("+", "00"))
        digits = digits.removeprefix("00") if text.startswith("00") else digits
        code = next((c for c in _COUNTRIES if abroad and digits.startswith(c)), "")
        return "phone:" + digits.removeprefix(code).lstrip("0")
    return "id:" + re.sub(r"[\s#]", "", text)


def words_digest(words: Sequence[str]) -> str:
    """Return what ties the words of a turn, as they are kept, to the record of its decision."""
    return hashlib.sha256("\x1f".join(words).encode()).hexdigest()


def read_key(path: Path) -> bytes:
    """Return the key in a file, made at the first time; only its owner can read it.

    Raises:
        OSError: it can be neither read nor made.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(KEY_BYTES))
    finally:
        os.close(handle)
    try:
        os.link(fresh, path)  # whoever comes second takes the first one's
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes()
