"""Call detail records as rows: what is looked for in columns, the rest in one JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from voice_server.records import CallDetail, CallFilter
from voice_server.storage.tables import calls

_COLUMNS = ("id", "shop_id", "vendor", "line", "began_at", "ended_at")
_LANGUAGES_MOST = 20
"""Of two letters each they fit their column; nobody speaks more in a call."""


def values(detail: CallDetail) -> dict[str, Any]:
    """Return the row of a record."""
    rest = {name: value for name, value in asdict(detail).items() if name not in _COLUMNS}
    rest["answered_at"] = detail.answered_at.isoformat() if detail.answered_at else None
    languages = [language[:5] for language in detail.languages[:_LANGUAGES_MOST]]
    return {
        **{name: getattr(detail, name) for name in _COLUMNS},
        "line": detail.line[:128],
        "languages": "".join(f",{language}" for language in languages) + ",",
        "handed_off": bool(detail.handed_off),
        "detail": rest,
    }


def detail(row: sa.Row[Any]) -> CallDetail:
    """Return the record of a row."""
    rest = dict(row.detail)
    answered = rest.pop("answered_at", None)
    for name in ("languages", "transfers", "listeners"):
        rest[name] = tuple(rest.get(name, ()))
    return CallDetail(
        **{name: getattr(row, name) for name in _COLUMNS},
        answered_at=datetime.fromisoformat(answered) if answered else None,
        **rest,
    )


def query(wanted: CallFilter) -> sa.Select[Any]:
    """Return the question for these calls, newest first."""
    column = calls.c
    found = sa.select(calls)
    if wanted.shop_id is not None:
        found = found.where(column.shop_id == wanted.shop_id)
    if wanted.since is not None:
        found = found.where(column.began_at >= wanted.since)
    if wanted.until is not None:
        found = found.where(column.began_at < wanted.until)
    if wanted.vendor:
        found = found.where(column.vendor == wanted.vendor)
    if wanted.line:
        found = found.where(column.line == wanted.line)
    if wanted.language:
        found = found.where(column.languages.contains(f",{wanted.language},", autoescape=True))
    if wanted.handed_off is not None:
        found = found.where(column.handed_off == wanted.handed_off)
    if wanted.before is not None:
        found = found.where(column.place < wanted.before)
    return found.order_by(column.place.desc()).limit(wanted.limit)
