"""One side's requests in the order of their sending: what came when on the run's clock, and whether it drifts.

A rolling median over an odd number of requests that count, in sending order; a failure is slower than anything, so a
window of failures has no median and the line breaks. No window spans two levels of load or two parts of a run.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from harness.analysis.gaps import stalls
from harness.analysis.results.case import Side
from harness.analysis.results.estimates import Value
from harness.analysis.results.trial import Trial
from harness.analysis.trials import is_counted
from harness.analysis.values import known, missing
from harness.model.record import FailureKind, Record, RequestKey, Stamps

LEAST_WINDOW, MOST_WINDOW = 5, 41
_WINDOWS = 10  # about as many that do not overlap
LEAST_FOR_DRIFT = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """One attempt on the run's clock."""

    key: RequestKey
    attempt: int
    part: int
    at_ns: int  # sent; where it never was, when it was let go
    ended_at_ns: int
    is_cold: bool  # possibly
    is_counted: bool  # at its own level
    value: float | None  # of the metric shown
    failure: FailureKind | None
    stalls: tuple[tuple[int, int], ...] = ()

    @property
    def stretch(self) -> tuple[bool, int, int]:
        """Warm-up or not, level and part: what a rolling median never spans."""
        return not self.key.is_warmup, self.key.level, self.part


def sent_requests(side: Side, trials: Iterable[Trial], metric: str) -> tuple[SentRequest, ...]:
    """Give every attempt in the order of sending; what followed the measured levels is not among them."""
    values = {trial.key: trial.metrics[metric].value for trial in trials if metric in trial.metrics}
    own = [record for record in side.records if not record.key.is_follow_up]
    found = (_sent(record, values) for record in own if has_instant(record))
    return tuple(sorted(found, key=lambda one: (one.at_ns, one.key.id, one.attempt)))


def has_instant(record: Record) -> bool:
    """Whether it is on the record when the attempt was made."""
    return record.stamps.sent_at_ns is not None or record.stamps.admitted_at_ns is not None


def _sent(record: Record, values: Mapping[RequestKey, float | None]) -> SentRequest:
    stamps = record.stamps
    at_ns = _when(stamps)
    return SentRequest(
        key=record.key,
        attempt=record.attempt,
        part=record.part,
        at_ns=at_ns,
        ended_at_ns=at_ns if stamps.ended_at_ns is None else stamps.ended_at_ns,
        is_cold=record.is_possibly_cold,
        is_counted=record.attempt == 1 and is_counted(record),
        value=values.get(record.key) if record.attempt == 1 else None,
        failure=None if record.failure is None else record.failure.kind,
        stalls=stalls(record),
    )


def _when(stamps: Stamps) -> int:
    instants = (stamps.sent_at_ns, stamps.admitted_at_ns, stamps.intended_at_ns)
    return next(at_ns for at_ns in instants if at_ns is not None)


def rolling_medians(requests: Sequence[SentRequest]) -> list[list[tuple[int, float]]]:
    """Give lines of (instant of the middle request, median of the window around it)."""
    ranked = [one for one in requests if one.is_counted and (one.value is not None or one.failure is not None)]
    lines: list[list[tuple[int, float]]] = []
    for _, stretch in groupby(ranked, key=lambda one: one.stretch):
        lines += _unbroken(_windows(list(stretch)))
    return lines


def _windows(stretch: Sequence[SentRequest]) -> Iterator[tuple[int, float]]:
    window = window_of(len(stretch))
    values = [math.inf if one.value is None else one.value for one in stretch]
    for first in range(len(values) - window + 1):
        yield stretch[first + window // 2].at_ns, median(values[first : first + window])


def window_of(n: int) -> int:
    """Choose an odd number of requests."""
    return min(max(n // _WINDOWS, LEAST_WINDOW), MOST_WINDOW) // 2 * 2 + 1


def _unbroken(points: Iterable[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    runs = groupby(points, key=lambda point: math.isfinite(point[1]))
    return [list(run) for is_finite, run in runs if is_finite]


def drift(requests: Sequence[SentRequest]) -> Value:
    """Last third over first third of the judged requests, in sending order: medians, each request over its prompt's.

    A failure is slower than anything here too, so that failing late is not left out. A reading without an interval: the
    table of gates has the tests.
    """
    judged = [one for one in requests if one.is_counted and one.key.level == 0]
    judged = [one for one in judged if one.value is not None or one.failure is not None]
    if len(judged) < LEAST_FOR_DRIFT:
        return missing(f"fewer than {LEAST_FOR_DRIFT} requests with a value or a failure")
    relative = _over_their_prompt(judged)
    third = len(relative) // 3
    if not third:
        return missing("every value is zero")
    first, last = median(relative[:third]), median(relative[-third:])
    failing = [name for name, one in (("first", first), ("last", last)) if not math.isfinite(one)]
    return missing(f"half of the {' and the '.join(failing)} third failed") if failing else known(last / first)


def _over_their_prompt(judged: Sequence[SentRequest]) -> list[float]:
    """Give each request over the median of its prompt's answers; a failure is infinite."""
    by_prompt: dict[str, list[float]] = {}
    for one in judged:
        if one.value is not None:
            by_prompt.setdefault(one.key.prompt_id, []).append(one.value)
    usual = {prompt: median(values) for prompt, values in by_prompt.items()}
    return [
        math.inf if one.value is None else one.value / usual[one.key.prompt_id]
        for one in judged
        if one.value is None or usual[one.key.prompt_id]
    ]
