"""Opening ONNX models the way a server on few cores needs them: no spinning, threads counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime as ort

from voice_server.speech.engine import EngineUnavailable


def open_session(
    model: Path | bytes, *, threads: int = 1, what: str = "the model", arena: bool = True
) -> Any:
    """Return an onnxruntime session on the CPU for a model file or its bytes.

    ``threads`` work inside one call and sleep between calls: onnxruntime's default is to spin,
    which on two shared cores takes the other engines' time.
    ``arena`` False gives the memory of a large run back: onnxruntime's own pool never shrinks.
    Raises EngineUnavailable, naming ``what``, if the model cannot be read.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = arena
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # Errors only: warnings on unused initialisers say nothing to an operator.
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    try:
        return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no narrower base class
        raise EngineUnavailable(f"{what} cannot be loaded: {error}") from error


def only_file(folder: Path, pattern: str, *, what: str) -> Path:
    """Return ``folder`` itself if it is a file, else its one file that matches ``pattern``.

    Raises EngineUnavailable, naming ``what``, if there is none or a choice.
    """
    if folder.is_file():
        return folder
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        seen = "none" if not found else ", ".join(file.name for file in found)
        raise EngineUnavailable(f"{what} needs one {pattern} in {folder}; found {seen}")
    return found[0]
