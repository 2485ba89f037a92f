"""The report of a show: how many asked what, how many were answered, how soon. Pure."""

from __future__ import annotations

import csv
import io
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from voice_server.live.questions import Cluster, Status

KEPT = 5_000
"""Questions kept: more than a day of show."""
TOP = 15
"""Unanswered questions in the report."""

Report = dict[str, object]


@dataclass(slots=True)
class Entry:
    """One question. Times are seconds from the beginning of the show; no viewer is named."""

    text: str
    language: str
    intent: str
    product: str
    asked_s: float
    askers: int = 1
    status: str = "waiting"
    reason: str = ""
    chosen_s: float | None = None
    """When it was chosen to be answered."""
    answered_s: float | None = None
    """When its answer began to sound."""
    by_host: bool = False
    """The host worded the answer, or changed it."""


@dataclass(slots=True)
class ShowReport:
    """Collects while the show runs."""

    began: float | None = None
    _entries: OrderedDict[str, Entry] = field(default_factory=OrderedDict)

    def begin(self, now: float) -> None:
        """The show went on air; later calls change nothing."""
        self.began = now if self.began is None else self.began

    def asked(self, cluster: Cluster) -> None:
        """A question came in, or one more viewer asks it."""
        entry = self._entries.get(cluster.id)
        if entry is None:
            entry = self._entries[cluster.id] = Entry(
                cluster.text,
                cluster.language,
                cluster.understood.intent,
                cluster.understood.product_id,
                self._at(cluster.first_at),
            )
            if len(self._entries) > KEPT:
                self._entries.popitem(last=False)
        entry.askers = max(entry.askers, cluster.askers)
        entry.status, entry.reason = cluster.status.value, cluster.reason

    def chosen(self, cluster_id: str, now: float) -> None:
        """It is its turn: from now on the show owes an answer."""
        entry = self._entries.get(cluster_id)
        if entry is not None and entry.answered_s is None:
            entry.chosen_s = self._at(now)

    def sounding(self, cluster_id: str, now: float, *, by_host: bool = False) -> None:
        """The first words of an answer sound."""
        entry = self._entries.get(cluster_id)
        if entry is None:
            return
        entry.by_host = entry.by_host or by_host
        if entry.answered_s is None:
            entry.answered_s = self._at(now)
            entry.status = Status.ANSWERED.value

    def closed(self, cluster: Cluster) -> None:
        """A question ended without an answer; what was taken back is forgotten."""
        if cluster.status is Status.WITHDRAWN:
            self._entries.pop(cluster.id, None)
        elif cluster.id in self._entries and self._entries[cluster.id].answered_s is None:
            self._entries[cluster.id].status = cluster.status.value

    def document(self, now: float, *, unix_now: float) -> Report:
        """Return all there is, as it is kept: the summary, when it was, and every question."""
        return {
            "began_at": round(unix_now - self._at(now), 1),
            "ended_at": round(unix_now, 1),
            **self.summary(now),
            "rows": [asdict(entry) for entry in self._entries.values()],
        }

    def summary(self, now: float) -> Report:
        """Return the report as JSON."""
        entries = list(self._entries.values())
        answered = [entry for entry in entries if entry.answered_s is not None]
        waits = sorted(e.answered_s - e.asked_s for e in answered if e.answered_s is not None)
        unmet = [entry for entry in entries if entry.answered_s is None]
        unmet.sort(key=lambda entry: (-entry.askers, entry.asked_s))
        ready = sorted(
            e.answered_s - e.chosen_s
            for e in answered
            if e.answered_s is not None and e.chosen_s is not None
        )
        minutes = Counter(int(entry.asked_s // 60) for entry in entries)
        met = Counter(int(entry.asked_s // 60) for entry in answered)
        span = range(max(minutes, default=-1) + 1)
        return {
            "seconds": round(self._at(now), 1),
            "questions": len(entries),
            "askers": sum(entry.askers for entry in entries),
            "answered": len(answered),
            "answered_share": round(len(answered) / len(entries), 3) if entries else 0.0,
            "wait_s": {"p50": _quantile(waits, 0.5), "p95": _quantile(waits, 0.95)},
            "ready_s": {"p50": _quantile(ready, 0.5), "p95": _quantile(ready, 0.95)},
            "by_host": sum(entry.by_host for entry in answered),
            "per_minute": [minutes[minute] for minute in span],
            "answered_per_minute": [met[minute] for minute in span],
            "waits": [
                [round(e.answered_s, 1), round(e.answered_s - e.asked_s, 1)]
                for e in answered
                if e.answered_s is not None
            ],
            "by_language": _shares(entries, lambda entry: entry.language),
            "by_product": _shares(entries, lambda entry: entry.product),
            "by_intent": _shares(entries, lambda entry: entry.intent),
            "unanswered": [
                {
                    "text": entry.text,
                    "language": entry.language,
                    "product": entry.product,
                    "askers": entry.askers,
                    "reason": entry.reason or entry.status,
                }
                for entry in unmet[:TOP]
            ],
        }

    def table(self) -> str:
        """Return one line per question as CSV."""
        return table([asdict(entry) for entry in self._entries.values()])

    def _at(self, now: float) -> float:
        return max(0.0, now - (now if self.began is None else self.began))


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return one line per question as CSV; a text that a spreadsheet would run is quoted."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return out.getvalue()


COLUMNS = (
    *("asked_s", "chosen_s", "answered_s", "language", "intent", "product", "askers", "status"),
    *("by_host", "text"),
)


def _cell(value: object) -> object:
    if isinstance(value, float):
        return round(value, 1)
    if isinstance(value, str) and value[:1] in tuple("=+-@\t\r"):
        return f"'{value}"
    return "" if value is None else value


def _quantile(ordered: list[float], share: float) -> float | None:
    """Return a quantile of sorted values (nearest rank), None without values."""
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def _shares(
    entries: Iterable[Entry], key: Callable[[Entry], str]
) -> Mapping[str, Mapping[str, int]]:
    """Return asked and answered by something, the most asked first."""
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for entry in entries:
        asked[key(entry)] += 1
        answered[key(entry)] += entry.answered_s is not None
    return {name: {"asked": n, "answered": answered[name]} for name, n in asked.most_common()}
