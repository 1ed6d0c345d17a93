"""Figures of one gate before it is judged: effect, bounds, p-value; all on the pairs that both sides answered."""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import NormalDist
from zlib import crc32

import numpy as np

from harness.analysis.allocation import LEAST_PROMPTS
from harness.analysis.exactlevel import difference_z
from harness.analysis.figures import Draws, Figures, Terms, mostly_undefined, why_undefined, without
from harness.analysis.gatetable import Form, GateRow
from harness.analysis.intervals import newcombe, newcombe_bound, prompts_like_these_bound
from harness.analysis.lengthcost import cost_figures, length_figures
from harness.analysis.losses import loss_evidence
from harness.analysis.pairs import MetricPairs, Pair, RatePairs, metric_pairs, rate_pairs
from harness.analysis.permutation import rate_p_value, ratio_p_value
from harness.analysis.resampling import (
    PairedValues,
    RatioBounds,
    log_ratio,
    log_ratios,
    prompt_draws,
    side_quantile,
)
from harness.analysis.results.estimates import Interval, Value
from harness.analysis.samplesizes import smallest_n
from harness.analysis.servicelevel import share_figures
from harness.analysis.values import known, missing
from harness.analysis.words import count_of, ratio
from harness.model.golden import GoldenSet

__all__ = ["Draws", "Figures", "Terms", "gate_figures", "mostly_undefined"]

_LEVEL = 0.95
_BOTH = 0.975
_SHOWN = 3


def gate_figures(  # data, chance and terms of one gate
    row: GateRow, pairs: Sequence[Pair], golden: GoldenSet, seed: int, draws: Draws, terms: Terms | None = None
) -> Figures:
    """Compute one gate's figures; the same plan and data give the same draws."""
    if not any(row.counts(prompt) for prompt in golden.prompts):
        return without(row, row.nothing, is_applicable=False)
    terms = terms or Terms()
    rng = np.random.default_rng([seed, crc32(row.id.encode())])
    if row.form is Form.RATES:
        return _rate_figures(row, rate_pairs(row, pairs, golden), rng, draws, terms)
    if row.form is Form.QUANTILES:
        return _ratio_figures(row, metric_pairs(row, pairs, golden), rng, draws, terms)
    if row.slo is not None:
        return share_figures(row, row.slo, pairs, golden, terms)
    if row.form is Form.DISAGREEMENT:
        return _disagreement_figures(row, terms)
    figures = length_figures if row.form is Form.LENGTH else cost_figures
    return figures(row, pairs, golden, rng, draws, terms)


def _disagreement_figures(row: GateRow, terms: Terms) -> Figures:
    """Take what was found for the identity of the answers; not measurable is never a PASS."""
    found = terms.disagreement
    if found is None or not found.is_measurable:
        return without(row, "the answers were not compared" if found is None else found.reason or "not measurable")
    return Figures(
        row=row,
        effect=found.effect,
        reference=found.reference_self,
        candidate=found.candidate_self,
        n=found.n_answers,
        interval=found.interval,
        bounds=found.bounds,
        p_value=found.p_value,
    )


def _rate_figures(row: GateRow, found: RatePairs, rng: np.random.Generator, draws: Draws, terms: Terms) -> Figures:
    n = len(found.pairs)
    if n == 0:
        return without(row, "no request has an outcome on both sides")
    one, two = sum(found.reference), sum(found.candidate)
    by_prompt = found.by_prompt()
    z = difference_z(n, terms.margin or 0.0, terms.alpha)
    lower = newcombe_bound(one, n, two, n, z)
    upper = -newcombe_bound(two, n, one, n, z)
    sign = 1 if row.higher_is_better else -1
    traffic = prompts_like_these_bound(
        [sign * counts.difference for counts in by_prompt.values()], NormalDist().inv_cdf(terms.level)
    )
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


def _ratio_figures(row: GateRow, found: MetricPairs, rng: np.random.Generator, draws: Draws, terms: Terms) -> Figures:
    values, q = found.values, row.q or 0.5
    n = len(values.prompts)
    if n == 0:
        return without(row, why_undefined(found) or "no request has a value on both sides")
    if n < smallest_n(q):
        reason = (
            mostly_undefined(found, q)
            or f"{count_of(n, 'request')} per side; an interval of this quantile needs {smallest_n(q)}"
        )
        return replace(without(row, reason, n), evidence=_notes(row, found))
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
        bounds=_ends(bounds, terms.level),
        p_value=ratio_p_value(values, q, rng, is_loss_low=row.higher_is_better, draws=draws.permutation),
        evidence=_notes(row, found),
        cannot_pass=_too_few_prompts(values.n_prompts) or mostly_undefined(found, q),
        is_blind=values.n_prompts == 1 or mostly_undefined(found, q) is not None,
        slowest=_slowest(row, values),
    )


def _slowest(row: GateRow, values: PairedValues) -> tuple[str, ...]:
    """Name the prompts whose own medians got worst."""
    clusters, names = values.clusters, sorted(set(values.prompts))
    medians = [
        (float(np.median(values.reference[clusters == i])), float(np.median(values.candidate[clusters == i])))
        for i in range(len(names))
    ]
    ratios = [(two / one, name) for (one, two), name in zip(medians, names, strict=True) if 0 < one < math.inf]
    worst = sorted(ratios, reverse=not row.higher_is_better)[:_SHOWN]
    if not worst:
        return ()
    return (f"by prompt, medians: {', '.join(f'{name} {ratio(size)}' for size, name in worst)}",)


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


def _notes(row: GateRow, found: MetricPairs) -> tuple[str, ...]:
    failed = [
        f"{count} of {found.n_pairs} requests of the {arm} failed" for arm, count in found.failed.items() if count
    ]
    meaning = "count as slower than anything" if row.counts_failures else "have no rate; request success judges them"
    lines = [f"{' and '.join(failed)}: they {meaning}"] if failed else []
    undefined = why_undefined(found)
    return (*lines, undefined) if undefined else tuple(lines)
