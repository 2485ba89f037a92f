"""Turns what pydantic found into one wire error: a code, the parameter's path, and words."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from voice_server.realtime.effects import WireError

M = TypeVar("M", bound=BaseModel)

_TAGS = frozenset(
    {
        "audio/pcm",
        "audio/pcmu",
        "audio/pcma",
        "server_vad",
        "semantic_vad",
        "FunctionChoice",
        "VoiceId",
        "str",
        "int",
        "float",
    }
)
"""Parts of pydantic's locations that name a branch of a union and not a field."""


def parse(model: type[M], value: Any, *, at: str = "") -> M:
    """Return ``value`` as a ``model``.

    ``at`` is the path of the value in its event ("session", "item").  Raises WireError, about the
    first problem only: a client's author mends one at a time.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _wire_error(error, at) from None


def _wire_error(error: ValidationError, at: str) -> WireError:
    problem = error.errors(include_url=False, include_context=False)[0]
    path = ".".join(
        [at] * bool(at)
        + [
            str(part)
            for part in problem["loc"]
            if part not in _TAGS and not str(part).startswith(("literal[", "constrained-"))
        ]
    )
    kind = problem["type"]
    if kind in {"missing", "union_tag_not_found"}:
        path = f"{path}.type" if kind == "union_tag_not_found" else path
        return WireError(
            f"Missing required parameter: '{path}'.",
            code="missing_required_parameter",
            param=path,
        )
    if kind.endswith("_type"):
        return WireError(
            f"Invalid type for '{path}': {problem['msg']}.", code="invalid_type", param=path
        )
    return WireError(
        f"Invalid value for '{path}': {problem['msg']}.", code="invalid_value", param=path
    )
