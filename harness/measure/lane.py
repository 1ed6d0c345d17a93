"""One arm's way through the plan in this process: its blocks, its slots, its quota."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from asyncio_throttle.throttler import Throttler

from harness.measure.remaining import WHOLE_PLAN, Remaining
from harness.measure.wire.exchange import Landed
from harness.model.endpoint import Cold
from harness.model.record import Arm, Block, Plan


class Sender(Protocol):
    """Sends one block's request to one endpoint."""

    def fingerprint(self, block: Block) -> tuple[str, int]:
        """Give the request's digest and size."""
        ...

    async def send(self, block: Block) -> Landed:
        """Play it; what goes wrong is in what landed."""
        ...

    async def preconnect(self, n: int) -> None:
        """Open so many connections that the next requests will find; what fails will show at the request."""
        ...


Waiting = tuple[int, int, asyncio.Future[int | None]]  # due instant and block of a retry, and who waits for a slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Which part of an arm's work is a process's: it is one of so many."""

    worker: int = 0
    n_workers: int = 1

    def of(self, amount: int) -> int:
        """Give this worker's part of an amount; the parts of all workers add up to it."""
        return amount // self.n_workers + (self.worker < amount % self.n_workers)

    def blocks(self, blocks: Sequence[Block]) -> list[Block]:
        """Give every n-th block: the order is the seed's, so each worker gets a random part of every stretch."""
        return [block for block in blocks if block.index % self.n_workers == self.worker]


WHOLE = Share()


@dataclass(slots=True, kw_only=True)
class Lane:
    """One arm of the run: its sender, its share, its quota, and where it stands."""

    arm: Arm
    sender: Sender
    share: Share = WHOLE
    remaining: Remaining = WHOLE_PLAN
    requests_per_minute: int | None = None
    target: str = ""  # what its first request may wake; lanes of the same one warm up in turn
    cold: Cold = field(default_factory=Cold)  # what to expect of an endpoint that scales to zero
    queue: deque[Block] = field(default_factory=deque)  # of the level that runs
    free_since_ns: list[int] = field(default_factory=list)  # a heap, one entry per free slot
    retries: list[Waiting] = field(default_factory=list)  # a heap of those whose wait is over
    allowed_at_ns: int = 0  # when the plan last let this lane go on
    is_held: bool = False  # its next block is too far ahead of the slowest lane
    throttle: Throttler | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Set the quota guard up."""
        if self.requests_per_minute is not None:
            own = max(1, self.share.of(self.requests_per_minute))
            self.throttle = Throttler(rate_limit=own, period=60)

    def load_level(self, plan: Plan, level: int) -> None:
        """Queue the blocks of a level that are left to send."""
        self.queue = deque(self.share.blocks(self.remaining.blocks(plan, self.arm, level)))

    def next_block(self, otherwise: int) -> int:
        """Give the index of the block to start next, `otherwise` when the level has no more for it."""
        return self.queue[0].index if self.queue else otherwise

    async def admit(self) -> None:
        """Wait until the endpoint's quota lets a request go."""
        if self.throttle is not None:
            await self.throttle.acquire()  # type: ignore[no-untyped-call]  # the library has no annotations
