"""The files derived from Kokoro's export: made once, kept beside the weights, put there whole."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import onnx

from voice_server.speech.engine import EngineUnavailable
from voice_server.speech.onnx_session import only_file
from voice_server.speech.tts.kokoro_model import KokoroModel, Tables
from voice_server.speech.tts.kokoro_net import (
    Network,
    decoder_network,
    generator_network,
    pitch_network,
)
from voice_server.speech.tts.kokoro_statistics import Statistics, fit
from voice_server.speech.tts.kokoro_weights import (
    Array,
    Weights,
    load_model,
    read_weights,
    text_half,
)

log = logging.getLogger(__name__)

DERIVATION = 4
"""Counts up when the derived files change for the same weights."""

_BUILDERS: Mapping[str, Callable[[Weights], Network]] = {
    "pitch": pitch_network,
    "decoder": decoder_network,
    "generator": generator_network,
}


def derive(model_dir: Path, derived_dir: Path) -> Path:
    """Return the folder with the files made from the export in ``model_dir``; make it if need be.

    It is ``derived_dir/kokoro-82m-<version>``, the version telling both the weights and this
    code.  It takes some seconds once, 310 MB of disk, and appears whole or not at all.
    Raises EngineUnavailable: no export there, not the known one, or the disk refuses.
    """
    source = only_file(model_dir, "*.onnx", what="Kokoro")
    try:
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        folder = derived_dir / f"kokoro-82m-{DERIVATION}-{digest[:12]}"
        if not folder.is_dir():
            derived_dir.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".kokoro-", dir=derived_dir))
            try:
                _write(source, draft)
                _install(draft, folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise EngineUnavailable(
            f"Kokoro's files cannot be derived in {derived_dir}: {error}"
        ) from error
    return folder


def _write(source: Path, folder: Path) -> None:
    began = time.monotonic()
    export = load_model(source)
    onnx.save(text_half(export), str(folder / "text.onnx"))
    weights = read_weights(export)
    del export
    norms = {}
    for part, build in _BUILDERS.items():
        network = build(weights)
        norms[part] = network.norms
        onnx.save(network.model, str(folder / f"{part}.onnx"))
    Tables.build(weights, norms).save(folder / "tables.npz")
    log.info("derived Kokoro's graphs in %.1f s", time.monotonic() - began)


def _install(draft: Path, folder: Path) -> None:
    draft.chmod(0o755)  # mkdtemp's own 0700 would lock other users of a shared cache out
    try:
        os.replace(draft, folder)
    except OSError:
        if not folder.is_dir():  # else somebody else was faster, with the same files
            raise


def measure_voice(
    model: KokoroModel, clauses: Iterable[tuple[list[int], Array]], *, speed: float = 1.0
) -> Statistics:
    """Return the statistics of a voice from some clauses: (tokens, style row) each.

    They should be long and short.  It takes 0.7 s of a core per second of speech.
    Raises EngineError.
    """
    measured = []
    for tokens, style in clauses:
        reading = model.read(tokens, style, speed)
        measured.append(model.measure(model.begin(reading, style, None)))
    return fit(measured)
