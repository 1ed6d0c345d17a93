"""One level of a closed loop: the end of a request, as seen at the wire, starts the next."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from harness.clock import Clock
from harness.measure.arrivals import ramp_instants
from harness.measure.guard import Guard
from harness.measure.lane import Lane
from harness.measure.pace import Pace
from harness.measure.retrying import Sent, Try
from harness.measure.turns import turn_order
from harness.model.record import Arm, Block
from harness.units import seconds

_ASK_AGAIN_S = 0.002  # another process may have let us go on; nothing tells us when

Send = Callable[[Lane, Try, int], Awaitable[Sent | None]]  # with the intended instant; None: the run had ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How far one arm has walked: its next block, None when it has no more, and its free slots."""

    arm: Arm
    block: Block | None
    free_slots: int


def next_start(walks: Sequence[Walk], slowest: int, look_ahead: int) -> Arm | None:
    """Decide which arm starts its next block now; None when all must wait.

    An arm walks the order at its own pace, at most `look_ahead` blocks before the slowest of the run. Where several
    arms stand at the same block, the block's seeded coin says in which order they go.
    """
    ready = [
        (walk.block, walk.arm)
        for walk in walks
        if walk.free_slots and walk.block is not None and walk.block.index - slowest <= look_ahead
    ]
    if not ready:
        return None
    furthest_behind = min((block for block, _ in ready), key=lambda block: block.index)
    level = {arm for block, arm in ready if block.index == furthest_behind.index}
    order = turn_order(furthest_behind, [walk.arm for walk in walks])
    return next(arm for arm in order if arm in level)


class ClosedLoop:
    """Keeps a fixed number of each lane's requests in flight until the level's blocks are done.

    A retry takes a slot like any request, before the next block does, so no more is in flight than was asked for. It
    waits outside of it, and its block stays behind it: the pace of the two sides does not know of it.
    """

    def __init__(  # noqa: PLR0913  # the parts of one level, by name
        self,
        lanes: Sequence[Lane],
        pace: Pace,
        clock: Clock,
        send: Send,
        *,
        look_ahead: int,
        level_end: int,
        guard: Guard,
    ) -> None:
        """Take lanes whose queues hold the level; `level_end` is the index after its last block."""
        self._lanes = {lane.arm: lane for lane in lanes}
        self._numbers = {lane.arm: number for number, lane in enumerate(lanes)}
        self._pace = pace
        self._clock = clock
        self._send = send
        self._look_ahead = look_ahead
        self._level_end = level_end
        self._guard = guard
        self._tasks: asyncio.TaskGroup | None = None
        self._all_started: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, start_at_ns: int, concurrency: int, ramp_s: float) -> None:
        """Walk to the end of the level; every request has landed when this returns, and every retry of it."""
        for lane in self._lanes.values():
            lane.free_since_ns = [start_at_ns + opens for opens in ramp_instants(lane.share.of(concurrency), ramp_s)]
            lane.allowed_at_ns = start_at_ns
            self._publish(lane)
        try:
            with self._guard.calling(self._give_up):
                await self._walk(asyncio.get_running_loop().create_future())
        finally:
            self._ask_again_in(None)

    async def _walk(self, all_started: asyncio.Future[None]) -> None:
        self._all_started = all_started
        async with asyncio.TaskGroup() as self._tasks:
            self._advance()
            await all_started  # a group without tasks would end

    def _advance(self) -> None:
        """Start everything that may start now."""
        now_ns = self._clock.monotonic_ns()
        self._note_who_is_held(now_ns)
        self._start_retries(now_ns)
        while (arm := next_start(self._walks(now_ns), self._pace.slowest(), self._look_ahead)) is not None:
            self._start(self._lanes[arm])
            self._note_who_is_held(now_ns)
        self._ask_again_in(self._wait_s(now_ns))
        is_all_started = not any(lane.queue for lane in self._lanes.values())
        if is_all_started and self._all_started is not None and not self._all_started.done():
            self._all_started.set_result(None)

    def _walks(self, now_ns: int) -> list[Walk]:
        return [
            Walk(
                arm=lane.arm,
                block=lane.queue[0] if lane.queue else None,
                free_slots=bool(lane.free_since_ns) and lane.free_since_ns[0] <= now_ns,
            )
            for lane in self._lanes.values()
        ]

    def _note_who_is_held(self, now_ns: int) -> None:
        """Remember since when a lane may go on: time that the plan took from it is not the harness's delay."""
        slowest = self._pace.slowest()
        for lane in self._lanes.values():
            is_held = lane.next_block(slowest) - slowest > self._look_ahead
            if lane.is_held and not is_held:
                lane.allowed_at_ns = now_ns
            lane.is_held = is_held

    def _start(self, lane: Lane) -> None:
        assert self._tasks is not None  # noqa: S101  # only called inside the group
        block = lane.queue.popleft()
        intended_at_ns = max(heapq.heappop(lane.free_since_ns), lane.allowed_at_ns)
        self._publish(lane)
        self._tasks.create_task(self._see_through(lane, Try(block=block), intended_at_ns))

    async def _see_through(self, lane: Lane, first: Try, intended_at_ns: int) -> None:
        """Send a request until it needs no further attempt, or the run has ended."""
        sent = await self._send_in_slot(lane, first, intended_at_ns)
        while sent is not None and (again := await sent.fate) is not None:
            slot_at_ns = await self._slot_for(lane, again)
            if slot_at_ns is None:
                return
            sent = await self._send_in_slot(lane, again, max(slot_at_ns, again.due_ns))

    async def _send_in_slot(self, lane: Lane, attempt: Try, intended_at_ns: int) -> Sent | None:
        sent = await self._send(lane, attempt, intended_at_ns)
        heapq.heappush(lane.free_since_ns, self._clock.monotonic_ns() if sent is None else sent.free_at_ns)
        self._advance()
        return sent

    async def _slot_for(self, lane: Lane, again: Try) -> int | None:
        """Wait outside of any slot, then for one; give since when it was free, None where the run has ended."""
        if not await self._guard.sleep_until(again.due_ns):
            return None
        given: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        heapq.heappush(lane.retries, (again.due_ns, again.block.index, given))
        self._advance()
        return await given

    def _start_retries(self, now_ns: int) -> None:
        for lane in self._lanes.values():
            while lane.retries and lane.free_since_ns and lane.free_since_ns[0] <= now_ns:
                *_, given = heapq.heappop(lane.retries)
                if not given.done():  # else its task was cancelled
                    given.set_result(heapq.heappop(lane.free_since_ns))

    def _give_up(self) -> None:
        """Start nothing more: what is in flight ends the level."""
        for lane in self._lanes.values():
            lane.queue.clear()
            self._publish(lane)
            for *_, given in lane.retries:
                if not given.done():
                    given.set_result(None)
            lane.retries.clear()
        self._advance()

    def _publish(self, lane: Lane) -> None:
        self._pace.publish(self._numbers[lane.arm], lane.next_block(self._level_end))

    def _wait_s(self, now_ns: int) -> float | None:
        """How long until a slot opens by itself, or another process may have moved; None when only we can move."""
        waiting = [lane for lane in self._lanes.values() if (lane.queue or lane.retries) and lane.free_since_ns]
        if not waiting:
            return None
        opens_in_s = min(seconds(lane.free_since_ns[0] - now_ns) for lane in waiting)
        if opens_in_s > 0:
            return opens_in_s
        return _ASK_AGAIN_S if self._pace.is_shared else None

    def _ask_again_in(self, wait_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if wait_s is None else loop.call_later(wait_s, self._advance)
