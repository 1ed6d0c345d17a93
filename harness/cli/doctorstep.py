"""Says of one number of streams whether its timings can be trusted, and of several up to which."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.units import NS_PER_MS

MOST_LATE_NS = NS_PER_MS // 10  # of an arrival's instant, p99, where the kernel stamps
MOST_LATE_UNSTAMPED_NS = NS_PER_MS  # elsewhere: what a run's certificate allows
MOST_SHARED = 0.02  # events that share a read with another
LEAST_IN_FLIGHT = 0.95  # of the streams asked for
MOST_SERVER_LATE = 0.5  # of the time between two tokens, p99: later ones come together with the next
_STAMPED = 0.99


class Short(StrEnum):
    """In what a step fell short."""

    FILES = "files"  # not tried: more sockets than may be open
    FAILED = "failed"  # requests without a whole answer
    LATE = "late"  # arrival instants
    SHARED = "shared"  # reads
    IN_FLIGHT = "in_flight"
    SERVER = "server"  # the truth server did not keep its own schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One number of streams, tried; a figure is None where nothing came that could give it."""

    n_streams: int
    n_requests: int = 0
    n_failed: int = 0
    n_events: int = 0
    late_p50_ns: int | None = None  # an arrival's instant against the one right before its write
    late_p99_ns: int | None = None
    shared_fraction: float | None = None
    in_flight_fraction: float | None = None
    server_late_p99_ns: int | None = None
    server_late_limit_ns: int = 0
    kernel_stamp_fraction: float | None = None
    n_clock_steps: int = 0  # of the wall clock, while the kernel stamped by it
    cpu_ns_per_event: int | None = None
    loop_lag_p99_ns: int | None = None
    short: tuple[Short, ...] = ()

    @property
    def late_limit_ns(self) -> int:
        """What its arrivals may be late by."""
        return MOST_LATE_NS if (self.kernel_stamp_fraction or 0.0) >= _STAMPED else MOST_LATE_UNSTAMPED_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Up to how many streams timings can be trusted on this machine, and what stands against more."""

    n_streams: int  # 0: not even one
    beyond: Step | None  # the first that fell short; None where all that was tried can be trusted


def judged(step: Step) -> Step:
    """Note in what a step fell short; what is unknown falls short too."""
    found = {
        Short.FAILED: step.n_failed > 0 or step.n_requests == 0,
        Short.LATE: step.late_p99_ns is None or step.late_p99_ns > step.late_limit_ns,
        Short.SHARED: step.shared_fraction is None or step.shared_fraction > MOST_SHARED,
        Short.IN_FLIGHT: step.in_flight_fraction is None or step.in_flight_fraction < LEAST_IN_FLIGHT,
        Short.SERVER: step.server_late_p99_ns is None or step.server_late_p99_ns > step.server_late_limit_ns,
    }
    return replace(step, short=tuple(kind for kind, is_short in found.items() if is_short))


def trust_in(steps: Sequence[Step]) -> Trust:
    """Trust every step before the first that fell short."""
    trusted = 0
    for step in steps:
        if step.short:
            return Trust(n_streams=trusted, beyond=step)
        trusted = step.n_streams
    return Trust(n_streams=trusted, beyond=None)


def is_servers_limit(step: Step) -> bool:
    """Whether it was the truth server that fell short: nothing is then known of the client."""
    return Short.SERVER in step.short
