"""What a session remembers of its flows: immutable, and JSON, so that it survives a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from voice_server.dialogue.write_gate import WriteGate

VERSION = 1
"""Counted up when old states can no longer be read; they are then forgotten."""

Expects = Literal["", "number", "postcode", "code", "slot", "consent", "offer_human"]


@dataclass(frozen=True, slots=True)
class FlowState:
    """Where the flow stands. A speculative turn works on its own copy."""

    flow: str = ""
    """The active flow, "" for none."""
    place: int = 0
    """The step that is due."""
    slots: tuple[tuple[str, str], ...] = ()
    expects: Expects = ""
    """What the last question asked for."""
    tries: int = 0
    """Times the question was put again because the answer was not understood."""
    order: str = ""
    """The proved order that the flow is about."""
    opening: str = ""
    """The words that began the flow: they may name the item already."""
    language: str = ""
    """Of the last question."""
    gate: WriteGate = field(default_factory=WriteGate)
    said: tuple[str, ...] = ()
    """The last sentences, to say them again."""
    slow: bool = False
    """The caller asked us to speak more slowly."""
    untold: str = ""
    """What came of a write, until the caller has heard it."""
    done: tuple[str, ...] = ()
    """Writes done, for the hand-off packet: "cancel_order BE-10497"."""
    refused: tuple[str, ...] = ()
    handed: str = ""
    """Reference of the hand-off, if there was one."""

    @property
    def active(self) -> bool:
        """A flow is under way."""
        return bool(self.flow)

    def slot(self, name: str) -> str:
        """Return a slot's value, "" while it is empty."""
        return dict(self.slots).get(name, "")

    def with_slot(self, name: str, value: str) -> FlowState:
        """Return the state with a slot filled, or emptied by ""."""
        slots = {**dict(self.slots), name: value}
        return replace(self, slots=tuple((key, kept) for key, kept in slots.items() if kept))

    def ended(self) -> FlowState:
        """Return the state after the flow: identity, gate and what was done stay."""
        return replace(self, flow="", place=0, slots=(), expects="", tries=0, order="", opening="")

    def to_json(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> FlowState:
        """Read what :meth:`to_json` gave; another version's state is forgotten.

        Raises:
            KeyError, TypeError, ValueError: it is damaged.
        """
        if raw.get("version") != VERSION:
            return cls()
        values = {key: value for key, value in raw.items() if key != "version"}
        return cls(
            **{
                **values,
                "slots": tuple((str(key), str(value)) for key, value in raw["slots"]),
                "gate": WriteGate.from_json(raw["gate"]),
                "said": tuple(raw["said"]),
                "done": tuple(raw["done"]),
                "refused": tuple(raw["refused"]),
            }
        )
