"""Failed proofs, counted across sessions, in bounded memory.  Sans-I/O.

Counting is the same for numbers that exist and numbers that do not, so that a lock-out tells
nothing.  Keys are digests: the memory of a process holds no order number and no address.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop listening to guesses. Times in seconds."""

    session_failures: int = 3
    """Two slips of the tongue are forgiven (as in the look-up by number and postcode so far)."""
    key_failures: int = 5
    """Failures of one order number, contact or caller in ``window_s``, from all sessions."""
    window_s: float = 3600.0
    lock_s: float = 900.0
    """The first lock-out; it doubles with each further one in ``memory_s``..."""
    longest_lock_s: float = 86_400.0
    """... up to a day. With five guesses a lock-out, a day allows at most 35 guesses a number."""
    memory_s: float = 172_800.0
    """Earlier lock-outs are remembered so long."""
    code_ttl_s: float = 600.0
    """Mail takes minutes at worst; ten is what the shops' own log-in codes give."""
    code_attempts: int = 3
    """A code of six digits is guessed with 3 in a million."""
    resend_after_s: float = 30.0
    codes_per_window: int = 3
    """Codes sent to one contact in ``window_s``, from all sessions: nobody's mailbox is flooded."""
    capacity: int = 20_000
    """Keys that are counted; about 4 MB. Further ones push out the oldest that are not locked."""


DEFAULTS = Limits()


class AttemptLedger(Protocol):
    """Counts failures across sessions. Answers at once: a shared one keeps a local copy."""

    def locked(self, key: str, now: float) -> bool:
        """Is this key locked out?"""

    def failed(self, key: str, now: float) -> None:
        """Note a failed proof."""

    def proved(self, key: str, now: float) -> None:
        """Note a proof that held: its failures are forgiven, not its lock-outs."""

    def may_send(self, key: str, now: float) -> bool:
        """May one more code be sent to this contact? Asking counts when the answer is yes."""


@dataclass(frozen=True, slots=True)
class _Entry:
    failures: tuple[float, ...] = ()
    sent: tuple[float, ...] = ()
    locks: int = 0
    locked_until: float = 0.0


class MemoryLedger:
    """The ledger of one process."""

    def __init__(self, secret: bytes, limits: Limits = DEFAULTS) -> None:
        """``secret`` keys the digests; it never leaves the process."""
        self._secret = secret
        self._limits = limits
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def locked(self, key: str, now: float) -> bool:
        """Is this key locked out? When only locked keys fit the memory, so is every new one."""
        entry = self._entries.get(self._digest(key))
        if entry is None:
            return len(self._entries) >= self._limits.capacity and self._oldest(now) is None
        return now < entry.locked_until

    def failed(self, key: str, now: float) -> None:
        """Note a failed proof; the last one of a window locks."""
        limits, entry = self._limits, self._entry(key, now)
        failures = (*entry.failures, now)
        if len(failures) < limits.key_failures:
            self._keep(key, replace(entry, failures=failures), now)
            return
        length = min(limits.lock_s * 2**entry.locks, limits.longest_lock_s)
        locked = replace(entry, failures=(), locks=entry.locks + 1, locked_until=now + length)
        self._keep(key, locked, now)

    def proved(self, key: str, now: float) -> None:
        """Forgive the failures, not the lock-outs: a thief may know one proof of two."""
        entry = self._entry(key, now)
        if entry != _Entry():
            self._keep(key, replace(entry, failures=()), now)

    def may_send(self, key: str, now: float) -> bool:
        """May one more code be sent? Counts it."""
        entry = self._entry(key, now)
        if len(entry.sent) >= self._limits.codes_per_window:
            return False
        return self._keep(key, replace(entry, sent=(*entry.sent, now)), now)

    def _entry(self, key: str, now: float) -> _Entry:
        """Return what still counts of a key."""
        entry = self._entries.get(self._digest(key), _Entry())
        since = now - self._limits.window_s
        forgotten = now - self._limits.memory_s
        return replace(
            entry,
            failures=tuple(at for at in entry.failures if at > since),
            sent=tuple(at for at in entry.sent if at > since),
            locks=entry.locks if entry.locked_until > forgotten else 0,
        )

    def _keep(self, key: str, entry: _Entry, now: float) -> bool:
        """Keep an entry as the newest; False if nothing may be forgotten for it."""
        digest = self._digest(key)
        if digest not in self._entries and len(self._entries) >= self._limits.capacity:
            oldest = self._oldest(now)
            if oldest is None:
                return False
            del self._entries[oldest]
        self._entries[digest] = entry
        self._entries.move_to_end(digest)
        return True

    def _oldest(self, now: float) -> str | None:
        """Return the key that may be forgotten first: the oldest that is not locked."""
        entries = self._entries.items()
        return next((digest for digest, entry in entries if now >= entry.locked_until), None)

    def _digest(self, key: str) -> str:
        return hmac.new(self._secret, key.encode(), hashlib.sha256).hexdigest()
