"""What a vendor's webhook is answered: connect the call to us, and what to do when we leave.

XML for Twilio, Telnyx (TeXML) and Plivo, JSON (NCCO) for Vonage.  Everything is escaped here:
numbers and ids come from outside.  After our stream the vendor asks ``after`` what comes next, so
no transfer needs the vendor's REST API or its credentials.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

import orjson

XML = "application/xml"
JSON = "application/json"

SIP_URI_MOST = 1200
"""Characters of a SIP address with its headers: carriers cut longer ones off at 1024 to 2048."""

RING_S = 25
"""A human has so long to pick up; then the caller is told and comes back to us."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A webhook's response."""

    body: str
    content_type: str = XML


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a call is to be connected: our own addresses, absolute."""

    stream_url: str
    """``wss://``, with the ticket in its path."""
    after_url: str
    """``https://``: asked when our stream has ended."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Where the caller goes after us."""

    target: str
    caller_id: str = ""
    whisper_url: str = ""
    """Asked when the human picks up, before the two are joined; "" for a blind transfer."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """For the human's screen: SIP headers, where the target is a SIP address."""
    after_url: str = ""
    """Asked when the attempt is over, with its result."""


def connect(vendor: str, to: Connection, parameters: Mapping[str, str]) -> Reply:
    """Return the answer to an incoming call. ``parameters`` come back in the stream's start."""
    if vendor == "vonage":
        return _vonage_connect(to, parameters)
    if vendor == "plivo":
        stream = (
            '<Stream bidirectional="true" keepCallAlive="true" audioTrack="inbound" '
            f'contentType="audio/x-mulaw;rate=8000">{escape(to.stream_url)}</Stream>'
        )
    elif vendor == "telnyx":
        stream = (
            f"<Connect><Stream url={quoteattr(to.stream_url)} "
            'codec="PCMU" bidirectionalMode="rtp" bidirectionalCodec="PCMU"/></Connect>'
        )
    else:
        own = "".join(
            f"<Parameter name={quoteattr(name)} value={quoteattr(value)}/>"
            for name, value in parameters.items()
        )
        stream = f"<Connect><Stream url={quoteattr(to.stream_url)}>{own}</Stream></Connect>"
    return _response(f'{stream}<Redirect method="POST">{escape(to.after_url)}</Redirect>')


def hang_up(vendor: str) -> Reply:
    """Return the end of a call."""
    if vendor == "vonage":
        return Reply("[]", JSON)
    return _response("<Hangup/>")


def hand_over(vendor: str, to: Handover) -> Reply:
    """Return the transfer of a call."""
    if vendor == "vonage":
        endpoint: dict[str, Any] = {"type": "phone", "number": to.target.lstrip("+")}
        if to.target.startswith("sip:"):
            endpoint = {"type": "sip", "uri": to.target, "headers": sip_headers(to.fields, "")}
        if to.whisper_url:
            endpoint["onAnswer"] = {"url": to.whisper_url}
        action: dict[str, Any] = {"action": "connect", "timeout": RING_S, "endpoint": [endpoint]}
        if to.after_url:
            action |= {"eventType": "synchronous", "eventUrl": [to.after_url]}
        return Reply(orjson.dumps([action]).decode(), JSON)
    after = f' action={quoteattr(to.after_url)} method="POST"' if to.after_url else ""
    caller = f" callerId={quoteattr(to.caller_id)}" if to.caller_id else ""
    noun = "Sip" if to.target.startswith("sip:") else "Number"
    if vendor == "plivo":
        noun = "User" if noun == "Sip" else "Number"
        sound = f" confirmSound={quoteattr(to.whisper_url)}" if to.whisper_url else ""
        own = ",".join(f"{name}={value}" for name, value in _plivo(to.fields).items())
        headers = f" sipHeaders={quoteattr(own)}" if own and noun == "User" else ""
        return _response(
            f'<Dial timeout="{RING_S}"{after}{caller}{sound}>'
            f"<{noun}{headers}>{escape(to.target)}</{noun}></Dial>"
        )
    if noun == "Sip" and to.fields:
        query = urlencode(sip_headers(to.fields, "X-"), quote_via=quote)
        to = replace(to, target=f"{to.target}?{query}"[:SIP_URI_MOST])
    whisper = f' url={quoteattr(to.whisper_url)} method="POST"' if to.whisper_url else ""
    return _response(
        f'<Dial timeout="{RING_S}"{after}{caller}>'
        f"<{noun}{whisper}>{escape(to.target)}</{noun}></Dial>"
    )


def whisper(vendor: str, text: str, locale: str) -> Reply:
    """Return what only the human hears on picking up; the vendor's own voice says it."""
    if vendor == "vonage":
        talk = [{"action": "talk", "text": text, "language": locale}]
        return Reply(orjson.dumps(talk).decode(), JSON)
    if vendor == "plivo":
        return _response(f"<Speak language={quoteattr(locale)}>{escape(text)}</Speak>")
    return _response(f"<Say language={quoteattr(locale)}>{escape(text)}</Say>")


def carry_on(vendor: str) -> Reply:
    """Return the answer to news that change nothing."""
    return Reply("", JSON) if vendor == "vonage" else _response("")


def sip_headers(fields: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Return fields as SIP headers: ASCII, without what ends a header."""
    return {
        f"{prefix}Call-{name.replace('_', '-').title()}": ascii_text(value)
        for name, value in fields.items()
        if name.replace("_", "").isalnum() and name.isascii()
    }


def ascii_text(text: str) -> str:
    """Return text as the header of a protocol may have it: "é" becomes "e"."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(char for char in plain if char.isprintable())


def _plivo(fields: Mapping[str, str]) -> dict[str, str]:
    """Plivo takes letters and digits only, 24 and 48 of them."""
    return {
        "".join(filter(str.isalnum, name))[:24]: "".join(filter(str.isalnum, ascii_text(v)))[:48]
        for name, v in fields.items()
    }


def refuse(vendor: str) -> Reply:
    """Return a busy signal: the server is full or still loading."""
    if vendor == "vonage":
        return Reply("[]", JSON)
    if vendor == "plivo":
        return _response('<Hangup reason="busy"/>')
    return _response('<Reject reason="busy"/>')


def _vonage_connect(to: Connection, parameters: Mapping[str, str]) -> Reply:
    endpoint = {
        "type": "websocket",
        "uri": to.stream_url,
        "content-type": "audio/l16;rate=16000",
        "headers": dict(parameters),
    }
    ncco = [
        {"action": "connect", "endpoint": [endpoint]},
        {"action": "notify", "payload": {"after": "stream"}, "eventUrl": [to.after_url]},
    ]
    return Reply(orjson.dumps(ncco).decode(), JSON)


def _response(inside: str) -> Reply:
    return Reply(f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>')
