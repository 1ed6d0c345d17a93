"""Prompts that got worse, each by the exact permutation of its own requests: a list to read, not a verdict.

Success: the hypergeometric tail of the candidate's successes (Fisher's exact test, one-sided). Times and rates: the
exact distribution of the candidate's rank sum over all labellings, ties at their mean rank, a failure as slower than
anything. Within a metric Benjamini and Hochberg, J. R. Statist. Soc. B 57 (1995) 289, keep the expected share of false
names at q; tests that could not reach q whatever happened are left out first (R. E. Tarone, Biometrics 46 (1990) 515).
Where times or rates are worse on all prompts alike, no prompt stands out by that: what the median prompt lost is taken
from the candidate's values first.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, hypergeom, mannwhitneyu, rankdata

from harness.analysis.pairs import Pair
from harness.analysis.quantiles import quantile
from harness.analysis.results.estimates import Value
from harness.analysis.results.trial import Trial
from harness.analysis.results.worstoff import Regression
from harness.analysis.values import known, missing

Q = 0.10
METRICS = ("task_success", "ttft", "decode_rate")
_HIGHER_IS_BETTER = frozenset({"task_success", "decode_rate"})
_MOST_EXACT = 25  # repeats of a side, up to which all labellings are counted
_FAILS = "falls among failures"
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """One prompt and metric as losses, larger is worse: 1 and 0, seconds, or negated rates; infinite for a failure."""

    prompt_id: str
    metric: str
    reference: _Floats
    candidate: _Floats

    def shown(self, losses: _Floats) -> Value:
        """Give one side's figure in the metric's own direction: the share of successes, or the median."""
        if self.metric == "task_success":
            return known(float(1 - losses.mean()))
        middle = quantile(losses.tolist(), 0.5)
        if middle is None or math.isinf(middle):
            return missing(_FAILS)
        return known(abs(middle))

    @property
    def ratio(self) -> float | None:
        """Give the candidate's figure over the reference's; None where either has none or is zero."""
        one, two = self.shown(self.reference).value, self.shown(self.candidate).value
        return two / one if one and two else None

    def beyond(self, shift: float) -> "Losses":
        """Take a ratio that all prompts share from the candidate's times or rates."""
        return self if shift == 1 else replace(self, candidate=self.candidate / shift)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactTest:
    """A one-sided p, and the smallest that its denominators allow."""

    p_value: float
    smallest: float


def prompt_losses(pairs: Sequence[Pair], metric: str) -> list[Losses]:
    """Read a metric of each prompt on both sides; prompts without a value on either are left out."""
    sides: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for pair in pairs:
        one, two = _loss(pair.reference, metric), _loss(pair.candidate, metric)
        if one is not None and two is not None:
            sides[pair.prompt_id][0].append(one)
            sides[pair.prompt_id][1].append(two)
    return [
        Losses(prompt_id=prompt_id, metric=metric, reference=np.array(ours), candidate=np.array(theirs))
        for prompt_id, (ours, theirs) in sides.items()
    ]


def common_shift(found: Sequence[Losses]) -> float:
    """Give the ratio by which the median prompt got worse; 1 where it did not, and of success."""
    ratios = [ratio for losses in found if losses.metric != "task_success" and (ratio := losses.ratio) is not None]
    if not ratios:
        return 1.0
    return (min if found[0].metric in _HIGHER_IS_BETTER else max)(1.0, median(ratios))


def _loss(trial: Trial, metric: str) -> float | None:
    """Failures are losses of success and endless latencies; they have no rate."""
    if metric == "task_success":
        outcome = (trial.failure is None) if trial.task_success is None else trial.task_success
        return 0.0 if outcome and trial.failure is None else 1.0
    if trial.failure is not None:
        return None if metric in _HIGHER_IS_BETTER else math.inf
    found = trial.metrics.get(metric)
    if found is None or found.value is None:
        return None
    return -found.value if metric in _HIGHER_IS_BETTER else found.value


def success_test(losses: Losses) -> ExactTest:
    """Chance that as many of the prompt's losses fall to the candidate by labelling alone."""
    n, lost = losses.candidate.size, int(losses.candidate.sum())
    both, total = int(losses.candidate.sum() + losses.reference.sum()), n + losses.reference.size
    most = min(n, both)
    return ExactTest(
        p_value=float(hypergeom.sf(lost - 1, total, both, n)), smallest=float(hypergeom.sf(most - 1, total, both, n))
    )


def rank_test(losses: Losses) -> ExactTest:
    """Chance of so large a rank sum of the candidate's, over all labellings; where they are many, the normal limit."""
    if losses.candidate.size > _MOST_EXACT:
        # All values tied leave no p: nothing tells the sides apart.
        found = mannwhitneyu(losses.candidate, losses.reference, alternative="greater", method="asymptotic")
        return ExactTest(p_value=float(np.nan_to_num(found.pvalue, nan=1.0)), smallest=0.0)
    ranks = np.rint(2 * rankdata(np.concatenate([losses.reference, losses.candidate]))).astype(np.int64)
    n = losses.candidate.size
    ways = _subset_sums(ranks, n)
    share = ways / ways.sum()
    observed = int(ranks[losses.reference.size :].sum())
    largest = int(np.flatnonzero(ways)[-1])
    return ExactTest(p_value=float(min(share[observed:].sum(), 1.0)), smallest=float(share[largest]))


def _subset_sums(ranks: NDArray[np.int64], n: int) -> _Floats:
    """Count the subsets of n ranks by their sum."""
    ways = np.zeros((n + 1, int(ranks.sum()) + 1))
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    counted: _Floats = ways[n]
    return counted


_TESTS: dict[str, Callable[[Losses], ExactTest]] = {
    "task_success": success_test,
    "ttft": rank_test,
    "decode_rate": rank_test,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What the prompts' own tests flag."""

    flagged: tuple[Regression, ...]  # smallest p first
    n_tests: int  # that could have been flagged
    smallest_p: float | None  # that any of them can reach
    shifts: Mapping[str, float]  # metric -> ratio by which the median prompt got worse, 1 where it did not


def screen_prompts(pairs: Sequence[Pair], *, metrics: Sequence[str] = METRICS) -> Screen:
    """Test every prompt by every metric, and keep what Benjamini-Hochberg keeps."""
    flagged: list[Regression] = []
    n_tests = 0
    smallest: list[float] = []
    shifts: dict[str, float] = {}
    for metric in metrics:
        found = prompt_losses(pairs, metric)
        shift = shifts[metric] = common_shift(found)
        tested = [(losses, _TESTS[metric](losses.beyond(shift))) for losses in found]
        able = [(losses, test) for losses, test in tested if test.smallest <= Q]
        n_tests += len(able)
        smallest += [test.smallest for _, test in able]
        flagged += _flagged(able)
    ordered = sorted(flagged, key=lambda one: (one.adjusted_p, one.p_value, one.prompt_id, one.metric))
    return Screen(flagged=tuple(ordered), n_tests=n_tests, smallest_p=min(smallest, default=None), shifts=shifts)


def _flagged(tested: Sequence[tuple[Losses, ExactTest]]) -> list[Regression]:
    if not tested:
        return []
    adjusted = false_discovery_control([test.p_value for _, test in tested])
    return [
        Regression(
            prompt_id=losses.prompt_id,
            metric=losses.metric,
            reference=losses.shown(losses.reference),
            candidate=losses.shown(losses.candidate),
            n_reference=losses.reference.size,
            n_candidate=losses.candidate.size,
            p_value=test.p_value,
            adjusted_p=float(p),
        )
        for (losses, test), p in zip(tested, adjusted, strict=True)
        if p <= Q
    ]
