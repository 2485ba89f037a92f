"""A small thread pool for one engine: what is due first, deadlines that hold, threads replaceable.

The engines (CTranslate2, onnxruntime) release the GIL and cannot be interrupted.  A job that
misses its deadline therefore keeps its thread; the pool writes that thread off, starts another
one and tells its owner, which reloads the model if it must.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from voice_server.speech.engine import EngineTimeout

T = TypeVar("T")

LINGER_S = 0.005
"""After an urgent job, a worker waits this long for the next urgent one before it takes up patient
work: a clause comes as one job per window, and the next is asked for when the last was delivered.
"""

_LEARNING = 0.1
"""Weight of one job in :attr:`Workers.job_seconds`: ten jobs back it counts a third."""


class _Calls:
    """How many threads are inside an engine's call, in the whole process."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.count += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.count -= 1


_calls = _Calls()


def settle(timeout_s: float) -> bool:
    """Wait until no engine works any more; tell whether that came to pass in time.

    A process that ends while onnxruntime computes is aborted by it: what waits here may leave
    in order, what cannot wait must leave by ``os._exit``.
    """
    until = time.monotonic() + timeout_s
    while _calls.count and time.monotonic() < until:
        time.sleep(0.01)
    return not _calls.count


@dataclass(order=True, slots=True)
class _Job:
    rank: tuple[int, float, int]
    call: Callable[[], Any] = field(compare=False)
    loop: asyncio.AbstractEventLoop = field(compare=False)
    future: asyncio.Future[Any] = field(compare=False)
    queued_at: float = field(compare=False)


class Workers:
    """Threads that run one engine's calls.

    Cancelling an awaited :meth:`run` drops the job if it has not begun; a job already running
    finishes in its thread and its result is thrown away.
    """

    def __init__(
        self,
        name: str,
        count: int = 1,
        *,
        on_lost: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start ``count`` threads. ``on_lost`` is called (in the loop) when one is written off."""
        self.name = name
        self.queue_seconds = 0.0
        """How long the job begun last had to wait: the metric that shows a full engine."""
        self.job_seconds = 0.0
        """How long a job takes, the last ones counting most."""
        self._on_lost = on_lost
        self._clock = clock
        self._jobs: list[_Job] = []
        self._condition = threading.Condition()
        self._order = itertools.count()
        self._closed = False
        self._lost: set[int] = set()
        self._running: dict[asyncio.Future[Any], int] = {}
        self._serial = itertools.count()
        for _ in range(count):
            self._start_thread()

    def _start_thread(self) -> None:
        number = next(self._serial)
        threading.Thread(
            target=self._work, args=(number,), name=f"{self.name}-{number}", daemon=True
        ).start()

    async def run(
        self,
        call: Callable[[], T],
        *,
        urgent: bool = False,
        deadline_s: float = 30.0,
        due: float | None = None,
    ) -> T:
        """Run ``call`` in a worker and return its result or raise its exception.

        Of the urgent jobs that wait, the one ``due`` first (on the clock; default: now) goes
        first: what a listener still has sound for lets pass what another one waits for.
        Raises EngineTimeout after ``deadline_s`` (queueing included).
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        now = self._clock()
        rank = (0 if urgent else 1, now if due is None else due, next(self._order))
        job = _Job(rank, call, loop, future, now)
        with self._condition:
            if self._closed:
                raise EngineTimeout(f"{self.name} is closed")
            heapq.heappush(self._jobs, job)
            self._condition.notify()
        try:
            async with asyncio.timeout(deadline_s):
                return await future
        except TimeoutError:
            self._write_off(future)
            raise EngineTimeout(f"{self.name} did not answer within {deadline_s:g} s") from None

    @property
    def backlog_s(self) -> float:
        """Seconds of urgent work that is due by now and waits before a job due now."""
        now = self._clock()
        with self._condition:
            late = sum(job.rank[0] == 0 and job.rank[1] <= now for job in self._jobs)
        return late * self.job_seconds

    def _write_off(self, future: asyncio.Future[Any]) -> None:
        with self._condition:
            number = self._running.pop(future, None)
            if number is None:
                return
            self._lost.add(number)
        self._start_thread()
        if self._on_lost is not None:
            self._on_lost()

    def close(self) -> None:
        """Stop the threads after their present job; waiting jobs never run."""
        with self._condition:
            self._closed = True
            self._jobs.clear()
            self._condition.notify_all()

    def _next_is_urgent(self) -> bool:
        return bool(self._jobs) and self._jobs[0].rank[0] == 0

    def _work(self, number: int) -> None:
        was_urgent = False
        while True:
            with self._condition:
                if was_urgent and not self._closed and not self._next_is_urgent():
                    self._condition.wait_for(
                        lambda: self._closed or self._next_is_urgent(), LINGER_S
                    )
                while not self._jobs and not self._closed:
                    self._condition.wait()
                if self._closed or number in self._lost:
                    return
                job = heapq.heappop(self._jobs)
                if job.future.cancelled():
                    continue
                was_urgent = job.rank[0] == 0
                self._running[job.future] = number
                began = self._clock()
                self.queue_seconds = began - job.queued_at
            result: Any = None
            error: BaseException | None = None
            try:
                with _calls:
                    result = job.call()
            except BaseException as caught:  # handed to the awaiting task, whatever it is
                error = caught
            with self._condition:
                mine = self._running.pop(job.future, None) is not None
                took = self._clock() - began
                self.job_seconds += _LEARNING * (took - self.job_seconds)
            if mine:
                self._deliver(job, result, error)
            elif number in self._lost:
                return

    def _deliver(self, job: _Job, result: Any, error: BaseException | None) -> None:
        def settle() -> None:
            if job.future.done():
                return
            if error is not None:
                job.future.set_exception(error)
            else:
                job.future.set_result(result)

        try:
            job.loop.call_soon_threadsafe(settle)
        except RuntimeError:
            return  # the loop is closed: nobody waits for this any more
