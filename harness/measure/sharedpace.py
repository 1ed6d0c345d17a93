"""The pace of a run whose lanes are processes: cells in memory that all of them map."""

import asyncio
import mmap
import tempfile
from typing import BinaryIO

from harness.clock import Clock
from harness.errors import StoppedRunError
from harness.measure.guard import STOPPED_ELSEWHERE
from harness.measure.lane import Share
from harness.measure.ledger import Spent
from harness.units import NS_PER_MS

_CELL = 8  # bytes: an aligned int64 is written and read in one piece
_POLL_S = 0.002
_SPENT = 3  # cells of what a lane spent: requests, tokens, money
_LEAD_NS = 50 * NS_PER_MS  # between the word to start and the start: everybody has looked by then


def new_pace_file(n_arms: int, n_workers: int, n_levels: int) -> BinaryIO:
    """Make the cells, all 0, in a file without a name: nothing is left of it when the processes have gone."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    file.truncate(_CELL * (2 * n_arms * n_workers + n_levels + _SPENT * n_arms * n_workers + 1))
    return file


class SharedLedger:
    """The ledger as one lane sees it: it adds to its own cells and reads everybody's; the last cell says stop."""

    is_shared = True

    def __init__(self, file: int, *, arm: int, n_arms: int, share: Share) -> None:
        """Map the cells."""
        self._cells = memoryview(mmap.mmap(file, 0)).cast("q")
        n_lanes = n_arms * share.n_workers
        self._first = len(self._cells) - 1 - _SPENT * n_lanes
        self._own = self._first + _SPENT * (arm * share.n_workers + share.worker)

    def add(self, spent: Spent) -> None:
        """Add to this lane's cells."""
        for place, amount in enumerate((spent.requests, spent.tokens, spent.nanomoney)):
            self._cells[self._own + place] += amount

    def total(self) -> Spent:
        """Add up the cells of all lanes."""
        sums = [sum(self._cells[self._first + place : -1 : _SPENT]) for place in range(_SPENT)]
        return Spent(requests=sums[0], tokens=sums[1], nanomoney=sums[2])

    def stop(self) -> None:
        """Say it to everybody."""
        self._cells[-1] = 1

    def is_stopped(self) -> bool:
        """Whether anybody has said it."""
        return bool(self._cells[-1])


class SharedPace:
    """The pace as one lane sees it, the only one of its process.

    An arm may be ahead of another by blocks that it has started, whichever of its workers did: a worker that meets
    long answers holds neither its fellows nor, by itself, the other arm.
    """

    is_shared = True

    def __init__(  # a lane's place, by name
        self, file: int, clock: Clock, *, arm: int, n_arms: int, share: Share, follows: int | None = None
    ) -> None:
        """Map the cells: per lane the blocks started and the barriers come to, then per level the start.

        `follows` is the arm of the same endpoint that warms up before this one.
        """
        self._follows = follows
        self._clock = clock
        self._arm = arm
        self._n_arms = n_arms
        self._share = share
        self._cells = memoryview(mmap.mmap(file, 0)).cast("q")
        self._n_lanes = n_arms * share.n_workers
        self._lane = arm * share.n_workers + share.worker
        self._next_block = 0

    def publish(self, lane: int, next_block: int) -> None:  # noqa: ARG002  # there is only one
        """Say how many of the plan's blocks this worker has behind it; the workers' counts add up to the arm's."""
        self._next_block = next_block
        self._cells[self._lane] = self._share.of(next_block)

    def slowest(self) -> int:
        """Give the block that would be this lane's next if its arm had started as few as the slowest arm."""
        n_workers = self._share.n_workers
        started = [sum(self._cells[arm * n_workers : (arm + 1) * n_workers]) for arm in range(self._n_arms)]
        return self._next_block - (started[self._arm] - min(started))

    async def turn_to_warm_up(self) -> None:
        """Wait until the first worker of the arm before has come to the first barrier: it alone warms up."""
        if self._follows is None or self._share.worker:
            return
        while not self._cells[self._n_lanes + self._follows * self._share.n_workers]:
            await self._look_again()

    async def gather(self, level: int) -> None:
        """Wait until no lane has anything in flight."""
        await self._barrier(2 * level + 1)

    async def start_of(self, level: int) -> int:
        """Wait until every lane is ready; the first one names the instant."""
        await self._barrier(2 * level + 2)
        start = 2 * self._n_lanes + level
        if self._lane == 0:
            self._cells[start] = self._clock.monotonic_ns() + _LEAD_NS  # CLOCK_MONOTONIC is the machine's, not ours
        while not self._cells[start]:
            await self._look_again()
        return self._cells[start]

    async def _barrier(self, number: int) -> None:
        self._cells[self._n_lanes + self._lane] = number
        while min(self._cells[self._n_lanes : 2 * self._n_lanes]) < number:
            await self._look_again()

    async def _look_again(self) -> None:
        """Wait a little, since no event crosses processes; StoppedRunError where whom we wait for has stopped."""
        if self._cells[-1]:
            raise StoppedRunError(STOPPED_ELSEWHERE)
        await asyncio.sleep(_POLL_S)
