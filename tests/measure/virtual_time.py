"""An event loop whose clock jumps to the next timer: long runs in no time, without sockets."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")


class JumpingSelector(selectors.DefaultSelector):
    """Never waits: reports what is ready, else moves time to the next timer."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Poll once; where nothing is ready the wait is skipped."""
        ready = super().select(0)
        if not ready and timeout:
            self.now_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time."""

    def __init__(self) -> None:
        """Start at zero."""
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Give the virtual time."""
        return self._jumping.now_s


class LoopClock:
    """A Clock on the running loop's time."""

    def monotonic_ns(self) -> int:
        """Give the loop's instant."""
        return round(asyncio.get_running_loop().time() * 1_000_000_000)

    def realtime_ns(self) -> int:
        """Give the same as the monotonic clock."""
        return self.monotonic_ns()

    def now(self) -> datetime:
        """Give a fixed label."""
        return datetime(2026, 1, 1, tzinfo=UTC)


def run_in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on a fresh virtual loop."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())
