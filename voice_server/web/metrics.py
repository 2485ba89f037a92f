"""Counters, gauges and histograms in the text format that Prometheus reads."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field

BUCKETS_S = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.2, 1.6, 2.2, 3.0, 5.0, 10.0)
"""Upper bounds in seconds: fine around the budgets (0.2 s barge-in, 0.7 and 1.2 s answers)."""

SERIES_LIMIT = 1000
"""Label combinations of one metric: a mistake in a label must not eat the memory."""

_PREFIX = "voice_server_"

HELP = {
    "realtime_sessions": "Realtime sessions open now, parked ones included.",
    "realtime_sessions_total": "Realtime sessions opened.",
    "realtime_refused_total": "Sessions refused because the server was full or draining.",
    "realtime_resumed_total": "Resumes after a dropped socket.",
    "realtime_dropped_clients_total": "Clients dropped because they did not read.",
    "realtime_internal_errors_total": "Events or notices that failed inside the server.",
    "conversation_troubles_total": "Engine failures the user was told of.",
    "voice_to_voice_seconds": "Last voiced sample of the user to first audio sent.",
    "turn_segment_seconds": "Contiguous parts of voice_to_voice_seconds.",
    "calls": "Phone calls now.",
    "calls_total": "Phone calls taken.",
    "calls_refused_total": "Phone calls and webhooks refused: full, unsigned, replayed.",
    "calls_transfer_failed_total": "Humans who did not pick up.",
    "call_seconds": "Length of phone calls.",
    "call_voice_to_voice_seconds": "Last voiced sample of a caller to first audio sent.",
    "call_internal_errors_total": "Events or notices of calls that failed inside the server.",
    "http_requests_total": "HTTP requests answered, websockets included.",
}

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    total: float = 0.0


class Metrics:
    """Values of this process. Used from the event loop only."""

    def __init__(self) -> None:
        self._values: dict[str, dict[Labels, float]] = {}
        self._kinds: dict[str, str] = {}
        self._histograms: dict[str, dict[Labels, _Histogram]] = {}

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Add to a counter."""
        series = self._series(name, "counter")
        key = _key(labels, series)
        series[key] = series.get(key, 0.0) + amount

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        series = self._series(name, "gauge")
        series[_key(labels, series)] = value

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add an observation, in seconds, to a histogram. What is no number is not counted."""
        if not math.isfinite(value):
            return
        series = self._histograms.setdefault(name, {})
        histogram = series.setdefault(_key(labels, series), _Histogram())
        histogram.counts[bisect_left(BUCKETS_S, value)] += 1
        histogram.total += value

    def value(self, name: str, **labels: str) -> float:
        """Return a counter's or gauge's value, 0 if it was never set."""
        return self._values.get(name, {}).get(tuple(sorted(labels.items())), 0.0)

    def render(self) -> str:
        """Return everything in the text format, version 0.0.4."""
        lines: list[str] = []
        for name, series in sorted(self._values.items()):
            lines += _head(name, self._kinds[name])
            lines += [
                f"{_PREFIX}{name}{_labels(labels)} {_number(value)}"
                for labels, value in sorted(series.items())
            ]
        for name, histograms in sorted(self._histograms.items()):
            lines += _head(name, "histogram")
            for labels, histogram in sorted(histograms.items()):
                lines += _histogram_lines(name, labels, histogram)
        return "\n".join(lines) + "\n"

    def _series(self, name: str, kind: str) -> dict[Labels, float]:
        known = self._kinds.setdefault(name, kind)
        if known != kind:
            raise ValueError(f"metric {name} is a {known}, not a {kind}")
        return self._values.setdefault(name, {})


def _key(labels: dict[str, str], series: dict[Labels, float] | dict[Labels, _Histogram]) -> Labels:
    key = tuple(sorted(labels.items()))
    if key not in series and len(series) >= SERIES_LIMIT:
        return (("overflow", "true"),)
    return key


def _head(name: str, kind: str) -> list[str]:
    full = _PREFIX + name
    return [f"# HELP {full} {HELP.get(name, name.replace('_', ' '))}", f"# TYPE {full} {kind}"]


def _histogram_lines(name: str, labels: Labels, histogram: _Histogram) -> list[str]:
    lines = []
    cumulative = 0
    for bound, count in zip((*BUCKETS_S, math.inf), histogram.counts, strict=True):
        cumulative += count
        with_bound = (*labels, ("le", "+Inf" if math.isinf(bound) else _number(bound)))
        lines.append(f"{_PREFIX}{name}_bucket{_labels(with_bound)} {cumulative}")
    lines.append(f"{_PREFIX}{name}_sum{_labels(labels)} {histogram.total:.6f}")
    lines.append(f"{_PREFIX}{name}_count{_labels(labels)} {cumulative}")
    return lines


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return "{" + pairs + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
