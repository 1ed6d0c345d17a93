"""Holds what the client saw of a load against what the server logged that it sent."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from harness.cli.doctorstep import MOST_SERVER_LATE, Step, judged
from harness.measure.meter import nearest_rank
from harness.measure.streamload import Taken
from harness.measure.wire.exchange import Exchange
from harness.model.reads import completing_reads
from harness.model.record import StampSource
from harness.simulator.metronomeshape import Shape
from harness.simulator.truth import TruthLine
from harness.units import NS_PER_MS

_OK = 200
_KERNEL = StampSource.KERNEL[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One token as it came."""

    late_ns: int  # its instant against the one right before its write
    is_shared: bool  # with another in one read


def step_of(n_streams: int, shape: Shape, taken: Taken, lines: Sequence[TruthLine]) -> Step:
    """Put one step's figures together and say in what it fell short."""
    by_id = {f"req_{line.id}": line for line in lines if line.outcome == "complete"}
    pairs = [
        (exchange, line)
        for exchange in taken.exchanges
        if (line := by_id.get(exchange.headers.get("x-request-id", ""))) and _is_whole(exchange, line)
    ]
    arrivals = [arrival for exchange, line in pairs for arrival in arrivals_of(exchange, line)]
    late = sorted(arrival.late_ns for arrival in arrivals)
    server_late = sorted(late_ns for line in lines for late_ns in server_lateness(line, shape))
    sources = "".join(exchange.reads.source for exchange in taken.exchanges)
    step = Step(
        n_streams=n_streams,
        n_requests=len(taken.exchanges),
        n_failed=len(taken.exchanges) - len(pairs),
        n_events=len(arrivals),
        late_p50_ns=nearest_rank(late, 0.50),
        late_p99_ns=nearest_rank(late, 0.99),
        shared_fraction=_share(sum(arrival.is_shared for arrival in arrivals), len(arrivals)),
        in_flight_fraction=in_flight_fraction(n_streams, [exchange for exchange, _ in pairs]),
        server_late_p99_ns=nearest_rank(server_late, 0.99),
        server_late_limit_ns=round(MOST_SERVER_LATE * shape.itl_ms * NS_PER_MS),
        kernel_stamp_fraction=_share(sources.count(_KERNEL), len(sources)),
        n_clock_steps=len(taken.clock["steps"]),
        cpu_ns_per_event=taken.client.cpu_ns // len(arrivals) if arrivals else None,
        loop_lag_p99_ns=taken.client.loop_lag_p99_ns,
    )
    return judged(step)


def arrivals_of(exchange: Exchange, line: TruthLine) -> list[Arrival]:
    """Find the read that brought the last byte of each write with a token; both sides count the same bytes."""
    reads = completing_reads(exchange.reads.n_bytes, accumulate(line.n_bytes))
    writes = zip(line.at_ns, reads, line.n_tokens, strict=True)
    found = [(at_ns, read) for at_ns, read, n_tokens in writes if n_tokens]
    tokens_of_read = Counter(read for _, read in found)
    return [
        Arrival(late_ns=exchange.reads.at_ns[read] - at_ns, is_shared=tokens_of_read[read] > 1) for at_ns, read in found
    ]


def server_lateness(line: TruthLine, shape: Shape) -> Iterator[int]:
    """How long after it was due each token was written."""
    written = (at_ns for at_ns, n_tokens in zip(line.at_ns, line.n_tokens, strict=True) if n_tokens)
    for k, at_ns in enumerate(written):
        yield at_ns - line.started_at_ns - round((shape.ttft_ms + k * shape.itl_ms) * NS_PER_MS)


def in_flight_fraction(n_streams: int, exchanges: Sequence[Exchange]) -> float | None:
    """Requests in flight, of those asked for, on average from when all had begun to when the first would end for good.

    Each stream is a chain of requests: all chains have begun at the n-th sending, and none has ended before the n-th
    end from last. None where these two do not follow each other.
    """
    spans = [(one.sent_at_ns, one.ended_at_ns) for one in exchanges]
    whole = [(sent, ended) for sent, ended in spans if sent is not None and ended is not None]
    if len(whole) < n_streams:
        return None
    begin = sorted(sent for sent, _ in whole)[n_streams - 1]
    end = sorted(ended for _, ended in whole)[-n_streams]
    if end <= begin:
        return None
    return sum(max(0, min(ended, end) - max(sent, begin)) for sent, ended in whole) / (n_streams * (end - begin))


def _is_whole(exchange: Exchange, line: TruthLine) -> bool:
    return exchange.failure is None and exchange.status == _OK and sum(line.n_bytes) == sum(exchange.reads.n_bytes)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
