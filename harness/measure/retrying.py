"""Decides for each attempt that has landed whether its request goes out again, and when."""

import asyncio
import functools
from dataclasses import dataclass

from harness.clock import Clock
from harness.decode.ratelimits import asked_of
from harness.measure.guard import Guard
from harness.measure.outcome import LONG_BYTES, failure_kind, is_surely_well
from harness.model.record import Attempt, Block, FailureKind
from harness.model.retries import MAY_HAVE_SLEPT, NotRetried, chance_of, next_wait_s
from harness.model.settings import RetrySettings
from harness.units import nanoseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt at a block's request."""

    block: Block
    attempt: int = 1
    due_ns: int = 0  # of a retry: when its wait is over
    is_possibly_cold: bool = False  # what it follows says that the endpoint may be waking


Fate = asyncio.Future[Try | None]  # what follows an attempt: another one, or nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An attempt that is over: when its slot became free, and what will follow once it is on record."""

    free_at_ns: int
    fate: Fate


class Retrying:
    """Tells how attempts ended, to the guard at once and to whoever waits for a fate."""

    def __init__(self, settings: RetrySettings, seed: int, clock: Clock, guard: Guard) -> None:
        """Take what a wait depends on."""
        self._settings = settings
        self._seed = seed
        self._clock = clock
        self._guard = guard

    def decide(self, attempt: Attempt, wire: bytes, block: Block, fate: Fate | None = None) -> None:
        """Find out how it ended, beside the loop where that takes long; then settle its fate, if anybody waits for it.

        A warm-up's is nobody's to wait for: it is sent once.
        """
        if is_surely_well(attempt, wire):
            self._settle(attempt, None, block, fate)
        elif len(wire) <= LONG_BYTES:
            self._settle(attempt, failure_kind(attempt, wire), block, fate)
        else:
            found = asyncio.get_running_loop().run_in_executor(None, failure_kind, attempt, wire)
            found.add_done_callback(functools.partial(self._take, attempt, block, fate))

    def _take(
        self, attempt: Attempt, block: Block, fate: Fate | None, found: "asyncio.Future[FailureKind | None]"
    ) -> None:
        if found.cancelled():
            return
        if (error := found.exception()) is None:
            self._settle(attempt, found.result(), block, fate)
        elif fate is not None and not fate.done():
            fate.set_exception(error)

    def _settle(self, attempt: Attempt, kind: FailureKind | None, block: Block, fate: Fate | None) -> None:
        self._guard.note(attempt, kind)
        if fate is not None and not fate.done():
            fate.set_result(
                None if kind is None or self._guard.reason is not None else self._next(attempt, kind, block)
            )

    def _next(self, attempt: Attempt, kind: FailureKind, block: Block) -> Try | None:
        asked = asked_of(attempt.headers, self._clock.now())
        chance = chance_of(self._seed, attempt.key, attempt.attempt)
        wait_s = next_wait_s(kind, attempt.attempt, asked, self._settings, chance)
        if isinstance(wait_s, NotRetried):
            return None
        ended_at_ns = attempt.ended_at_ns or self._clock.monotonic_ns()
        return Try(
            block=block,
            attempt=attempt.attempt + 1,
            due_ns=ended_at_ns + nanoseconds(wait_s),
            is_possibly_cold=kind in MAY_HAVE_SLEPT,
        )
