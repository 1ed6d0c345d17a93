"""Ends an exchange at its time limits; asks only when a limit could have passed when output last came."""

import asyncio
from collections.abc import Callable

from harness.clock import Clock
from harness.measure.wire.exchange import TimeLimits
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


class Watchdog:
    """The timer of one exchange."""

    def __init__(
        self,
        limits: TimeLimits,
        clock: Clock,
        last_output: Callable[[], int | None],
        expire: Callable[[FailureKind], None],
    ) -> None:
        """Wait to be started."""
        self._limits = limits
        self._clock = clock
        self._last_output = last_output
        self._expire = expire
        self._timer: asyncio.TimerHandle | None = None
        self.sent_at_ns = 0

    def start(self, at_ns: int) -> None:
        """Count from an instant."""
        self.sent_at_ns = at_ns
        first = next_check(self._limits, now_ns=at_ns, sent_at_ns=at_ns, last_output_at_ns=None)
        self._arm(first, at_ns)

    def stop(self) -> None:
        """Count no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, check: int | FailureKind, now_ns: int) -> None:
        if isinstance(check, FailureKind):
            self._timer = None
            self._expire(check)
        else:
            self._timer = asyncio.get_running_loop().call_later(seconds(check - now_ns), self._look)

    def _look(self) -> None:
        last = self._last_output()
        now_ns = self._clock.monotonic_ns()
        check = next_check(self._limits, now_ns=now_ns, sent_at_ns=self.sent_at_ns, last_output_at_ns=last)
        self._arm(check, now_ns)
