"""Logs: one line an event on stderr, as text or JSON."""

from __future__ import annotations

import logging
import sys
import time
from typing import Literal

import orjson

from voice_server.dialogue.guards.redaction import PiiKind, find_written, mask

LOGGED = frozenset({PiiKind.EMAIL, PiiKind.IBAN, PiiKind.CARD, PiiKind.PHONE})
"""What is masked in log lines should it get into one; other numbers are ports, times and sizes."""


class _Line(logging.Formatter):
    """``2026-11-22T10:00:00 INFO  conversation.session  words``, exceptions on the same line."""

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.created))
        name = record.name.removeprefix("voice_server.")
        text = f"{when} {record.levelname:<7} {name}  {masked(record.getMessage())}"
        if record.exc_info:
            text += " | " + masked(self.formatException(record.exc_info))
        return text.replace("\r", " ").replace("\n", " ⏎ ")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = masked(self.formatException(record.exc_info))
        return orjson.dumps(entry).decode()


def masked(text: str) -> str:
    """Return a line without addresses and numbers of people, as they are written."""
    return mask(text, [pii for pii in find_written(text) if pii.kind in LOGGED])


def configure_logs(form: Literal["text", "json"], level: str) -> None:
    """Send the program's logs to stderr, in the form and from the level asked for."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("aiohttp.access", "httpx", "httpx2", "openai", "httpcore", "matplotlib"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
