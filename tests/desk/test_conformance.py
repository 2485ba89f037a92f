"""What every desk must do, whoever its vendor is."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web

from tests.desk.cases import packet
from tests.desk.desks import ALL, VENDORS, Pair, make, pair
from tests.fakes.desks.cloud import Fault
from voice_server.desk.packet import DeskError, DeskRefused, HandOffPacket, Ticket

every_desk = pytest.mark.parametrize("name", ALL)
every_vendor = pytest.mark.parametrize("name", VENDORS)


async def deliver_until_done(both: Pair, sent: HandOffPacket) -> Ticket:
    """As the outbox does it: every try after the first says "again"."""
    for attempt in range(12):
        try:
            return await both.desk.deliver(sent, again=attempt > 0)
        except DeskError:
            continue
    raise AssertionError("the desk never took it")


@every_desk
async def test_one_packet_is_one_ticket_with_everything_in_it(name: str) -> None:
    async with pair(name) as both:
        ticket = await both.desk.deliver(packet())
        assert both.cloud.tickets() == ["ho_1"]
        notes = "\n".join(both.cloud.notes(ticket.reference))
        assert "Appel téléphonique" in notes
        if name != "console":  # the console keeps the packet itself
            for fact in ("BE-10023", "remboursement", "étiquette envoyée", "ho_1", "Je veux un"):
                assert fact in notes
        assert both.desk.name == name


@every_desk
async def test_the_same_packet_again_is_the_same_ticket(name: str) -> None:
    async with pair(name) as both:
        first = await both.desk.deliver(packet())
        notes = both.cloud.notes(first.reference)
        for _ in range(3):
            assert await both.desk.deliver(packet(), again=True) == first
        assert both.cloud.tickets() == ["ho_1"]
        assert both.cloud.notes(first.reference) == notes


@every_desk
async def test_two_packets_are_two_tickets(name: str) -> None:
    async with pair(name) as both:
        first = await both.desk.deliver(packet(1))
        second = await both.desk.deliver(packet(2), again=True)
        assert first.reference != second.reference
        assert both.cloud.tickets() == ["ho_1", "ho_2"]


@every_desk
async def test_a_note_is_added(name: str) -> None:
    async with pair(name) as both:
        ticket = await both.desk.deliver(packet())
        before = len(both.cloud.notes(ticket.reference))
        await both.desk.note(ticket.reference, "Le client a raccroché.")
        notes = both.cloud.notes(ticket.reference)
        assert len(notes) == before + 1
        assert notes[-1] == "Le client a raccroché."


@every_desk
async def test_a_customer_of_whom_nothing_is_known(name: str) -> None:
    async with pair(name) as both:
        unknown = packet(customer_name="", email="", phone="", slots=(), intent="", transcript=())
        await both.desk.deliver(unknown)
        await both.desk.deliver(unknown, again=True)
        assert both.cloud.tickets() == ["ho_1"]


@every_vendor
@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE])
async def test_any_fault_of_any_request_leaves_one_ticket(name: str, fault: Fault) -> None:
    async with pair(name) as both:
        await both.desk.deliver(packet(99))
        requests = len(both.cloud.seen)
    for place in range(requests):
        async with pair(name) as both:
            both.cloud.faults = [Fault.NONE] * place + [fault]
            ticket = await deliver_until_done(both, packet())
            assert both.cloud.tickets() == ["ho_1"], f"request {place}"
            notes = both.cloud.notes(ticket.reference)
            assert len([note for note in notes if "BE-10023" in note]) == 1, f"request {place}"


@every_vendor
async def test_being_busy_is_told_with_the_pause_that_is_wanted(name: str) -> None:
    async with pair(name) as both:
        both.cloud.faults = [Fault.BUSY]
        with pytest.raises(DeskError) as caught:
            await both.desk.deliver(packet())
        assert not isinstance(caught.value, DeskRefused)
        assert caught.value.retry_after_s == 2
        assert both.cloud.tickets() == []


@every_vendor
@pytest.mark.parametrize("status", [400, 401, 403, 422])
async def test_a_refusal_is_final_and_names_nobody(name: str, status: int) -> None:
    async with pair(name) as both:
        both.cloud.refuse = status
        with pytest.raises(DeskRefused) as caught:
            await both.desk.deliver(packet())
        words = str(caught.value)
        assert str(status) in words
        assert "ann" not in words.lower()
        assert "token" not in words


@every_vendor
async def test_an_unreachable_vendor_is_an_error_that_can_be_tried_again(name: str) -> None:
    desk = make(name, "http://127.0.0.1:9")
    with pytest.raises(DeskError) as caught:
        await desk.deliver(packet())
    assert not isinstance(caught.value, DeskRefused)
    await desk.close()
    await desk.close()


@every_vendor
async def test_an_answer_of_another_shape_is_an_error(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with pair(name) as both:
        both.cloud.perform = lambda seen: _strange()  # type: ignore[method-assign]
        with caplog.at_level(logging.DEBUG), pytest.raises(DeskError):
            await both.desk.deliver(packet())
        ours = [one for one in caplog.records if one.name.startswith("voice_server")]
        assert not any("ann" in one.getMessage().lower() for one in ours)


def _strange() -> web.Response:
    return web.json_response([{"id": None}])
