"""Lets requests go until a budget is spent or an endpoint is dead; then nothing more is started."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from harness.clock import Clock
from harness.errors import StoppedRunError
from harness.measure.breaker import Breaker
from harness.measure.budget import NO_BUDGETS, Bounds, Budgets
from harness.measure.ledger import NOTHING, Ledger, OwnLedger, Spent
from harness.model.record import Arm, Attempt, FailureKind
from harness.model.settings import BreakerSettings
from harness.units import seconds

STOPPED_ELSEWHERE = "another process of the run has ended it"
_LOOK_S = 0.05  # how soon a process sees the word of another
_NO_BREAKER = BreakerSettings(unreachable=0, from_the_start=0, without_success=0)


class Guard:
    """The word of one process on whether the run goes on; the ledger carries it to the others."""

    def __init__(
        self,
        clock: Clock,
        *,
        budgets: Budgets = NO_BUDGETS,
        bounds: Bounds | None = None,
        breaker: BreakerSettings = _NO_BREAKER,
        ledger: Ledger | None = None,
    ) -> None:
        """Let everything go; what is not given limits nothing."""
        self.reason: str | None = None  # why the run ends; None: it goes on
        self._clock = clock
        self._budgets = budgets
        self._bounds = bounds or Bounds()
        self._settings = breaker
        self._breakers: dict[Arm, Breaker] = {}
        self._ledger = ledger or OwnLedger()
        self._callbacks: list[Callable[[], object]] = []
        self._stopped = asyncio.Event()

    def claims(self, arm: Arm, prompt_id: str, request_bytes: int) -> Spent | None:
        """Count a request at the most that it may come to; None where a budget or a stop keeps it from being sent."""
        if self.reason is None and self._ledger.is_stopped():
            self.stop(STOPPED_ELSEWHERE)
        if self.reason is not None:
            return None
        claim = self._bounds.of(arm, prompt_id, request_bytes)
        self._ledger.add(claim)  # before the sum is looked at: of two processes that meet here none goes too far
        excess = self._budgets.excess(self._ledger.total())
        if excess is None:
            return claim
        self.give_back(claim)
        self.stop(excess)
        return None

    def give_back(self, claim: Spent) -> None:
        """Uncount a request that was not sent after all."""
        self._ledger.add(NOTHING - claim)

    def landed(self, attempt: Attempt, wire: bytes, claim: Spent) -> None:
        """Count what a request used in place of what it might have."""
        self._ledger.add(self._bounds.used(attempt, wire) - claim)

    def note(self, attempt: Attempt, kind: FailureKind | None) -> None:
        """Learn how a request ended; the one that shows its endpoint dead stops the run."""
        arm = attempt.key.arm
        if self.reason is not None or (attempt.attempt > 1 and kind is not None):
            return
        breaker = self._breakers.setdefault(arm, Breaker(arm=arm, settings=self._settings))
        if (reason := breaker.note(kind)) is not None:
            self.stop(reason)

    def stop(self, reason: str) -> None:
        """End the run: what is in flight comes to its end, nothing else is started."""
        if self.reason is not None:
            return
        self.reason = reason
        self._ledger.stop()
        self._stopped.set()
        for callback in tuple(self._callbacks):
            callback()

    def raise_if_stopped(self) -> None:
        """StoppedRunError with the reason, once all has landed."""
        if self.reason is not None:
            raise StoppedRunError(self.reason)

    async def sleep_until(self, at_ns: int) -> bool:
        """Wait for an instant; False where the run was stopped before."""
        left_s = seconds(at_ns - self._clock.monotonic_ns())
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, left_s)):
                await self._stopped.wait()
        return self.reason is None

    @contextmanager
    def calling(self, callback: Callable[[], object]) -> Iterator[None]:
        """Call it as soon as the run is stopped while the body runs; at once where that was before."""
        if self.reason is not None:
            callback()
        self._callbacks.append(callback)
        try:
            yield
        finally:
            self._callbacks.remove(callback)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Keep the time limit, and hear the other processes, while the body runs."""
        limit_s = self._budgets.max_time_s
        loop = asyncio.get_running_loop()
        word = f"--max-time is over: {limit_s:g} s" if limit_s is not None else ""
        timer = None if limit_s is None else loop.call_later(limit_s, self.stop, word)
        hearing = loop.create_task(self._hear()) if self._ledger.is_shared else None
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            if hearing is not None:
                hearing.cancel()

    async def _hear(self) -> None:
        while not self._ledger.is_stopped():  # noqa: ASYNC110  # no event crosses processes
            await asyncio.sleep(_LOOK_S)
        self.stop(STOPPED_ELSEWHERE)
