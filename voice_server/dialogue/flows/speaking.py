"""What every part of a flow's turn shares: the state, the write gate, and how things are said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from voice_server.dialogue.consent import FlowWords, flow_words
from voice_server.dialogue.flows.declared import Flow, FlowStep
from voice_server.dialogue.flows.needs import Advance, AskHuman, Need, ReadOrder
from voice_server.dialogue.flows.scene import FlowScene
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.write_gate import Command, Event, Report, Withdraw
from voice_server.shop.platform import PlatformOrder, Write


class FlowSpeech:
    """One turn. Use one object for one turn: it keeps the order that was read for it."""

    def __init__(self, scene: FlowScene, state: FlowState) -> None:
        self.scene = scene
        self.state = state
        self.order: PlatformOrder | None = None
        self._before: tuple[str, ...] = ()
        """Sentences that come before whatever is said next."""
        self._waiting: Callable[[], Advance] | None = None
        """What goes on once the order has been read."""
        self._source = ""
        """What the sentences rest on, where that is not the order."""
        self._looked = False
        """A write of unknown outcome was looked after in this turn."""

    def _gate(self, event: Event) -> tuple[Command, ...]:
        gate, commands = self.state.gate.receive(event, self.scene.clock)
        self.state = replace(self.state, gate=gate)
        return commands

    @property
    def _words(self) -> FlowWords:
        return flow_words(self.scene.language)

    def _flow(self) -> Flow:
        return self.scene.flows[self.state.flow]

    def _due(self) -> FlowStep | None:
        steps = self._flow().steps if self.state.active else ()
        return steps[self.state.place] if self.state.place < len(steps) else None

    def _write(self) -> Write:
        return self.state.gate.proposed()

    def _say(self, key: str, /, **fields: str) -> tuple[str, ...]:
        return self.scene.wording.say(key, self.scene.turn, **fields)

    def _need(self, need: Need, *sentences: str) -> Advance:
        early = (*self._before, *sentences) if sentences else ()
        self._before = () if sentences else self._before
        return Advance(self.state, early, need=need)

    def _advance(self, *sentences: str, handled: bool = True, unsure: bool = False) -> Advance:
        said = (*self._before, *sentences)
        self._before = ()
        if handled:
            self.state = replace(self.state, said=said, language=self.scene.language)
        source = self._source or (f"order:{self.order.number}" if self.order else "")
        return Advance(self.state, said, handled=handled, unsure=unsure, source=source)

    def _with_order(self, then: Callable[[], Advance]) -> Advance:
        """Go on with the order as it is now, where the flow is about one."""
        if self.order is not None or not self.state.order:
            return then()
        self._waiting = then
        return self._need(ReadOrder(self.state.order))

    def _tell(self, sentences: Sequence[str]) -> None:
        self._before += tuple(sentences)

    def _retell(self) -> None:
        """Say first what came of a write, if the caller interrupted it."""
        untold = self.state.untold
        if untold and " ".join(untold.split()) not in " ".join(self.scene.last_said.split()):
            self._before = (*self._before, untold)
        self.state = replace(self.state, untold="")

    def _slot_question(self) -> tuple[str, ...]:
        wording, step = self.scene.wording, self._due()
        assert step is not None  # noqa: S101 - a slot is expected only at its step
        items = self.order.items if self.order else ()
        line = next((i for i in items if i.line_id == self.state.slot("line")), None)
        wishes = wording.variants(line) if line and step.type == "variant" else ""
        key = f"ask_{step.ask}"
        if step.type == "variant":
            key = "ask_variant" if wishes else "ask_variant_open"
        return self._say(
            key if wording.has(key) else "ask_other",
            items=wording.items(self.order) if self.order else "",
            item=wording.item(line) if line else "",
            most=str(line.quantity) if line else "",
            wishes=wishes,
        )

    def _why(self) -> tuple[str, ...]:
        step = self._due() if self.state.expects == "slot" else None
        name = step.ask if step else self.state.expects
        key = f"why_{name}"
        return self._say(key if self.scene.wording.has(key) else "why_other")

    def _call_human(self, reason: str) -> Advance:
        self._gate(Withdraw())
        return self._need(AskHuman(reason, self.state.slots))

    def _offer(self) -> Advance:
        self.state = replace(self.state, expects="offer_human", opening="")
        return self._advance(*self._say("offer_human"))

    def _refuse(self, reason: str) -> Advance:
        """Say why it cannot be done, and offer a human: no decision without a way to contest it."""
        refused = f"{self.state.flow} {self.state.order}: {reason}"
        self.state = replace(self.state, refused=(*self.state.refused, refused))
        self._before += self.scene.wording.refused(reason)
        return self._offer()

    def _reported(self, command: Command) -> tuple[str, ...]:
        """Note what came of a write, and return the sentences that say it."""
        assert isinstance(command, Report)  # noqa: S101 - the gate's table has nothing else here
        wording, write = self.scene.wording, command.write
        line = f"{write.action} {write.order}"
        flow = self.scene.flows.get(self.state.flow)
        if command.outcome == "done":
            said = wording.done(write, self.order, flow, command.reference)
            done = (*self.state.done, f"{line} {command.reference}".strip())
            self.state = replace(self.state.ended(), done=done, untold=" ".join(said))
            return said
        if command.outcome == "refused":
            refused = (*self.state.refused, f"{line}: {command.reason}")
            self.state = replace(self.state, refused=refused)
            return wording.refused(command.reason)
        if command.outcome != "unknown":
            self.state = self.state.ended()
        return self._say(f"write_{command.outcome}")
