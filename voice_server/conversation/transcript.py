"""The history of a conversation: items in order, assistant items cut to what was heard."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from voice_server.dialogue.dialogue import HistoryEntry, Message, ToolCall, ToolResult

ItemKind = Literal["message", "function_call", "function_call_output"]
Role = Literal["system", "user", "assistant"]
ContentKind = Literal["input_text", "input_audio", "output_text", "output_audio"]


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the history, free of any wire format.

    ``text`` is what was said, written or transcribed; None while a transcript is pending.  For a
    function call it is the JSON arguments, for its output the output.
    """

    id: str
    kind: ItemKind = "message"
    role: Role = "user"
    content: ContentKind = "input_text"
    text: str | None = ""
    status: Literal["in_progress", "completed", "incomplete"] = "completed"
    language: str | None = None
    call_id: str = ""
    name: str = ""
    marks: tuple[tuple[str, float], ...] = ()
    """Assistant speech: (clause text, end of its audio in ms), for truncation."""


class UnknownItem(LookupError):
    """No item has this id."""


def heard_text(marks: tuple[tuple[str, float], ...], heard_ms: float) -> str:
    """Return the words of ``marks`` whose audio lies before ``heard_ms``.

    Whole clauses are kept whole; the clause being spoken is cut at a word, in proportion to time
    (speech is close enough to constant in words per second inside one clause).
    """
    kept: list[str] = []
    start = 0.0
    for text, end in marks:
        if end <= heard_ms:
            kept.append(text)
        elif heard_ms > start:
            words = text.split()
            share = (heard_ms - start) / (end - start)
            cut = words[: int(len(words) * share)]
            if cut:
                kept.append(" ".join(cut))
            break
        else:
            break
        start = end
    return " ".join(kept)


@dataclass(slots=True)
class History:
    """The items of a session, oldest first. Ids are unique."""

    items: list[Item] = field(default_factory=list)

    def index(self, item_id: str) -> int:
        """Return the position of an item. Raises UnknownItem."""
        for position in range(len(self.items) - 1, -1, -1):
            if self.items[position].id == item_id:
                return position
        raise UnknownItem(item_id)

    def get(self, item_id: str) -> Item:
        """Return an item. Raises UnknownItem."""
        return self.items[self.index(item_id)]

    def last_id(self) -> str | None:
        """Return the id of the newest item."""
        return self.items[-1].id if self.items else None

    def insert(
        self, item: Item, previous_id: str | None = None, *, at_root: bool = False
    ) -> str | None:
        """Add an item after ``previous_id`` (default: at the end, or first when ``at_root``).

        Returns the id of the item before it. Raises UnknownItem for an unknown ``previous_id``
        and ValueError when the id is taken.
        """
        if any(other.id == item.id for other in self.items):
            raise ValueError(f"an item with id {item.id!r} exists already")
        if at_root:
            position = 0
        elif previous_id is None:
            position = len(self.items)
        else:
            position = self.index(previous_id) + 1
        self.items.insert(position, item)
        return self.items[position - 1].id if position else None

    def replace(self, item: Item) -> None:
        """Put ``item`` in the place of the one with its id. Raises UnknownItem."""
        self.items[self.index(item.id)] = item

    def delete(self, item_id: str) -> None:
        """Remove an item. Raises UnknownItem."""
        del self.items[self.index(item_id)]

    def truncate(self, item_id: str, heard_ms: float) -> Item:
        """Cut an assistant item to what was heard and return it. Raises UnknownItem."""
        item = self.get(item_id)
        if item.marks:
            cut = tuple((text, end) for text, end in item.marks if end <= heard_ms)
            text = heard_text(item.marks, heard_ms)
            kept = " ".join(text for text, _ in cut)
            tail = text[len(kept) :].strip()
            marks = (*cut, (tail, heard_ms)) if tail else cut
            item = replace(item, text=text, marks=marks, status="incomplete")
            self.replace(item)
        return item

    def entries(self) -> tuple[HistoryEntry, ...]:
        """Return what the dialogue manager sees: no pending transcripts, nothing unheard."""
        entries: list[HistoryEntry] = []
        for item in self.items:
            if item.kind == "function_call":
                entries.append(ToolCall(item.call_id, item.name, item.text or "{}"))
            elif item.kind == "function_call_output":
                entries.append(ToolResult(item.call_id, item.text or ""))
            elif item.text:
                entries.append(Message(item.role, item.text, item.language))
        return tuple(entries)
