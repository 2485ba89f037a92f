"""How a phone line calls out: ``outbound = { ... }`` of a ``[[phone.lines]]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from voice_server.shop.pack_reader import Section

CARRIERS = ("twilio", "telnyx", "plivo", "vonage", "sip")

Detect = Literal["own", "vendor", "off"]
Machine = Literal["message", "hang_up"]
Recording = Literal["off", "ask", "announce"]


@dataclass(frozen=True, slots=True)
class PhoneOutbound:
    """Whom a line may call, and how."""

    vendor: str
    allow: tuple[str, ...]
    """Countries ("BE") and prefixes ("+4930")."""
    per_minute: int = 6
    ring_s: int = 30
    detect: Detect = "own"
    """Who tells an answering machine from a person."""
    machine: Machine = "message"
    call_backs: bool = False
    """Promised call-backs are placed by this line."""


def read_outbound(line: Section, number: str) -> PhoneOutbound | None:
    """Return how a line calls out, None where it does not; what is wrong is noted."""
    if "outbound" not in line.data:
        return None
    table = line.section("outbound")
    vendor = table.text("vendor", "")
    if vendor not in CARRIERS:
        line.error("outbound", f"nobody carries its calls: vendor = '{vendor}'",
                   f"use one of {', '.join(CARRIERS)}")  # fmt: skip
    if not number.startswith("+"):
        line.error("outbound", "a line that calls out shows its own number",
                   'write number = "+32 2 555 01 23", with its country')  # fmt: skip
    allow = tuple(entry.replace(" ", "") for entry in table.texts("allow"))
    for entry in allow:
        if not re.fullmatch(r"[A-Z]{2}|\+[1-9]\d{0,14}", entry):
            line.error("outbound", f"'{entry}' is neither a country nor a prefix",
                       'write allow = ["BE", "+4930"]')  # fmt: skip
    if not allow:
        line.error("outbound", "it may call nobody", 'write allow = ["BE"]')
    return PhoneOutbound(
        vendor, allow,
        per_minute=max(1, table.number("per_minute", 6)),
        ring_s=min(120, max(5, table.number("ring_s", 30))),
        detect=_detect(line, table.text("detect", "own")),
        machine=_machine(line, table.text("machine", "message")),
        call_backs=table.flag("call_backs", default=False),
    )  # fmt: skip


def read_recording(line: Section) -> Recording:
    """Return whether calls of a line are recorded; what is wrong is noted."""
    text = line.text("recording", "off")
    if text == "ask":
        return "ask"
    if text == "announce":
        return "announce"
    if text != "off":
        line.error("recording", f"no way to record: '{text}'", "use off, ask or announce")
    return "off"


def _detect(line: Section, text: str) -> Detect:
    if text == "vendor":
        return "vendor"
    if text == "off":
        return "off"
    if text != "own":
        line.error("outbound", f"nobody detects machines: '{text}'", "use own, vendor or off")
    return "own"


def _machine(line: Section, text: str) -> Machine:
    if text == "hang_up":
        return "hang_up"
    if text != "message":
        line.error("outbound", f"a machine gets no '{text}'", "use message or hang_up")
    return "message"
