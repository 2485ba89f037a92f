"""The desk as a whole: what the caller is told, who speaks, what people see."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.desk.cases import BRUSSELS, case
from tests.desk.house import House, RelayingDesk, desk_house
from tests.virtual_time import run
from voice_server.desk import live
from voice_server.desk.console_store import CaseState
from voice_server.desk.packet import DeskEvent, Line
from voice_server.desk.service import HandOffResult, NotLive

NIGHT = datetime(2026, 11, 25, 20, 0, tzinfo=ZoneInfo("Europe/Brussels"))


def play(work: Coroutine[Any, Any, None]) -> None:
    run(work)


async def handed(house: House, **changes: Any) -> HandOffResult:
    return await house.service.hand_off(case(**changes))


def test_the_caller_gets_a_reference_and_a_person_comes() -> None:
    async def scene() -> None:
        async with desk_house() as house:
            result = await handed(house)
            assert result.ticket is not None
            assert result.ticket.reference == "1001"
            assert result.open_now
            assert result.callback_at is None
            assert result.words("nl", BRUSSELS) == (
                "Uw vraag is doorgegeven aan ons team, uw referentie is 1001. "
                "Een medewerker neemt het zo over."
            )
            assert (await handed(house)).ticket == result.ticket
            assert len(await house.console.cases()) == 1
            await handed(house, reason="complaint")
            assert len(await house.console.cases()) == 2

    play(scene())


def test_out_of_hours_a_call_back_is_promised_once_and_each_slot_to_one() -> None:
    async def scene() -> None:
        async with desk_house(start=NIGHT) as house:
            first = await handed(house)
            again = await handed(house)
            other = await handed(house, session_id="sess_2")
            assert not first.open_now
            assert first.callback_at == datetime(2026, 11, 26, 9, 0, tzinfo=NIGHT.tzinfo)
            assert again.callback_at == first.callback_at
            assert other.callback_at == first.callback_at + timedelta(minutes=30)
            assert "We bellen u terug op donderdag 26 november om 9 uur." in first.words(
                "nl", BRUSSELS
            )
            packet = (await house.console.cases())[0].packet
            assert packet.callback_at == first.callback_at
            nobody = await handed(house, session_id="sess_3", phone="")
            assert nobody.callback_at is None
            assert nobody.words("en", BRUSSELS) == (
                "I have passed this on to our team, your reference is 1003."
            )

    play(scene())


def test_a_call_back_that_is_asked_for_is_promised_in_hours_too() -> None:
    async def scene() -> None:
        async with desk_house() as house:
            result = await handed(house, reason="callback")
            assert result.callback_at == datetime(2026, 11, 25, 11, 30, tzinfo=NIGHT.tzinfo)

    play(scene())


def test_a_slow_desk_is_told_truthfully_and_gets_the_case_later() -> None:
    async def scene() -> None:
        desk = RelayingDesk(delay_s=4.0)
        async with desk_house(desk) as house:
            loop = asyncio.get_running_loop()
            began = loop.time()
            result = await handed(house)
            assert loop.time() - began == pytest.approx(3.0, abs=0.05)
            assert result.ticket is None
            assert result.kept
            assert "nog niet bevestigd" in result.words("nl", BRUSSELS)
            await asyncio.sleep(2)
            assert len(desk.taken) == 1
            assert house.service.session_of("R-0") == "sess_1"
            assert house.service.session_of("R-9") is None
            assert (await handed(house)).ticket is not None

    play(scene())


def test_a_slow_summary_takes_nothing_from_the_deadline() -> None:
    async def slow(packet: Any, language: str) -> str:
        await asyncio.sleep(60)
        return ""

    async def scene() -> None:
        async with desk_house(RelayingDesk(delay_s=9.0), summarise=slow) as house:
            loop = asyncio.get_running_loop()
            began = loop.time()
            await handed(house)
            assert loop.time() - began == pytest.approx(3.0, abs=0.05)

    play(scene())


def test_what_could_not_be_kept_is_not_promised() -> None:
    async def scene() -> None:
        async with desk_house(start=NIGHT) as house:

            def full(*values: object) -> bool:
                raise sqlite3.OperationalError("disk full")

            house.store.put = full  # type: ignore[method-assign, assignment]
            result = await handed(house)
            assert not result.kept
            assert result.callback_at is None
            assert house.store.promises(0) == {}, "the slot is free again"
            house.store.break_promise = full  # type: ignore[method-assign, assignment]
            assert not (await handed(house)).kept
            house.store.promises = full  # type: ignore[method-assign, assignment]
            assert not (await handed(house)).kept
            assert "+32 2" in result.words("fr", BRUSSELS, phone="+32 2 555 01 23")
            assert "réessayer" in result.words("fr", BRUSSELS)

    play(scene())


def test_unconfirmed_promises_are_worded_with_care() -> None:
    result = HandOffResult("ho_1", None, True, False, NIGHT + timedelta(hours=13))
    assert "Wir haben vor, Sie am" in result.words("de", BRUSSELS)


def test_a_person_and_a_customer_talk_each_in_their_language() -> None:
    async def scene() -> None:
        async with desk_house() as house:
            call = house.call()
            await handed(house)
            case_id = (await house.console.cases())[0].packet.id
            assert await house.service.claim(case_id, "Léa")
            assert call.muted
            await asyncio.sleep(1)
            assert call.said[0][1].startswith("U bent nu in contact met Léa van Marolle.")
            await house.service.reply(case_id, "m1", "Bonjour BE-10023 coûte 49,90 € Léa")
            await asyncio.sleep(1)
            assert call.said[1] == ("nl", "Goedendag BE-10023 coûte 49,90 € Léa")
            assert call.call is not None
            call.call.happened(live.CustomerSaid("i1", "Hallo BE-10023 ?", "nl"))
            await asyncio.sleep(1)
            assert await house.lines(case_id) == [
                (
                    "human",
                    "Bonjour BE-10023 coûte 49,90 € Léa",
                    "Goedendag BE-10023 coûte 49,90 € Léa",
                ),
                ("user", "Hallo BE-10023 ?", "Allô BE-10023 ?"),
            ]
            assert call.call.lines["m1"].status == "heard"
            assert not await house.service.hand_back(case_id, "Tom")
            assert await house.service.hand_back(case_id, "Léa")
            assert call.muted, "until the customer knows that an AI speaks"
            await asyncio.sleep(1)
            assert "artificiële intelligentie" in call.said[-1][1]
            assert not call.muted
            with pytest.raises(NotLive):
                await house.service.reply(case_id, "m2", "Bonjour")
            again = await handed(house)
            assert again.ticket is not None
            assert again.ticket.reference == "1002", "asked again after the hand-back: a new case"

    play(scene())


def test_without_a_translator_everybody_hears_the_original_and_knows_it() -> None:
    async def scene() -> None:
        async with desk_house(translate=None) as house:
            call = house.call()
            await handed(house)
            case_id = (await house.console.cases())[0].packet.id
            await house.service.claim(case_id, "")
            await asyncio.sleep(1)
            assert "iemand van het team van Marolle" in call.said[0][1]
            await house.service.reply(case_id, "m1", "Bonjour")
            await asyncio.sleep(2)
            assert call.said[1:] == [
                ("nl", "Het volgende bericht kon niet worden vertaald."),
                ("fr", "Bonjour"),
            ]
            assert call.call is not None
            assert not call.call.lines["m1"].translated

    play(scene())


def test_the_customers_earlier_words_are_translated_for_staff_behind_their_back() -> None:
    async def scene() -> None:
        transcript = (
            Line("user", "Hallo", "nl"),
            Line("assistant", "Goedendag", "nl", "Bonjour (relu)"),
            Line("user", "Bonjour", "fr"),
        )
        async with desk_house() as house:
            await handed(house, transcript=transcript)
            await asyncio.sleep(1)
            packet = (await house.console.cases())[0].packet
            assert [line.translation for line in packet.transcript] == [
                "Allô", "Bonjour (relu)", "",
            ]  # fmt: skip
        desk = RelayingDesk()
        async with desk_house(desk) as house:
            await handed(house, transcript=transcript)
            await asyncio.sleep(1)
            assert desk.notes == ["Allô\nBonjour (relu)\nBonjour"]
        desk = RelayingDesk(broken=True)
        async with desk_house(desk) as house:
            assert (await handed(house, transcript=transcript)).ticket is not None
            await asyncio.sleep(1)
        async with desk_house(desk, translate=None) as house:
            await handed(house, transcript=transcript)
            await asyncio.sleep(1)
            assert desk.notes == []

    play(scene())


def test_old_words_and_a_model_that_fails_are_not_insisted_on() -> None:
    asked: list[str] = []

    async def failing(text: str, source: str, target: str) -> str:
        asked.append(text)
        return text if text == "woord" else ""

    async def scene() -> None:
        async with desk_house(translate=failing) as house:
            said = [*["oud"] * 30, "woord", *["nieuw"] * 39]
            await handed(house, transcript=tuple(Line("user", one, "nl") for one in said))
            await asyncio.sleep(1)
            packet = (await house.console.cases())[0].packet
            assert [line.translation for line in packet.transcript if line.translation] == ["woord"]
            assert asked == ["woord", *["nieuw"] * 6], "three failures, each tried twice"

    play(scene())


def test_a_silent_person_is_replaced_and_the_case_waits_again() -> None:
    async def scene() -> None:
        async with desk_house() as house:
            call = house.call()
            await handed(house)
            case_id = (await house.console.cases())[0].packet.id
            await house.service.claim(case_id, "Léa")
            await asyncio.sleep(live.REASSURE_S + 2)
            assert "geduld" in call.said[-1][1]
            await asyncio.sleep(live.ABANDON_S)
            assert "niet meer beschikbaar" in call.said[-1][1]
            assert not call.muted
            waiting = await house.console.case(case_id)
            assert waiting is not None
            assert waiting.state is CaseState.WAITING

    play(scene())


def test_a_case_can_be_put_back_and_taken_by_another() -> None:
    async def scene() -> None:
        async with desk_house() as house:
            call = house.call()
            await handed(house)
            case_id = (await house.console.cases())[0].packet.id
            await house.service.claim(case_id, "Léa")
            await asyncio.sleep(1)
            assert not await house.service.put_back(case_id, "Tom")
            assert await house.service.put_back(case_id, "Léa")
            await asyncio.sleep(1)
            assert not call.muted
            assert await house.service.claim(case_id, "Tom")
            assert call.muted
            assert not await house.service.claim(case_id, "Léa")

    play(scene())


def test_a_case_whose_customer_has_gone() -> None:
    async def scene() -> None:
        async with desk_house() as house:
            house.call()
            await handed(house)
            case_id = (await house.console.cases())[0].packet.id
            with house.console.watch() as changes:
                house.service.detach("sess_1")
                house.service.detach("sess_1")
                assert await anext(aiter(changes)) == case_id
            assert await house.service.claim(case_id, "Léa")
            with pytest.raises(NotLive):
                await house.service.reply(case_id, "m1", "Bonjour")
            with pytest.raises(NotLive):
                await house.service.reply("nobody", "m1", "Bonjour")
            assert await house.service.hand_back(case_id, "Léa")
            found = await house.console.case(case_id)
            assert found is not None
            assert house.service.live_call(found) is None
            assert house.service.live_call(found.packet) is None

    play(scene())


def test_words_wait_for_the_customer_and_a_lost_end_blocks_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene() -> None:
        async with desk_house() as house:
            call = house.call()
            call.busy = 3
            await handed(house)
            case_id = (await house.console.cases())[0].packet.id
            await house.service.claim(case_id, "Léa")
            await asyncio.sleep(5)
            assert len(call.said) == 1
            await asyncio.sleep(80)
            assert "never heard of" not in caplog.text
            call.deaf = True
            await house.service.reply(case_id, "m1", "Bonjour")
            await house.service.reply(case_id, "m2", "Voilà")
            await asyncio.sleep(30)
            assert len(call.said) == 3, "the reassurance, and the first message"
            await asyncio.sleep(40)
            assert call.said[-1] == ("nl", "Ziehier")
            assert "never heard of" in caplog.text

    play(scene())


# ------------------------------------------------------------ vendors' people


def test_control_passes_to_a_vendors_people_and_comes_back() -> None:
    async def scene() -> None:
        desk = RelayingDesk()
        async with desk_house(desk) as house:
            call = house.call()
            result = await handed(house)
            assert result.ticket is not None
            assert call.muted, "after passControl the assistant is silent"
            assert call.said[0][1].startswith("Ik geef u door aan ons team")
            assert call.call is not None
            call.call.happened(live.CustomerSaid("i1", "Hallo", "nl"))
            await asyncio.sleep(1)
            assert desk.relayed == [("R-0", "Hallo", "Allô")]
            said = DeskEvent("w1", "said", "R-0", "Bonjour", "Léa")
            house.service.event("sess_1", said)
            house.service.event("sess_1", said)
            await asyncio.sleep(3)
            introduction, words = [text for _, text in call.said[1:]]
            assert introduction.startswith("U bent nu in contact met Léa van Marolle.")
            assert words == "Goedendag"
            assert call.muted
            house.service.event("sess_1", DeskEvent("w2", "returned", "R-0"))
            await asyncio.sleep(1)
            assert "artificiële intelligentie" in call.said[-1][1]
            assert not call.muted
            house.service.event("sess_1", DeskEvent("w2", "returned", "R-0"))
            await asyncio.sleep(1)
            assert not call.muted
            house.service.event("sess_1", DeskEvent("w3", "said", "R-0", "Voilà", "Léa"))
            await asyncio.sleep(4)
            assert call.said[-1] == ("nl", "Ziehier"), "people may come back late"
            house.service.event("sess_9", said)
            house.service.detach("sess_1")
            house.service.event("sess_1", said)

    play(scene())


def test_at_night_the_assistant_goes_on_after_a_hand_off_to_a_vendor() -> None:
    async def scene() -> None:
        desk = RelayingDesk(broken=True)
        async with desk_house(desk, start=NIGHT) as house:
            call = house.call()
            await handed(house)
            assert not call.muted
            assert call.call is not None
            call.call.happened(live.CustomerSaid("i1", "Hallo", "nl"))
            await asyncio.sleep(1)
            for work in (
                house.service.claim("x", "Léa"),
                house.service.hand_back("x", "Léa"),
                house.service.put_back("x", "Léa"),
            ):
                with pytest.raises(NotLive):
                    await work

    play(scene())
