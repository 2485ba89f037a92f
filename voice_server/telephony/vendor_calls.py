"""How each vendor is asked to call somebody: its REST request, and what its answer means.

Sans-I/O: requests are data, the shell (``dialler.py``) sends them.  Shapes are those of the
vendors' references: Twilio *Calls resource*, Telnyx *Call Control: dial*, Plivo *Call API*, Vonage
*Voice API v1*.  Secrets stand in the requests only and are never part of an error's text.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from voice_server.ids import IdFactory, new_id
from voice_server.telephony.bridge_base import printable

WORDS = 200
"""Characters kept of a vendor's own explanation."""

RETRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class VendorAccounts:
    """What the vendors' REST APIs want of us; "" where a vendor places no calls."""

    twilio_sid: str = ""
    twilio_token: str = ""
    telnyx_key: str = ""
    telnyx_connection: str = ""
    plivo_id: str = ""
    plivo_token: str = ""
    vonage_application: str = ""
    vonage_key: str = ""
    """Private key of the application, PEM."""
    bases: Mapping[str, str] = field(default_factory=dict)
    """Vendor to the address of its API, where it is not the usual one (Twilio's Dublin)."""

    def __repr__(self) -> str:
        """Without secrets: this may end in a log."""
        return f"VendorAccounts({', '.join(sorted(self.usable()))})"

    def usable(self) -> frozenset[str]:
        """Return the vendors whose accounts are complete."""
        complete = {
            "twilio": self.twilio_sid and self.twilio_token,
            "telnyx": self.telnyx_key and self.telnyx_connection,
            "plivo": self.plivo_id and self.plivo_token,
            "vonage": self.vonage_application and self.vonage_key,
        }
        return frozenset(vendor for vendor, there in complete.items() if there)


@dataclass(frozen=True, slots=True)
class RestRequest:
    """One request to a vendor."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """A call to be placed; all addresses are ours and absolute."""

    number: str
    caller_id: str
    answer_url: str
    """Asked for TwiML, XML or NCCO when somebody has picked up."""
    events_url: str
    """Told how the call goes, and who has picked up."""
    stream_url: str
    """``wss://``, with the call's ticket (Telnyx connects by itself)."""
    ring_s: int
    detect: bool
    """The vendor listens for a machine."""


class VendorRefused(Exception):
    """The vendor does not place the call; the message is for the operator."""

    def __init__(self, text: str, *, later: bool = False, retry_after_s: float = 0.0) -> None:
        """``later``: the same request may succeed after a while."""
        super().__init__(text)
        self.later = later
        self.retry_after_s = retry_after_s


class VendorCalls(Protocol):
    """One vendor's REST API."""

    def place(self, call: PlaceCall) -> RestRequest:
        """Return the request that places a call. Raises VendorRefused for a useless key."""

    def placed(self, reply: Mapping[str, Any]) -> str:
        """Return the call's id from a good answer, "" if there is none."""

    def hang_up(self, call_id: str) -> RestRequest:
        """Return the request that ends a call, ringing or not."""

    def transfer(self, call_id: str, target: str) -> RestRequest | None:
        """Return the request that hands a call over; None: its answer page does it."""

    def why(self, reply: Mapping[str, Any]) -> str:
        """Return the vendor's explanation of an error."""


def vendor_calls(
    vendor: str,
    accounts: VendorAccounts,
    *,
    now: Callable[[], float],
    new_id: IdFactory = new_id,
) -> VendorCalls:
    """Return a vendor's API. Raises KeyError for one that places no calls.

    ``now``: seconds since the epoch, for tokens.
    """
    base = accounts.bases.get(vendor, _BASES[vendor]).rstrip("/")
    if vendor == "twilio":
        return _Twilio(base, accounts)
    if vendor == "telnyx":
        return _Telnyx(base, accounts, new_id)
    if vendor == "plivo":
        return _Plivo(base, accounts)
    return _Vonage(base, accounts, now, new_id)


_BASES = {
    "twilio": "https://api.twilio.com",
    "telnyx": "https://api.telnyx.com",
    "plivo": "https://api.plivo.com",
    "vonage": "https://api.nexmo.com",
}


def read_reply(
    vendor: VendorCalls, name: str, status: int, headers: Mapping[str, str], body: bytes
) -> str:
    """Return the call's id from the answer to :meth:`VendorCalls.place`. Raises VendorRefused."""
    try:
        said: Any = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        said = {}
    reply = said if isinstance(said, dict) else {}
    if 200 <= status < 300:
        if call_id := vendor.placed(reply):
            return call_id
        raise VendorRefused(f"{name} took the call but gave it no id")
    words = printable(vendor.why(reply))[:WORDS]
    wait = headers.get("Retry-After", "")
    raise VendorRefused(
        f"{name} answered {status}" + (f": {words}" if words else ""),
        later=status in RETRY_LATER,
        retry_after_s=float(wait) if wait.isdecimal() and len(wait) < 6 else 0.0,
    )


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _json(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(dict(value))


def _word(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


class _Twilio:
    def __init__(self, base: str, accounts: VendorAccounts) -> None:
        self._calls = f"{base}/2010-04-01/Accounts/{quote(accounts.twilio_sid, safe='')}/Calls"
        self._headers = {
            "Authorization": _basic(accounts.twilio_sid, accounts.twilio_token),
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def place(self, call: PlaceCall) -> RestRequest:
        form = [
            ("To", call.number), ("From", call.caller_id), ("Url", call.answer_url),
            ("Method", "POST"), ("Timeout", str(call.ring_s)),
            ("StatusCallback", call.events_url), ("StatusCallbackMethod", "POST"),
            ("StatusCallbackEvent", "ringing"), ("StatusCallbackEvent", "answered"),
            ("StatusCallbackEvent", "completed"),
        ]  # fmt: skip
        if call.detect:
            form += [
                ("MachineDetection", "DetectMessageEnd"), ("AsyncAmd", "true"),
                ("AsyncAmdStatusCallback", call.events_url),
                ("AsyncAmdStatusCallbackMethod", "POST"),
            ]  # fmt: skip
        return RestRequest("POST", f"{self._calls}.json", self._headers, urlencode(form).encode())

    def placed(self, reply: Mapping[str, Any]) -> str:
        return _word(reply.get("sid"))

    def hang_up(self, call_id: str) -> RestRequest:
        body = urlencode({"Status": "completed"}).encode()
        url = f"{self._calls}/{quote(call_id, safe='')}.json"
        return RestRequest("POST", url, self._headers, body)

    def transfer(self, call_id: str, target: str) -> RestRequest | None:
        return None

    def why(self, reply: Mapping[str, Any]) -> str:
        code = _word(reply.get("code"))
        return f"{_word(reply.get('message'))}{f' ({code})' if code else ''}"


class _Telnyx:
    def __init__(self, base: str, accounts: VendorAccounts, new_id: IdFactory) -> None:
        self._calls = f"{base}/v2/calls"
        self._connection = accounts.telnyx_connection
        self._new_id = new_id
        self._headers = {
            "Authorization": f"Bearer {accounts.telnyx_key}",
            "Content-Type": "application/json",
        }

    def place(self, call: PlaceCall) -> RestRequest:
        body: dict[str, Any] = {
            "connection_id": self._connection,
            "to": call.number,
            "from": call.caller_id,
            "timeout_secs": call.ring_s,
            "webhook_url": call.events_url,
            "webhook_url_method": "POST",
            "stream_url": call.stream_url,
            "stream_track": "inbound_track",
            "stream_bidirectional_mode": "rtp",
            "stream_bidirectional_codec": "PCMU",
            "command_id": self._new_id("cmd"),
        }
        if call.detect:
            body["answering_machine_detection"] = "greeting_end"
        return RestRequest("POST", self._calls, self._headers, _json(body))

    def placed(self, reply: Mapping[str, Any]) -> str:
        data = reply.get("data")
        return _word(data.get("call_control_id")) if isinstance(data, dict) else ""

    def hang_up(self, call_id: str) -> RestRequest:
        return self._action(call_id, "hangup", {})

    def transfer(self, call_id: str, target: str) -> RestRequest | None:
        return self._action(call_id, "transfer", {"to": target})

    def _action(self, call_id: str, action: str, body: dict[str, Any]) -> RestRequest:
        url = f"{self._calls}/{quote(call_id, safe='')}/actions/{action}"
        body = {**body, "command_id": self._new_id("cmd")}
        return RestRequest("POST", url, self._headers, _json(body))

    def why(self, reply: Mapping[str, Any]) -> str:
        errors = reply.get("errors")
        if not isinstance(errors, list) or not errors or not isinstance(errors[0], dict):
            return ""
        first = errors[0]
        words = _word(first.get("detail")) or _word(first.get("title"))
        return f"{words} ({_word(first.get('code'))})"


class _Plivo:
    def __init__(self, base: str, accounts: VendorAccounts) -> None:
        self._account = f"{base}/v1/Account/{quote(accounts.plivo_id, safe='')}"
        self._headers = {
            "Authorization": _basic(accounts.plivo_id, accounts.plivo_token),
            "Content-Type": "application/json",
        }

    def place(self, call: PlaceCall) -> RestRequest:
        body: dict[str, Any] = {
            "from": call.caller_id.lstrip("+"),
            "to": call.number.lstrip("+"),
            "answer_url": call.answer_url,
            "answer_method": "POST",
            "ring_url": call.events_url,
            "ring_method": "POST",
            "hangup_url": call.events_url,
            "hangup_method": "POST",
            "ring_timeout": call.ring_s,
        }
        if call.detect:
            body |= {
                "machine_detection": "true",
                "machine_detection_url": call.events_url,
                "machine_detection_method": "POST",
            }
        return RestRequest("POST", f"{self._account}/Call/", self._headers, _json(body))

    def placed(self, reply: Mapping[str, Any]) -> str:
        return _word(reply.get("request_uuid"))

    def hang_up(self, call_id: str) -> RestRequest:
        # Until it is answered Plivo knows a call by its request; then both ids are the same.
        return RestRequest(
            "DELETE", f"{self._account}/Call/{quote(call_id, safe='')}/", self._headers
        )

    def transfer(self, call_id: str, target: str) -> RestRequest | None:
        return None

    def why(self, reply: Mapping[str, Any]) -> str:
        return _word(reply.get("error")) or _word(reply.get("message"))


class _Vonage:
    def __init__(
        self,
        base: str,
        accounts: VendorAccounts,
        now: Callable[[], float],
        new_id: IdFactory,
    ) -> None:
        self._calls = f"{base}/v1/calls"
        self._accounts = accounts
        self._now = now
        self._new_id = new_id

    def place(self, call: PlaceCall) -> RestRequest:
        body: dict[str, Any] = {
            "to": [{"type": "phone", "number": call.number.lstrip("+")}],
            "from": {"type": "phone", "number": call.caller_id.lstrip("+")},
            "answer_url": [call.answer_url],
            "answer_method": "POST",
            "event_url": [call.events_url],
            "event_method": "POST",
            "ringing_timer": call.ring_s,
        }
        if call.detect:
            body["advanced_machine_detection"] = {
                "behavior": "continue", "mode": "detect_beep", "beep_timeout": 45,
            }  # fmt: skip
        return RestRequest("POST", self._calls, self._headers(), _json(body))

    def placed(self, reply: Mapping[str, Any]) -> str:
        return _word(reply.get("uuid"))

    def hang_up(self, call_id: str) -> RestRequest:
        url = f"{self._calls}/{quote(call_id, safe='')}"
        return RestRequest("PUT", url, self._headers(), _json({"action": "hangup"}))

    def transfer(self, call_id: str, target: str) -> RestRequest | None:
        return None

    def why(self, reply: Mapping[str, Any]) -> str:
        return _word(reply.get("detail")) or _word(reply.get("title"))

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token()}", "Content-Type": "application/json"}

    def _token(self) -> str:
        """Return a JSON web token for the application, signed RS256, good for five minutes."""
        try:
            key = load_pem_private_key(self._accounts.vonage_key.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, RSAPrivateKey):
            raise VendorRefused("vonage: the private key of the application is no RSA key (PEM)")
        issued = int(self._now())
        parts = [
            _unpadded(orjson.dumps(part))
            for part in (
                {"alg": "RS256", "typ": "JWT"},
                {
                    "application_id": self._accounts.vonage_application,
                    "iat": issued, "exp": issued + 300, "jti": self._new_id("jti"),
                },
            )
        ]  # fmt: skip
        signature = key.sign(".".join(parts).encode(), PKCS1v15(), hashes.SHA256())
        return ".".join([*parts, _unpadded(signature)])


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
