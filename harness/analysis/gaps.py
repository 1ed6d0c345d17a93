"""The rhythm of one stream: times between reads that brought output, and where it stood still."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from harness.analysis.latencies import FAILED
from harness.analysis.results.estimates import Value
from harness.analysis.values import known, missing
from harness.model.record import Record
from harness.units import seconds

FEW_READS = "fewer than two reads with output"
SHORTEST_STALL_S = 1.0
STALL_MEDIANS = 10.0  # a gap this many times the request's median gap is no rhythm


def output_instants(record: Record) -> tuple[int, ...]:
    """Receive instant of every distinct read that carried output, in the order of the reads."""
    arrivals = record.arrivals
    return tuple(dict(zip(arrivals.read, arrivals.at_ns, strict=True)).values())


def gaps(record: Record) -> tuple[float, ...]:
    """Times between consecutive reads that carry output; none for a failed request."""
    if record.failure is not None:
        return ()
    return tuple(seconds(later - earlier) for earlier, later in pairwise(output_instants(record)))


def median_gap(record: Record) -> Value:
    """Give the middle of the request's gaps."""
    found = gaps(record)
    return known(median(found)) if found else _without_gaps(record)


def stall_seconds(record: Record) -> Value:
    """Sum of what each gap exceeds the larger of 1 s and ten median gaps by."""
    found = gaps(record)
    if not found:
        return _without_gaps(record)
    allowed = _allowed_s(found)
    return known(sum(max(0.0, gap - allowed) for gap in found))


def stalls(record: Record) -> tuple[tuple[int, int], ...]:
    """From which instant to which a stream stood still: the gaps that count as stalls."""
    found = gaps(record)
    if not found:
        return ()
    allowed = _allowed_s(found)
    spans = zip(found, pairwise(output_instants(record)), strict=True)
    return tuple(span for gap, span in spans if gap > allowed)


def _allowed_s(found: Sequence[float]) -> float:
    return max(SHORTEST_STALL_S, STALL_MEDIANS * median(found))


def _without_gaps(record: Record) -> Value:
    return missing(FEW_READS if record.failure is None else FAILED)
