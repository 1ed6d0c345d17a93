"""Watches the measuring process itself: its CPU time, how late its loop gets round to a timer."""

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from harness.clock import SystemClock
from harness.measure.alarm import system_alarm
from harness.model.record import Arm, ClientFacts, LoopLag
from harness.units import NS_PER_MS

_TICK_NS = 20 * NS_PER_MS  # 50 looks a second: enough for a p99 after two seconds, too few to be a load


class Meter:
    """Counts over the load part of a run."""

    def __init__(self, arms: tuple[Arm, ...], worker: int, clock: SystemClock, *, part: int = 0) -> None:
        """Count nothing yet."""
        self._arms = arms
        self._worker = worker
        self._part = part
        self._clock = clock
        self._started_at_ns: int | None = None
        self._ended_at_ns = 0
        self._cpu_ns = 0
        self._lags_ns: defaultdict[int, list[int]] = defaultdict(list)  # by level
        self._level = 0
        self._loop = ""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Count while the body runs."""
        loop = asyncio.get_running_loop()
        self._loop = type(loop).__module__.partition(".")[0]  # uvloop or asyncio
        ticking = loop.create_task(self._tick())
        self._started_at_ns, cpu_ns = self._clock.monotonic_ns(), self._clock.cpu_ns()
        try:
            yield
        finally:
            self._cpu_ns = self._clock.cpu_ns() - cpu_ns
            self._ended_at_ns = self._clock.monotonic_ns()
            ticking.cancel()

    def enter_level(self, level: int) -> None:
        """Count the ticks from now on to a level of load."""
        self._level = level

    def facts(self, most_open_connections: int) -> ClientFacts | None:
        """Say what was counted; None when the load part never began."""
        if self._started_at_ns is None:
            return None
        lags = sorted(lag for of_level in self._lags_ns.values() for lag in of_level)
        return ClientFacts(
            arms=self._arms,
            part=self._part,
            worker=self._worker,
            loop=self._loop,
            started_at_ns=self._started_at_ns,
            ended_at_ns=self._ended_at_ns,
            cpu_ns=self._cpu_ns,
            loop_lag_p50_ns=nearest_rank(lags, 0.50),
            loop_lag_p99_ns=nearest_rank(lags, 0.99),
            loop_lag_max_ns=lags[-1] if lags else None,
            n_loop_ticks=len(lags),
            loop_lags=tuple(_loop_lag(level, sorted(own)) for level, own in sorted(self._lags_ns.items())),
            most_open_connections=most_open_connections,
            n_files_allowed=n_files_allowed(),
        )

    async def _tick(self) -> None:
        alarm = system_alarm(self._clock)
        due_ns = self._clock.monotonic_ns()
        try:
            while True:
                due_ns = max(due_ns + _TICK_NS, self._clock.monotonic_ns())
                await alarm.until(due_ns)
                self._lags_ns[self._level].append(self._clock.monotonic_ns() - due_ns)
        finally:
            alarm.close()


def _loop_lag(level: int, ascending: Sequence[int]) -> LoopLag:
    return LoopLag(
        level=level,
        p50_ns=ascending[rank(0.50, len(ascending))],
        p99_ns=ascending[rank(0.99, len(ascending))],
        max_ns=ascending[-1],
        n_ticks=len(ascending),
    )


def nearest_rank(ascending: Sequence[int], q: float) -> int | None:
    """The nearest-rank quantile: the k-th smallest with k = ceil(q n); None of nothing."""
    return ascending[rank(q, len(ascending))] if ascending else None


def rank(q: float, n: int) -> int:
    """Where among `n` ascending values the nearest-rank quantile stands, from 0."""
    return max(1, math.ceil(q * n)) - 1


def n_files_allowed() -> int | None:
    """How many files, sockets among them, this process may have open; None where nothing says it."""
    try:
        import resource  # noqa: PLC0415  # Windows has none
    except ImportError:
        return None
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
