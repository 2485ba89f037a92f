"""The real weights, for tests marked ``models``; a missing one fails with the fetch command."""

from pathlib import Path

from voice_server.config import cache_root
from voice_server.weights import WeightStore


def weights(entry: str) -> Path:
    return WeightStore(cache_root() / "models").path(entry)
