"""Whose turn it is among an engine's jobs, and how much of it is waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_server.speech.engine import EngineTimeout
from voice_server.speech.workers import Workers, settle


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def order_of(jobs: Sequence[tuple[str, bool, float | None]]) -> list[str]:
    """Queue jobs (name, urgent, due) behind one that blocks; return the order they ran in."""
    clock = Clock()
    workers = Workers("test", clock=clock)
    gate, ran = threading.Event(), list[str]()

    def note(name: str) -> Callable[[], None]:
        return lambda: ran.append(name)

    blocking = asyncio.create_task(workers.run(lambda: gate.wait(5), urgent=True))
    await asyncio.sleep(0.02)
    tasks = []
    for name, urgent, due in jobs:
        tasks.append(asyncio.create_task(workers.run(note(name), urgent=urgent, due=due)))
        await settled()
        clock.now += 1.0
    gate.set()
    await asyncio.gather(blocking, *tasks)
    workers.close()
    return ran


async def test_urgent_before_patient_and_then_in_their_order() -> None:
    jobs = [("patient", False, None), ("first", True, None), ("second", True, None)]
    assert await order_of(jobs) == ["first", "second", "patient"]


async def test_who_has_sound_left_lets_pass_who_waits() -> None:
    jobs = [("window 3", True, 109.0), ("window 2", True, 104.0), ("new caller", True, None)]
    assert await order_of(jobs) == ["new caller", "window 2", "window 3"]


@given(st.lists(st.tuples(st.booleans(), st.floats(90, 120)), max_size=8))
def test_the_order_is_urgent_then_due_then_asked(jobs: list[tuple[bool, float]]) -> None:
    named = [(str(number), urgent, due) for number, (urgent, due) in enumerate(jobs)]
    wanted = sorted(named, key=lambda job: (not job[1], job[2], int(job[0])))
    assert asyncio.run(order_of(named)) == [name for name, _, _ in wanted]


async def test_the_backlog_is_the_urgent_work_that_is_due() -> None:
    clock = Clock()
    workers = Workers("test", clock=clock)

    def take(seconds: float) -> None:
        clock.now += seconds

    for _ in range(60):
        await workers.run(lambda: take(0.5), urgent=True)
    assert workers.job_seconds == pytest.approx(0.5, rel=0.01)
    assert workers.backlog_s == 0.0
    gate = threading.Event()
    tasks = [asyncio.create_task(workers.run(lambda: gate.wait(5), urgent=True))]
    await asyncio.sleep(0.02)
    for urgent, due in ((True, None), (True, None), (True, clock.now + 9), (False, None)):
        tasks.append(asyncio.create_task(workers.run(lambda: True, urgent=urgent, due=due)))
        await settled()
    assert workers.backlog_s == pytest.approx(2 * 0.5, rel=0.01)
    gate.set()
    await asyncio.gather(*tasks)
    workers.close()


async def test_a_closed_pool_takes_nothing() -> None:
    workers = Workers("test")
    workers.close()
    with pytest.raises(EngineTimeout, match="closed"):
        await workers.run(lambda: None)


async def test_settled_is_when_no_call_is_under_way() -> None:
    workers = Workers("test")
    gate = threading.Event()
    task = asyncio.create_task(workers.run(lambda: gate.wait(5)))
    await asyncio.sleep(0.02)
    workers.close()
    assert not settle(0.05)
    gate.set()
    assert settle(5.0)
    await task
