"""Cases of the desk as its page reads them."""

from __future__ import annotations

from typing import Any

from voice_server.desk.calls import LiveCall
from voice_server.desk.console import ConsoleDesk
from voice_server.desk.console_store import DeskCase
from voice_server.desk.packet import Line
from voice_server.desk.service import DeskService


def case_line(case: DeskCase, shop: str, service: DeskService) -> dict[str, Any]:
    """Return a case as the list shows it."""
    packet, call = case.packet, service.live_call(case)
    return {
        "id": packet.id,
        "shop": shop,
        "reference": case.reference,
        "state": case.state.value,
        "agent": case.agent,
        "live": call is not None,
        "control": call.control.value if call is not None else "closed",
        "created": case.created.isoformat(),
        "priority": packet.priority.value,
        "reason": packet.reason,
        "intent": packet.intent,
        "channel": packet.channel,
        "language": packet.language,
        "internal_language": packet.internal_language,
        "internal_summary": packet.internal_summary,
        "name": packet.customer_name,
        "callback_at": packet.callback_at.isoformat() if packet.callback_at else None,
    }


async def case_json(
    case: DeskCase, shop: str, service: DeskService, console: ConsoleDesk
) -> dict[str, Any]:
    """Return a case whole."""
    packet, call = case.packet, service.live_call(case)
    lines = await console.lines(packet.id)
    return {
        **case_line(case, shop, service),
        "summary": packet.summary,
        "identity_level": packet.identity_level,
        "slots": [list(slot) for slot in packet.slots],
        "done": list(packet.done),
        "refused": list(packet.refused),
        "rules": list(packet.rules),
        "citations": list(packet.citations),
        "email": packet.email,
        "phone": packet.phone,
        "recording": packet.recording,
        "transcript": [_line(str(at), line, None) for at, line in enumerate(packet.transcript)],
        "lines": [_line(ident, line, call) for ident, line in lines],
    }


def _line(ident: str, line: Line, call: LiveCall | None) -> dict[str, Any]:
    shown = call.lines.get(ident) if call is not None else None
    return {
        "id": ident,
        "role": line.role,
        "text": line.text,
        "language": line.language,
        "translation": line.translation,
        "translated": shown.translated if shown is not None else True,
        "status": shown.status if shown is not None else "",
        "heard": shown.heard if shown is not None else "",
        "at": line.at.isoformat() if line.at else None,
    }
