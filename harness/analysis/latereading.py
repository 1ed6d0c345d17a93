"""Which share of the output events share a read because we came late, as against what the server sent at once."""

from collections.abc import Iterator, Sequence
from itertools import chain
from statistics import median

import numpy as np
from numpy.typing import NDArray

from harness.analysis.buffering import KERNEL, PROMPT_LAG_S, shared_events
from harness.analysis.gaps import gaps
from harness.analysis.results.estimates import Value
from harness.analysis.values import known, missing
from harness.model.record import Record
from harness.units import seconds

NO_KERNEL_STAMP = "no read has a kernel stamp: the lag of our own stamps cannot be seen"
_HALF = 0.5


def late_shared_fraction(records: Sequence[Record], loop_lag_p99: Value) -> Value:
    """Estimate min(shared, 2 x max(late, close)) over the output events of one side.

    A read's lag runs from its last segment's stamp to our look. Who is away for longer than events are apart merges
    what comes meanwhile; the last of it lies anywhere in the last spacing before the return, so half of such reads are
    later than half a spacing: `late`. A lag alone does not show it, since a server that sends many at once leaves as
    little between them; so it counts only where the loop's own lag, which no arrival cuts short, reaches half a gap
    between reads. Where gaps vary, shorter absences merge what comes close together: `close`, the chance that a lag
    exceeds a gap, the two drawn independently. Lags up to PROMPT_LAG_S count for nothing: that much may be unresolved.
    """
    events = [event for record in records for event in _output_events(record)]
    if not events:
        return missing("no output event")
    shared = sum(is_shared for is_shared, _ in events) / len(events)
    lags = np.array([lag_s for _, lag_s in events if lag_s is not None])
    if not shared:
        return known(0.0)
    if not lags.size:
        return missing(NO_KERNEL_STAMP)
    if loop_lag_p99.value is None:
        return missing(f"loop lag: {loop_lag_p99.reason}")
    between = list(chain.from_iterable(map(gaps, records)))
    was_away = loop_lag_p99.value > max(PROMPT_LAG_S, _HALF * _median(between))
    late = _share_beyond(lags, _HALF * _event_spacing_s(records)) if was_away else 0.0
    return known(min(shared, 2 * max(late, _share_beyond_a_gap(lags, between))))


def _median(values: Sequence[float]) -> float:
    return median(values) if values else 0.0


def _event_spacing_s(records: Sequence[Record]) -> float:
    """Mean time from one output event to the next within a stream, whatever read they came in."""
    streams = [record.arrivals.at_ns for record in records if len(record.arrivals.at_ns) > 1]
    n_steps = sum(len(at_ns) - 1 for at_ns in streams)
    return sum(seconds(at_ns[-1] - at_ns[0]) for at_ns in streams) / n_steps if n_steps else 0.0


def _share_beyond(lags: NDArray[np.float64], limit_s: float) -> float:
    return float((lags > max(PROMPT_LAG_S, limit_s)).mean())


def _share_beyond_a_gap(lags: NDArray[np.float64], between: Sequence[float]) -> float:
    """Over all pairs of a lag and a gap, the share in which the lag is longer."""
    if not between:
        return 0.0
    n_shorter = np.searchsorted(np.sort(np.asarray(between)), lags[lags > PROMPT_LAG_S], side="left")
    return float(n_shorter.sum()) / len(between) / len(lags)


def _output_events(record: Record) -> Iterator[tuple[bool, float | None]]:
    """Whether each output event shares its read, and that read's lag in seconds; None without a kernel stamp."""
    reads = record.reads
    lags = [
        seconds(seen_at_ns - at_ns) if source == KERNEL else None
        for at_ns, seen_at_ns, source in zip(reads.at_ns, reads.seen_at_ns, reads.source, strict=True)
    ]
    for read, is_shared in zip(record.arrivals.read, shared_events(record), strict=True):
        yield is_shared, lags[read] if read < len(lags) else None
