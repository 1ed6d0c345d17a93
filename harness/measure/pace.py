"""Knows how far every arm has walked, so that none runs away from the others."""

from typing import Protocol

from harness.clock import Clock


class Pace(Protocol):
    """How far each lane of the run is; the lanes of other processes count too."""

    is_shared: bool  # with other processes, whose progress nothing announces

    def publish(self, lane: int, next_block: int) -> None:
        """Say which block a lane will start next."""
        ...

    def slowest(self) -> int:
        """Give the earliest block that some lane has still to start."""
        ...

    async def turn_to_warm_up(self) -> None:
        """Wait until no other process warms the same endpoint up."""
        ...

    async def gather(self, level: int) -> None:
        """Wait until every lane has ended what comes before a level: connections opened earlier would go stale."""
        ...

    async def start_of(self, level: int) -> int:
        """Wait until every lane stands before a level; give the instant from which all count its time."""
        ...


class OwnPace:
    """The pace of lanes that all run in this process."""

    is_shared = False

    def __init__(self, n_lanes: int, clock: Clock) -> None:
        """Stand before the first block."""
        self._next = [0] * n_lanes
        self._clock = clock

    def publish(self, lane: int, next_block: int) -> None:
        """Note it."""
        self._next[lane] = next_block

    def slowest(self) -> int:
        """Give the smallest."""
        return min(self._next)

    async def turn_to_warm_up(self) -> None:
        """Go on: there is no other process."""

    async def gather(self, level: int) -> None:
        """Go on: whoever asks has ended it for all lanes."""

    async def start_of(self, level: int) -> int:  # noqa: ARG002  # one process is always ready for all its lanes
        """Give the present instant: whoever asks has ended the level before."""
        return self._clock.monotonic_ns()
