"""Key 0 reaches a human: in every state of the flow, on every bridge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.telephony.booth import LINE, Booth
from tests.telephony.calls import VENDORS
from tests.virtual_time import run
from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.telephony import call as c
from voice_server.telephony.bridges import BRIDGES
from voice_server.telephony.flow import CallFlow
from voice_server.telephony.flow_state import LAST_WORDS_S, Stage
from voice_server.telephony.phrases import PHRASES, PhonePhrase

HUMAN_LINE = replace(LINE, queue="+3225550100")


class Moment:
    """A flow somewhere in its life."""

    def __init__(self, vendor: str) -> None:
        self.now = 0.0
        self.count = 0
        self.flow = CallFlow(
            BRIDGES[vendor]().features,
            lambda started: HUMAN_LINE,
            new_id=self._id,
            now=0.0,
        )
        self.started = c.Started("c1", "s1", c.ULAW_8K, "+32470", "+322")

    def _id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}_{self.count}"

    def say_all(self, effects: list[Any]) -> None:
        """Every sentence of ours is heard to its end."""
        while says := [e for e in effects if isinstance(e, o.Say)]:
            effects = self.flow.observe(n.ReplyDone(says[-1].reply_id, "completed"), self.now)

    def stage(self) -> str:
        return self.flow.stage.value

    def zero(self) -> list[Any]:
        return self.flow.receive(c.Dtmf("0"), self.now)


def waiting(m: Moment) -> None:
    """Nobody has called yet."""


def greeting(m: Moment) -> None:
    m.flow.receive(m.started, m.now)


def talking(m: Moment) -> None:
    m.say_all(m.flow.receive(m.started, m.now))


def chosen(m: Moment) -> None:
    talking(m)
    m.flow.receive(c.Dtmf("2"), m.now)


def number_cancelled(m: Moment) -> None:
    """While a number is entered 0 is a digit; the star starts anew."""
    talking(m)
    for digit in ("1", "0", "*"):
        m.flow.receive(c.Dtmf(digit), m.now)


def held(m: Moment) -> None:
    talking(m)
    m.flow.receive(c.Hold(on=True), m.now)


def announced(m: Moment) -> None:
    """The dialogue has promised a human."""
    talking(m)
    m.flow.hand_over_after_reply({"reason": "asked"}, m.now)


def told_of_listeners(m: Moment) -> None:
    talking(m)
    m.flow.listen(m.now)


def goodbye(m: Moment) -> None:
    """We are about to hang up: the caller was silent."""
    talking(m)
    for _ in range(3):
        m.flow.observe(n.IdleTimeout("i", 0, 0), m.now)


def given_back(m: Moment) -> None:
    talking(m)
    m.flow.take_over("Léa", m.now)
    m.flow.give_back(m.now)


def failed_transfer(m: Moment) -> None:
    """Only lines that tell of it have this moment; on others it is plain talk."""
    talking(m)
    if m.flow._features.reports_transfer:
        m.say_all(m.zero())
        assert m.stage() == "transferring"
        m.flow.receive(c.Transferred(reached=False, result="busy"), m.now)
        assert m.stage() == "talking"


WITH_US = [
    greeting, talking, chosen, number_cancelled, held, announced, told_of_listeners, goodbye,
    given_back, failed_transfer,
]  # fmt: skip


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("state", WITH_US, ids=lambda state: state.__name__)
@pytest.mark.parametrize("voice", ["works", "is mute"])
def test_zero_leads_to_the_human(vendor: str, state: Callable[[Moment], None], voice: str) -> None:
    m = Moment(vendor)
    state(m)
    [words] = [e for e in m.zero() if isinstance(e, o.Say)]
    assert words.text in PHRASES[PhonePhrase.CONNECTING].values()
    if voice == "works":
        effects = m.flow.observe(n.ReplyDone(words.reply_id, "completed"), m.now)
    else:
        m.now += LAST_WORDS_S
        effects = m.flow.tick(m.now)
    [transfer] = [e for e in effects if isinstance(e, c.Transfer)]
    assert transfer.target == LINE.human
    assert transfer.details["reason"] == "key"
    assert transfer.details["summary"].startswith("Transferred by the voice assistant.")
    assert m.zero() == [], "pressed again on the way: once is enough"


@pytest.mark.parametrize("vendor", VENDORS)
def test_where_a_human_is_already_zero_disturbs_nothing(vendor: str) -> None:
    m = Moment(vendor)
    waiting(m)
    assert m.zero() == []
    talking(m)
    m.flow.take_over("Léa", m.now)
    assert m.zero() == []
    assert m.flow.stage is Stage.HUMAN
    m.flow.end("over", m.now)
    assert m.zero() == []


def test_every_stage_is_covered() -> None:
    """A new stage must come with its answer to the question where 0 leads."""
    seen = {Stage.WAITING, Stage.OVER, Stage.HUMAN, Stage.TRANSFERRING}
    for state in WITH_US:
        m = Moment("sip")
        state(m)
        seen.add(m.flow.stage)
    assert seen == set(Stage)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("moment", ["greeting", "quiet", "speaking", "answering"])
def test_zero_over_the_wire(vendor: str, moment: str) -> None:
    """The key as the vendor's own wire carries it, to the vendor's own way of leaving."""

    async def work() -> None:
        async with Booth(vendor, line=HUMAN_LINE).open() as booth:
            if moment == "greeting":
                await booth.live(0.6)
            else:
                await booth.greeted()
            if moment in ("speaking", "answering"):
                await booth.say(1.0)
            if moment == "answering":
                await booth.live(1.5)
            booth.give(booth.phone.press("0"))
            await booth.live(5.0)
            assert PHRASES[PhonePhrase.CONNECTING]["en"] in booth.tts.spoken
            if booth.session.flow.stage is Stage.TRANSFERRING:
                return  # SIP: the human is being rung
            assert booth.phone.ended
            [record] = booth.calls.records
            assert record.handed_off == "key"
            assert [one["target"] for one in record.transfers] == ["…99"]
            now = asyncio.get_running_loop().time()
            outcome = booth.calls.outcomes.take(record.vendor_ids["call"], now)
            assert outcome is not None
            assert outcome.target == LINE.human

    run(work())
