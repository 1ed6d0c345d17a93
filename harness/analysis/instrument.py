"""How far the timings of one side can be trusted: the instrument's own figures."""

from collections.abc import Sequence

from harness.analysis.buffering import KERNEL, shared_events
from harness.analysis.latencies import send_lateness
from harness.analysis.quantiles import quantile
from harness.analysis.results import Instrument, Value
from harness.analysis.trials import JudgedRecord
from harness.analysis.values import known, missing
from harness.model.record import Arm, Reads
from harness.units import seconds

NO_READ = "no read"
NO_KERNEL_STAMP = "no read has a kernel stamp: the lag of our own stamps cannot be seen"


def side_instrument(arm: Arm, judged: Sequence[JudgedRecord]) -> Instrument:
    """Measure how one side's judged requests were read and sent."""
    records = [item.record for item in judged if item.trial.is_judged]
    sources = "".join(record.reads.source for record in records)
    lags = [lag for record in records for lag in receive_lags(record.reads)]
    lateness = [late for record in records if (late := send_lateness(record).value) is not None]
    shared = [is_shared for record in records for is_shared in shared_events(record)]
    return Instrument(
        arm=arm,
        n_reads=len(sources),
        kernel_stamp_fraction=_fraction(sources.count(KERNEL), len(sources), NO_READ),
        receive_lag_p50_s=_quantile(lags, 0.5, NO_KERNEL_STAMP if sources else NO_READ),
        receive_lag_p99_s=_quantile(lags, 0.99, NO_KERNEL_STAMP if sources else NO_READ),
        send_lateness_p99_s=_quantile(lateness, 0.99, "no request was sent"),
        shared_read_fraction=_fraction(sum(shared), len(shared), "no output event"),
    )


def receive_lags(reads: Reads) -> tuple[float, ...]:
    """Time from the kernel's receive instant to our own, for each read that has one."""
    return tuple(
        seconds(seen_at_ns - at_ns)
        for at_ns, seen_at_ns, source in zip(reads.at_ns, reads.seen_at_ns, reads.source, strict=True)
        if source == KERNEL
    )


def _quantile(values: Sequence[float], q: float, reason: str) -> Value:
    found = quantile(values, q)
    return missing(reason) if found is None else known(found)


def _fraction(part: int, whole: int, reason: str) -> Value:
    return known(part / whole) if whole else missing(reason)
