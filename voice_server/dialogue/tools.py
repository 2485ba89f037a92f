"""A client's function tools where no capable model is at hand: choosing by schema, telling results.

Pure functions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from voice_server.dialogue.dialogue import Tool, ToolCall
from voice_server.dialogue.locales import load_locale
from voice_server.ids import IdFactory

MOST_VALUES = 4
"""Values of a tool's result that are read out without a model: more cannot be followed by ear."""

LONGEST_VALUE = 120
"""Characters of one such value."""


def allowed(tools: Sequence[Tool], choice: str) -> tuple[Tool, ...]:
    """Return the tools a reply may call under a ``tool_choice``."""
    if choice == "none":
        return ()
    if choice in {"auto", "required"}:
        return tuple(tools)
    return tuple(tool for tool in tools if tool.name == choice)


def must_call(choice: str) -> bool:
    """Does this ``tool_choice`` demand a call?"""
    return choice not in {"auto", "none"}


def parse_choice(text: str, tools: Sequence[Tool], new_id: IdFactory) -> ToolCall | None:
    """Return the call a model chose as JSON, None for "none". Raises ValueError when unusable."""
    chosen = json.loads(text)
    if not isinstance(chosen, dict):
        raise ValueError("a choice must be an object")
    name = chosen.get("function")
    if name == "none":
        return None
    if name not in {tool.name for tool in tools}:
        raise ValueError(f"there is no function {name!r}")
    return ToolCall(new_id("call"), str(name), json.dumps(chosen.get("arguments") or {}))


def callable_blindly(tools: Sequence[Tool]) -> Tool | None:
    """Return the one tool that needs no argument and no choice, if a call is demanded."""
    if len(tools) == 1 and not tools[0].parameters.get("required"):
        return tools[0]
    return None


def tell_result(output: str, language: str) -> str:
    """Return a sentence that tells a tool's result without a model; empty if there is none.

    Plain text is said as it is; of JSON the first few plain values with their names.
    """
    try:
        value = json.loads(output)
    except ValueError:
        text = " ".join(output.split())
        return text if len(text) <= LONGEST_VALUE * 2 else ""
    told = _plain(value)
    if not told:
        return ""
    return load_locale(language).tool_result.format(values=", ".join(told[:MOST_VALUES]))


def _plain(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [
            f"{str(key).replace('_', ' ')}: {text}"
            for key, item in value.items()
            if (text := _scalar(item))
        ]
    if isinstance(value, list):
        return [text for item in value if (text := _scalar(item))]
    text = _scalar(value)
    return [text] if text else []


def _scalar(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return ""
    text = str(value).strip()
    return text if len(text) <= LONGEST_VALUE else ""
