"""The weights folder as the rest of the server sees it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from voice_server.assets import assets_dir
from voice_server.weights.fetch import fetch_entries
from voice_server.weights.installed import missing_files
from voice_server.weights.manifest import Entry, load_entries
from voice_server.weights.progress import NoProgress, Progress


class WeightsMissing(Exception):
    """An entry is not in the folder; the message says how to fetch it."""


class UnknownWeights(Exception):
    """No entry or group has this name; the message lists those that exist."""


class WeightStore:
    """Finds, checks and fetches weights.

    Args:
        root: the folder with one folder per entry (``Settings.models``).
        manifests: folder of the descriptions; default: those that come with the server.

    Raises:
        ManifestError: a description is not valid.
    """

    def __init__(self, root: Path, manifests: Path | None = None) -> None:
        self.root = root
        self._entries = load_entries(manifests or assets_dir("models"))

    def entries(self) -> tuple[Entry, ...]:
        """Every known entry, in name order."""
        return tuple(self._entries.values())

    def entry(self, name: str) -> Entry:
        """Return one entry's description.

        Raises:
            UnknownWeights: there is none of this name.
        """
        if name not in self._entries:
            raise UnknownWeights(f"no weights are called {name!r}; there are {self._names()}")
        return self._entries[name]

    def select(self, names: Iterable[str] = ()) -> tuple[Entry, ...]:
        """Return the entries of the given names or groups; without any, the default set.

        Raises:
            UnknownWeights: a name is neither an entry nor a group.
        """
        names = tuple(names)
        if not names:
            return tuple(entry for entry in self.entries() if entry.default)
        chosen: dict[str, Entry] = {}
        for name in names:
            group = [entry for entry in self.entries() if entry.group == name]
            for entry in group or [self.entry(name)]:
                chosen[entry.name] = entry
        return tuple(chosen.values())

    def is_ready(self, name: str) -> bool:
        """Tell whether every file of an entry is there and verified.

        Files that somebody else put there are hashed the first time, which takes about a second
        per gigabyte.

        Raises:
            UnknownWeights: there is no such entry.
        """
        return not missing_files(self.root / name, self.entry(name))

    def path(self, name: str) -> Path:
        """Return the folder of a verified entry.

        Raises:
            WeightsMissing: a file is missing or damaged.
            UnknownWeights: there is no such entry.
        """
        folder = self.root / name
        if missing := missing_files(folder, self.entry(name)):
            which = ", ".join(file.path for file in missing[:3])
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise WeightsMissing(
                f"{name} is not complete in {self.root} (missing: {which}{more}). "
                f"Fetch it with: voice-server fetch {name}"
            )
        return folder

    async def fetch(self, names: Iterable[str] = (), progress: Progress | None = None) -> None:
        """Bring entries (or groups); without names, the default set. Idle when all is there.

        Raises:
            UnknownWeights: a name is neither an entry nor a group.
            FetchFailed: some file could not be had from any mirror; the others are there.
            DiskFull: there is no room.
            OSError: the folder cannot be written.
        """
        await fetch_entries(self.root, self.select(names), progress or NoProgress())

    def verify(self, names: Iterable[str] = ()) -> dict[str, list[str]]:
        """Hash every file again. Slow: about a second per gigabyte.

        Returns:
            For each entry (default: those with at least one file on disk) the files that are
            missing or damaged: an empty list is good.

        Raises:
            UnknownWeights: a name is neither an entry nor a group.
        """
        names = tuple(names)
        chosen = (
            self.select(names)
            if names
            else tuple(
                entry
                for entry in self.entries()
                if any((self.root / entry.name / file.path).exists() for file in entry.files)
            )
        )
        return {
            entry.name: [
                file.path for file in missing_files(self.root / entry.name, entry, rehash=True)
            ]
            for entry in chosen
        }

    def _names(self) -> str:
        groups = dict.fromkeys(entry.group for entry in self.entries())
        return f"{', '.join(self._entries)}; groups: {', '.join(groups)}"
