"""What a vendor's webhooks tell of a call that we have placed. Sans-I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from voice_server.telephony.answering_machine import Verdict

Progress = Literal["ringing", "answered", "busy", "no_answer", "failed", "over"]


@dataclass(frozen=True, slots=True)
class CallNews:
    """Everything is optional: webhooks say one thing at a time."""

    progress: Progress | None = None
    verdict: Verdict | None = None
    records: bool = False
    """The machine's greeting is over: it records."""
    call_id: str = ""
    """The vendor's id of the call, where it differs from the one of the REST answer."""


_TWILIO: Mapping[str, Progress] = {
    "ringing": "ringing", "in-progress": "answered", "answered": "answered", "completed": "over",
    "busy": "busy", "no-answer": "no_answer", "failed": "failed", "canceled": "over",
}  # fmt: skip
_PLIVO: Mapping[str, Progress] = {
    "ringing": "ringing", "in-progress": "answered", "completed": "over", "busy": "busy",
    "no-answer": "no_answer", "timeout": "no_answer", "failed": "failed", "cancel": "over",
}  # fmt: skip
_VONAGE: Mapping[str, Progress] = {
    "ringing": "ringing", "answered": "answered", "completed": "over", "busy": "busy",
    "timeout": "no_answer", "unanswered": "no_answer", "failed": "failed", "rejected": "busy",
    "cancelled": "over", "disconnected": "over",
}  # fmt: skip
_TELNYX_CAUSES: Mapping[str, Progress] = {
    "user_busy": "busy", "call_rejected": "busy", "timeout": "no_answer",
    "originator_cancel": "no_answer", "no_answer": "no_answer", "normal_clearing": "over",
}  # fmt: skip


def read_news(vendor: str, fields: Mapping[str, Any]) -> CallNews:
    """Return what a webhook tells; what is unknown tells nothing."""
    if vendor == "telnyx":
        return _telnyx(fields)
    if vendor == "vonage":
        return _vonage(fields)
    if vendor == "plivo":
        return _plivo(fields)
    return _twilio(fields)


def _twilio(fields: Mapping[str, Any]) -> CallNews:
    answered_by = _text(fields, "AnsweredBy")
    if answered_by:
        human = answered_by == "human"
        machine = answered_by.startswith("machine") or answered_by == "fax"
        verdict = Verdict.HUMAN if human else Verdict.MACHINE if machine else Verdict.UNSURE
        return CallNews(verdict=verdict, records=answered_by.startswith("machine_end"))
    return CallNews(_TWILIO.get(_text(fields, "CallStatus")))


def _plivo(fields: Mapping[str, Any]) -> CallNews:
    call_id = _text(fields, "CallUUID")
    if machine := _text(fields, "Machine"):
        verdict = Verdict.MACHINE if machine.lower() == "true" else Verdict.HUMAN
        return CallNews(verdict=verdict, call_id=call_id)
    return CallNews(_PLIVO.get(_text(fields, "CallStatus")), call_id=call_id)


def _vonage(fields: Mapping[str, Any]) -> CallNews:
    status = _text(fields, "status")
    if status in ("human", "machine"):
        verdict = Verdict.HUMAN if status == "human" else Verdict.MACHINE
        return CallNews(verdict=verdict, records=_text(fields, "sub_state") == "beep_start")
    return CallNews(_VONAGE.get(status))


def _telnyx(fields: Mapping[str, Any]) -> CallNews:
    data = fields.get("data")
    data = data if isinstance(data, dict) else {}
    payload = data.get("payload")
    payload = payload if isinstance(payload, dict) else {}
    kind, result = _text(data, "event_type"), _text(payload, "result")
    if kind == "call.machine.detection.ended":
        known = {"human": Verdict.HUMAN, "machine": Verdict.MACHINE}
        return CallNews(verdict=known.get(result, Verdict.UNSURE))
    if kind == "call.machine.greeting.ended":
        return CallNews(verdict=Verdict.MACHINE, records=True)
    if kind == "call.hangup":
        return CallNews(_TELNYX_CAUSES.get(_text(payload, "hangup_cause"), "failed"))
    told: dict[str, Progress] = {"call.initiated": "ringing", "call.answered": "answered"}
    return CallNews(told.get(kind))


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
