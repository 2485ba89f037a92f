"""SIP messages (RFC 3261): read from datagrams, written back. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SIZE_LIMIT = 16_384
"""Bytes of a message: an INVITE with SDP and a dozen Record-Routes has three thousand."""

HEADER_LIMIT = 100

_SHORT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
    "c": "content-type", "k": "supported", "e": "content-encoding", "s": "subject", "r": "refer-to",
}  # fmt: skip
_LISTS = frozenset({"via", "route", "record-route", "contact"})

REASONS = {
    100: "Trying", 180: "Ringing", 200: "OK", 202: "Accepted", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    481: "Call/Transaction Does Not Exist", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 500: "Server Internal Error", 503: "Service Unavailable",
}  # fmt: skip


class NoSip(ValueError):
    """The datagram is no SIP message; the text says why."""


@dataclass(slots=True)
class SipMessage:
    """A request (``method`` and ``uri``) or a response (``status``)."""

    method: str = ""
    uri: str = ""
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Lower-case names, in order; lists are split into one entry each."""
    body: str = ""

    def get(self, name: str, default: str = "") -> str:
        """Return the first header of that name."""
        return next((value for key, value in self.headers if key == name), default)

    def all(self, name: str) -> list[str]:
        """Return all headers of that name."""
        return [value for key, value in self.headers if key == name]

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method of CSeq; (0, "") for none that can be read."""
        number, _, method = self.get("cseq").partition(" ")
        return (int(number), method.strip()) if number.isdecimal() else (0, "")

    @property
    def branch(self) -> str:
        """The transaction's id, from the topmost Via."""
        return parameter(self.get("via"), "branch")

    @property
    def transport(self) -> str:
        """How the hop before us sent it, by the topmost Via: UDP, TCP or TLS."""
        return via_transport(self.get("via"))

    def write(self) -> bytes:
        """Return the datagram."""
        first = (
            f"{self.method} {self.uri} SIP/2.0"
            if self.method
            else f"SIP/2.0 {self.status} {REASONS.get(self.status, 'Unknown')}"
        )
        body = self.body.encode()
        headers = [(n, v) for n, v in self.headers if n != "content-length"]
        lines = [first, *(f"{_title(name)}: {value}" for name, value in headers)]
        lines.append(f"Content-Length: {len(body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def via_transport(via: str) -> str:
    """Return what a Via names: UDP, TCP or TLS; UDP for anything else."""
    found = re.match(r"SIP\s*/\s*2\.0\s*/\s*(TCP|TLS)\b", via, re.IGNORECASE)
    return found[1].upper() if found else "UDP"


def parse(data: bytes) -> SipMessage:
    """Return the message of a datagram. Raises NoSip."""
    if len(data) > SIZE_LIMIT:
        raise NoSip(f"a datagram of {len(data)} bytes")
    head, _, rest = data.partition(b"\r\n\r\n")
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError:
        raise NoSip("a datagram that is no text") from None
    message = _first_line(lines[0])
    unfolded: list[str] = []
    for line in lines[1 : HEADER_LIMIT + 1]:
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] += " " + line.strip()
        else:
            unfolded.append(line)
    for line in unfolded:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise NoSip("a header without a name")
        key = name.strip().lower()
        key = _SHORT.get(key, key)
        values = _split(value) if key in _LISTS else [value.strip()]
        message.headers += [(key, item) for item in values]
    for needed in ("via", "from", "to", "call-id", "cseq"):
        if not message.get(needed):
            raise NoSip(f"a message without {needed}")
    length = message.get("content-length")
    if length.isdecimal() and len(length) < 6:
        rest = rest[: int(length)]
    message.body = rest.decode("utf-8", "replace")
    return message


def _first_line(line: str) -> SipMessage:
    if found := re.fullmatch(r"SIP/2\.0 (\d{3})(?: .*)?", line):
        return SipMessage(status=int(found[1]))
    if found := re.fullmatch(r"([A-Z]{3,20}) (\S{1,500}) SIP/2\.0", line):
        return SipMessage(method=found[1], uri=found[2])
    raise NoSip("a first line that is no SIP")


def _split(value: str) -> list[str]:
    """Split a list at commas that stand neither in quotes nor in angle brackets."""
    parts = re.findall(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,])+', value)
    return [part.strip() for part in parts if part.strip()]


def _title(name: str) -> str:
    known = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}
    return known.get(name) or "-".join(part.capitalize() for part in name.split("-"))


def parameter(value: str, name: str) -> str:
    """Return a parameter (``;tag=x``) of a header, "" if it is not there."""
    outside = re.sub(r"<[^>]*>", "<>", value)
    found = re.search(rf";\s*{re.escape(name)}=(\"[^\"]*\"|[^;,\s]*)", outside, re.IGNORECASE)
    return found[1].strip('"') if found else ""


def address(value: str) -> str:
    """Return the URI of a header such as ``"Name" <sip:a@b>;tag=x``."""
    found = re.search(r"<([^>]*)>", value)
    return (found[1] if found else value.partition(";")[0]).strip()


def user(uri: str) -> str:
    """Return the user part of a URI: the number."""
    found = re.fullmatch(r"(?:sips?|tel):([^@;?]*)(?:@.*|[;?].*)?", uri.strip())
    return found[1] if found else ""


def reply(request: SipMessage, status: int, tag: str = "", body: str = "") -> SipMessage:
    """Return a response to a request, with what RFC 3261, 8.2.6 copies."""
    copied = [
        (name, value)
        for name, value in request.headers
        if name in ("via", "from", "call-id", "cseq") or (name == "record-route" and status < 300)
    ]
    to = request.get("to")
    if tag and not parameter(to, "tag"):
        to += f";tag={tag}"
    response = SipMessage(status=status, headers=[*copied, ("to", to)], body=body)
    if body:
        response.headers.append(("content-type", "application/sdp"))
    return response
