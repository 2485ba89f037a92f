"""Proofs of the vendors: known vectors, and what an attacker would try."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from voice_server.telephony.once import OnceStore
from voice_server.telephony.signatures import (
    Guard,
    SignatureWrong,
    make_jwt,
    plivo_signature,
    read_jwt,
    twilio_signature,
)

NOW = 1_800_000_000.0

# Twilio's own example (docs, "Validating signatures from Twilio").
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
]
TWILIO_SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_twilio_documented_example() -> None:
    assert twilio_signature("12345", TWILIO_URL, TWILIO_FORM) == TWILIO_SIGNATURE
    Guard().twilio("12345", TWILIO_SIGNATURE, TWILIO_URL, TWILIO_FORM, NOW)


def test_twilio_port_may_be_left_out_or_added() -> None:
    signature = twilio_signature("t", "wss://shop.example:443/telephony/twilio", [])
    Guard().twilio("t", signature, "wss://shop.example/telephony/twilio", [], NOW)
    signature = twilio_signature("t", "https://shop.example/a", [])
    Guard().twilio("t", signature, "https://shop.example:8443/a", [], NOW)


@pytest.mark.parametrize(
    ("signature", "form"),
    [("", TWILIO_FORM), ("AAAA", TWILIO_FORM), (TWILIO_SIGNATURE, TWILIO_FORM[:-1])],
)
def test_twilio_forged(signature: str, form: list[tuple[str, str]]) -> None:
    with pytest.raises(SignatureWrong, match="does not fit"):
        Guard().twilio("12345", signature, TWILIO_URL, form, NOW)


def test_twilio_replayed() -> None:
    guard = Guard()
    guard.twilio("12345", TWILIO_SIGNATURE, TWILIO_URL, TWILIO_FORM, NOW)
    with pytest.raises(SignatureWrong, match="twice"):
        guard.twilio("12345", TWILIO_SIGNATURE, TWILIO_URL, TWILIO_FORM, NOW + 60)


def test_plivo_signs_as_its_library_does() -> None:
    # Worked by hand from the published algorithm: url?query.params.nonce
    text = "https://a.example/x?b=2&c=1.From32To33.n1"
    wanted = base64.b64encode(hmac.new(b"tok", text.encode(), hashlib.sha256).digest()).decode()
    url, form = "https://a.example/x?c=1&b=2", [("To", "33"), ("From", "32")]
    assert plivo_signature("tok", url, form, "n1") == wanted
    guard = Guard()
    guard.plivo("tok", f"other, {wanted}", "n1", url, form, NOW)
    with pytest.raises(SignatureWrong, match="twice"):
        guard.plivo("tok", wanted, "n1", url, form, NOW)
    with pytest.raises(SignatureWrong, match="no nonce"):
        guard.plivo("tok", wanted, "", url, form, NOW)
    with pytest.raises(SignatureWrong, match="does not fit"):
        guard.plivo("tok", wanted, "n2", url, form, NOW)
    bare = hmac.new(b"tok", b"https://a.example/x.n3", hashlib.sha256).digest()
    assert plivo_signature("tok", "https://a.example/x", [], "n3") == (
        base64.b64encode(bare).decode()
    )


def telnyx(body: bytes, timestamp: str) -> tuple[str, str]:
    private = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signature = private.sign(timestamp.encode() + b"|" + body)
    return base64.b64encode(public).decode(), base64.b64encode(signature).decode()


def test_telnyx() -> None:
    guard = Guard()
    stamp = str(int(NOW))
    public, signature = telnyx(b"{}", stamp)
    guard.telnyx(public, signature, stamp, b"{}", NOW)
    with pytest.raises(SignatureWrong, match="twice"):
        guard.telnyx(public, signature, stamp, b"{}", NOW + 1)
    for body, when, key in ((b"{ }", stamp, public), (b"{}", str(int(NOW) + 1), public)):
        with pytest.raises(SignatureWrong, match="does not fit"):
            guard.telnyx(key, signature, when, body, NOW)
    for bad in ("!", "AAAA", ""):
        with pytest.raises(SignatureWrong, match="does not fit"):
            guard.telnyx(bad, signature, stamp, b"{}", NOW)
        with pytest.raises(SignatureWrong, match="does not fit"):
            guard.telnyx(public, bad, stamp, b"{}", NOW)


@pytest.mark.parametrize(("stamp", "why"), [("", "no time"), ("x", "no time"), ("-5", "no time")])
def test_telnyx_needs_a_time(stamp: str, why: str) -> None:
    with pytest.raises(SignatureWrong, match=why):
        Guard().telnyx("", "", stamp, b"", NOW)


@pytest.mark.parametrize("late_s", [301, -4])
def test_telnyx_in_its_time_only(late_s: int) -> None:
    stamp = str(int(NOW))
    public, signature = telnyx(b"{}", stamp)
    with pytest.raises(SignatureWrong, match="ago"):
        Guard().telnyx(public, signature, stamp, b"{}", NOW + late_s)


def test_vonage() -> None:
    guard = Guard()
    body = b'{"uuid":"1"}'
    claims = {"iat": int(NOW), "jti": "a", "payload_hash": hashlib.sha256(body).hexdigest()}
    token = make_jwt("secret", claims)
    guard.vonage("secret", f"Bearer {token}", body, NOW)
    with pytest.raises(SignatureWrong, match="twice"):
        guard.vonage("secret", f"Bearer {token}", body, NOW)
    with pytest.raises(SignatureWrong, match="not the one"):
        guard.vonage("secret", f"Bearer {token}", b"{}", NOW)
    with pytest.raises(SignatureWrong, match="does not fit"):
        guard.vonage("other", f"Bearer {token}", body, NOW)
    with pytest.raises(SignatureWrong, match="no id"):
        guard.vonage("secret", make_jwt("secret", {"iat": int(NOW)}), b"", NOW)
    with pytest.raises(SignatureWrong, match="no time"):
        guard.vonage("secret", make_jwt("secret", {}), b"", NOW)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "e30.e30.e30", "W10.e30.AA"])
def test_vonage_without_a_token(token: str) -> None:
    with pytest.raises(SignatureWrong):
        read_jwt("secret", token)


def test_a_token_must_hold_claims() -> None:
    head = make_jwt("s", {}).split(".")[0]
    digest = hmac.new(b"s", f"{head}.W10".encode(), hashlib.sha256).digest()
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    with pytest.raises(SignatureWrong, match="without claims"):
        read_jwt("s", f"{head}.W10.{signature}")


SECRET = base64.b64encode(b"genesys client secret").decode()
SIGNED = (
    "@request-target", "@authority", "audiohook-organization-id", "audiohook-session-id",
    "audiohook-correlation-id", "x-api-key",
)  # fmt: skip


def genesys(
    *,
    created: float = NOW,
    expires: float = NOW + 30,
    nonce: str = "VGhpcyBpcyBhIG5vbmNlIQ==",
    names: tuple[str, ...] = SIGNED,
    keyid: str = "key",
) -> dict[str, str]:
    """The headers of a handshake as Genesys' reference client signs it."""
    headers = {
        "host": "shop.example",
        "x-api-key": "key",
        "audiohook-organization-id": "o",
        "audiohook-session-id": "s",
        "audiohook-correlation-id": "c",
    }
    values = headers | {"@request-target": "/telephony/genesys", "@authority": "shop.example"}
    listed = " ".join(f'"{name}"' for name in names)
    parameters = (
        f'({listed});keyid="{keyid}";nonce="{nonce}";alg="hmac-sha256"'
        f";created={created:.0f};expires={expires:.0f}"
    )
    base = "\n".join(
        [*(f'"{name}": {values[name]}' for name in names), f'"@signature-params": {parameters}']
    )
    digest = hmac.new(base64.b64decode(SECRET), base.encode(), hashlib.sha256).digest()
    headers["signature-input"] = f"sig1={parameters}"
    headers["signature"] = f"sig1=:{base64.b64encode(digest).decode()}:"
    return headers


def check(headers: dict[str, str], guard: Guard | None = None, now: float = NOW) -> None:
    (guard or Guard()).genesys("key", SECRET, headers, "/telephony/genesys", now)


def test_genesys() -> None:
    guard = Guard()
    check(genesys(), guard)
    with pytest.raises(SignatureWrong, match="twice"):
        check(genesys(), guard)


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (genesys() | {"x-api-key": "other"}, "another API key"),
        (genesys() | {"signature-input": "x"}, "no signature"),
        (genesys() | {"signature-input": "x" * 3000}, "no signature"),
        (genesys() | {"signature": "sig1=:AAAA:"}, "does not fit"),
        (genesys() | {"signature": ""}, "does not fit"),
        (genesys() | {"audiohook-session-id": "other"}, "does not fit"),
        (genesys(names=SIGNED[:-1]), "x-api-key not signed"),
        (genesys(keyid="other"), "another key"),
        (genesys(nonce="short"), "no nonce"),
        (genesys(created=NOW - 11), "ago"),
        (genesys(created=NOW + 4), "ago"),
        (genesys(expires=NOW - 4), "expired"),
    ],
)
def test_genesys_forged(headers: dict[str, str], why: str) -> None:
    with pytest.raises(SignatureWrong, match=why):
        check(headers)


def test_genesys_with_a_secret_that_is_none() -> None:
    with pytest.raises(SignatureWrong, match="not base64"):
        Guard().genesys("key", "!", genesys(), "/telephony/genesys", NOW)


def test_what_holds_once_holds_for_a_while() -> None:
    store: OnceStore[int] = OnceStore(10, kept=2)
    store.put("a", 1, 0)
    assert store.take("a", 9.9) == 1
    assert store.take("a", 9.9) is None
    store.put("b", 2, 0)
    assert store.take("b", 10.1) is None
    for value, key in enumerate("cde"):
        store.put(key, value, 20)
    assert len(store) == 2
    assert store.take("c", 20) is None
    assert (store.take("d", 20), store.take("e", 20)) == (1, 2)
