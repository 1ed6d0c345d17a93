"""What the machine offers an instrument: clocks, kernel stamps, open files, processors."""

import os
import platform
import socket
from dataclasses import dataclass
from pathlib import Path

from harness.clock import Clock, ClockSource, clock_source
from harness.measure.filelimit import most_files
from harness.measure.wire.clockmap import ClockMap
from harness.measure.wire.stamps import why_not_stamped

_READINGS = 2_000
_TRIES = 5
_PAIRINGS = 50
_HARDWARE_CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Facts that hold before anything is measured; None where the system does not say."""

    system: str
    monotonic: ClockSource
    realtime: ClockSource
    hardware_clock: str | None  # from which the kernel makes its clocks
    reading_cost_ns: int  # of the monotonic clock
    pairing_bound_ns: int  # how well the two clocks are known against each other, at rest
    stamps_refused: str | None  # why sockets get no kernel stamps; None where they do
    n_files_allowed: int | None  # as far as a process may raise its own limit, and a run does
    n_cpus: int
    n_cpus_usable: int | None  # by this process
    cpu_quota: float | None  # CPUs' worth of time that its control group may use
    load_average: float | None  # of the last minute


def look_at(clock: Clock) -> Machine:
    """Look at this machine."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        monotonic=clock_source("monotonic"),
        realtime=clock_source("time"),
        hardware_clock=_first_line(_HARDWARE_CLOCK),
        reading_cost_ns=_reading_cost_ns(clock),
        pairing_bound_ns=_pairing_bound_ns(clock),
        stamps_refused=_stamps_refused(),
        n_files_allowed=most_files(),
        n_cpus=os.cpu_count() or 1,
        n_cpus_usable=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        cpu_quota=quota_of(_first_line(_CPU_QUOTA)),
        load_average=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def quota_of(line: str | None) -> float | None:
    """Read `cpu.max` of a control group: time per period, or max."""
    words = (line or "").split()
    if len(words) != 2 or not all(word.isdecimal() for word in words):  # noqa: PLR2004  # quota and period
        return None
    return int(words[0]) / int(words[1])


def _reading_cost_ns(clock: Clock) -> int:
    """The cheapest of several rounds: whatever else ran made the others dearer."""
    rounds = []
    for _ in range(_TRIES):
        before = clock.monotonic_ns()
        for _ in range(_READINGS):
            clock.monotonic_ns()
        rounds.append(clock.monotonic_ns() - before)
    return round(min(rounds) / _READINGS)


def _pairing_bound_ns(clock: Clock) -> int:
    pairing = ClockMap(clock)
    for _ in range(_PAIRINGS):
        pairing.pair()
    return pairing.bound_ns or 0


def _stamps_refused() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        return why_not_stamped(sock)


def _first_line(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip() or None
    except OSError:
        return None
