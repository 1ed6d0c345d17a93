"""The one place that reads a clock."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol


class Clock(Protocol):
    """What the harness needs of time: an interval clock, a wall label, the kernel's stamp clock."""

    def monotonic_ns(self) -> int:
        """Instant in ns on the one clock that all intervals use."""
        ...

    def realtime_ns(self) -> int:
        """Instant in ns of CLOCK_REALTIME, the clock of kernel receive stamps."""
        ...

    def now(self) -> datetime:
        """Wall-clock time in UTC: a label, never an operand."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic_ns(self) -> int:
        """Read CLOCK_MONOTONIC."""
        return time.monotonic_ns()

    def realtime_ns(self) -> int:
        """Read CLOCK_REALTIME."""
        return time.time_ns()

    def cpu_ns(self) -> int:
        """Read the CPU time of this process so far, user and system."""
        return time.process_time_ns()

    def now(self) -> datetime:
        """Read the wall clock in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that moves only when told, for tests."""

    def __init__(self, start_ns: int = 0, wall: datetime | None = None) -> None:
        """Start at an instant and a wall label."""
        self.at_ns = start_ns
        self._wall = wall or datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic_ns(self) -> int:
        """Give the set instant."""
        return self.at_ns

    def realtime_ns(self) -> int:
        """Give the set instant shifted to the wall label's epoch."""
        return int(self._wall.timestamp() * 1_000_000_000) + self.at_ns

    def now(self) -> datetime:
        """Give the wall label."""
        return self._wall


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSource:
    """What a clock of this machine is, as the system describes it."""

    name: str  # of the system's call
    resolution_ns: int


def clock_source(kind: Literal["monotonic", "time"]) -> ClockSource:
    """Describe the clock of intervals (`monotonic`) or of kernel stamps (`time`)."""
    facts = time.get_clock_info(kind)
    return ClockSource(name=facts.implementation, resolution_ns=max(1, round(facts.resolution * 1_000_000_000)))
