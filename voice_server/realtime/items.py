"""Items that clients write: from the wire to the history and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from voice_server.conversation.transcript import ContentKind, History, Item, UnknownItem
from voice_server.ids import IdFactory
from voice_server.realtime.effects import WireError
from voice_server.realtime.events import ContentPart, ItemModel
from voice_server.realtime.validation import parse

ITEMS_LIMIT = 5000
"""Items of one history: a day of talking, and the end of a client that only adds."""

_TEXT_PARTS: dict[str, dict[str, ContentKind]] = {
    "system": {"input_text": "input_text"},
    "user": {"input_text": "input_text", "input_audio": "input_audio"},
    "assistant": {
        "output_text": "output_text",
        "output_audio": "output_audio",
        # The beta's names: harmless here, since the item is echoed with ours.
        "text": "output_text",
        "audio": "output_audio",
    },
}
"""Content part types of each role, and how the history calls them."""


def read_item(wire: dict[str, Any], new_id: IdFactory, at: str = "item") -> Item:
    """Return a client's item. Raises WireError."""
    model = parse(ItemModel, wire, at=at)
    item_id = model.id or new_id("item")
    if model.type == "message":
        return _message(model, item_id, at)
    if model.type == "function_call":
        return Item(
            item_id,
            kind="function_call",
            text=_needed(model.arguments, f"{at}.arguments"),
            call_id=model.call_id or new_id("call"),
            name=_needed(model.name, f"{at}.name"),
        )
    if model.type == "function_call_output":
        return Item(
            item_id,
            kind="function_call_output",
            text=_needed(model.output, f"{at}.output"),
            call_id=_needed(model.call_id, f"{at}.call_id"),
        )
    raise WireError(
        f"Invalid value: '{model.type}'. Supported item types are: 'message', 'function_call' and "
        "'function_call_output'.",
        code="invalid_value",
        param=f"{at}.type",
    )


def read_context(
    wire: list[dict[str, Any]], history: History, new_id: IdFactory
) -> tuple[Item, ...]:
    """Return the items of ``response.input``, references resolved. Raises WireError."""
    items: list[Item] = []
    for index, entry in enumerate(wire):
        at = f"response.input[{index}]"
        if entry.get("type") == "item_reference":
            items.append(find(history, str(entry.get("id")), "reference", f"{at}.id"))
        else:
            items.append(read_item(entry, new_id, at))
    return tuple(items)


def insert(history: History, item: Item, previous_id: str | None) -> str | None:
    """Add a client's item and return the id before it. Raises WireError."""
    if len(history.items) >= ITEMS_LIMIT:
        raise WireError(
            f"The conversation has {ITEMS_LIMIT} items: delete some first.",
            code="conversation_item_limit_reached",
        )
    if item.kind == "function_call_output" and not any(
        other.kind == "function_call" and other.call_id == item.call_id for other in history.items
    ):
        raise WireError(
            f"Tool call ID '{item.call_id}' not found in conversation.",
            code="invalid_tool_call_id",
            param="item.call_id",
        )
    try:
        if previous_id == "root":
            return history.insert(item, at_root=True)
        return history.insert(item, previous_id)
    except UnknownItem:
        raise WireError(
            f"Error adding item: the previous item with id '{previous_id}' does not exist.",
            code="item_create_invalid_previous_item_id",
            param="previous_item_id",
        ) from None
    except ValueError:
        raise WireError(
            f"Error adding item: an item with id '{item.id}' exists already.",
            code="item_create_duplicate_item_id",
            param="item.id",
        ) from None


def find(history: History, item_id: str, action: str, param: str = "item_id") -> Item:
    """Return an item for the client's ``action`` ("retrieve", "delete"...). Raises WireError."""
    try:
        return history.get(item_id)
    except UnknownItem:
        raise WireError(
            f"Item with id '{item_id}' not found.",
            code=f"item_{action}_invalid_item_id",
            param=param,
        ) from None


def _message(model: ItemModel, item_id: str, at: str) -> Item:
    role = _needed(model.role, f"{at}.role")
    parts = model.content or []
    if not parts:
        raise WireError(
            f"Missing required parameter: '{at}.content'.",
            code="missing_required_parameter",
            param=f"{at}.content",
        )
    texts: list[str] = []
    kinds: list[ContentKind] = []
    for index, part in enumerate(parts):
        kind, text = _part(role, part, f"{at}.content[{index}]")
        kinds.append(kind)
        texts.append(text)
    item = Item(item_id, role=model.role or "user", content=kinds[0], text="\n".join(texts))
    return replace(item, status=model.status) if model.status == "incomplete" else item


def _part(role: str, part: ContentPart, at: str) -> tuple[ContentKind, str]:
    kinds = _TEXT_PARTS[role]
    kind = kinds.get(part.type)
    if kind is None:
        allowed = ", ".join(f"'{name}'" for name in kinds)
        raise WireError(
            f"Invalid value: '{part.type}'. Content of a {role} message may be: {allowed}.",
            code="invalid_value",
            param=f"{at}.type",
        )
    if kind in {"input_audio", "output_audio"}:
        if part.transcript is None:
            raise WireError(
                "Audio in an item needs its 'transcript' here: the history holds words. Send "
                "speech with input_audio_buffer.append.",
                code="missing_required_parameter",
                param=f"{at}.transcript",
            )
        return kind, part.transcript
    return kind, _needed(part.text, f"{at}.text")


def _needed(value: str | None, param: str) -> str:
    if value is None:
        raise WireError(
            f"Missing required parameter: '{param}'.",
            code="missing_required_parameter",
            param=param,
        )
    return value
