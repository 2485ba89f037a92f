"""A packet in words for a vendor's ticket: plain text, HTML, tags."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from voice_server.desk.emotion import fold
from voice_server.desk.packet import HandOffPacket, Line
from voice_server.desk.texts import label

VERIFIED = {1: "verified_order", 2: "verified_otp"}


def mark(packet: HandOffPacket) -> str:
    """Return the mark by which a packet is found again at a desk without idempotency keys."""
    return f"[{packet.id}]"


def subject(packet: HandOffPacket) -> str:
    """Return the line that a list of tickets shows: the concern, and its first slot."""
    language = packet.internal_language
    about = label("intents", packet.intent, language) if packet.intent else ""
    first = packet.slots[0][1] if packet.slots else ""
    parts = [part for part in (about, first) if part]
    return " – ".join(
        [label("labels", "subject", language), " ".join(parts)]
        if parts
        else [label("labels", "subject", language)]
    )


def tags(packet: HandOffPacket) -> tuple[str, ...]:
    """Return tags in the form every desk takes: lower case, no spaces."""
    found = ["ai_handoff", f"lang_{packet.language}", f"reason_{packet.reason}"]
    if packet.intent:
        found.append(f"intent_{packet.intent}")
    if packet.identity_level in VERIFIED:
        found.append(VERIFIED[packet.identity_level])
    return tuple(re.sub(r"[^a-z0-9_]+", "_", fold(tag)).strip("_") for tag in found)


def facts(packet: HandOffPacket) -> Iterator[tuple[str, str]]:
    """Yield what is known, label and value in the company's language; empty values are left out."""
    language = packet.internal_language

    def name(key: str) -> str:
        return label("labels", key, language)

    yield name("summary"), packet.internal_summary
    if packet.language != language:
        yield name("customer_summary"), packet.summary
    yield name("priority"), label("priority", packet.priority.value, language)
    yield name("identity"), label("identity", str(packet.identity_level), language)
    yield name("language"), label("languages", packet.language, language)
    rows = [
        ("name", packet.customer_name),
        ("email", packet.email),
        ("phone", packet.phone),
        ("callback", packet.callback_at.isoformat(" ", "minutes") if packet.callback_at else ""),
        ("slots", ", ".join(f"{key}: {value}" for key, value in packet.slots)),
        ("done", "; ".join(packet.done)),
        ("refused", "; ".join(packet.refused)),
        ("rules", "; ".join(packet.rules)),
        ("citations", ", ".join(packet.citations)),
        ("recording", packet.recording),
        ("reference", packet.id),
    ]
    yield from ((name(key), value) for key, value in rows if value)


def as_text(packet: HandOffPacket, *, transcript: bool = True) -> str:
    """Return the packet as plain text, its mark at the end."""
    lines = [f"{name}: {value}" for name, value in facts(packet)]
    if transcript and packet.transcript:
        lines += ["", label("labels", "transcript", packet.internal_language)]
        lines += [spoken(line, packet.internal_language) for line in packet.transcript]
    return "\n".join([*lines, "", mark(packet)])


def as_html(packet: HandOffPacket) -> str:
    """Return the packet as HTML. Everything that anybody said is escaped."""
    rows = "".join(
        f"<tr><th align='left'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
        for name, value in facts(packet)
    )
    said = "".join(
        f"<p>{html.escape(spoken(line, packet.internal_language))}</p>"
        for line in packet.transcript
    )
    heading = html.escape(label("labels", "transcript", packet.internal_language))
    return f"<table>{rows}</table><h4>{heading}</h4>{said}<p>{html.escape(mark(packet))}</p>"


def spoken(line: Line, language: str) -> str:
    """Return a line of the transcript: who, what, and its translation beside the original."""
    who = label("labels", line.role, language)
    both = f"{line.text} ⟶ {line.translation}" if line.translation else line.text
    return f"{who}: {both}"
