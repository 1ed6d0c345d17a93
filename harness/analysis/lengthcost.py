"""Figures of two ratios that are no quantiles: completion tokens, and money per task that succeeded.

Length: per prompt the difference of the mean logarithms of completion tokens; over prompts its mean with Student's t,
so that bounds on both sides inside the margin are two one-sided tests (D. J. Schuirmann, J. Pharmacokinetics and
Biopharmaceutics 15 (1987) 657). Cost: the sum of costs over the number of successes, prompts resampled with all their
requests. Both are tested by exchanging the sides' labels inside each prompt.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from harness.analysis.allocation import LEAST_PROMPTS
from harness.analysis.cost import NO_PRICES
from harness.analysis.figures import (
    MOST_UNDEFINED_FRACTION,
    Draws,
    Figures,
    Terms,
    mostly_undefined,
    why_undefined,
    without,
)
from harness.analysis.gatetable import GateRow
from harness.analysis.pairs import Pair, metric_pairs
from harness.analysis.permutation import finite, label_p_value
from harness.analysis.resampling import PairedValues, RatioBounds, prompt_draws
from harness.analysis.results.estimates import Interval, Value
from harness.analysis.results.trial import Trial
from harness.analysis.values import known, missing
from harness.analysis.words import count_of, ratio
from harness.model.golden import GoldenSet

_TIE = 1e-9
_LEVEL, _BOTH = 0.95, 0.975
_Floats = NDArray[np.float64]


def length_figures(
    row: GateRow, pairs: Sequence[Pair], golden: GoldenSet, rng: np.random.Generator, draws: Draws, terms: Terms
) -> Figures:
    """Compare completion tokens; failed requests are left out, request success judges them."""
    found = metric_pairs(row, pairs, golden)
    values = PairedValues(
        prompts=found.values.prompts,
        reference=np.log(found.values.reference),
        candidate=np.log(found.values.candidate),
    )
    n = len(values.prompts)
    if values.n_prompts < 2:  # noqa: PLR2004  # a spread needs two
        return without(row, why_undefined(found) or "fewer than two prompts have completion tokens on both sides", n)
    logs = _by_prompt(values, values.candidate - values.reference)
    undefined = mostly_undefined(found, 0.5)
    return Figures(
        row=row,
        effect=known(float(np.exp(logs.mean()))),
        reference=known(float(np.exp(_by_prompt(values, values.reference).mean()))),
        candidate=known(float(np.exp(_by_prompt(values, values.candidate).mean()))),
        n=n,
        interval=_interval(_t_ends(logs, _BOTH), "Student's t over prompts"),
        bounds=_t_ends(logs, terms.level),
        p_value=_length_p(values, rng, draws.permutation),
        cannot_pass=_too_few(values.n_prompts) or undefined,
        is_blind=undefined is not None,
        evidence=_lengths(values),
    )


def _by_prompt(values: PairedValues, per_pair: _Floats) -> _Floats:
    """Give the mean of each prompt."""
    clusters = values.clusters
    return np.asarray(np.bincount(clusters, weights=per_pair) / np.bincount(clusters), dtype=np.float64)


def _t_ends(logs: _Floats, level: float) -> tuple[float, float]:
    reach = float(student.ppf(level, logs.size - 1) * logs.std(ddof=1) / math.sqrt(logs.size))
    return math.exp(float(logs.mean()) - reach), math.exp(float(logs.mean()) + reach)


def _interval(ends: tuple[float, float] | None, method: str) -> Interval | None:
    return ends and Interval(low=ends[0], high=ends[1], level=_LEVEL, method=method)


def _length_p(values: PairedValues, rng: np.random.Generator, draws: int) -> float:
    """Two-sided p of "no difference in length"."""
    pooled = np.concatenate([values.reference, values.candidate])
    weights = 1 / np.bincount(values.clusters)[values.clusters]
    weighted = pooled * np.concatenate([weights, weights])
    observed = abs(float((weights * (values.candidate - values.reference)).sum()))
    total = weighted.sum()
    return label_p_value(values, rng, draws, lambda labels: np.abs(2 * (labels @ weighted) - total) >= observed - _TIE)


def _lengths(values: PairedValues) -> tuple[str, ...]:
    """Name the prompts whose lengths differ most."""
    names = sorted(set(values.prompts))
    logs = _by_prompt(values, values.candidate - values.reference)
    far = sorted(zip(names, logs, strict=True), key=lambda one: -abs(one[1]))[:3]
    sizes = [(name, ratio(math.exp(log))) for name, log in far]
    shown = ", ".join(f"{name} ({size})" for name, size in sizes if size != ratio(1.0))
    return (f"the lengths differ most on {shown}",) if shown else ()


def cost_figures(
    row: GateRow, pairs: Sequence[Pair], golden: GoldenSet, rng: np.random.Generator, draws: Draws, terms: Terms
) -> Figures:
    """Compare money per success; a failed request whose cost is not known counts as free, and no success as one."""
    counted = {prompt.id for prompt in golden.prompts if row.counts(prompt)}
    chosen = [pair for pair in pairs if pair.prompt_id in counted]
    sides = [[pair.reference for pair in chosen], [pair.candidate for pair in chosen]]
    if any(side and all(trial.cost.reason == NO_PRICES for trial in side) for side in sides):
        return without(row, "prices are not known on both sides", is_applicable=terms.is_required)
    kept = [pair for pair in chosen if _cost(pair.reference) is not None and _cost(pair.candidate) is not None]
    if not kept:
        return without(row, "no request has a cost on both sides")
    values = Money(kept)
    undefined = _unpriced(len(chosen) - len(kept), len(chosen))
    every = np.ones((1, len(kept)), dtype=np.int64)
    bounds = RatioBounds(
        draws=values.log_ratios(prompt_draws(values.places, rng, draws.bootstrap)), n_prompts=values.places.n_prompts
    )
    effect = float(values.log_ratios(every)[0])
    return Figures(
        row=row,
        effect=missing("neither side has both a cost and a success") if math.isnan(effect) else known(math.exp(effect)),
        reference=values.per_success(0),
        candidate=values.per_success(1),
        n=len(kept),
        interval=_interval(_ends(bounds, _BOTH), "cluster bootstrap"),
        bounds=_ends(bounds, terms.level),
        p_value=values.p_value(rng, draws.permutation),
        cannot_pass=_too_few(values.places.n_prompts) or undefined,
        is_blind=values.places.n_prompts == 1 or undefined is not None or math.isnan(effect),
        evidence=(values.words(terms.currency),),
    )


def money_of(row: GateRow, pairs: Sequence[Pair], golden: GoldenSet) -> "Money | None":
    """Give the costs and successes of the pairs that have both; None where none has."""
    counted = {prompt.id for prompt in golden.prompts if row.counts(prompt)}
    kept = [
        pair
        for pair in pairs
        if pair.prompt_id in counted and _cost(pair.reference) is not None and _cost(pair.candidate) is not None
    ]
    return Money(kept) if kept else None


def _cost(trial: Trial) -> float | None:
    if trial.cost.value is None and trial.failure is not None:
        return 0.0
    return trial.cost.value


def _unpriced(n_without: int, n: int) -> str | None:
    if n_without <= MOST_UNDEFINED_FRACTION * n:
        return None
    return f"{n_without} of {n} requests have no cost; too many for the rest to speak for all"


def _too_few(n_prompts: int) -> str | None:
    if n_prompts >= LEAST_PROMPTS:
        return None
    return f"{count_of(n_prompts, 'prompt')} only; resampling prompts needs {LEAST_PROMPTS}"


def _ends(bounds: RatioBounds, level: float) -> tuple[float, float] | None:
    if bounds.n_prompts == 1:
        return None
    return math.exp(bounds.lower(level)), math.exp(bounds.upper(level))


class Money:
    """Costs and successes of pairs, as columns of both sides."""

    __slots__ = ("costs", "places", "successes")

    def __init__(self, pairs: Sequence[Pair]) -> None:
        """Read both sides of each pair."""
        both = [[pair.reference for pair in pairs], [pair.candidate for pair in pairs]]
        self.costs = np.array([[_cost(trial) or 0.0 for trial in side] for side in both])
        self.successes = np.array([[float(trial.task_success is True) for trial in side] for side in both])
        self.places = PairedValues(
            prompts=tuple(pair.prompt_id for pair in pairs), reference=self.costs[0], candidate=self.costs[1]
        )

    def log_ratios(self, counts: NDArray[np.int64]) -> _Floats:
        """Log of candidate's over reference's money per success, in each draw; NaN where neither has a success."""
        return _log_ratios(counts @ self.costs.T, counts @ self.successes.T)

    def p_value(self, rng: np.random.Generator, draws: int) -> float:
        """One-sided p of "a success costs more on the candidate"."""
        costs, successes = self.costs.ravel(), self.successes.ravel()
        n = self.costs.shape[1]
        observed = finite(self.log_ratios(np.ones((1, n), dtype=np.int64)))[0]

        def is_extreme(labels: NDArray[np.bool_]) -> NDArray[np.bool_]:
            taken = labels.astype(np.float64)
            cost = np.stack([(1 - taken) @ costs, taken @ costs], axis=1)
            success = np.stack([(1 - taken) @ successes, taken @ successes], axis=1)
            return np.asarray(finite(_log_ratios(cost, success)) >= observed - _TIE)

        return label_p_value(self.places, rng, draws, is_extreme)

    def per_success(self, side: int) -> Value:
        """Money per success of one side."""
        n = self.successes[side].sum()
        return known(float(self.costs[side].sum() / n)) if n else missing("no task succeeded")

    def words(self, currency: str) -> str:
        """Say what the two ratios are made of."""
        spent = [f"{self.costs[side].sum():.4g} {currency}".rstrip() for side in (0, 1)]
        one, two = (f"{spent[side]} for {self.successes[side].sum():.0f} successes" for side in (0, 1))
        return f"{two} on the candidate, {one} on the reference"


def _log_ratios(costs: _Floats, successes: _Floats) -> _Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        per_success = np.where(successes > 0, costs / successes, np.inf)
        return np.asarray(np.log(per_success[:, 1]) - np.log(per_success[:, 0]), dtype=np.float64)
