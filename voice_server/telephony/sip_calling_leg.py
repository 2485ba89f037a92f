"""One call that we place by SIP: what its core remembers of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from voice_server.telephony.sip_core import T1_S, Address

OFFER = "\r\n".join(
    (
        "v=0", "o=- {session} {version} IN {family} {host}", "s=-", "c=IN {family} {host}",
        "t=0 0", "m=audio {port} RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendrecv", "",
    )
)  # fmt: skip
"""A-law first: it is what European trunks have, and nothing is coded twice."""


class CallingStage(Enum):
    """Where a call is."""

    CALLING = "calling"
    RINGING = "ringing"
    CANCELLED = "cancelled"
    UP = "up"
    LEAVING = "leaving"
    OVER = "over"


@dataclass(slots=True)
class CallingLeg:
    """What is known of a call; times are the shell's seconds."""

    key: str
    """The Call-ID."""
    peer: Address
    target: str
    local: str
    remote: str
    tag: str
    host: str
    port: int
    ring_until: float
    stage: CallingStage = CallingStage.CALLING
    cseq: int = 0
    branch: str = ""
    method: str = ""
    last: bytes = b""
    repeat_at: float | None = None
    wait_s: float = T1_S
    until: float = 0.0
    ack: bytes = b""
    asked: bool = False
    """A password was sent."""
    their_cseq: int = -1
    version: int = 1
    routes: list[str] = field(default_factory=list)
    contact: str = ""
