"""Tails: quantiles of one metric on one side, with n, interval, and what cannot be said.

A failed request stands in a latency tail as slower than anything finite, a timed-out one as beyond its limit. Quantiles
among them are not estimated but named. As soon as either side holds one, both sides use the inverse CDF's order
statistic, so that the two numbers mean the same. Intervals are distribution-free, by ranks; they speak of these
prompts. The gaps of one stream depend on each other, so a tail of gaps has no interval.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.analysis.catalog import CATALOG, Direction, Failures, Metric
from harness.analysis.frames import GAP, counts_in, reason_of
from harness.analysis.latencies import CLOSED_LOOP
from harness.analysis.quantiles import order_statistic_interval, quantile, rank_of, smallest_n
from harness.analysis.results.estimates import Quantile, Tail, Value
from harness.analysis.values import known, missing
from harness.model.record import Arm

SHOWN = (
    "ttft",
    "ttft_from_intended",
    "ttfat",
    "decode_rate",
    "visible_chars_rate",
    "e2e",
    "e2e_effective",
    GAP,
    "stall",
    "queue_delay",
    "send_lateness",
)
P99_REQUESTS = 300
P99_PROMPTS = 50
_P99 = 0.99
_LATENCY_LEVELS = (0.5, 0.9, 0.95, _P99)
_RATE_LEVELS = (0.5, 0.1, 0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a tail is made of: finite values, and what lies beyond them."""

    finite: tuple[float, ...]  # ascending
    n_timeouts: int = 0
    n_failures: int = 0  # other than timeouts
    limit_s: float | None = None  # what every timeout is known to exceed
    n_left_out: int = 0  # failures that this metric does not rank
    undefined: Mapping[str, int]
    n_requests: int
    n_prompts: int

    @property
    def n(self) -> int:
        """Ranked samples."""
        return len(self.finite) + self.n_timeouts + self.n_failures

    @property
    def ranked(self) -> list[float]:
        """All ranked samples, what lies beyond the finite ones as infinite."""
        return [*self.finite, *[math.inf] * (self.n_timeouts + self.n_failures)]


def tails(
    frame: pd.DataFrame, gaps: pd.DataFrame, arms: Sequence[Arm], metrics: Sequence[str] = SHOWN
) -> tuple[Tail, ...]:
    """Give the tails that a page shows, metric by metric, a tail per side."""
    return tuple(tail for metric in metrics for tail in _tails_of(CATALOG[metric], frame, gaps, arms))


def _tails_of(metric: Metric, frame: pd.DataFrame, gaps: pd.DataFrame, arms: Sequence[Arm]) -> list[Tail]:
    samples = samples_by_arm(frame, metric)
    if metric.id == GAP:
        samples = _with_all_gaps(samples, gaps)
    found = {arm: samples[arm.value] for arm in arms if arm.value in samples}
    by_rank = any(sample.n_timeouts or sample.n_failures for sample in found.values())
    return [_tail(metric, arm, sample, by_rank=by_rank) for arm, sample in found.items()]


def samples_by_arm(frame: pd.DataFrame, metric: Metric) -> dict[str, Sample]:
    """Split one metric's column into values, failures and reasons, per arm."""
    return {str(arm): _sample(rows, metric) for arm, rows in frame.groupby("arm", sort=False)}


def _sample(rows: pd.DataFrame, metric: Metric) -> Sample:
    column, reasons = rows[metric.id], rows[reason_of(metric.id)]
    exists = rows[counts_in(metric.id)] & (reasons != CLOSED_LOOP)
    is_beyond = rows["failure"].notna() & column.isna() & exists
    if metric.failures is Failures.AS_OTHERS:
        is_beyond &= False
    is_ranked = is_beyond & (metric.failures is Failures.INFINITE)
    is_timeout = is_ranked & rows["is_timeout"]
    waits = rows.loc[is_timeout, "waited_s"]
    counted = rows[column.notna() | is_beyond]
    return Sample(
        finite=tuple(sorted(column.dropna().tolist())),
        n_timeouts=int(is_timeout.sum()),
        n_failures=int((is_ranked & ~rows["is_timeout"]).sum()),
        limit_s=float(waits.min()) if len(waits) else None,
        n_left_out=int((is_beyond & ~is_ranked).sum()),
        undefined=_counts(reasons[column.isna() & ~is_beyond]),
        n_requests=len(counted),
        n_prompts=int(counted["prompt_id"].nunique()),
    )


def _counts(reasons: "pd.Series[str]") -> dict[str, int]:
    return {str(reason): int(n) for reason, n in reasons.value_counts(sort=True).items()}


def _with_all_gaps(samples: Mapping[str, Sample], gaps: pd.DataFrame) -> dict[str, Sample]:
    """Replace each request's median gap by all of its gaps."""
    merged = {str(arm): tuple(sorted(rows[GAP].tolist())) for arm, rows in gaps.groupby("arm", sort=False)}
    return {
        arm: Sample(
            finite=merged.get(arm, ()),
            n_left_out=sample.n_left_out,
            undefined=sample.undefined,
            n_requests=sample.n_requests,
            n_prompts=sample.n_prompts,
        )
        for arm, sample in samples.items()
    }


def _tail(metric: Metric, arm: Arm, sample: Sample, *, by_rank: bool) -> Tail:
    is_rate = metric.direction is Direction.HIGHER
    levels = _RATE_LEVELS if is_rate else _LATENCY_LEVELS
    n_failed = sample.n_timeouts + sample.n_failures + sample.n_left_out
    worst = (sample.finite[0] if is_rate else sample.finite[-1]) if sample.finite else None
    return Tail(
        metric=metric.id,
        arm=arm,
        n=sample.n + sample.n_left_out,
        n_failed=n_failed,
        undefined=sample.undefined,
        values=sample.finite,
        quantiles=tuple(tail_quantile(sample, q, by_rank=by_rank, has_interval=metric.id != GAP) for q in levels),
        worst=worst,
    )


def tail_quantile(sample: Sample, q: float, *, by_rank: bool, has_interval: bool) -> Quantile:
    """Give one quantile, or the reason why it is not given."""
    reason = _why_not(sample, q) or _beyond(sample, q)
    if reason is not None:
        return Quantile(q=q, value=missing(reason))
    ranked = sample.ranked
    interval = order_statistic_interval(ranked, q) if has_interval else None
    return Quantile(q=q, value=_estimate(ranked, q, by_rank=by_rank), interval=interval)


def _estimate(ranked: Sequence[float], q: float, *, by_rank: bool) -> Value:
    if by_rank:
        return known(ranked[rank_of(q, len(ranked)) - 1])
    found = quantile(ranked, q)
    return missing("no request has a value") if found is None else known(found)


def _why_not(sample: Sample, q: float) -> str | None:
    """Say what the quantile would need; never below the n it needs."""
    name = f"p{q * 100:g}"
    if sample.n == 0:
        return "no request has a value"
    if q == _P99:
        if sample.n_requests >= P99_REQUESTS and sample.n_prompts >= P99_PROMPTS:
            return None
        came = f"{_plural(sample.n_requests, 'request')} of {_plural(sample.n_prompts, 'prompt')}"
        return f"{name} is not estimable from {came}: it needs {P99_REQUESTS} requests of {P99_PROMPTS} prompts"
    needed = smallest_n(q)
    if sample.n >= needed:
        return None
    return f"{name} is not estimable from {_plural(sample.n, 'sample')}: it needs {needed}"


def _beyond(sample: Sample, q: float) -> str | None:
    """Name the place of a quantile that falls among timeouts or failures."""
    rank = rank_of(q, sample.n)
    n_finite = len(sample.finite)
    if rank <= n_finite:
        return None
    if rank <= n_finite + sample.n_timeouts and sample.limit_s is not None:
        return f"> {_round_down(sample.limit_s)} s (the limit; {sample.n_timeouts:,} of {sample.n:,})"
    return f"unattainable ({sample.n_timeouts + sample.n_failures:,} of {sample.n:,} failed)"


def _round_down(limit_s: float) -> str:
    """Keep the statement true: the time waited, cut after a decimal."""
    return f"{math.floor(limit_s * 10) / 10:g}"


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"
