"""Digest proof of SIP requests (RFC 3261, 22; RFC 2617 qop auth). Pure: time is an argument."""

from __future__ import annotations

import hashlib
import hmac
import re

from voice_server.telephony.once import OnceStore
from voice_server.telephony.sip_message import SipMessage

NONCE_S = 60
"""A challenge can be answered for so long."""

REALM = "voice-server"


class Digest:
    """Challenges callers and checks what they answer."""

    def __init__(self, user: str, password: str, key: bytes) -> None:
        """``key``: random, for nonces that need no memory of their own."""
        self._user = user
        self._password = password
        self._key = key
        self._used: OnceStore[bool] = OnceStore(2.0 * NONCE_S)

    def challenge(self, now: float) -> str:
        """Return a WWW-Authenticate header. ``now``: seconds since any moment, monotonic."""
        nonce = f"{int(now)}-{self._seal(int(now))}"
        return f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"'

    def accepts(self, request: SipMessage, now: float) -> bool:
        """Return whether a request proves the password, with a fresh nonce, for the first time."""
        header = request.get("authorization")
        if not header.lower().startswith("digest ") or len(header) > 2000:
            return False
        given = {
            name.lower(): quoted or bare
            for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', header)
        }
        nonce = given.get("nonce", "")
        stamp, _, seal = nonce.partition("-")
        if not stamp.isdecimal() or len(stamp) > 12 or not 0 <= now - int(stamp) <= NONCE_S:
            return False
        if not hmac.compare_digest(seal.encode(), self._seal(int(stamp)).encode()):
            return False
        wanted = response_of(self._user, self._password, request.method, given)
        if given.get("username") != self._user or not hmac.compare_digest(
            given.get("response", "").encode(), wanted.encode()
        ):
            return False
        proof = f"{nonce} {given.get('nc', '')} {given.get('cnonce', '')}"
        if self._used.holds(proof, now):
            return False
        self._used.put(proof, True, now)
        return True

    def _seal(self, stamp: int) -> str:
        return hmac.new(self._key, str(stamp).encode(), hashlib.sha256).hexdigest()[:24]


def response_of(user: str, password: str, method: str, given: dict[str, str]) -> str:
    """Return the response to a challenge."""
    secret = _md5(f"{user}:{given.get('realm', '')}:{password}")
    request = _md5(f"{method}:{given.get('uri', '')}")
    nonce = given.get("nonce", "")
    if "qop" not in given:
        return _md5(f"{secret}:{nonce}:{request}")
    middle = f"{nonce}:{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
    return _md5(f"{secret}:{middle}:{request}")


def _md5(text: str) -> str:
    # What the protocol wants and every trunk speaks; the nonce keeps it from being replayed.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
