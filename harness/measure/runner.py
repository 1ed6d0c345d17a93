"""Runs a plan: warm-up, then its levels of load; every attempt is journalled after it has landed."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from harness.clock import Clock
from harness.decode.record import decode_attempt
from harness.errors import BenchError
from harness.measure.alarm import Alarm, LoopAlarm
from harness.measure.closedloop import ClosedLoop
from harness.measure.guard import Guard
from harness.measure.landing import Landing
from harness.measure.lane import Lane
from harness.measure.openloop import OpenLoop
from harness.measure.pace import OwnPace, Pace
from harness.measure.remaining import WHOLE_PLAN, Remaining
from harness.measure.retrying import Fate, Retrying, Sent, Try
from harness.measure.sending import Gate, Outgoing, send_through
from harness.measure.settling import Settling
from harness.measure.warmup import Played, Warming, is_failure, warm_up
from harness.model.record import Arrival, Attempt, Block, Plan
from harness.model.settings import ArrivalSettings, PlanSettings, retry_settings


class Journal(Protocol):
    """Where attempts go."""

    def append(self, attempt: Attempt, wire: bytes) -> Attempt:
        """Store an attempt with its bytes."""
        ...


Observer = Callable[[Attempt], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timekeeping:
    """What a run tells its time by; without an alarm the loop's timer, without a pace only its own lanes'."""

    clock: Clock
    alarm: Alarm | None = None
    pace: Pace | None = None
    on_level: Callable[[int], None] = lambda _: None  # called when a level starts


class Runner:
    """Runs a plan once: `warm_up`, then `walk`."""

    def __init__(  # noqa: PLR0913  # what varies, by name where it may be absent
        self,
        plan: Plan,
        lanes: Sequence[Lane],
        journal: Journal,
        time: Timekeeping,
        observe: Observer = lambda _: None,
        remaining: Remaining = WHOLE_PLAN,
        *,
        guard: Guard | None = None,
    ) -> None:
        """Take everything that varies; without a guard nothing ends the run early."""
        self._plan = plan
        self._settings = PlanSettings(**plan.settings["plan"])
        self._arrival = ArrivalSettings(**plan.settings["arrival"])
        self._lanes = lanes
        self._remaining = remaining
        self._first = {lane.arm: remaining.first_request(plan, lane.arm) for lane in lanes}
        self._journal = journal
        self._clock = time.clock
        self._observe = observe
        self._pace = time.pace or OwnPace(len(lanes), time.clock)
        self._alarm = time.alarm or LoopAlarm(time.clock)
        self._on_level = time.on_level
        self._settling = Settling()
        self._guard = guard or Guard(time.clock)
        self._retrying = Retrying(retry_settings(plan.settings), plan.seed, time.clock, self._guard)

    async def warm_up(self) -> None:
        """Warm each endpoint up, one request at a time whatever arms ask it; IncompleteRunError for a dead one."""
        try:
            async with first_error_only(), asyncio.TaskGroup() as tasks:
                for lanes in _by_target(self._lanes):
                    tasks.create_task(self._warm_up_in_turn(lanes))
        finally:
            self._settling.finish()  # what was cut
        self._guard.raise_if_stopped()
        await self._pace.gather(0)

    async def walk(self) -> None:
        """Run the levels one after the other, each from no request in flight to none.

        StoppedRunError once all has landed, where the guard ended the run.
        """
        async with first_error_only(), asyncio.TaskGroup() as tasks:
            tasks.create_task(self._settling.run())
            try:
                for level in range(len(self._plan.load)):
                    if self._remaining.has_level(self._plan, level) and self._guard.reason is None:
                        await self._run_level(level)
            finally:
                self._settling.close()
                self._settling.finish()
        self._guard.raise_if_stopped()

    async def _warm_up_in_turn(self, lanes: Sequence[Lane]) -> None:
        """Warm up lanes of one endpoint; another process may have the first turn at it."""
        await self._pace.turn_to_warm_up()
        for lane in lanes:
            await self._warm_up(lane)

    async def _warm_up(self, lane: Lane) -> None:
        async def play(block: Block, number: int) -> Played:
            landing = await self._play(lane, Try(block=block, attempt=number), self._clock.monotonic_ns())
            if landing is None:
                raise _Stopped
            return self._warmed(landing)

        blocks = [block for block in self._plan.blocks if block.is_warmup] if lane.share.worker == 0 else []
        how = Warming(at_least_s=self._settings.warmup_s, first_repeat=self._remaining.n_warmups, cold=lane.cold)
        with suppress(_Stopped):
            await warm_up(lane.arm, blocks, play, self._clock, how)

    async def _run_level(self, level: int) -> None:
        await self._pace.gather(level)
        for lane in self._lanes:
            lane.load_level(self._plan, level)
        offered = self._plan.load[level]
        if self._settings.preconnect:
            await self._preconnect(offered)
        start_at_ns = await self._pace.start_of(level)
        self._on_level(level)
        if self._plan.arrival is Arrival.CLOSED:
            await self._closed_loop(level).run(start_at_ns, int(offered), self._arrival.ramp_s)
        else:
            most = self._arrival.max_in_flight
            loop = OpenLoop(self._lanes, self._alarm, self._send, max_in_flight=most, guard=self._guard)
            await loop.run(start_at_ns)

    def _closed_loop(self, level: int) -> ClosedLoop:
        """Only the level that is judged keeps its pairs close in time; at the others each arm shows its own rate."""
        level_end = 1 + max((block.index for block in self._plan.blocks if block.level <= level), default=0)
        return ClosedLoop(
            self._lanes,
            self._pace,
            self._clock,
            self._send,
            look_ahead=self._plan.look_ahead if level == 0 else level_end,
            level_end=level_end,
            guard=self._guard,
        )

    async def _preconnect(self, offered: float) -> None:
        """Open what the level's first requests will need; an open loop needs about a second's worth."""
        most = self._arrival.max_in_flight if self._plan.arrival is not Arrival.CLOSED else int(offered)
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                wanted = min(lane.share.of(min(most, max(1, round(offered)))), len(lane.queue))
                tasks.create_task(lane.sender.preconnect(wanted))

    async def _send(self, lane: Lane, attempt: Try, intended_at_ns: int) -> Sent | None:
        """Send a block and give the instant at which its slot became free; the journal is written later."""
        landing = await self._play(lane, attempt, intended_at_ns)
        if landing is None:
            return None
        fate: Fate = asyncio.get_running_loop().create_future()
        self._settling.add(functools.partial(self._settle, landing, fate))
        return Sent(free_at_ns=landing.landed.free_at_ns, fate=fate)

    async def _play(self, lane: Lane, attempt: Try, intended_at_ns: int) -> Landing | None:
        """Play it when the quota lets it go; None where the run has ended before."""
        block = attempt.block
        out = Outgoing(
            block=block,
            fingerprint=lane.sender.fingerprint(block),
            send=functools.partial(lane.sender.send, block),
            intended_at_ns=intended_at_ns,
            number=attempt.attempt,
            is_possibly_cold=attempt.is_possibly_cold or (block.index, block.repeat) == self._first[lane.arm],
        )
        gate = Gate(arm=lane.arm, clock=self._clock, guard=self._guard, part=self._remaining.part, admit=lane.admit)
        return await send_through(gate, out, self._keep)

    def _keep(self, landing: Landing) -> None:
        self._settling.add(functools.partial(self._settle, landing))

    def _warmed(self, landing: Landing) -> Played:
        """Settle a warm-up request, and read what a failed one says: whether the endpoint wakes."""
        exchange = landing.landed.settle()
        stored = self._journal.append(landing.attempt(exchange), exchange.wire)
        self._observe(stored)
        self._guard.landed(stored, exchange.wire, landing.claim)
        self._retrying.decide(stored, exchange.wire, landing.block)
        failed = decode_attempt(stored, exchange.wire, model_asked=None).failure if is_failure(stored) else None
        return Played(attempt=stored, failure=failed)

    def _settle(self, landing: Landing, fate: Fate | None = None) -> Attempt:
        exchange = landing.landed.settle()
        stored = self._journal.append(landing.attempt(exchange), exchange.wire)
        self._observe(stored)
        self._guard.landed(stored, exchange.wire, landing.claim)
        self._retrying.decide(stored, exchange.wire, landing.block, fate)
        return stored


def _by_target(lanes: Sequence[Lane]) -> list[list[Lane]]:
    """Put lanes of the same endpoint together; one without a target stands alone."""
    found: dict[str, list[Lane]] = {}
    for lane in lanes:
        found.setdefault(lane.target or lane.arm, []).append(lane)
    return list(found.values())


class _Stopped(Exception):  # noqa: N818  # no error: the guard has the reason
    """The run ended while an endpoint was warmed up."""


@asynccontextmanager
async def first_error_only() -> AsyncIterator[None]:
    """Let the first error of ours out of a group of any depth."""
    try:
        yield
    except* BenchError as errors:
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
