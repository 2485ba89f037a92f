"""The one error a server that cannot start ends with."""

from __future__ import annotations


class StartFailed(Exception):
    """The server cannot start; the message says what to do."""
