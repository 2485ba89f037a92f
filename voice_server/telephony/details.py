"""A call as operators see it: now, and as the record that is kept. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from voice_server.records import CallDetail
from voice_server.telephony.line import masked

if TYPE_CHECKING:
    from voice_server.telephony.flow import CallFlow


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that ``share`` of them do not pass (nearest rank), None without any."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def snapshot(flow: CallFlow, now: float) -> dict[str, Any]:
    """Return what the list shows of a call. Numbers are masked. ``now``: the session's clock."""
    tally, started, line = flow.tally, flow.started, flow.line
    timings = tally.timings
    return {
        "state": flow.stage.value,
        "line": line.name if line is not None else "",
        "shop": line.shop if line is not None else "",
        "market": line.market if line is not None else "",
        "caller": masked(started.caller) if started is not None else "",
        "called": masked(started.called) if started is not None else "",
        "direction": started.direction if started is not None else "inbound",
        "language": flow.language,
        "seconds": round(now - tally.started_at, 1) if tally.started_at is not None else 0.0,
        "turns": tally.turns,
        "interruptions": tally.interruptions,
        "last_answer_ms": round(tally.voice_to_voice_ms[-1]) if tally.voice_to_voice_ms else None,
        "segments": None
        if timings is None
        else {
            "end_of_turn": round(timings.end_of_turn_ms),
            "transcript": round(timings.transcript_ms),
            "clause": round(timings.clause_ms),
            "audio": round(timings.audio_ms),
            "send": round(timings.send_ms),
        },
        "faults": tally.faults,
        "agent": flow.agent,
        "listening": line.listening if line is not None else "off",
        "human": bool(line is not None and line.human),
        "queue": bool(line is not None and (line.queue or line.human)),
    }


def record(
    call_id: str,
    vendor: str,
    flow: CallFlow,
    *,
    began: datetime,
    up: datetime | None,
    now: float,
    listeners: Sequence[dict[str, Any]],
) -> CallDetail | None:
    """Return the record of a call that is over, None for one that never came up.

    ``began``: it rang; ``up``: it was answered; ``now``: the session's clock.
    """
    tally, started, line = flow.tally, flow.started, flow.line
    if started is None or tally.started_at is None or up is None:
        return None
    lasted_s = max(0.0, (tally.ended_at or now) - tally.started_at)
    return CallDetail(
        call_id,
        line.shop if line is not None else "",
        vendor,
        line.name if line is not None else "",
        began,
        up + timedelta(seconds=lasted_s),
        answered_at=up,
        reason=tally.reason,
        caller=masked(started.caller),
        called=masked(started.called),
        direction=started.direction,
        market=line.market if line is not None else "",
        languages=tuple(tally.languages),
        vendor_ids={"call": started.call_id, "stream": started.stream_id},
        turns=tally.turns,
        interruptions=tally.interruptions,
        keys=tally.keys,
        faults=tally.faults,
        lost_ms=tally.lost_ms,
        handed_off=tally.handed_off,
        transfers=tuple(tally.transfers),
        consent=tally.consent,
        p50_ms=percentile(tally.voice_to_voice_ms, 0.5),
        p95_ms=percentile(tally.voice_to_voice_ms, 0.95),
        listeners=tuple(listeners),
    )
