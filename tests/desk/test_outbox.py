"""Exactly one ticket: whatever fails, however often, in whatever order."""

from __future__ import annotations

import asyncio
import logging
import random
import sqlite3
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.desk.cases import packet
from tests.desk.desks import VENDORS, inline, pair
from tests.fakes.desks.cloud import Fault
from tests.virtual_time import run
from voice_server.desk.outbox import Outbox, OutboxOptions
from voice_server.desk.outbox_store import OutboxStore, State
from voice_server.desk.packet import Desk, DeskError, DeskRefused, HandOffPacket, Ticket

FAST = OutboxOptions(
    attempt_s=5, lease_s=20, first_pause_s=1, longest_pause_s=8, attempts=30, at_once=2
)


class Crash(BaseException):
    """The process dies here."""


@dataclass
class ScriptedDesk:
    """Fails as told; keeps what a vendor would keep, over crashes of ours."""

    script: list[str] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    """Packet id to the number of tickets it made: must stay 1."""
    tries: list[tuple[str, bool]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    name: str = "scripted"

    async def deliver(self, packet: HandOffPacket, *, again: bool = False) -> Ticket:
        self.tries.append((packet.id, again))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._deliver(packet, again)
        finally:
            self.at_once -= 1

    async def _deliver(self, packet: HandOffPacket, again: bool) -> Ticket:
        fate = self.script.pop(0) if self.script else "ok"
        before = fate in ("fail", "stall", "crash", "refuse", "bug")
        if not before and not (again and packet.id in self.taken):
            self.taken[packet.id] = self.taken.get(packet.id, 0) + 1
        await asyncio.sleep(0.01)
        if fate.startswith("fail"):
            raise DeskError("broken", retry_after_s=3)
        if fate.startswith("stall"):
            await asyncio.sleep(3600)
        if fate.startswith("crash"):
            raise Crash
        if fate == "refuse":
            raise DeskRefused("wrong key")
        if fate == "bug":
            raise ZeroDivisionError
        return Ticket(f"T-{packet.id}")

    async def note(self, reference: str, text: str) -> None: ...

    async def close(self) -> None: ...


class Machine:
    """A process with an outbox that may be killed and started again on the same file."""

    def __init__(self, path: Path | str, desk: Desk, options: OutboxOptions = FAST) -> None:
        self.path, self.desk, self.options = path, desk, options
        self.alarms: list[str] = []
        self.crashes = 0
        self._task: asyncio.Task[None] | None = None
        self.start()

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.store = OutboxStore(self.path)
        self.outbox = Outbox(
            self.store, self.desk, options=self.options, clock=loop.time, chance=lambda: 0.5,
            in_thread=inline, alarm=lambda packet_id, error: self.alarms.append(packet_id),
        )  # fmt: skip
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self.outbox.run()
        except BaseExceptionGroup as group:
            if group.subgroup(Crash) is None:
                raise
            self.crashes += 1

    async def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})
        self.store.close()

    async def restart_if_dead(self) -> None:
        await asyncio.sleep(0)
        assert self._task is not None
        if self._task.done():
            self.store.close()
            self.start()

    async def until_quiet(self, seconds: float = 2000) -> None:
        """Let time pass, starting the process again whenever it died."""
        for _ in range(int(seconds / 5)):
            await asyncio.sleep(5)
            await self.restart_if_dead()
            if not self.store.count(State.WAITING):
                return


def scene(work: Coroutine[Any, Any, Any]) -> Any:
    return run(work)


def test_the_desk_takes_it_at_once(tmp_path: Path) -> None:
    async def play() -> None:
        machine = Machine(tmp_path / "box.db", desk := ScriptedDesk())
        assert await machine.outbox.send(packet(), wait_s=3) == Ticket("T-ho_1")
        assert await machine.outbox.send(packet(), wait_s=3) == Ticket("T-ho_1")
        assert desk.tries == [("ho_1", False)]
        entry = machine.store.get("ho_1")
        assert entry is not None
        assert entry.state is State.DELIVERED
        assert machine.store.by_reference("T-ho_1") == "ho_1"
        assert machine.store.by_reference("T-ho_2") is None
        await machine.stop()

    scene(play())
    kept = sqlite3.connect(tmp_path / "box.db").execute("SELECT packet FROM outbox").fetchall()
    assert kept == [(None,)], "what was delivered is not kept"


def test_the_caller_is_not_kept_waiting_and_the_outbox_goes_on() -> None:
    async def play() -> None:
        machine = Machine(":memory:", desk := ScriptedDesk(["fail", "stall after", "fail"]))
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await machine.outbox.send(packet(), wait_s=3) is None
        assert loop.time() - began == pytest.approx(3)
        await machine.until_quiet()
        assert desk.taken == {"ho_1": 1}
        assert [again for _, again in desk.tries] == [False, True, True, True]
        assert await machine.outbox.send(packet(), wait_s=3) == Ticket("T-ho_1")
        await machine.stop()

    scene(play())


def test_pauses_grow_with_jitter_and_respect_the_vendor() -> None:
    async def play() -> None:
        machine = Machine(":memory:", ScriptedDesk())
        pauses = [machine.outbox.pause_s(attempt) for attempt in (1, 2, 3, 4, 5, 60)]
        assert pauses == [0.75, 1.5, 3.0, 6.0, 6.0, 6.0]
        await machine.stop()

    scene(play())


def test_a_refused_packet_is_dead_with_an_alarm_and_can_be_revived(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def play() -> None:
        machine = Machine(":memory:", desk := ScriptedDesk(["refuse"]))
        with caplog.at_level(logging.CRITICAL):
            assert await machine.outbox.send(packet(), wait_s=3) is None
        assert machine.alarms == ["ho_1"]
        assert "ALARM" in caplog.text
        assert "ann" not in caplog.text.lower()
        assert machine.store.count(State.DEAD) == 1
        assert not await machine.outbox.revive("ho_2")
        assert await machine.outbox.revive("ho_1")
        await machine.until_quiet()
        assert desk.taken == {"ho_1": 1}
        await machine.stop()

    scene(play())


def test_a_vendor_that_never_answers_ends_in_an_alarm() -> None:
    async def play() -> None:
        machine = Machine(":memory:", desk := ScriptedDesk(["fail"] * 100))
        assert await machine.outbox.send(packet(), wait_s=1) is None
        await machine.until_quiet()
        assert len(desk.tries) == FAST.attempts
        assert machine.alarms == ["ho_1"]
        await machine.stop()

    scene(play())


def test_a_bug_in_a_desk_loses_nothing() -> None:
    async def play() -> None:
        machine = Machine(":memory:", desk := ScriptedDesk(["bug"]))
        assert await machine.outbox.send(packet(), wait_s=3) == Ticket("T-ho_1")
        assert desk.taken == {"ho_1": 1}
        await machine.stop()

    scene(play())


def test_what_cannot_be_kept_is_not_promised() -> None:
    async def play() -> None:
        machine = Machine(":memory:", ScriptedDesk())
        await machine.stop()
        with pytest.raises(sqlite3.ProgrammingError):
            await machine.outbox.send(packet(), wait_s=3)

    scene(play())


def test_a_broken_file_does_not_stop_the_outbox(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        machine = Machine(":memory:", ScriptedDesk())
        real = machine.store.delivered

        def broken(packet_id: str, ticket: Ticket) -> None:
            machine.store.delivered = real  # type: ignore[method-assign]
            raise sqlite3.OperationalError("disk full")

        machine.store.delivered = broken  # type: ignore[method-assign]
        assert await machine.outbox.send(packet(), wait_s=3) is None
        assert "could not note" in caplog.text
        await machine.until_quiet()
        assert machine.store.count(State.DELIVERED) == 1
        await machine.stop()

    scene(play())


def test_two_processes_on_one_file_never_try_the_same_packet_at_once(tmp_path: Path) -> None:
    async def play() -> None:
        desk = ScriptedDesk()
        first = Machine(tmp_path / "box.db", desk)
        second = Machine(tmp_path / "box.db", desk)
        await asyncio.gather(
            *(one.outbox.send(packet(n), wait_s=3) for one in (first, second) for n in range(6))
        )
        await first.until_quiet()
        assert desk.taken == {f"ho_{n}": 1 for n in range(6)}
        assert len(desk.tries) == 6
        await first.stop()
        await second.stop()

    scene(play())


def test_tries_at_once_are_bounded_and_old_references_forgotten() -> None:
    async def play() -> None:
        machine = Machine(":memory:", desk := ScriptedDesk())
        await asyncio.gather(*(machine.outbox.send(packet(n), wait_s=30) for n in range(9)))
        assert desk.most_at_once == FAST.at_once
        assert machine.store.count(State.DELIVERED) == 9
        assert machine.store.purge(asyncio.get_running_loop().time() + 1) == 9
        await machine.stop()

    scene(play())


FATES = ["ok", "fail", "fail after", "stall", "stall after", "crash", "crash after", "bug"]


@settings(max_examples=35, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.lists(st.sampled_from(FATES), max_size=12),
    sends=st.lists(
        st.tuples(st.integers(0, 2), st.floats(0, 30), st.booleans()), min_size=1, max_size=6
    ),
)
def test_exactly_one_ticket(
    tmp_path_factory: pytest.TempPathFactory,
    script: list[str],
    sends: list[tuple[int, float, bool]],
) -> None:
    """Duplicates, timeouts, faults before and after performing, crashes and restarts."""

    async def play() -> None:
        folder = tmp_path_factory.mktemp("outbox")
        machine = Machine(folder / "box.db", desk := ScriptedDesk(list(script)))
        kept: set[str] = set()
        for number, wait, kill in sends:
            await machine.restart_if_dead()
            one = packet(number)
            answer = await machine.outbox.send(one, wait_s=0.5)
            kept.add(one.id)
            assert answer in (None, Ticket(f"T-{one.id}"))
            await asyncio.sleep(wait)
            if kill:
                await machine.stop()
                machine.start()
        await machine.until_quiet()
        assert desk.taken == dict.fromkeys(kept, 1)
        assert machine.store.count(State.DELIVERED) == len(kept)
        assert machine.alarms == []
        await machine.stop()

    scene(play())


NOW = OutboxOptions(
    attempt_s=0.4, lease_s=0.5, first_pause_s=0.005, longest_pause_s=0.02, attempts=200
)


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("seed", range(2))
async def test_exactly_one_ticket_at_every_vendor(name: str, seed: int, tmp_path: Path) -> None:
    """The same on real sockets, with files and threads: faults drawn at random, then peace."""
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    async with pair(name) as both:
        both.cloud.retry_after = "0"
        both.cloud.faults = [dice.choice(list(Fault)) for _ in range(14)]
        store = OutboxStore(tmp_path / "box.db")
        for _ in range(2):  # the second time in a new process, so to say
            outbox = Outbox(store, both.desk, options=NOW)
            running = asyncio.create_task(outbox.run())
            await asyncio.gather(*(outbox.send(packet(n), wait_s=0.1) for n in (1, 2, 1)))
            running.cancel()
            await asyncio.wait({running})
        outbox = Outbox(store, both.desk, options=NOW)
        running = asyncio.create_task(outbox.run())
        both.cloud.faults = both.cloud.faults[:3]
        async with asyncio.timeout(15):
            while store.count(State.WAITING):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.wait({running})
        assert sorted(both.cloud.tickets()) == ["ho_1", "ho_2"]
        store.close()


def test_the_file_may_be_used_from_any_thread(tmp_path: Path) -> None:
    store = OutboxStore(tmp_path / "deep" / "box.db")
    threads = [
        threading.Thread(target=store.put, args=(packet(number), 0.0)) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count(State.WAITING) == 8
    assert store.due(1, 3) == ["ho_0", "ho_1", "ho_2"]
    assert store.begin("ho_0", 0, 60) is not None
    assert store.begin("ho_0", 1, 60) is None
    assert store.get("nobody") is None
    store.close()
