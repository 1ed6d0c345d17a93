"""Ends an exchange at its time limits; asks only when a limit could have passed when output last came."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from harness.clock import Clock
from harness.measure.wire.exchange import TimeLimits
from harness.measure.wire.lookout import Sighting
from harness.model.record import FailureKind
from harness.units import nanoseconds, seconds


def next_check(limits: TimeLimits, *, now_ns: int, sent_at_ns: int, last_output_at_ns: int | None) -> int | FailureKind:
    """The limit that passed, or the earliest instant at which one can have passed."""
    idle_ns = nanoseconds(limits.idle_s)
    if last_output_at_ns is None:
        silent = (sent_at_ns + nanoseconds(limits.first_output_s), FailureKind.TIMEOUT_FIRST_OUTPUT)
        look_again_ns = now_ns + idle_ns  # output that comes right now may idle from now on
    else:
        silent = (last_output_at_ns + idle_ns, FailureKind.TIMEOUT_IDLE)
        look_again_ns = silent[0]
    total = (sent_at_ns + nanoseconds(limits.total_s), FailureKind.TIMEOUT_TOTAL)
    deadline_ns, kind = min(silent, total)
    return kind if now_ns >= deadline_ns else min(deadline_ns, look_again_ns)


class View(Protocol):
    """Two looks at what arrived: a cheap one, and one that is certain."""

    def glance(self) -> Sighting:
        """Look at the last few reads."""
        ...

    async def look(self) -> Sighting:
        """Look at everything."""
        ...


class Watchdog:
    """The timer of one exchange."""

    def __init__(self, limits: TimeLimits, clock: Clock, view: View, expire: Callable[[FailureKind], None]) -> None:
        """Wait to be started."""
        self._limits = limits
        self._clock = clock
        self._view = view
        self._expire = expire
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None
        self.sent_at_ns = 0

    def start(self, at_ns: int) -> None:
        """Count from an instant."""
        self.sent_at_ns = at_ns
        self._act(next_check(self._limits, now_ns=at_ns, sent_at_ns=at_ns, last_output_at_ns=None), at_ns)

    def stop(self) -> None:
        """Count no longer."""
        for waiting in (self._timer, self._looking):
            if waiting is not None:
                waiting.cancel()
        self._timer = self._looking = None

    def _act(self, check: int | FailureKind, now_ns: int) -> None:
        if isinstance(check, FailureKind):
            self._expire(check)
        else:
            self._timer = asyncio.get_running_loop().call_later(seconds(check - now_ns), self._glance)

    def _glance(self) -> None:
        """Go by the last few reads where they settle it: output in them only moves a limit of silence on."""
        self._timer = None
        seen = self._view.glance()
        now_ns = self._clock.monotonic_ns()
        check = self._check(seen, now_ns)
        if seen.is_last or (seen.at_ns is not None and check is not FailureKind.TIMEOUT_IDLE):
            self._act(check, now_ns)
        else:
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        seen = await self._view.look()
        now_ns = self._clock.monotonic_ns()
        self._act(self._check(seen, now_ns), now_ns)

    def _check(self, seen: Sighting, now_ns: int) -> int | FailureKind:
        return next_check(self._limits, now_ns=now_ns, sent_at_ns=self.sent_at_ns, last_output_at_ns=seen.at_ns)
