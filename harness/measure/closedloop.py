"""One level of a closed loop: the end of a request, as seen at the wire, starts the next."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from harness.clock import Clock
from harness.measure.arrivals import ramp_instants
from harness.measure.lane import Lane
from harness.measure.pace import Pace
from harness.measure.turns import turn_order
from harness.model.record import Arm, Block
from harness.units import seconds

_ASK_AGAIN_S = 0.002  # another process may have let us go on; nothing tells us when

Send = Callable[[Lane, Block, int], Awaitable[int]]  # (lane, block, intended) -> when its response ended


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
    """Keeps a fixed number of each lane's requests in flight until the level's blocks are done."""

    def __init__(  # the parts of one level
        self, lanes: Sequence[Lane], pace: Pace, clock: Clock, send: Send, *, look_ahead: int, level_end: int
    ) -> None:
        """Take lanes whose queues hold the level; `level_end` is the index after its last block."""
        self._lanes = {lane.arm: lane for lane in lanes}
        self._numbers = {lane.arm: number for number, lane in enumerate(lanes)}
        self._pace = pace
        self._clock = clock
        self._send = send
        self._look_ahead = look_ahead
        self._level_end = level_end
        self._tasks: asyncio.TaskGroup | None = None
        self._all_started: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, start_at_ns: int, concurrency: int, ramp_s: float) -> None:
        """Walk to the end of the level; every request has landed when this returns."""
        for lane in self._lanes.values():
            lane.free_since_ns = [start_at_ns + opens for opens in ramp_instants(lane.share.of(concurrency), ramp_s)]
            lane.allowed_at_ns = start_at_ns
            self._publish(lane)
        self._all_started = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._advance()
                await self._all_started  # a group without tasks would end
        finally:
            self._ask_again_in(None)

    def _advance(self) -> None:
        """Start everything that may start now."""
        now_ns = self._clock.monotonic_ns()
        self._note_who_is_held(now_ns)
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
        self._tasks.create_task(self._send_in_slot(lane, block, intended_at_ns))

    async def _send_in_slot(self, lane: Lane, block: Block, intended_at_ns: int) -> None:
        heapq.heappush(lane.free_since_ns, await self._send(lane, block, intended_at_ns))
        self._advance()

    def _publish(self, lane: Lane) -> None:
        self._pace.publish(self._numbers[lane.arm], lane.next_block(self._level_end))

    def _wait_s(self, now_ns: int) -> float | None:
        """How long until a slot opens by itself, or another process may have moved; None when only we can move."""
        waiting = [lane for lane in self._lanes.values() if lane.queue and lane.free_since_ns]
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
