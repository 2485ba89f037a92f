"""Scenario files: what is said in a dialogue, and what must come of it.

The same files are run by text (``tests/dialogue/test_scenarios.py``) and can be run by voice:
whoever drives a scenario gives each turn's ``user`` to the server, however it likes, and reports
what came back as a :class:`Reply`; the checks are the same.

A file is a list of scenarios::

    - name: cancel an order           # unique in all files
      language: en                    # the client's wish; none: it has to be found out
      platform: down                  # a fault, see tests/scenarios/world.py
      without: [cancel_order]         # capabilities the shop's platform lacks
      desk: refuses                   # accepts (default), refuses, callback, none
      llm: ['{"command": "answer"}']  # answers of the scripted language model; none: no model
      turns:
        - user: "cancel my order"     # {code} is the last one-time code that was sent
          heard: 0.5                  # the share of our reply that is heard before a barge-in
          says: [order number]        # fragments, in any order, case ignored
          never: [cancelled]
          flow: cancel_order          # "" for none
          slots: {quantity: "2"}
          expects: number
          language: en
          source: flow
          cites: [order:BE-10497]
          writes: []                  # all writes the platform has done so far
          handed: [asked]             # all hand-offs the desk has got so far
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Expected:
    """What one turn must bring; None is not looked at."""

    user: str
    heard: float = 1.0
    later: float = 0.0
    """Minutes that pass before it is said."""
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    flow: str | None = None
    slots: dict[str, str] | None = None
    expects: str | None = None
    language: str | None = None
    source: str | None = None
    cites: tuple[str, ...] | None = None
    writes: tuple[str, ...] | None = None
    handed: tuple[str, ...] | None = None
    platform: str | None = None
    """The platform's fault from this turn on; "" for none."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A dialogue."""

    name: str
    file: str
    turns: tuple[Expected, ...]
    language: str | None = None
    platform: str = ""
    without: tuple[str, ...] = ()
    desk: str = "accepts"
    llm: tuple[str, ...] = ()
    now: str = "2026-11-24T14:00"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered to one turn, as whoever drives the scenario saw it."""

    text: str
    language: str
    source: str = ""
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class After:
    """What holds in the server's world after a turn. By voice, flow and slots may be unknown."""

    writes: tuple[str, ...]
    handed: tuple[str, ...]
    flow: str | None = None
    expects: str | None = None
    slots: dict[str, str] | None = None


def load() -> list[Scenario]:
    """Return the scenarios of all files; "yes" and "9000" are texts in them.

    Raises ValueError for what the format does not know.
    """
    found = [
        _scenario(path.name, raw)
        for path in sorted(FOLDER.glob("*.yaml"))
        for raw in yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
    ]
    names = [scenario.name for scenario in found]
    if len(set(names)) < len(names):
        raise ValueError(
            f"names are not unique: {sorted({n for n in names if names.count(n) > 1})}"
        )
    return found


def check(place: str, turn: Expected, reply: Reply, after: After) -> list[str]:
    """Return what of a turn is not as it must be, in words."""
    said = " ".join(reply.text.lower().split())
    wrong = [f"does not say {part!r}" for part in turn.says if part.lower() not in said]
    wrong += [f"says {part!r}" for part in turn.never if part.lower() in said]
    pairs: list[tuple[str, Any, Any]] = [
        ("flow", turn.flow, after.flow),
        ("expects", turn.expects, after.expects),
        ("language", turn.language, reply.language),
        ("source", turn.source, reply.source),
        ("writes", turn.writes, after.writes),
        ("handed", turn.handed, after.handed),
    ]
    wrong += [
        f"{name} is {found!r}, not {wanted!r}"
        for name, wanted, found in pairs
        if wanted is not None and found is not None and wanted != found
    ]
    wrong += [f"does not cite {s!r}" for s in turn.cites or () if s not in reply.cites]
    known = after.slots if after.slots is not None else turn.slots or {}
    wrong += [
        f"slot {name} is {known.get(name, '')!r}, not {value!r}"
        for name, value in (turn.slots or {}).items()
        if known.get(name, "") != value
    ]
    return [f"{place}: {turn.user!r} → {reply.text!r}: {what}" for what in wrong]


def _scenario(file: str, raw: dict[str, Any]) -> Scenario:
    turns = tuple(_record(Expected, f"{file}: {raw.get('name')}", turn) for turn in raw["turns"])
    rest = {key: value for key, value in raw.items() if key != "turns"}
    made: Scenario = _record(Scenario, file, {**rest, "file": file, "turns": turns})
    return made


def _record(kind: Any, place: str, raw: dict[str, Any]) -> Any:
    known = {entry.name for entry in fields(kind)}
    if unknown := set(raw) - known:
        raise ValueError(f"{place}: unknown {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    values |= {k: float(raw[k]) for k in ("heard", "later") if k in values}
    return kind(**values)
