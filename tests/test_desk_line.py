"""A real conversation with fake engines, taken over by a person at the real console."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

import numpy as np

from tests.desk.house import House, RelayingDesk, desk_house
from tests.fakes.engines import (
    FakeDialogue,
    FakeEndOfTurn,
    FakeStt,
    FakeTts,
    FakeVad,
    InlineWorkers,
    silence,
    voice,
)
from tests.virtual_time import run
from voice_server.conversation import notices as n
from voice_server.conversation import orders as o
from voice_server.conversation.mutable import MutableConversation
from voice_server.conversation.services import ConversationOptions, Services
from voice_server.conversation.session import Conversation
from voice_server.conversation.transcript import Item
from voice_server.conversation.vad_batch import VadBatcher
from voice_server.desk.packet import Priority
from voice_server.desk_line import DeskHandOffs, Emit, open_with_desk
from voice_server.dialogue.dialogue import Message, ToolCall
from voice_server.dialogue.flows.ports import HandOffWish

N = TypeVar("N")


@dataclass
class Call:
    """A user on the line."""

    house: House
    stt: FakeStt
    hand_offs: DeskHandOffs
    notices: list[n.Notice] = field(default_factory=list)
    conversation: MutableConversation = field(init=False)

    def of(self, kind: type[N]) -> list[N]:
        return [one for one in self.notices if isinstance(one, kind)]

    async def say(self, ms: float, then_ms: float, words: str) -> None:
        self.stt.lines = [words]
        audio = np.concatenate([voice(ms), silence(then_ms)])
        for start in range(0, audio.size, 480):
            self.conversation.order(o.Hear(audio[start : start + 480]))
            await asyncio.sleep(0.02)

    def texts(self) -> list[str]:
        """Everything that was said to the user."""
        return [one.clause.text for one in self.of(n.ClauseText)]


WISH = HandOffWish(
    session_id="sess_1",
    reason="asked",
    intent="return_item",
    language="nl",
    identity_level=1,
    order="BE-10023",
    slots=(("reden", "kapot"),),
    done=("cancel_order BE-10497", "strange"),
    history=(
        Message("system", "be kind"),
        Message("user", "Ik wil een mens", "nl"),
        ToolCall("c", "f", "{}"),
        Message("assistant", "Een ogenblik"),
    ),
)


@asynccontextmanager
async def on_the_line(house: House) -> AsyncIterator[Call]:
    workers = InlineWorkers()
    batcher = VadBatcher(FakeVad(), workers)  # type: ignore[arg-type]
    stt = FakeStt("hello there")
    dialogue = FakeDialogue()
    services = Services(batcher, FakeEndOfTurn(), stt, FakeTts(), dialogue)

    def make(emit: Emit) -> Conversation:
        made = Conversation(services=services, options=ConversationOptions("sess_1"), emit=emit)
        dialogue.sessions[0].language = "nl"
        return made

    call = Call(house, stt, DeskHandOffs(house.service, order_value=lambda _: Decimal(900)))
    call.conversation = open_with_desk(
        house.service, "sess_1", call.notices.append, make, channel="phone", phone="+3247"
    )
    async with asyncio.TaskGroup() as group:
        vad = group.create_task(batcher.run())
        running = group.create_task(call.conversation.run())
        call.conversation.order(o.Configure(o.TurnOptions(), o.ReplyOptions()))
        await asyncio.sleep(0)
        try:
            yield call
        finally:
            call.conversation.close()
            await running
            vad.cancel()


def test_what_the_desk_is_told() -> None:
    async def scene() -> None:
        async with desk_house() as house, on_the_line(house) as call:
            outcome = await call.hand_offs.hand_off(WISH)
            assert outcome.accepted
            assert outcome.reference == "1001"
            packet = (await house.console.cases())[0].packet
            assert (packet.channel, packet.phone) == ("phone", "+3247")
            assert packet.slots == (("commande", "BE-10023"), ("reden", "kapot"))
            assert packet.done == ("annulation de commande BE-10497", "strange")
            assert packet.priority is Priority.HIGH
            assert [(line.role, line.text, line.language) for line in packet.transcript] == [
                ("user", "Ik wil een mens", "nl"), ("assistant", "Een ogenblik", "nl"),
            ]  # fmt: skip
            again = await call.hand_offs.hand_off(WISH)
            assert again == outcome

    run(scene())


def test_a_desk_that_does_not_answer_is_not_accepted() -> None:
    async def scene() -> None:
        async with desk_house(RelayingDesk(delay_s=4)) as house:
            hand_offs = DeskHandOffs(house.service)
            assert not (await hand_offs.hand_off(WISH)).accepted
            assert hand_offs.case(WISH).channel == "chat"
            assert hand_offs.case(WISH).order_value is None

    run(scene())


def test_a_call_is_taken_over_and_handed_back() -> None:
    async def scene() -> None:
        async with desk_house() as house, on_the_line(house) as call:
            await call.say(1000, 3000, "Hallo")
            assert len(call.of(n.ReplyStarted)) == 1, "the assistant answers"
            await call.hand_offs.hand_off(WISH)
            case_id = (await house.console.cases())[0].packet.id
            await call.say(1000, 3000, "Waar is BE-10023")
            before = len(call.of(n.ReplyStarted))
            assert before == 2, "until a person comes the assistant goes on"

            assert await house.service.claim(case_id, "Léa")
            await call.say(100, 5000, "")
            assert "Léa" in call.texts()[-1]
            await house.service.reply(case_id, "m1", "Voilà 49,90 €")
            await call.say(0, 4000, "")
            assert call.texts()[-1] == "Ziehier 49,90 €"
            spoken = len(call.of(n.ReplyStarted))
            await call.say(1000, 4000, "Hallo Hallo")
            assert len(call.of(n.ReplyStarted)) == spoken, "the assistant is mute"

            call.conversation.history.insert(Item("typed_1", text="Waar", language="nl"))
            call.conversation.order(o.Respond("resp_typed"))
            assert call.of(n.ReplyDone)[-1].reply_id == "resp_typed"
            await asyncio.sleep(1)
            seen = await house.lines(case_id)
            assert ("user", "Waar is BE-10023", "Où is BE-10023") in seen
            assert ("human", "Voilà 49,90 €", "Ziehier 49,90 €") in seen
            assert ("user", "Hallo Hallo", "Allô Allô") in seen
            assert seen[-1] == ("user", "Waar", "Où")
            assert any(role == "assistant" for role, _, _ in seen)

            assert await house.service.hand_back(case_id, "Léa")
            await call.say(0, 5000, "")
            disclosure = call.texts()[-1].casefold()
            assert "intelligen" in disclosure, "an AI says that it is one"
            await call.say(1000, 3000, "Hallo")
            assert call.texts()[-1].startswith(("You said", "Anything")), "and answers again"
        assert house.service.calls.get("sess_1") is None

    run(scene())


def test_words_wait_until_the_customer_has_finished() -> None:
    async def scene() -> None:
        async with desk_house() as house, on_the_line(house) as call:
            await call.hand_offs.hand_off(WISH)
            case_id = (await house.console.cases())[0].packet.id
            await house.service.claim(case_id, "Léa")
            await call.say(100, 5000, "")
            speaking = asyncio.create_task(call.say(3000, 6000, "Hallo"))
            await asyncio.sleep(1)
            await house.service.reply(case_id, "m1", "Voilà")
            await speaking
            live_call = house.service.calls.get("sess_1")
            assert live_call is not None
            assert live_call.lines["m1"].status == "heard"
            assert call.texts()[-1] == "Ziehier"

    run(scene())
