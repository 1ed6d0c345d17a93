"""What the instrument reports beside its limits: how it read, what load was there, what measuring cost."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import CertificateRow, Instrument, Measured, TwinBias
from harness.analysis.twin import NO_TWIN
from harness.analysis.values import missing
from harness.analysis.words import count_of

Read = Callable[[Instrument], Value]


def reported_rows(instrument: Sequence[Instrument]) -> Iterator[CertificateRow]:
    """Give the rows without a limit: they explain the others."""
    has_twin = any(one.twin is not None for one in instrument)
    for row_id, title, unit, read in (*_ROWS, *(_TWIN_ROWS if has_twin else ())):
        detail = _DETAILS.get(row_id, _nothing)
        sides = [Measured(arm=one.arm, value=read(one), detail=detail(one)) for one in instrument]
        yield CertificateRow(id=row_id, title=title, unit=unit, sides=tuple(sides))


_ROWS: tuple[tuple[str, str, str, Read], ...] = (
    ("kernel_stamps", "reads stamped by the kernel", "fraction", lambda one: one.kernel_stamp_fraction),
    ("mapping_bound", "kernel's clock mapped within", "s", lambda one: one.clock.mapping_bound_s),
    ("receive_lag_p50", "receive lag, median", "s", lambda one: one.receive_lag_p50_s),
    ("receive_lag_p99", "receive lag, p99", "s", lambda one: one.receive_lag_p99_s),
    ("all_shared_reads", "output events that share a read", "fraction", lambda one: one.shared_read_fraction),
    ("gap_p50", "gap between reads, median", "s", lambda one: one.gap_p50_s),
    ("achieved_load", "load that was there", "load", lambda one: one.load.achieved),
    ("queue_delay", "sent after due, p99", "s", lambda one: one.load.queue_delay_p99_s),
    ("loop_lag_p50", "loop lag, median", "s", lambda one: one.client.loop_lag_p50_s),
    ("loop_lag_p99", "loop lag, p99", "s", lambda one: one.client.loop_lag_p99_s),
    ("loop_lag_max", "loop lag, longest", "s", lambda one: one.client.loop_lag_max_s),
    ("client_cpu", "CPU of the client, of one core", "fraction", lambda one: one.client.cpu_fraction),
    ("cpu_per_event", "CPU of the client per event", "s", lambda one: one.client.cpu_per_event_s),
    ("open_connections", "most connections of a process", "count", lambda one: one.client.open_connections),
)

_TWIN_ROWS: tuple[tuple[str, str, str, Read], ...] = (
    ("twin_late_p50", "twin: arrivals late, median", "s", lambda one: _of_twin(one, lambda twin: twin.late_p50_s)),
    ("twin_late_p99", "twin: arrivals late, p99", "s", lambda one: _of_twin(one, lambda twin: twin.late_p99_s)),
    (
        "twin_ttft_error_p50",
        "twin: TTFT off by, median",
        "s",
        lambda one: _of_twin(one, lambda twin: twin.ttft_error_p50_s),
    ),
    (
        "twin_ttft_error_max",
        "twin: TTFT off by, largest",
        "s",
        lambda one: _of_twin(one, lambda twin: twin.ttft_error_max_s),
    ),
    ("twin_gap_error_p99", "twin: gaps off by, p99", "s", lambda one: _of_twin(one, lambda twin: twin.gap_error_p99_s)),
    (
        "twin_shared_writes",
        "twin: writes that share a read",
        "fraction",
        lambda one: _of_twin(one, lambda twin: twin.shared_fraction),
    ),
)


def _of_twin(one: Instrument, read: Callable[[TwinBias], Value]) -> Value:
    return missing(NO_TWIN) if one.twin is None else read(one.twin)


def _replayed(one: Instrument) -> str:
    if one.twin is None:
        return ""
    return f"{count_of(one.twin.n_streams, 'stream')} of its shape replayed, {count_of(one.twin.n_writes, 'write')}"


def _nothing(_: Instrument) -> str:
    return ""


def _reads(one: Instrument) -> str:
    return f"of {count_of(one.n_reads, 'read')}"


def _asked(one: Instrument) -> str:
    return f"asked: {one.load.words}"


def _whose(one: Instrument) -> str:
    """Say whose figure it is: a process that measured both sides has one for both."""
    client = one.client
    if not client.n_processes:
        return ""
    whose = "both sides together" if client.is_shared else "this side alone"
    return whose if client.n_processes == 1 else f"{whose}, {client.n_processes} processes"


def _files(one: Instrument) -> str:
    allowed = one.client.files_allowed.value
    return "" if allowed is None else f"of {allowed:,.0f} files allowed"


_DETAILS: Mapping[str, Callable[[Instrument], str]] = {
    "kernel_stamps": _reads,
    "achieved_load": _asked,
    "loop_lag_p50": _whose,
    "loop_lag_p99": _whose,
    "loop_lag_max": _whose,
    "client_cpu": _whose,
    "cpu_per_event": _whose,
    "open_connections": _files,
    "twin_late_p50": _replayed,
}
