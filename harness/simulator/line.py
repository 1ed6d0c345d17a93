"""The line in front of a limited number of slots."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.simulator.profile import Capacity


class LineIsFullError(Exception):
    """As many wait as may wait."""


class Line:
    """Serves so many at once, first come first served; without a capacity everybody at once."""

    def __init__(self, capacity: Capacity | None) -> None:
        """Open with all slots free."""
        self._slots = asyncio.Semaphore(capacity.slots) if capacity else None
        self._longest = capacity.queue if capacity else None
        self._waiting = 0

    @asynccontextmanager
    async def slot(self, *, is_needed: bool) -> AsyncIterator[bool]:
        """Hold a slot; gives whether it had to be waited for. LineIsFullError when too many wait."""
        if self._slots is None or not is_needed:
            yield False
            return
        has_waited = self._slots.locked()
        await self._wait(self._slots)
        try:
            yield has_waited
        finally:
            self._slots.release()

    async def _wait(self, slots: asyncio.Semaphore) -> None:
        if slots.locked() and self._longest is not None and self._waiting >= self._longest:
            raise LineIsFullError
        self._waiting += 1
        try:
            await slots.acquire()
        finally:
            self._waiting -= 1
