"""Is this request really from the vendor, and for the first time? Pure: the time is an argument.

==========  ======================================  ==============================================
vendor      proof                                   against replay
==========  ======================================  ==============================================
Twilio      HMAC-SHA1 of URL and form               the signature itself is remembered
Plivo (V3)  HMAC-SHA256 of URL, form and nonce      the nonce
Telnyx      Ed25519 of timestamp and body           age, and the signature
Vonage      JWT (HS256) with a hash of the body     age, and the token's id
Genesys     HMAC-SHA256 over named headers          age, and the nonce
==========  ======================================  ==============================================
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from voice_server.telephony.once import OnceStore

MAX_AGE_S = 300.0
"""Telnyx's and Vonage's own libraries allow five minutes between signing and checking."""

GENESYS_MAX_AGE_S = 10.0
"""Of Genesys' reference implementation, beside the expiry in the signature."""

SKEW_S = 3.0
"""How far the vendor's clock may be ahead of ours."""

REMEMBERED_S = 3600.0
"""How long a proof that has no age of its own cannot be used again."""

Form = Iterable[tuple[str, str]]


class SignatureWrong(Exception):
    """The request cannot be trusted. The text is for the operator's log, not for the sender."""


class Guard:
    """Checks proofs and remembers them. One for all vendors of a server."""

    def __init__(self) -> None:
        self._seen: OnceStore[bool] = OnceStore(REMEMBERED_S)

    def once(self, vendor: str, proof: str, now: float) -> None:
        """Raise SignatureWrong if this proof was used before."""
        key = f"{vendor} {proof}"
        if self._seen.holds(key, now):
            raise SignatureWrong(f"{vendor}: the same request came twice")
        self._seen.put(key, True, now)

    def twilio(self, token: str, signature: str, url: str, form: Form, now: float) -> None:
        """Check ``X-Twilio-Signature``. ``url`` as Twilio called it, query included.

        Raises SignatureWrong. Twilio signs with or without the port, so both are tried.
        """
        accepted = [twilio_signature(token, each, form := list(form)) for each in _ports(url)]
        _compare("twilio", signature, accepted)
        self.once("twilio", signature, now)

    def plivo(
        self, token: str, signatures: str, nonce: str, url: str, form: Form, now: float
    ) -> None:
        """Check ``X-Plivo-Signature-V3`` with its ``-Nonce``. Raises SignatureWrong."""
        if not nonce:
            raise SignatureWrong("plivo: no nonce")
        wanted = plivo_signature(token, url, form, nonce)
        _compare("plivo", wanted, [part.strip() for part in signatures.split(",")])
        self.once("plivo", nonce, now)

    def telnyx(
        self, public_key: str, signature: str, timestamp: str, body: bytes, now: float
    ) -> None:
        """Check ``telnyx-signature-ed25519`` and ``telnyx-timestamp``. Raises SignatureWrong.

        ``public_key`` is base64, as the portal shows it; ``now`` is seconds since the epoch.
        """
        _fresh("telnyx", timestamp, now, MAX_AGE_S)
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
            key.verify(base64.b64decode(signature, validate=True), timestamp.encode() + b"|" + body)
        except (InvalidSignature, ValueError, binascii.Error):
            raise SignatureWrong("telnyx: the signature does not fit") from None
        self.once("telnyx", signature, now)

    def vonage(self, secret: str, authorization: str, body: bytes, now: float) -> None:
        """Check ``Authorization: Bearer <JWT>``. Raises SignatureWrong."""
        claims = read_jwt(secret, authorization.removeprefix("Bearer ").strip())
        _fresh("vonage", str(claims.get("iat", "")), now, MAX_AGE_S)
        digest = claims.get("payload_hash")
        if body and digest != hashlib.sha256(body).hexdigest():
            raise SignatureWrong("vonage: the body is not the one that was signed")
        token_id = claims.get("jti")
        if not isinstance(token_id, str) or not token_id:
            raise SignatureWrong("vonage: the token has no id")
        self.once("vonage", token_id, now)

    def genesys(
        self, api_key: str, secret: str, headers: Mapping[str, str], target: str, now: float
    ) -> None:
        """Check the HTTP message signature of an AudioHook handshake. Raises SignatureWrong.

        ``headers`` by lower-case name; ``target`` is path and query; ``secret`` is base64.
        """
        if not hmac.compare_digest(headers.get("x-api-key", "").encode(), api_key.encode()):
            raise SignatureWrong("genesys: another API key")
        parameters, names, raw = _signature_input(headers.get("signature-input", ""))
        missing = _GENESYS_SIGNED - set(names)
        if missing:
            raise SignatureWrong(f"genesys: {', '.join(sorted(missing))} not signed")
        if parameters.get("keyid") != api_key or parameters.get("alg", "hmac-sha256") != (
            "hmac-sha256"
        ):
            raise SignatureWrong("genesys: another key or algorithm")
        nonce = parameters.get("nonce", "")
        if len(nonce) < 22:
            raise SignatureWrong("genesys: no nonce worth the name")
        _fresh("genesys", parameters.get("created", ""), now, GENESYS_MAX_AGE_S)
        _unexpired(parameters.get("expires", ""), now)
        derived = {"@request-target": target, "@authority": headers.get("host", "")}
        lines = [f'"{name}": {derived.get(name, headers.get(name, ""))}' for name in names]
        base = "\n".join([*lines, f'"@signature-params": {raw}'])
        found = re.fullmatch(r"\w+=:([A-Za-z0-9+/=]+):", headers.get("signature", ""))
        digest = hmac.new(_key(secret), base.encode(), hashlib.sha256).digest()
        _compare("genesys", found[1] if found else "", [base64.b64encode(digest).decode()])
        self.once("genesys", nonce, now)


def twilio_signature(token: str, url: str, form: Form) -> str:
    """Return what Twilio puts into ``X-Twilio-Signature``."""
    values: dict[str, set[str]] = {}
    for name, value in form:
        values.setdefault(name, set()).add(value)
    text = url + "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def plivo_signature(token: str, url: str, form: Form, nonce: str) -> str:
    """Return what Plivo puts into ``X-Plivo-Signature-V3`` for a POST with ``form``."""
    parts = urlsplit(url)
    query = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, True)))
    fields = "".join(f"{name}{value}" for name, value in sorted(form))
    text = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    if query or fields:
        text += "?" + query
    if query and fields:
        text += "."
    text += f"{fields}.{nonce}"
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def read_jwt(secret: str, token: str) -> dict[str, Any]:
    """Return the claims of an HS256 token. Raises SignatureWrong."""
    try:
        head, claims, signature = token.split(".")
        header = orjson.loads(_unpadded(head))
        digest = hmac.new(secret.encode(), f"{head}.{claims}".encode(), hashlib.sha256).digest()
        given = _unpadded(signature)
        said = orjson.loads(_unpadded(claims))
    except (ValueError, binascii.Error):
        raise SignatureWrong("vonage: no JSON web token") from None
    if not isinstance(header, dict) or header.get("alg") != "HS256":
        raise SignatureWrong("vonage: a token of another kind than HS256")
    if not hmac.compare_digest(digest, given):
        raise SignatureWrong("vonage: the signature does not fit")
    if not isinstance(said, dict):
        raise SignatureWrong("vonage: a token without claims")
    return said


def make_jwt(secret: str, claims: Mapping[str, Any]) -> str:
    """Return an HS256 token, as Vonage makes them (for the tests and the simulator)."""
    parts = [
        base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "typ": "JWT"}, dict(claims))
    ]
    digest = hmac.new(secret.encode(), ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()])


_GENESYS_SIGNED = frozenset(
    {
        "@request-target",
        "@authority",
        "audiohook-organization-id",
        "audiohook-session-id",
        "audiohook-correlation-id",
        "x-api-key",
    }
)

_INPUT = re.compile(r'\w+=(\(((?:"[^"]*"\s*)+)\)((?:;\w+=(?:"[^"]*"|\d+))*))')


def _signature_input(field: str) -> tuple[dict[str, str], list[str], str]:
    """Return parameters, signed names and the raw parameters of ``Signature-Input``."""
    found = _INPUT.fullmatch(field.strip()) if len(field) < 2000 else None
    if found is None:
        raise SignatureWrong("genesys: no signature")
    parameters = {
        name: text.strip('"') for name, text in re.findall(r';(\w+)=("[^"]*"|\d+)', found[3])
    }
    return parameters, re.findall(r'"([^"]*)"', found[2]), found[1]


def _compare(vendor: str, given: str, accepted: Iterable[str]) -> None:
    # All are compared, so that time does not tell which one came close.
    matches = [hmac.compare_digest(given.encode(), one.encode()) for one in accepted]
    if not given or not any(matches):
        raise SignatureWrong(f"{vendor}: the signature does not fit")


def _fresh(vendor: str, timestamp: str, now: float, max_age_s: float) -> None:
    if not timestamp.isdecimal() or len(timestamp) > 12:
        raise SignatureWrong(f"{vendor}: no time of signing")
    age = now - int(timestamp)
    if not -SKEW_S <= age <= max_age_s:
        raise SignatureWrong(f"{vendor}: signed {age:.0f} s ago")


def _unexpired(expires: str, now: float) -> None:
    if expires and (not expires.isdecimal() or len(expires) > 12 or int(expires) < now - SKEW_S):
        raise SignatureWrong("genesys: the signature has expired")


def _ports(url: str) -> list[str]:
    """Return the URL as it is, without its port, and with the usual one."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = 443 if parts.scheme in ("https", "wss") else 80
    bare = urlunsplit(parts._replace(netloc=host))
    return [url, bare, urlunsplit(parts._replace(netloc=f"{host}:{port}"))]


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret, validate=True)
    except (ValueError, binascii.Error):
        raise SignatureWrong("genesys: our client secret is not base64") from None


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
