"""The one error a server that cannot start ends with."""

from __future__ import annotations


class StartFailed(Exception):
    """The server cannot start; the message says what to do."""


def first_of(group: BaseException) -> BaseException:
    """Return the first error of nested groups."""
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
