"""How far the timings can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.analysis.results.estimates import Value, unmeasured
from harness.model.record import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSource:
    """Where the instants of one side come from."""

    name: str = "not known"
    detail: str = ""
    mapping_bound_s: Value = field(default_factory=unmeasured)  # of a kernel stamp on the monotonic clock
    steps: tuple[str, ...] = ()  # of the wall clock, each with its size


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLoad:
    """How much of the load that the plan asks for one side got, and how well the harness kept up with the plan."""

    words: str = "not known"  # what was asked: "4 requests in flight"
    is_open_loop: bool = False
    offered_fraction: Value = field(default_factory=unmeasured)  # free slots filled, or schedule kept: our part
    achieved: Value = field(default_factory=unmeasured)  # mean number in flight, or requests sent per second
    shortfall: str = ""  # what of the plan kept more than 5 % of the load away; empty: nothing did
    queue_delay_p99_s: Value = field(default_factory=unmeasured)  # due to sent
    requests_per_minute: int | None = None  # the quota that paces this side; None: none does
    includes_quota: bool = False  # offered_fraction takes its waits for ours: they were not recorded apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What measuring cost the processes that measured one side."""

    n_processes: int = 0
    is_shared: bool = False  # a process measured other sides too: its figures are of all of them
    loop_lag_p50_s: Value = field(default_factory=unmeasured)  # of the process where it was longest
    loop_lag_p99_s: Value = field(default_factory=unmeasured)
    loop_lag_max_s: Value = field(default_factory=unmeasured)
    cpu_fraction: Value = field(default_factory=unmeasured)  # of one core, in the busiest process
    cpu_per_event_s: Value = field(default_factory=unmeasured)
    open_connections: Value = field(default_factory=unmeasured)  # most at once in one process
    files_allowed: Value = field(default_factory=unmeasured)  # per process


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinBias:
    """What the client made of streams whose truth is known; seconds."""

    n_streams: int
    n_writes: int
    late_p50_s: Value  # arrival - the instant before its write
    late_p99_s: Value
    ttft_error_p50_s: Value  # |first arrival - sent - (first write - request read by the server)|
    ttft_error_max_s: Value  # one per stream: too few for a tail
    gap_error_p99_s: Value  # |gap seen - gap sent|
    shared_fraction: Value  # writes that share a read with another
    notes: tuple[str, ...] = ()  # what kept the twin from replaying, of both sides of its run


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """How far the timings can be trusted, for one side."""

    arm: Arm
    n_reads: int
    kernel_stamp_fraction: Value
    receive_lag_p50_s: Value
    receive_lag_p99_s: Value
    send_lateness_p99_s: Value
    shared_read_fraction: Value  # output events that share a read with another
    late_shared_fraction: Value = field(default_factory=unmeasured)  # of them: through our own late reading
    arrival_uncertainty_p99_s: Value = field(default_factory=unmeasured)
    gap_p50_s: Value = field(default_factory=unmeasured)  # between reads with output
    clock: ClockSource = ClockSource()
    load: OfferedLoad = OfferedLoad()
    client: Client = Client()
    twin: TwinBias | None = None  # None: no twin was asked for


VOID_FIGURE = "timings do not count"  # why a figure of time is not told


class TimingVerdict(StrEnum):
    """Whether the timings of a run say anything."""

    VALID = "valid for timing"
    VOID = "VOID for timing"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One side's value of a certificate's row, against its own limit."""

    arm: Arm
    value: Value
    limit: float | None = None  # None: this side is only reported
    is_met: bool | None = None  # None: not known, or not gated
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """One thing that the instrument measured of itself, with its limit where there is one."""

    id: str
    title: str  # what is measured
    unit: str  # "s", "fraction", "count", or "load": counted as the plan does
    sides: tuple[Measured, ...]
    condition: str = ""  # what is claimed; empty: reported, not gated
    limit: str = ""  # in words
    is_met: bool | None = None  # None: not known, or not gated
    consequence: str = ""  # what follows where it is not met
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The run's statement on its own timings: limits, measured values, clock source, verdict."""

    verdict: TimingVerdict
    sentence: str
    line: str  # the same, short enough for a terminal
    reasons: tuple[str, ...] = ()  # why it is void, or not known
    notes: tuple[str, ...] = ()
    clock: Mapping[Arm, ClockSource] = field(default_factory=dict)
    rows: tuple[CertificateRow, ...] = ()

    @property
    def is_void(self) -> bool:
        """Whether no figure of time may be told or built upon."""
        return self.verdict is TimingVerdict.VOID
