"""Flows under the real conversation, in virtual time: commits, pacing and barge-ins are its own."""

from __future__ import annotations

import asyncio
import gc

import pytest

from tests.conversation.stage import Stage
from tests.dialogue.test_flow_turns import House
from tests.fakes.engines import FakeStt
from tests.virtual_time import run
from voice_server.conversation import notices as n

WHOLE_MS = 14_000
"""Silence in which a read-back is spoken to its end (WORD_MS a word)."""


async def speak(stage: Stage, words: str, then_ms: float, ms: float = 1000) -> None:
    stage.stt.lines = [words]
    stage.stt.partial = words
    await stage.say(ms, then_ms)


def replies(stage: Stage) -> list[str]:
    return [done.text for done in stage.all(n.ReplyDone)]


def test_an_order_is_cancelled_by_voice() -> None:
    async def scene() -> tuple[Stage, House]:
        house = House()
        stage = Stage(dialogue=house.dialogue, stt=FakeStt(""))
        async with stage.open():
            await speak(stage, "cancel order 10497, postcode 9000", WHOLE_MS)
            assert not house.store.done
            await speak(stage, "yes please", WHOLE_MS)
        return stage, house

    stage, house = run(scene())
    assert house.store.writes == ("cancel_order BE-10497",)
    asked, told = replies(stage)
    assert asked.endswith("Do you confirm that, yes or no?")
    assert "is cancelled" in told


def test_a_yes_over_the_read_back_is_no_yes() -> None:
    async def scene() -> tuple[Stage, House]:
        house = House()
        stage = Stage(dialogue=house.dialogue, stt=FakeStt(""))
        async with stage.open():
            await speak(stage, "cancel order 10497, postcode 9000", 1500)
            await speak(stage, "yes I confirm all of that", WHOLE_MS)
            assert not house.store.done
            await speak(stage, "yes", WHOLE_MS)
        return stage, house

    stage, house = run(scene())
    cut = stage.all(n.ReplyDone)[0]
    assert cut.status == "cancelled"
    assert not cut.text.endswith("yes or no?")
    assert "say that again in full" in replies(stage)[1]
    assert house.store.writes == ("cancel_order BE-10497",)


@pytest.mark.parametrize("words", ["mhm", "yes", "ja ja"])
def test_a_backchannel_during_the_read_back_confirms_nothing(words: str) -> None:
    async def scene() -> tuple[Stage, House]:
        house = House()
        stage = Stage(dialogue=house.dialogue, stt=FakeStt(""))
        async with stage.open():
            await speak(stage, "cancel order 10497, postcode 9000", 1500)
            await speak(stage, words, WHOLE_MS, ms=320)
        return stage, house

    stage, house = run(scene())
    assert not house.store.done
    assert replies(stage)[-1].endswith("Do you confirm that, yes or no?")


def test_are_you_still_there_is_no_read_back() -> None:
    async def scene() -> tuple[Stage, House]:
        house = House()
        stage = Stage(dialogue=house.dialogue, stt=FakeStt(""))
        async with stage.open(idle_timeout_ms=5000):
            await speak(stage, "cancel order 10497, postcode 9000", 18_000)
            await speak(stage, "yes", 4000)
        return stage, house

    stage, house = run(scene())
    assert len(stage.all(n.ReplyStarted)) >= 3, "the caller was asked whether they are there"
    assert not house.store.done


def test_a_slow_platform_is_neither_silence_nor_an_apology() -> None:
    async def scene() -> tuple[Stage, House]:
        house = House()
        house.dialogue = house.build(write_s=8.0)
        stage = Stage(dialogue=house.dialogue, stt=FakeStt(""))
        async with stage.open():
            await speak(stage, "cancel order 10497, postcode 9000", WHOLE_MS)
            house.store.held = asyncio.Event()
            asyncio.get_running_loop().call_later(8.0, house.store.held.set)
            await speak(stage, "yes", 20_000)
        return stage, house

    stage, house = run(scene())
    assert house.store.writes == ("cancel_order BE-10497",)
    told = replies(stage)[-1]
    assert "is cancelled" in told
    assert stage.all(n.ReplyDone)[-1].status == "completed"
    assert not stage.all(n.Trouble)


def test_hanging_up_on_the_write_does_not_stop_it() -> None:
    async def scene() -> House:
        house = House()
        house.dialogue = house.build(write_s=8.0)
        stage = Stage(dialogue=house.dialogue, stt=FakeStt(""))
        async with stage.open():
            await speak(stage, "cancel order 10497, postcode 9000", WHOLE_MS)
            house.store.held = asyncio.Event()
            await speak(stage, "yes", 1000)
        del stage
        gc.collect()
        house.store.held.set()
        await house.dialogue.close()
        return house

    assert run(scene()).store.writes == ("cancel_order BE-10497",)
