"""Transfers by REFER (RFC 3515), with Replaces (RFC 3891) for one that was announced. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from voice_server.telephony.sip_message import SipMessage


@dataclass(frozen=True, slots=True)
class Referred:
    """The other side tells what became of a transfer."""

    key: str
    status: int
    """The final SIP status of its call to the target: 200 for one that was picked up."""

    @property
    def reached(self) -> bool:
        """Whether the caller is with the human."""
        return 200 <= self.status < 300

    @property
    def result(self) -> str:
        """For the record."""
        words = {486: "busy", 600: "busy", 603: "declined", 408: "no answer", 480: "no answer"}
        return "answered" if self.reached else words.get(self.status, f"refused ({self.status})")


def target_uri(target: str, where: str) -> str:
    """Return a number or SIP address as a SIP URI at the host ``where``; "" for what is none."""
    if not target.startswith(("sip:", "sips:")):
        number = re.sub(r"[^0-9+*#]", "", target)
        target = f"sip:{number}@{where}" if number else ""
    return target if re.fullmatch(r"sips?:[^\s<>\"]{1,200}", target) else ""


def refer_to(target: str, replaces: str = "") -> str:
    """Return the Refer-To of a transfer.

    ``replaces`` names the call that the human is in with us: "call-id;to-tag=..;from-tag=..".
    """
    if not replaces:
        return f"<{target}>"
    return f"<{target}?Replaces={quote(replaces, safe='')}>"


def told(message: SipMessage) -> int | None:
    """Return the final status in a NOTIFY of a REFER, None while it goes on."""
    if not message.get("event").lower().startswith("refer"):
        return None
    found = re.match(r"SIP/2\.0 (\d{3})", message.body.lstrip())
    status = int(found[1]) if found is not None else 0
    return status if status >= 200 else None
