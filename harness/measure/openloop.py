"""One level of an open loop: requests go at the schedule's instants, whatever has answered by then."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.measure.alarm import Alarm
from harness.measure.closedloop import Send
from harness.measure.guard import Guard
from harness.measure.lane import Lane
from harness.measure.retrying import Sent, Try
from harness.measure.turns import turn_order
from harness.model.record import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """One request and its instant, counted from the level's start."""

    lane: Lane
    block: Block
    due_ns: int


class OpenLoop:
    """Sends each block when it is due; beyond the most in flight a request waits, and its lateness is on the record.

    A retry comes on top of the schedule when its wait is over: what failed does not thin out what is due.
    """

    def __init__(self, lanes: Sequence[Lane], alarm: Alarm, send: Send, *, max_in_flight: int, guard: Guard) -> None:
        """Take lanes whose queues hold the level."""
        self._lanes = lanes
        self._alarm = alarm
        self._send = send
        self._guard = guard
        self._slots = {lane.arm: asyncio.Semaphore(lane.share.of(max_in_flight)) for lane in lanes}

    async def run(self, start_at_ns: int) -> None:
        """Send the whole level; every request has landed when this returns, and every retry of it."""
        async with asyncio.TaskGroup() as tasks:
            dispatching = tasks.create_task(self._dispatch(tasks, start_at_ns))
            with self._guard.calling(dispatching.cancel):
                await asyncio.wait([dispatching])

    async def _dispatch(self, tasks: asyncio.TaskGroup, start_at_ns: int) -> None:
        for due in sorted(self._due(), key=self._turn):
            await self._alarm.until(start_at_ns + due.due_ns)
            tasks.create_task(self._see_through(due.lane, Try(block=due.block), start_at_ns + due.due_ns))

    async def _see_through(self, lane: Lane, first: Try, intended_at_ns: int) -> None:
        """Send a request until it needs no further attempt, or the run has ended."""
        sent = await self._send_in_slot(lane, first, intended_at_ns)
        while sent is not None and (again := await sent.fate) is not None:
            if not await self._guard.sleep_until(again.due_ns):
                return
            sent = await self._send_in_slot(lane, again, again.due_ns)

    async def _send_in_slot(self, lane: Lane, attempt: Try, intended_at_ns: int) -> Sent | None:
        async with self._slots[lane.arm]:
            return await self._send(lane, attempt, intended_at_ns)

    def _due(self) -> Iterator[_Due]:
        for lane in self._lanes:
            while lane.queue:
                block = lane.queue.popleft()
                assert block.due_ns is not None  # noqa: S101  # the plan of an open loop gives every block its instant
                yield _Due(lane=lane, block=block, due_ns=block.due_ns)

    def _turn(self, due: _Due) -> tuple[int, int, int]:
        """Order by instant; of several arms at the same block the seeded coin says in which order they go."""
        order = turn_order(due.block, [lane.arm for lane in self._lanes])
        return due.due_ns, due.block.index, order.index(due.lane.arm)
