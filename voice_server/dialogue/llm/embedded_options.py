"""How the embedded model's child is run and watched, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ModelState(StrEnum):
    """Where the embedded model is; ``/readyz`` shows it."""

    MISSING = "missing"
    """No weights: :meth:`EmbeddedModel.weights_arrived` has not been called."""
    DOWNLOADING = "downloading"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class EmbeddedOptions:
    """How the child is run and watched."""

    threads: int = 2
    slots: int = 2
    context_tokens: int = 3072
    niceness: int = 5
    """See :class:`voice_server.dialogue.llm.llama_child.ChildConfig`."""
    start_s: float = 120.0
    """Loading 1.1 GB from a cold disk beside other work; 5 s when all is well."""
    warm_s: float = 90.0
    """A cold 500-token prefix takes 9 s (1.5B) on two free cores."""
    health_every_s: float = 5.0
    health_timeout_s: float = 2.0
    health_misses: int = 3
    """A stopped or wedged child is replaced after about 20 s, a poked one after 6."""
    silent_answers: int = 4
    """Deadlines missed in a row without one word: it serves pages but does not think."""
    backoff_s: float = 0.5
    backoff_max_s: float = 30.0
    settled_s: float = 60.0
    """A child that lived so long was well: the next restart is quick again."""
    idle_warm_s: float = 300.0
    """After so long without a question the prefix is read again, lest it was evicted."""


DEFAULTS = EmbeddedOptions()
