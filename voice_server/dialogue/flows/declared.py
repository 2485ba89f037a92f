"""Flows as they are declared: YAML files of triggers, steps and slots, checked when they are read.

The bundled ones are in ``dialogue/data/flows/``; a file of the same ``id`` in a shop pack's
``flows/`` folder takes the place of the bundled one, another id adds a flow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from voice_server.dialogue.consent import heard_words
from voice_server.shop.platform import Capability

SlotType = Literal[
    "line",
    "quantity",
    "choice",
    "variant",
    "street",
    "postcode",
    "city",
    "country",
    "phone",
    "text",
]
TELLS = ("status", "refund", "estimate")


class FlowError(ValueError):
    """A flow file cannot be used: the message names file, place and remedy."""


class FlowStep(BaseModel):
    """One step; exactly one of ``identify``, ``ask``, ``write``, ``tell``, ``hand_off``."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    identify: str = ""
    """A name of the level table ("write.cancel_order"): its level is reached before going on."""
    ask: str = ""
    """A slot; its question is the text ``ask_<slot>``."""
    type: SlotType = "text"
    choices: dict[str, dict[str, list[str]]] = Field(default_factory=dict)
    """For ``choice``: key → language → words; the first word is the one we say."""
    write: Capability | None = None
    values: dict[str, str] = Field(default_factory=dict, alias="with")
    """For ``write``: value → slot it comes from."""
    tell: Literal["", "status", "refund", "estimate"] = ""
    hand_off: str = ""
    """The reason for a hand-off that ends the flow."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        done = [self.identify, self.ask, self.write, self.tell, self.hand_off]
        if sum(bool(thing) for thing in done) != 1:
            raise ValueError("a step does one thing: identify, ask, write, tell or hand_off")
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("a slot of the type choice, and no other, has choices")
        return self

    def words_of(self, choice: str, language: str) -> Sequence[str]:
        """Return the words for a choice, the spoken one first."""
        return self.choices[choice].get(language) or (choice,)


class Flow(BaseModel):
    """A procedure."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")
    about: str
    """For the language model: what it does, a few words in English."""
    needs: Capability | None = None
    """What the shop's platform must be able to do; without it the flow goes to a human."""
    intents: tuple[str, ...] = ()
    """Intents of the classifier that begin it."""
    triggers: dict[str, list[str]] = Field(default_factory=dict)
    """Language → regular expressions on folded words that begin it."""
    answer: str = ""
    """An intent that the knowledge answers by itself: the flow has no steps."""
    steps: tuple[FlowStep, ...] = ()
    options: dict[str, str] = Field(default_factory=dict)
    """``cut_off``: until which hour ("16:00") orders leave the same day."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.answer) == bool(self.steps):
            raise ValueError("a flow has either steps or an answer")
        slots = {step.ask for step in self.steps if step.ask}
        for step in self.steps:
            missing = set(step.values.values()) - slots
            if missing:
                raise ValueError(f"no step asks for {', '.join(sorted(missing))}")
        writes = [step.write for step in self.steps if step.write]
        if writes and not any(step.identify == f"write.{writes[0]}" for step in self.steps):
            raise ValueError(f"a write needs the step 'identify: write.{writes[0]}' before it")
        if "cut_off" in self.options and not re.fullmatch(r"\d\d:\d\d", self.options["cut_off"]):
            raise ValueError('cut_off is an hour, write "16:00"')
        _ = self.patterns
        return self

    @cached_property
    def patterns(self) -> Mapping[str, re.Pattern[str]]:
        """The triggers, compiled."""
        try:
            return {key: re.compile("|".join(rules)) for key, rules in self.triggers.items()}
        except re.error as error:
            raise ValueError(f"the trigger {error.pattern!r} is no pattern: {error}") from None

    def starts(self, text: str, language: str) -> bool:
        """Does a trigger of the language find itself in ``text``?"""
        pattern = self.patterns.get(language)
        return pattern is not None and bool(pattern.search(heard_words(text)))

    def step(self, slot: str) -> FlowStep | None:
        """Return the step that asks for a slot."""
        return next((step for step in self.steps if step.ask == slot), None)


def load_flows(pack: Path | None = None) -> dict[str, Flow]:
    """Return the bundled flows with a shop pack's own on top, by id, in the order of their files.

    Raises:
        FlowError: a file is no YAML, or does not declare a flow.
    """
    bundled = resources.files("voice_server.dialogue") / "data" / "flows"
    flows: dict[str, Flow] = {}
    with resources.as_file(bundled) as folder:
        for path in sorted(folder.glob("[0-9]*.yaml")):
            flow = read_flow(path)
            flows[flow.id] = flow
    for path in sorted((pack / "flows").glob("*.yaml")) if pack else ():
        flow = read_flow(path)
        flows[flow.id] = flow
    return flows


def read_flow(path: Path) -> Flow:
    """Read one file. Raises FlowError."""
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Flow.model_validate(raw)
    except yaml.YAMLError as error:
        raise FlowError(f"{path.name} is no YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FlowError(f"{path.name}: {place}: {first['msg']}") from None
