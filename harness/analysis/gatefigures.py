"""Figures of one gate before it is judged: effect, bounds, p-value; all on the pairs that both sides answered."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from harness.analysis.allocation import LEAST_PROMPTS
from harness.analysis.gatetable import GateRow
from harness.analysis.intervals import newcombe, newcombe_bound, prompts_like_these_bound
from harness.analysis.losses import loss_evidence
from harness.analysis.pairs import MetricPairs, Pair, RatePairs, metric_pairs, rate_pairs
from harness.analysis.permutation import rate_p_value, ratio_p_value
from harness.analysis.resampling import (
    RatioBounds,
    log_ratio,
    log_ratios,
    prompt_draws,
    side_quantile,
)
from harness.analysis.results import GateKind, Interval, Value
from harness.analysis.samplesizes import smallest_n
from harness.analysis.values import known, missing
from harness.analysis.words import count_of
from harness.model.golden import GoldenSet

# A quantile of the rest would speak for requests that it never saw; a tail could lie wholly among them.
MOST_UNDEFINED_FRACTION = 0.2
_LEVEL = 0.95
_BOTH = 0.975


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a gate is judged by; bounds are one-sided 95 % on the effect's own scale."""

    row: GateRow
    effect: Value
    reference: Value
    candidate: Value
    n: int
    interval: Interval | None = None
    bounds: tuple[float, float] | None = None  # lower, upper
    traffic_bound: float | None = None
    p_value: float | None = None
    successes: tuple[int, int] | None = None
    evidence: tuple[str, ...] = ()
    is_applicable: bool = True
    cannot_pass: str | None = None  # why PASS is out of reach whatever the bounds say
    is_blind: bool = False  # neither PASS nor FAIL: the figures do not speak for the gate


def gate_figures(row: GateRow, pairs: Sequence[Pair], golden: GoldenSet, seed: int, draws: "Draws") -> Figures:
    """Compute one gate's figures; the same plan and data give the same draws."""
    if not any(row.counts(prompt) for prompt in golden.prompts):
        return _without(row, row.nothing, is_applicable=False)
    rng = np.random.default_rng([seed, crc32(row.id.encode())])
    if row.kind is GateKind.DIFFERENCE:
        return _rate_figures(row, rate_pairs(row, pairs, golden), rng, draws)
    return _ratio_figures(row, metric_pairs(row, pairs, golden), rng, draws)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """How often to resample and to permute; fewer only where many comparisons are simulated."""

    bootstrap: int = 4_000
    permutation: int = 9_999


def _without(row: GateRow, reason: str, n: int = 0, *, is_applicable: bool = True) -> Figures:
    nothing = missing(reason)
    return Figures(
        row=row,
        effect=nothing,
        reference=nothing,
        candidate=nothing,
        n=n,
        is_applicable=is_applicable,
        cannot_pass=reason,
        is_blind=True,
    )


def _rate_figures(row: GateRow, found: RatePairs, rng: np.random.Generator, draws: Draws) -> Figures:
    n = len(found.pairs)
    if n == 0:
        return _without(row, "no request has an outcome on both sides")
    one, two = sum(found.reference), sum(found.candidate)
    by_prompt = found.by_prompt()
    lower = newcombe_bound(one, n, two, n)
    upper = -newcombe_bound(two, n, one, n)
    sign = 1 if row.higher_is_better else -1
    traffic = prompts_like_these_bound([sign * counts.difference for counts in by_prompt.values()])
    return Figures(
        row=row,
        effect=known((two - one) / n),
        reference=known(one / n),
        candidate=known(two / n),
        n=n,
        interval=newcombe(one, n, two, n),
        bounds=(lower, upper),
        traffic_bound=None if traffic is None else sign * max(traffic, -1.0),
        p_value=rate_p_value(by_prompt, rng, is_loss_low=row.higher_is_better, draws=draws.permutation),
        successes=(one, two),
        evidence=loss_evidence(row, found),
    )


def _ratio_figures(row: GateRow, found: MetricPairs, rng: np.random.Generator, draws: Draws) -> Figures:
    values, q = found.values, row.q or 0.5
    n = len(values.prompts)
    if n == 0:
        return _without(row, _why_undefined(found) or "no request has a value on both sides")
    if n < smallest_n(q):
        reason = (
            mostly_undefined(found, q)
            or f"{count_of(n, 'request')} per side; an interval of this quantile needs {smallest_n(q)}"
        )
        return replace(_without(row, reason, n), evidence=_notes(row, found))
    log_effect = log_ratio(values, q)
    bounds = RatioBounds(
        draws=log_ratios(values, q, prompt_draws(values, rng, draws.bootstrap)), n_prompts=values.n_prompts
    )
    return Figures(
        row=row,
        effect=_ratio_value(log_effect),
        reference=known(side_quantile(values, values.reference, q)),
        candidate=known(side_quantile(values, values.candidate, q)),
        n=n,
        interval=_interval(bounds),
        bounds=_ends(bounds, _LEVEL),
        p_value=ratio_p_value(values, q, rng, is_loss_low=row.higher_is_better, draws=draws.permutation),
        evidence=_notes(row, found),
        cannot_pass=_too_few_prompts(values.n_prompts) or mostly_undefined(found, q),
        is_blind=values.n_prompts == 1 or mostly_undefined(found, q) is not None,
    )


def _ratio_value(log_effect: float) -> Value:
    if math.isnan(log_effect):
        return missing("on both sides the quantile falls among failures")
    return known(math.exp(log_effect))


def _interval(bounds: RatioBounds) -> Interval | None:
    ends = _ends(bounds, _BOTH)
    return ends and Interval(low=ends[0], high=ends[1], level=_LEVEL, method="cluster bootstrap")


def _ends(bounds: RatioBounds, level: float) -> tuple[float, float] | None:
    """Give both ends as ratios; None from one prompt, which shows no difference between prompts."""
    if bounds.n_prompts == 1:
        return None
    return math.exp(bounds.lower(level)), math.exp(bounds.upper(level))


def _too_few_prompts(n_prompts: int) -> str | None:
    if n_prompts >= LEAST_PROMPTS:
        return None
    return f"{count_of(n_prompts, 'prompt')} only; resampling prompts needs {LEAST_PROMPTS}"


def mostly_undefined(found: MetricPairs, q: float) -> str | None:
    """Say how many requests have no value when they are more than a fifth, or than the tail that is judged."""
    if found.n_undefined <= min(MOST_UNDEFINED_FRACTION, round(min(q, 1 - q), 12)) * found.n_pairs:
        return None
    return f"{_why_undefined(found)}; too many for the rest to speak for all"


def _why_undefined(found: MetricPairs) -> str | None:
    """Say of the worse side how many requests have no value, and the commonest reason."""
    arm = max(found.undefined, key=lambda arm: sum(found.undefined[arm].values()))
    reasons = found.undefined[arm]
    if not reasons:
        return None
    reason, _ = reasons.most_common(1)[0]
    return f"{sum(reasons.values())} of {found.n_pairs} requests of the {arm} have no value: {reason}"


def _notes(row: GateRow, found: MetricPairs) -> tuple[str, ...]:
    failed = [
        f"{count} of {found.n_pairs} requests of the {arm} failed" for arm, count in found.failed.items() if count
    ]
    meaning = "count as slower than anything" if row.counts_failures else "have no rate; request success judges them"
    lines = [f"{' and '.join(failed)}: they {meaning}"] if failed else []
    undefined = _why_undefined(found)
    return (*lines, undefined) if undefined else tuple(lines)
