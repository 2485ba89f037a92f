"""One dialog of the called side of SIP. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from voice_server.telephony.sdp import Sound
from voice_server.telephony.sip_message import SipMessage


class Stage(Enum):
    """Where a dialog is."""

    OFFERED = "offered"
    ANSWERED = "answered"
    UP = "up"
    REFERRING = "referring"
    LEAVING = "leaving"
    OVER = "over"


@dataclass(slots=True)
class Dialog:
    """What is known of one call."""

    key: str
    invite: SipMessage
    peer: tuple[str, int]
    tag: str
    sound: Sound
    stage: Stage = Stage.OFFERED
    last: bytes = b""
    """What is repeated, or answers a repetition."""
    repeat_at: float | None = None
    wait_s: float = 0.0
    until: float = 0.0
    cseq: int = 0
    branch: str = ""
    method: str = ""
    host: str = ""
    port: int = 0
    version: int = 1
