"""What of a flow is personal: what it asks for, what it was given, and what of it is kept on disk.

Pure.  A flow that is gone on with after a restart asks for such things again: its state on disk has
none of them, unless a write that was sent still has to be looked after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from voice_server.dialogue.flows.declared import Flow
from voice_server.dialogue.flows.state import FlowState
from voice_server.dialogue.guards.masking import Given, Masker
from voice_server.dialogue.guards.redaction import Asked
from voice_server.dialogue.write_gate import GateState, WriteGate

_ASKED: Mapping[str, Asked] = {
    "street": "address",
    "city": "address",
    "postcode": "postcode",
    "phone": "phone",
}
"""Types of slots that are personal, and what a question for them asks for."""

SHORTEST = 3
"""Characters of a value that is looked for in texts: shorter ones are everywhere."""


def given_of(flows: Mapping[str, Flow], before: FlowState, after: FlowState) -> Given:
    """Return what is known of the words of a turn that led from one state to the other."""
    values: dict[str, None] = {}
    for state in (before, after):
        values |= dict.fromkeys(state.slot(name) for name in _private(flows, state))
        if state.gate.write is not None:
            values |= dict.fromkeys(_written(flows, state.gate))
    return Given(_asked(flows, before), tuple(value for value in values if len(value) >= SHORTEST))


def at_rest(
    flows: Mapping[str, Flow], state: FlowState, masker: Masker, values: tuple[str, ...] = ()
) -> FlowState:
    """Return the state as it may be kept; ``values`` are personal ones, said in the session.

    Whoever comes back goes on with the same flow, from where it asks who they are: proofs and
    personal slots are not kept, a read-back that waited for its yes is void.  A write that was sent
    is kept as it was sent: only so can be told whether it was done.
    """
    language, given = state.language or "en", Given(values=values)
    kept = replace(
        state,
        opening=masker.user(state.opening, language, given),
        said=tuple(masker.assistant(text, language, given) for text in state.said),
        untold=masker.assistant(state.untold, language, given),
    )
    if state.gate.open:
        return kept
    private = _private(flows, state)
    slots = [(name, masker.user(value, language)) for name, value in state.slots]
    kept = replace(
        kept,
        slots=tuple(slot for slot in slots if slot[0] not in private),
        gate=_gate_at_rest(state.gate),
    )
    flow = flows.get(state.flow)
    identifies = [at for at, step in enumerate(flow.steps) if step.identify] if flow else []
    if identifies and state.order:
        return replace(kept, place=identifies[0], expects="number", order="", tries=0, said=())
    if len(kept.slots) < len(slots) and flow is not None:
        lost = [at for at, step in enumerate(flow.steps) if step.ask in private]
        return replace(kept, place=lost[0], expects="slot", tries=0, said=())
    return kept


def _gate_at_rest(gate: WriteGate) -> WriteGate:
    if gate.write is None:
        return gate
    state = gate.state if gate.state is GateState.SETTLED else GateState.VOIDED
    return replace(gate, state=state, write=None, read_back="", before="")


def _asked(flows: Mapping[str, Flow], state: FlowState) -> Asked:
    if state.expects in ("number", "postcode", "code"):
        return state.expects
    flow = flows.get(state.flow)
    if state.expects != "slot" or flow is None or state.place >= len(flow.steps):
        return ""
    return _ASKED.get(flow.steps[state.place].type, "")


def _private(flows: Mapping[str, Flow], state: FlowState) -> tuple[str, ...]:
    """Return the names of the personal slots of the flow under way."""
    flow = flows.get(state.flow)
    steps = flow.steps if flow is not None else ()
    return tuple(step.ask for step in steps if step.ask and step.type in _ASKED)


def _written(flows: Mapping[str, Flow], gate: WriteGate) -> tuple[str, ...]:
    """Return the personal values of the gate's write."""
    write = gate.proposed()
    private = {
        value
        for flow in flows.values()
        for step in flow.steps
        if step.write == write.action
        for value, slot in step.values.items()
        if (asks := flow.step(slot)) is not None and asks.type in _ASKED
    }
    return tuple(value for name, value in write.values if name in private)
