"""How far what a client saw is from what the server sent: pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.truth.seen import SeenStream, Sighting
from benchmarks.truth.shape import Shape
from benchmarks.truth.streams import TrueStream
from harness.units import NS_PER_MS, NS_PER_S

MOST_UNMATCHED = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """One measurement's figures; milliseconds unless the name says otherwise, quantiles by linear interpolation."""

    n_requests: int
    n_events: int
    late_p50: float  # of an arrival against the instant before its write
    late_p99: float
    ttft_error_p50: float  # of |TTFT seen - TTFT true|, per request
    ttft_error_p99: float
    gap_error_p99: float  # of |gap seen - gap true|
    decode_error_p50: float  # of |decode rate seen / true - 1|
    decode_error_p99: float
    shared_fraction: float | None  # events that share a read; None where the client does not know its reads
    wall_over_ideal: float
    in_flight_fraction: float  # of the streams asked for, by the server's log, until the last request began
    cpu_us_per_event: float
    decode_us_per_event: float  # afterwards; a client that decodes as it reads has it in the one above
    whole_cpu_us_per_event: float  # both: what two clients can be compared by
    events_per_s: float


def bias(shape: Shape, seen: Sighting, truth: Sequence[TrueStream]) -> Bias:
    """Match by the response's id; ValueError when a measurement is too incomplete to say anything."""
    pairs = _matched(seen.streams, truth)
    if seen.n_failed or len(pairs) < (1 - MOST_UNMATCHED) * shape.requests:
        raise ValueError(f"{len(pairs)} of {shape.requests} requests can be matched, {seen.n_failed} failed")
    late = _late(pairs)
    ttft = np.array([_ttft_error(one, true) for one, true in pairs])
    gaps = np.concatenate([np.diff(one.output_at_ns) - np.diff(true.output_at_ns) for one, true in pairs])
    rates = np.array([_span(true.output_at_ns) / max(1, _span(one.output_at_ns)) - 1 for one, true in pairs])
    n_events = len(late)
    return Bias(
        n_requests=len(pairs),
        n_events=n_events,
        late_p50=_ms(late, 50),
        late_p99=_ms(late, 99),
        ttft_error_p50=_ms(np.abs(ttft), 50),
        ttft_error_p99=_ms(np.abs(ttft), 99),
        gap_error_p99=_ms(np.abs(gaps), 99),
        decode_error_p50=float(np.percentile(np.abs(rates), 50)),
        decode_error_p99=float(np.percentile(np.abs(rates), 99)),
        shared_fraction=_shared(seen.streams),
        wall_over_ideal=_wall_over_ideal(shape, pairs),
        in_flight_fraction=_in_flight([true for _, true in pairs]) / shape.streams,
        cpu_us_per_event=seen.cpu_ns / n_events / 1000,
        decode_us_per_event=seen.decode_ns / n_events / 1000,
        whole_cpu_us_per_event=(seen.cpu_ns + seen.decode_ns) / n_events / 1000,
        events_per_s=n_events / (_wall_ns([one for one, _ in pairs]) / NS_PER_S),
    )


def _matched(streams: Sequence[SeenStream], truth: Sequence[TrueStream]) -> list[tuple[SeenStream, TrueStream]]:
    """Pairs with the same number of output events: what one side lost cannot be compared event by event."""
    by_id = {true.id: true for true in truth}
    width = len(next(iter(by_id), ""))
    pairs = [(one, by_id[one.id[-width:]]) for one in streams if one.id[-width:] in by_id]
    return [(one, true) for one, true in pairs if len(one.output_at_ns) == len(true.output_at_ns) > 1]


def _late(pairs: Sequence[tuple[SeenStream, TrueStream]]) -> np.ndarray:
    return np.concatenate([np.array(one.output_at_ns) - np.array(true.output_at_ns) for one, true in pairs])


def _ttft_error(one: SeenStream, true: TrueStream) -> int:
    return (one.output_at_ns[0] - one.sent_at_ns) - (true.output_at_ns[0] - true.arrived_at_ns)


def _span(instants: Sequence[int]) -> int:
    return instants[-1] - instants[0]


def _shared(streams: Sequence[SeenStream]) -> float | None:
    if not all(one.read for one in streams):
        return None
    counts = [Counter(one.read) for one in streams]
    shared = sum(n for count in counts for n in count.values() if n > 1)
    return shared / sum(len(one.read) for one in streams)


def _wall_ns(streams: Sequence[SeenStream]) -> int:
    return max(one.ended_at_ns for one in streams) - min(one.sent_at_ns for one in streams)


def _wall_over_ideal(shape: Shape, pairs: Sequence[tuple[SeenStream, TrueStream]]) -> float:
    """Ideal: the server's own median time for a request, once for each round."""
    usual_ns = float(np.median([true.ended_at_ns - true.arrived_at_ns for _, true in pairs]))
    return _wall_ns([one for one, _ in pairs]) / (usual_ns * shape.rounds)


def _in_flight(truth: Sequence[TrueStream]) -> float:
    """Time-weighted mean of requests at the server between the first arrival and the last."""
    steps = sorted([(one.arrived_at_ns, 1) for one in truth] + [(one.ended_at_ns, -1) for one in truth])
    last_ns = max(one.arrived_at_ns for one in truth)
    n, area = 0, 0
    for (at_ns, step), (next_ns, _) in pairwise(steps):
        n += step
        if next_ns > last_ns:
            break
        area += n * (next_ns - at_ns)
    return area / max(1, last_ns - steps[0][0])


def _ms(values: np.ndarray, percent: int) -> float:
    return float(np.percentile(values, percent)) / NS_PER_MS
