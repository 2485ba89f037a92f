"""Which session hears which prompt version: a rollout that can be changed, and taken back, live.

The rollout is a file, ``rollout.toml`` in the operator's folder of prompts::

    active = "shop-1"
    canary = "shop-2"    # optional
    share = 0.1          # of the sessions, by their ids

It may be edited by hand or through :meth:`PromptRegistry.roll_out`; either way the next turn of
every session follows it.  What cannot be used is refused, and the last good rollout stays.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from voice_server.dialogue.prompts.version import (
    DEFAULT,
    PromptError,
    PromptVersion,
    bundled,
    in_folder,
)

logger = logging.getLogger(__name__)

ROLLOUT = "rollout.toml"
WATCH_S = 2.0
"""How often the folder is looked at: a bad prompt is gone from all calls within seconds."""
_STEPS = 1 << 32


@dataclass(frozen=True, slots=True)
class Rollout:
    """Who hears what."""

    active: str = DEFAULT
    canary: str = ""
    share: float = 0.0
    """0 to 1: of the sessions, on the canary."""

    def version_for(self, session_id: str) -> str:
        """Return the version id of a session: the same for the same session, share and canary.

        A larger share keeps those on the canary who were there.
        """
        if not self.canary:
            return self.active
        digest = hashlib.sha256(f"{self.canary}\0{session_id}".encode()).digest()
        place = int.from_bytes(digest[:4], "big") / _STEPS
        return self.canary if place < self.share else self.active


class PromptRegistry:
    """The versions there are, and the rollout that holds. Reading it is cheap and never waits."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read the operator's folder, if there is one.

        Raises:
            PromptError: a file in it cannot be used.
        """
        self._folder = folder
        self._versions: dict[str, PromptVersion] = {}
        self._rollout = Rollout()
        self._before: Rollout | None = None
        self._seen: object = None
        self.reload()

    @property
    def versions(self) -> tuple[PromptVersion, ...]:
        """All versions, by date and id."""
        return tuple(sorted(self._versions.values(), key=lambda v: (v.date, v.id)))

    @property
    def rollout(self) -> Rollout:
        """What holds now."""
        return self._rollout

    def get(self, id: str) -> PromptVersion:
        """Return a version. Raises PromptError."""
        try:
            return self._versions[id]
        except KeyError:
            known = ", ".join(sorted(self._versions))
            raise PromptError(f"there is no prompt version {id!r}; there are {known}") from None

    def assign(self, session_id: str) -> PromptVersion:
        """Return the version that a session's next turn is asked with."""
        return self._versions[self._rollout.version_for(session_id)]

    def difference(self, one: str, other: str) -> str:
        """Return a unified diff between two versions. Raises PromptError."""
        return self.get(one).difference(self.get(other))

    def roll_out(self, rollout: Rollout) -> None:
        """Let another rollout hold from the next turn on, and write it down for the next start.

        Raises:
            PromptError: it names a version that is not there, or a share that is none; nothing
                has changed.
            OSError: it holds, but could not be written down.
        """
        _check(rollout, self._versions)
        self._swap(rollout)
        if self._folder is not None:
            _write(self._folder / ROLLOUT, rollout)
            self._seen = self._look()

    def roll_back(self) -> Rollout:
        """Return to what held before the last change; without one, drop the canary.

        Raises:
            OSError: it holds, but could not be written down.
        """
        self.roll_out(self._before or Rollout(self._rollout.active))
        return self._rollout

    def reload(self) -> None:
        """Read everything again. Raises PromptError; then nothing has changed."""
        seen = self._look()
        versions, rollout = bundled(), Rollout()
        if self._folder is not None and self._folder.is_dir():
            own = in_folder(self._folder)
            if taken := sorted(set(own) & set(versions)):
                raise PromptError(f"{taken[0]} comes with the program: give yours another id")
            versions.update(own)
            rollout = _read(self._folder / ROLLOUT)
        _check(rollout, versions)
        self._versions = versions
        self._swap(rollout)
        self._seen = seen

    def refresh(self) -> bool:
        """Read the folder again if a file changed; return whether something new holds.

        What cannot be used is logged, once for each change, and changes nothing.
        """
        seen = self._look()
        if seen == self._seen:
            return False
        try:
            self.reload()
        except (PromptError, OSError) as error:
            self._seen = seen
            logger.error("the prompts stay as they were: %s", error)
            return False
        return True

    async def watch(self, every_s: float = WATCH_S) -> None:
        """Follow the folder for ever."""
        while True:
            await asyncio.sleep(every_s)
            # Stat calls and a few small files: short enough for the loop, and never half swapped.
            self.refresh()

    def _swap(self, rollout: Rollout) -> None:
        if rollout == self._rollout:
            return
        self._before, self._rollout = self._rollout, rollout
        logger.info(
            "prompt version %s%s",
            rollout.active,
            f", {rollout.share:.0%} on {rollout.canary}" if rollout.canary else "",
        )

    def _look(self) -> object:
        if self._folder is None or not self._folder.is_dir():
            return None
        return tuple(
            (path.name, stat.st_mtime_ns, stat.st_size)
            for path in sorted(self._folder.glob("*.toml"))
            if (stat := path.stat())
        )


def _read(path: Path) -> Rollout:
    if not path.exists():
        return Rollout()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise PromptError(f"{path.name}: {error}") from None
    if unknown := sorted(set(raw) - {"active", "canary", "share"}):
        raise PromptError(f"{path.name}: {', '.join(unknown)} is unknown here")
    share = raw.get("share", 0.0)
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise PromptError(f"{path.name}: share is a number from 0 to 1")
    return Rollout(str(raw.get("active", DEFAULT)), str(raw.get("canary", "")), float(share))


def _check(rollout: Rollout, versions: dict[str, PromptVersion]) -> None:
    for id in filter(None, (rollout.active, rollout.canary)):
        if id not in versions:
            known = ", ".join(sorted(versions))
            raise PromptError(f"there is no prompt version {id!r}; there are {known}")
    if not 0 <= rollout.share <= 1:
        raise PromptError("share is a number from 0 to 1")


def _write(path: Path, rollout: Rollout) -> None:
    """Replace the file in one step: a reader sees the old one or the new one."""
    # A JSON string is a TOML string.
    text = (
        f"active = {json.dumps(rollout.active)}\n"
        f"canary = {json.dumps(rollout.canary)}\n"
        f"share = {rollout.share!r}\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)
