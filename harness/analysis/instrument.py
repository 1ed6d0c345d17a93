"""How far the timings of one side can be trusted: the instrument's own figures."""

from collections.abc import Sequence

from harness.analysis.buffering import KERNEL, shared_events
from harness.analysis.clientcost import side_client
from harness.analysis.clocksource import clock_source
from harness.analysis.gaps import gaps
from harness.analysis.latencies import send_lateness
from harness.analysis.latereading import NO_KERNEL_STAMP, late_shared_fraction
from harness.analysis.offered import offered_load
from harness.analysis.quantiles import quantile, rank_of
from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import Instrument
from harness.analysis.trials import JudgedRecord, at_level
from harness.analysis.twin import twin_bias
from harness.analysis.values import known, missing
from harness.model.record import Reads
from harness.units import seconds

NO_READ = "no read"
NO_LAG = "our own clock stamped, and nothing says how late"
_P99 = 0.99


def side_instrument(case: Case, side: Side, judged: Sequence[JudgedRecord], *, level: int = 0) -> Instrument:
    """Measure how one side's requests at a level were read and sent; at the first, these are the judged ones."""
    records = [item.record for item in at_level(judged, level)]
    sources = "".join(record.reads.source for record in records)
    lags = [lag for record in records for lag in receive_lags(record.reads)]
    lateness = [late for record in records if (late := send_lateness(record).value) is not None]
    lag_p99 = _quantile(lags, _P99, NO_KERNEL_STAMP if sources else NO_READ)
    shared = [is_shared for record in records for is_shared in shared_events(record)]
    client, clock = side_client(case, side, level=level), clock_source(sources, side)
    return Instrument(
        arm=side.arm,
        n_reads=len(sources),
        kernel_stamp_fraction=_fraction(sources.count(KERNEL), len(sources), NO_READ),
        receive_lag_p50_s=_quantile(lags, 0.5, NO_KERNEL_STAMP if sources else NO_READ),
        receive_lag_p99_s=lag_p99,
        send_lateness_p99_s=_quantile(lateness, _P99, "no request was sent"),
        shared_read_fraction=_fraction(sum(shared), len(shared), "no output event"),
        late_shared_fraction=late_shared_fraction(records, client.loop_lag_p99_s),
        arrival_uncertainty_p99_s=_uncertainty(sources, clock.mapping_bound_s, (lag_p99, client.loop_lag_p99_s)),
        gap_p50_s=_quantile([gap for record in records for gap in gaps(record)], 0.5, "no gap"),
        clock=clock,
        load=offered_load(case, side, judged, level=level),
        client=client,
        twin=twin_bias(side.twin),
    )


def receive_lags(reads: Reads) -> tuple[float, ...]:
    """Time from the kernel's receive instant to our own, for each read that has one."""
    return tuple(
        seconds(seen_at_ns - at_ns)
        for at_ns, seen_at_ns, source in zip(reads.at_ns, reads.seen_at_ns, reads.source, strict=True)
        if source == KERNEL
    )


def _uncertainty(sources: str, mapping_bound: Value, lags: Sequence[Value]) -> Value:
    """The p99 over all reads of what an instant may be off by.

    A kernel's stamp is off by what the mapping between the two clocks is. A stamp of our own is late by what our
    reading is, which stamped reads of the same side and a timer in the same loop show: the larger of the two counts.
    """
    if not sources:
        return missing(NO_READ)
    if sources.count(KERNEL) >= rank_of(_P99, len(sources)):
        return mapping_bound
    seen = [lag.value for lag in lags if lag.value is not None]
    return known(max(seen)) if seen else missing(NO_LAG)


def _quantile(values: Sequence[float], q: float, reason: str) -> Value:
    found = quantile(values, q)
    return missing(reason) if found is None else known(found)


def _fraction(part: int, whole: int, reason: str) -> Value:
    return known(part / whole) if whole else missing(reason)
