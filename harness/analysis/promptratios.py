"""Candidate over reference, prompt by prompt, with the median over prompts.

A prompt's ratio is that of its two medians. Where a median falls among failures the ratio is infinite (the candidate's)
or 0 (the reference's): it keeps its place in the order, so that losing answers makes no side look faster. The median
has the distribution-free interval by ranks, with the prompts as a sample of prompts like these.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.quantiles import order_statistic_interval, quantile, smallest_n
from harness.analysis.results.estimates import Interval, Value
from harness.analysis.results.prompts import PromptRow, PromptSide
from harness.analysis.values import known, missing, quotient

_UNATTAINABLE = "unattainable"
_HALF = 0.5
_BOTH_FAIL = "on both sides the median falls among failures"
_ONE_SIDE = "one endpoint measured"

MEDIANS: Mapping[str, Callable[[PromptSide], Value]] = {
    "ttft": lambda side: side.ttft_p50_s,
    "decode_rate": lambda side: side.decode_p50,
    "e2e": lambda side: side.e2e_p50_s,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRatio:
    """One prompt's ratio."""

    prompt_id: str
    ratio: float  # 0 or infinite where one side's median falls among failures


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRatios:
    """The ratios of all prompts that have one, ascending, and what became of the others."""

    ratios: tuple[PromptRatio, ...]
    without: Mapping[str, int]  # reason -> prompts
    median: Value
    interval: Interval | None  # None: fewer prompts than it needs
    n_for_interval: int


def prompt_ratios(rows: Sequence[PromptRow], metric: str) -> PromptRatios:
    """Give one metric's ratios."""
    found = {row.prompt_id: _ratio(row, MEDIANS[metric]) for row in rows}
    ratios = [
        PromptRatio(prompt_id=prompt, ratio=value.value) for prompt, value in found.items() if value.value is not None
    ]
    values = [one.ratio for one in ratios]
    middle = quantile(values, _HALF)
    return PromptRatios(
        ratios=tuple(sorted(ratios, key=lambda one: (one.ratio, one.prompt_id))),
        without=Counter(value.reason for value in found.values() if value.reason is not None),
        median=missing("no prompt has a ratio") if middle is None else known(middle),
        interval=order_statistic_interval(values, _HALF),
        n_for_interval=smallest_n(_HALF),
    )


def _ratio(row: PromptRow, median_of: Callable[[PromptSide], Value]) -> Value:
    if row.candidate is None:
        return missing(_ONE_SIDE)
    reference, candidate = median_of(row.reference), median_of(row.candidate)
    lost = _is_lost(reference), _is_lost(candidate)
    if all(lost):
        return missing(_BOTH_FAIL)
    if lost[1] and reference.value is not None:
        return known(math.inf)
    if lost[0] and candidate.value is not None:
        return known(0.0)
    return quotient(candidate, reference)


def _is_lost(median: Value) -> bool:
    """Whether more than half of a prompt's requests failed."""
    return median.reason is not None and median.reason.startswith(_UNATTAINABLE)
