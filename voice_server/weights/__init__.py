"""The models' weights: described in ``models/*.toml``, fetched, verified and located here."""

from voice_server.weights.fetch import FetchFailed
from voice_server.weights.files import DiskFull
from voice_server.weights.manifest import Entry, ManifestError, WeightFile
from voice_server.weights.progress import NoProgress, Progress, progress_for
from voice_server.weights.store import UnknownWeights, WeightsMissing, WeightStore

__all__ = [
    "DiskFull",
    "Entry",
    "FetchFailed",
    "ManifestError",
    "NoProgress",
    "Progress",
    "UnknownWeights",
    "WeightFile",
    "WeightStore",
    "WeightsMissing",
    "progress_for",
]
