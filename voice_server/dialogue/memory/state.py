"""What of a session survives a restart beside its memory: language, context, and the flow."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from voice_server.dialogue.facts import Context
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.language import LanguageTracker

logger = logging.getLogger(__name__)

_SECRETS = ("order", "pending_number", "pending_postcode", "bought", "likes", "reasons", "consent")
"""Fields of the context that prove, or begin to prove, who the caller is, or tell of their past:
whoever comes back with a session's id proves it, and agrees to it, anew."""


def state_of(tracker: LanguageTracker, context: Context, flow: FlowState) -> dict[str, Any]:
    """Return the state as JSON."""
    kept = asdict(context)
    for name in _SECRETS:
        del kept[name]
    return {
        "language": tracker.language,
        "decided": tracker.decided,
        "wished": tracker.wished,
        "context": kept,
        "flow": flow.to_json(),
    }


def read_state(
    state: Mapping[str, Any], tracker: LanguageTracker
) -> tuple[LanguageTracker, Context, FlowState]:
    """Return what a state says; what cannot be read is as in a new session.

    ``tracker`` is the new session's: it holds where the state's language is no longer served.
    """
    language = state.get("language")
    decided, wished = bool(state.get("decided")), bool(state.get("wished"))
    if language in tracker.languages and (decided or wished):
        tracker = replace(tracker, language=str(language), decided=decided, wished=wished)
    kept = state.get("context")
    known = {field.name for field in fields(Context)} - set(_SECRETS)
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in (kept if isinstance(kept, Mapping) else {}).items()
        if name in known
    }
    try:
        flow = FlowState.from_json(state["flow"])
    except (KeyError, TypeError, ValueError) as error:
        logger.warning("a procedure cannot be gone on with after a restart: %s", error)
        flow = FlowState()
    return tracker, Context(**values), flow
