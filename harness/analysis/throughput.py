"""What one side moved at a level of load: all streams together, over the time they took."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from harness.analysis.load import ONLY_RAMP, Load, load_words, mean_in_flight, ramp_end_ns
from harness.analysis.results.estimates import Throughput, Value
from harness.analysis.trials import JudgedRecord, at_level
from harness.analysis.values import known, missing
from harness.model.record import Arm, Record
from harness.units import seconds

Window = tuple[int, int]
LEAST_IN_FLIGHT = 0.95  # of what was asked, on average: below it a throughput is not one at full load


def side_throughput(arm: Arm, judged: Sequence[JudgedRecord], load: Load) -> Throughput:
    """Measure one side's requests at one level of load; at the first, these are the judged ones."""
    records = [item.record for item in at_level(judged, load.level)]
    successes = [record for record in records if record.failure is None]
    took_s = _window_s(records, successes)
    tokens = _tokens(successes)
    full = full_load(records, load)
    last = [at_ns for record in successes if (at_ns := record.stamps.token_n_at_ns) is not None]
    return Throughput(
        arm=arm,
        output_tokens_per_s=_per_second(tokens, took_s),
        requests_per_s=_per_second(known(len(successes)), took_s),
        steady_output_tokens_per_s=tokens
        if tokens.value is None
        else full.rate(sum(_tokens_within(record, full) for record in successes)),
        steady_requests_per_s=full.rate(sum(full.holds(at_ns) for at_ns in last)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FullLoad:
    """The time in which the load asked for was there, or why a throughput of it cannot be stated."""

    window: Window = (0, 0)
    reason: str | None = None

    def holds(self, at_ns: int) -> bool:
        """Whether an instant lies in it."""
        return self.window[0] < at_ns <= self.window[1]

    def rate(self, amount: float) -> Value:
        """Give an amount that came in it, per second."""
        if self.reason is not None:
            return missing(self.reason)
        return known(amount / seconds(self.window[1] - self.window[0]))


def full_load(records: Sequence[Record], load: Load) -> FullLoad:
    """Find the time of full load, and see whether the load was there for as long as it should.

    In a closed loop from the first instant with so many requests in flight to the last. To pick only the stretches in
    between that are full would pick those right after a request was sent, before its tokens come. In an open loop from
    the end of the ramp to the last instant at which a request was due.
    """
    if load.is_open_loop:
        return _after_ramp(records, load)
    full = [stretch for stretch, n in _stretches(records) if n >= load.asked]
    if not full:
        return FullLoad(reason=f"never {load_words(load)}")
    window = (full[0][0], full[-1][1])
    mean = mean_in_flight(records, *window)
    if mean < LEAST_IN_FLIGHT * load.asked:
        return FullLoad(window=window, reason=f"{mean:.3g} of {load.asked:g} requests in flight on average")
    return FullLoad(window=window)


def _after_ramp(records: Sequence[Record], load: Load) -> FullLoad:
    due = [record.stamps.intended_at_ns for record in records]
    if not due or ramp_end_ns(records, load) >= max(due):
        return FullLoad(reason=ONLY_RAMP)
    return FullLoad(window=(ramp_end_ns(records, load), max(due)))


def _stretches(records: Sequence[Record]) -> Iterator[tuple[Window, int]]:
    """Give every stretch between two changes of the load, with the requests in flight."""
    steps: Counter[int] = Counter()
    for record in records:
        start, end = record.stamps.sent_at_ns, record.stamps.ended_at_ns
        if start is not None and end is not None:
            steps[start] += 1
            steps[end] -= 1
    instants = sorted(steps)
    return zip(pairwise(instants), accumulate(steps[at_ns] for at_ns in instants), strict=False)


def _window_s(records: Sequence[Record], successes: Sequence[Record]) -> float | None:
    """Seconds from the first request sent to the last output."""
    sent = [at_ns for record in records if (at_ns := record.stamps.sent_at_ns) is not None]
    last = [at_ns for record in successes if (at_ns := record.stamps.token_n_at_ns) is not None]
    return seconds(max(last) - min(sent)) if sent and last else None


def _tokens(successes: Sequence[Record]) -> Value:
    """Sum of N; undefined as soon as one success does not report it."""
    counts = [record.usage.completion_tokens if record.usage else None for record in successes]
    unknown = counts.count(None)
    if unknown:
        return missing(f"{unknown} of {len(counts)} successes without usage")
    return known(sum(count for count in counts if count is not None))


def _per_second(amount: Value, took_s: float | None) -> Value:
    if not took_s:
        return missing("no success")
    return amount if amount.value is None else known(amount.value / took_s)


def _tokens_within(record: Record, full: FullLoad) -> float:
    """Tokens that came at full load, an answer's spread evenly over its output events."""
    arrivals = record.arrivals.at_ns
    if record.usage is None or record.usage.completion_tokens is None or not arrivals:
        return 0.0
    return record.usage.completion_tokens * sum(map(full.holds, arrivals)) / len(arrivals)
