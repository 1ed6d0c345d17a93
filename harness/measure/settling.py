"""Does the slow part of each landed request after the next request went out, one at a time between reads.

More than one where they pile up: an endpoint that answers at once lets many requests land in one pass of the loop, and
one job a pass would leave the rest waiting in memory, unrecorded, to the end of the run.
"""

import asyncio
from collections import deque
from collections.abc import Callable

Job = Callable[[], object]
_WAITING_PER_EXTRA_JOB = 16


class Settling:
    """A queue of jobs, each done in a pass of the loop of its own while few wait, so that no read waits for two."""

    def __init__(self) -> None:
        """Start empty."""
        self._jobs: deque[Job] = deque()
        self._called: asyncio.Event = asyncio.Event()
        self._is_closed = False

    def add(self, job: Job) -> None:
        """Have a job done soon."""
        self._jobs.append(job)
        self._called.set()

    async def run(self) -> None:
        """Do jobs until closed and empty; what a job raises ends it."""
        while self._jobs or not self._is_closed:
            if self._jobs:
                await asyncio.sleep(0)  # what landed starts the next request, and readable sockets are read, before it
                for _ in range(1 + len(self._jobs) // _WAITING_PER_EXTRA_JOB):
                    self._do_one()
            else:
                self._called.clear()
                await self._called.wait()

    def _do_one(self) -> None:
        if self._jobs:  # `finish` may have been quicker
            self._jobs.popleft()()

    def close(self) -> None:
        """Let `run` return when all is done."""
        self._is_closed = True
        self._called.set()

    def finish(self) -> None:
        """Do what is left at once: whoever stops a run keeps what has landed."""
        while self._jobs:
            self._jobs.popleft()()
