"""Walks the plan: each arm at its own pace, every attempt journalled as it ends."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from asyncio_throttle.throttler import Throttler

from harness.clock import Clock
from harness.errors import BenchError, IncompleteRunError
from harness.measure.schedule import Walk, next_start
from harness.measure.wire.player import Exchange
from harness.model.record import Arm, Attempt, Block, FailureKind, Plan, RequestKey


class Sender(Protocol):
    """Sends one block's request to one endpoint."""

    def fingerprint(self, block: Block) -> tuple[str, int]:
        """Give the request's digest and size."""
        ...

    async def send(self, block: Block) -> Exchange:
        """Play it; what goes wrong is in the exchange."""
        ...


class Journal(Protocol):
    """Where attempts go."""

    def append(self, attempt: Attempt, wire: bytes) -> Attempt:
        """Store an attempt with its bytes."""
        ...


Observer = Callable[[Attempt], None]

_UNREACHABLE = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS, FailureKind.TIMEOUT_CONNECT})
_REFUSED = {401: "check its api_key", 403: "check its api_key", 404: "check its base_url and model"}


@dataclass(slots=True, kw_only=True)
class Lane:
    """One arm of the run: its sender, its slots, its quota."""

    arm: Arm
    sender: Sender
    concurrency: int
    requests_per_minute: int | None = None
    next_block: int = 0
    in_flight: int = 0
    throttle: Throttler | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Set the quota guard up."""
        if self.requests_per_minute is not None:
            self.throttle = Throttler(rate_limit=self.requests_per_minute, period=60)

    def walk(self) -> Walk:
        """Say how far it is."""
        return Walk(arm=self.arm, next_block=self.next_block, free_slots=self.concurrency - self.in_flight)


class Runner:
    """Runs a plan once."""

    def __init__(
        self, plan: Plan, lanes: Sequence[Lane], journal: Journal, clock: Clock, observe: Observer = lambda _: None
    ) -> None:
        """Take everything that varies."""
        self._blocks = plan.blocks
        self._look_ahead = plan.look_ahead
        self._lanes: Mapping[Arm, Lane] = {lane.arm: lane for lane in lanes}
        self._journal = journal
        self._clock = clock
        self._observe = observe
        self._slot_freed = asyncio.Event()

    async def run(self) -> None:
        """Warm each endpoint up one request at a time, then walk the measured blocks."""
        n_warmups = sum(block.is_warmup for block in self._blocks)
        try:
            async with asyncio.TaskGroup() as tasks:
                for lane in self._lanes.values():
                    tasks.create_task(self._warm_up(lane, n_warmups))
            await self._walk_blocks()
        except* BenchError as errors:
            raise _first(errors) from None

    async def _warm_up(self, lane: Lane, n_warmups: int) -> None:
        """One request in flight: an endpoint that wakes is not met by a herd."""
        attempts = []
        for position in range(n_warmups):
            intended = self._clock.monotonic_ns()
            attempts.append(await self._send(lane, self._blocks[position], intended))
        lane.next_block = n_warmups
        _refuse_dead_endpoint(lane.arm, attempts)

    async def _walk_blocks(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while any(lane.next_block < len(self._blocks) for lane in self._lanes.values()):
                arm = next_start(self._blocks, [lane.walk() for lane in self._lanes.values()], self._look_ahead)
                if arm is None:
                    self._slot_freed.clear()
                    await self._slot_freed.wait()
                else:
                    self._start(tasks, self._lanes[arm])

    def _start(self, tasks: asyncio.TaskGroup, lane: Lane) -> None:
        block = self._blocks[lane.next_block]
        lane.next_block += 1
        lane.in_flight += 1
        tasks.create_task(self._send_in_slot(lane, block, self._clock.monotonic_ns()))

    async def _send_in_slot(self, lane: Lane, block: Block, intended_at_ns: int) -> None:
        try:
            await self._send(lane, block, intended_at_ns)
        finally:
            lane.in_flight -= 1
            self._slot_freed.set()

    async def _send(self, lane: Lane, block: Block, intended_at_ns: int) -> Attempt:
        if lane.throttle is not None:
            await lane.throttle.acquire()  # type: ignore[no-untyped-call]  # the library has no annotations
        admitted_at_ns = self._clock.monotonic_ns()
        exchange = await lane.sender.send(block)
        attempt = self._attempt(lane, block, exchange, (intended_at_ns, admitted_at_ns))
        stored = self._journal.append(attempt, exchange.wire)
        self._observe(stored)
        return stored

    def _attempt(self, lane: Lane, block: Block, exchange: Exchange, instants: tuple[int, int]) -> Attempt:
        sha256, n_bytes = lane.sender.fingerprint(block)
        return Attempt(
            key=RequestKey(arm=lane.arm, prompt_id=block.prompt_id, repeat=block.repeat, is_warmup=block.is_warmup),
            attempt=1,
            block=block.index,
            is_possibly_cold=block.index == 0,
            request_sha256=sha256,
            request_bytes=n_bytes,
            intended_at_ns=instants[0],
            admitted_at_ns=instants[1],
            sent_at_ns=exchange.sent_at_ns,
            ended_at_ns=exchange.ended_at_ns,
            connection=exchange.connection,
            status=exchange.status,
            headers=exchange.headers,
            reads=exchange.reads,
            failure=exchange.failure,
        )


def _refuse_dead_endpoint(arm: Arm, warmups: Sequence[Attempt]) -> None:
    """End the run when every warm-up says that no request can ever succeed."""
    if not warmups:
        return
    failures = [attempt.failure for attempt in warmups]
    if all(failure is not None and failure.kind in _UNREACHABLE for failure in failures):
        last = failures[-1]
        detail = f"{last.kind}: {last.message}" if last else ""
        raise IncompleteRunError(
            f"the {arm} cannot be reached ({detail}); check its base_url; no measured request was sent"
        )
    statuses = {attempt.status for attempt in warmups}
    if len(statuses) == 1 and (status := statuses.pop()) in _REFUSED:
        remedy = _REFUSED[status]
        raise IncompleteRunError(f"the {arm} answered {status} to every warm-up request; {remedy}")


def _first(errors: BaseExceptionGroup[BenchError]) -> BenchError:
    """Give the first error of ours out of a group of any depth."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if not isinstance(error, BenchError):
        raise error
    return error
