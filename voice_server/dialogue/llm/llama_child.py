"""The embedded language model: llama.cpp's own server in a process of its own.

``python -m voice_server.dialogue.llm.llama_child`` reads one JSON line from its standard input
(see :class:`ChildConfig`), loads the model, writes one JSON line to its standard output, and
serves until its input ends.  So it lives exactly as long as the process that holds the other end,
however that one dies.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from typing import Any, TextIO

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal a process gets when its parent dies."""

EXIT_NOT_INSTALLED = 3
EXIT_BAD_MODEL = 4


@dataclass(frozen=True, slots=True)
class ChildConfig:
    """What the parent tells the child."""

    model: str
    api_key: str
    threads: int = 2
    slots: int = 2
    """Prompts kept warm side by side; sessions beyond that take turns."""
    context_tokens: int = 3072
    """For each slot."""
    cache_mib: int = 128
    """Memory for prompts that lost their slot."""
    batch_tokens: int = 48
    """Prompt tokens computed in one go: what a cancelled question may still cost (under 1 s)."""
    niceness: int = 5
    """Speech is due every 20 ms, words are not: recognition and synthesis go first."""

    def line(self) -> bytes:
        """Return the line that the child reads."""
        return json.dumps(asdict(self)).encode() + b"\n"


def die_with_parent(parent: int) -> None:
    """Ask Linux for SIGKILL when the parent dies (elsewhere the end of stdin must do)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os._exit(0)


def main() -> None:
    """Serve until standard input ends."""
    parent = os.getppid()
    # Ctrl-C reaches the whole foreground group; the parent drains first and then ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nobody but us may write to the line the parent reads: llama.cpp prints, too.
    report = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    die_with_parent(parent)
    config = ChildConfig(**json.loads(sys.stdin.readline()))
    # Threads that spin at OpenMP's barriers starve each other when speech runs on the same
    # cores: 0.4 tokens/s against 17 (0.5B, two busy cores). Must be set before the import.
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.nice(config.niceness)
    server = _start(config, report)
    print(json.dumps({"event": "ready", "url": server.listening_address}), file=report)
    while sys.stdin.readline():
        pass
    os._exit(0)  # llama.cpp's threads do not join while a request is running


def _start(config: ChildConfig, report: TextIO) -> Any:
    """Load the model and return the running server; on failure report it and exit."""
    try:
        import xllamacpp
    except ImportError as error:
        _fail(report, f"xllamacpp cannot be imported ({error}): install voice-server[llm]")
        os._exit(EXIT_NOT_INSTALLED)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = config.model
    parameters.model_alias = {"embedded"}
    parameters.n_ctx = config.context_tokens * config.slots
    parameters.n_parallel = config.slots
    parameters.n_batch = parameters.n_ubatch = config.batch_tokens
    parameters.cache_ram_mib = config.cache_mib
    for pool in (parameters.cpuparams, parameters.cpuparams_batch):
        pool.n_threads = config.threads
        pool.poll = 0
    parameters.api_keys = [config.api_key]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = 0
    try:
        return xllamacpp.Server(parameters)
    except Exception as error:
        _fail(report, f"llama.cpp cannot load {config.model}: {error}")
        os._exit(EXIT_BAD_MODEL)


def _fail(report: TextIO, message: str) -> None:
    print(json.dumps({"event": "failed", "message": message}), file=report)


if __name__ == "__main__":
    main()
