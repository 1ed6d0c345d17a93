"""How far our client's instants were from what the loopback twin really sent during the run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from harness.analysis.quantiles import quantile
from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import TwinBias
from harness.analysis.values import known, missing
from harness.analysis.words import listed
from harness.model.reads import completing_reads
from harness.model.record import Arm
from harness.model.twin import TwinLog, TwinStream
from harness.units import seconds

NO_STREAM = "no stream of the twin ended during the run"
NO_TWIN = "its run had no twin"


def twin_bias(log: TwinLog | None) -> TwinBias | None:
    """Compare write by write; None where no twin was asked for."""
    if log is None:
        return None
    streams = log.streams
    arrivals = [arrivals_of(stream) for stream in streams]
    both = [(seen, stream) for seen, stream in zip(arrivals, streams, strict=True) if seen is not None]
    late = [at - sent for seen, stream in both for at, sent in zip(seen, stream.written_at_ns, strict=True)]
    ttft = [abs(seen[0] - stream.sent_at_ns - stream.written_at_ns[0] + stream.arrived_at_ns) for seen, stream in both]
    gaps = [
        abs((b - a) - (d - c))
        for seen, stream in both
        for (a, b), (c, d) in zip(pairwise(seen), pairwise(stream.written_at_ns), strict=True)
    ]
    shared = [n for seen, stream in both for n in _sharing(stream)]
    return TwinBias(
        n_streams=len(both),
        n_writes=len(late),
        late_p50_s=_quantile(late, 0.5),
        late_p99_s=_quantile(late, 0.99),
        ttft_error_p50_s=_quantile(ttft, 0.5),
        ttft_error_max_s=known(seconds(max(ttft))) if ttft else missing(NO_STREAM),
        gap_error_p99_s=_quantile(gaps, 0.99),
        shared_fraction=known(sum(shared) / len(shared)) if shared else missing(NO_STREAM),
        notes=log.notes,
    )


def arrivals_of(stream: TwinStream) -> tuple[int, ...] | None:
    """The instant of the read that completed each write; None where the bytes do not add up."""
    reads = _reads_of(stream)
    return None if reads is None else tuple(stream.reads.at_ns[read] for read in reads)


def _reads_of(stream: TwinStream) -> tuple[int, ...] | None:
    """Which read completed each write: the first whose bytes reach the write's end."""
    read_bytes, write_ends = stream.reads.n_bytes, list(accumulate(stream.written_bytes))
    if not write_ends or not read_bytes or sum(read_bytes) != write_ends[-1]:
        return None
    return completing_reads(read_bytes, write_ends)


def _sharing(stream: TwinStream) -> list[bool]:
    reads = _reads_of(stream) or ()
    writes_in = Counter(reads)
    return [writes_in[read] > 1 for read in reads]


def _quantile(values_ns: Sequence[int], q: float) -> Value:
    found = quantile([seconds(value) for value in values_ns], q)
    return missing(NO_STREAM) if found is None else known(found)


def twin_notes(sides: Mapping[Arm, TwinBias | None]) -> Iterator[str]:
    """Say what kept a twin from replaying, once for sides of one run, and which side it says nothing of."""
    noted = {arm: bias.notes for arm, bias in sides.items() if bias is not None}
    for note in dict.fromkeys(note for notes in noted.values() for note in notes):
        of = [arm for arm, notes in noted.items() if note in notes]
        yield f"twin: {note}" if len(of) == len(sides) else f"{listed([str(arm) for arm in of])}: twin: {note}"
    for arm, bias in sides.items():
        if bias is not None and not bias.n_streams:
            yield f"{arm}: twin: {NO_STREAM}"
