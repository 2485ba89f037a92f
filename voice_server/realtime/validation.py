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
    path = _path(problem["loc"], at)
    kind = problem["type"]
    if kind in {"missing", "union_tag_not_found"}:
        path = f"{path}.type" if kind == "union_tag_not_found" else path
        return WireError(
            f"Missing required parameter: '{path}'.",
            code="missing_required_parameter",
            param=path,
        )
    if kind.endswith(("_type", "_parsing")):
        return WireError(
            f"Invalid type for '{path}': {problem['msg']}.", code="invalid_type", param=path
        )
    return WireError(
        f"Invalid value for '{path}': {problem['msg']}.", code="invalid_value", param=path
    )


def _path(location: tuple[int | str, ...], at: str) -> str:
    """Return where a problem is, as clients write it: ``session.tools[0].name``."""
    path = at
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in _TAGS and not part.startswith(("literal[", "constrained-")):
            path += f".{part}" if path else part
    return path
