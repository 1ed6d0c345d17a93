"""What a run as a whole moved: all streams of one side together, over the time they took."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

from harness.analysis.results import Throughput, Value
from harness.analysis.trials import JudgedRecord
from harness.analysis.values import known, missing
from harness.model.endpoint import Limits
from harness.model.record import Arm, Record
from harness.units import seconds

Window = tuple[int, int]


def side_throughput(arm: Arm, judged: Sequence[JudgedRecord], concurrency: int) -> Throughput:
    """Measure one side's judged requests; `concurrency` is what the run aimed at."""
    records = [item.record for item in judged if item.trial.is_judged]
    successes = [record for record in records if record.failure is None]
    took_s = _window_s(records, successes)
    tokens = _tokens(successes)
    return Throughput(
        arm=arm,
        output_tokens_per_s=_per_second(tokens, took_s),
        requests_per_s=_per_second(known(len(successes)), took_s),
        steady_output_tokens_per_s=_steady(tokens, records, successes, concurrency),
    )


def asked_concurrency(endpoints: Sequence[Mapping[str, object]]) -> int:
    """Give the requests in flight that a run aims at: the lower of its sides'."""
    return min(_concurrency(endpoint) for endpoint in endpoints)


def full_windows(records: Sequence[Record], concurrency: int) -> tuple[Window, ...]:
    """Give the stretches of time in which at least so many requests were in flight, ascending, never touching."""
    windows: list[Window] = []
    for (start, end), n in _stretches(records):
        if n < concurrency:
            continue
        touches = bool(windows) and windows[-1][1] == start
        windows.append((windows.pop()[0] if touches else start, end))
    return tuple(windows)


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


def _steady(tokens: Value, records: Sequence[Record], successes: Sequence[Record], concurrency: int) -> Value:
    """Tokens that came while the load was full, each answer's spread evenly over its output events."""
    windows = full_windows(records, concurrency)
    full_s = seconds(sum(end - start for start, end in windows))
    if tokens.value is None:
        return tokens
    if not full_s:
        return missing(f"never {concurrency} requests in flight")
    return known(sum(_tokens_within(record, windows) for record in successes) / full_s)


def _tokens_within(record: Record, windows: Sequence[Window]) -> float:
    arrivals = record.arrivals.at_ns
    if record.usage is None or record.usage.completion_tokens is None or not arrivals:
        return 0.0
    inside = sum(_is_within(at_ns, windows) for at_ns in arrivals)
    return record.usage.completion_tokens * inside / len(arrivals)


def _is_within(at_ns: int, windows: Sequence[Window]) -> bool:
    place = bisect_left(windows, at_ns, key=lambda window: window[1])
    return place < len(windows) and windows[place][0] < at_ns


def _concurrency(endpoint: Mapping[str, object]) -> int:
    limits = endpoint.get("limits")
    asked = limits.get("concurrency") if isinstance(limits, Mapping) else None
    return asked if isinstance(asked, int) else Limits().concurrency
