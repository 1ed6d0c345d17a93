"""What a number of trials can show of a difference of rates, summed exactly over all outcomes.

Model: n independent trials per side. A gate FAILs where Newcombe's bounds and a detection agree; the detection's
within-prompt permutation is taken as Fisher's exact test of the pooled counts, which it is for prompts of one rate, at
the level that the first step of Holm's procedure leaves to one of several gates.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from scipy.stats import binom, hypergeom

from harness.analysis.exactlevel import difference_z, least_passing
from harness.analysis.intervals import newcombe_bound

POWER = 0.80
RATES = (1.0, 0.97, 0.90)  # assumed of the reference where nothing was measured
_STEPS = 20  # of bisection: to a millionth


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a rate gate of n trials per side decides."""

    n: int
    margin: float
    alpha: float  # of the look, one-sided
    n_gates: int = 1  # that share the chance of a false detection

    @property
    def z(self) -> float:
        """Normal quantile of the bounds, widened as the gate's own is."""
        return difference_z(self.n, self.margin, self.alpha)


def chance_to_pass(rule: Rule, reference: float, candidate: float) -> float:
    """Chance that the lower bound of the difference exceeds the margin, at these true rates."""
    least = np.array(least_passing(rule.n, rule.margin, rule.z))
    return float(binom.pmf(np.arange(rule.n + 1), rule.n, reference) @ binom.sf(least - 1, rule.n, candidate))


def chance_to_fail(rule: Rule, reference: float, candidate: float) -> float:
    """Chance that a loss is proven, at these true rates."""
    most = np.array(_most_failing(rule))
    return float(binom.pmf(np.arange(rule.n + 1), rule.n, reference) @ binom.cdf(most, rule.n, candidate))


def smallest_loss_found(rule: Rule, reference: float) -> float | None:
    """Give the loss that FAILs with 80 % chance at this rate of the reference; None where even losing all does not."""
    if chance_to_fail(rule, reference, 0.0) < POWER:
        return None
    low, high = 0.0, reference
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if chance_to_fail(rule, reference, reference - middle) < POWER:
            low = middle
        else:
            high = middle
    return high


@lru_cache(maxsize=64)
def _most_failing(rule: Rule) -> tuple[int, ...]:
    """Most successes of the candidate that FAIL, by successes of the reference; -1 where none do."""
    found, most = [], -1
    for reference in range(rule.n + 1):
        while most < rule.n and _fails(rule, reference, most + 1):
            most += 1
        found.append(most)
    return tuple(found)


def _fails(rule: Rule, reference: int, candidate: int) -> bool:
    if newcombe_bound(reference, rule.n, candidate, rule.n, rule.z) > -rule.margin:
        return False
    if -newcombe_bound(candidate, rule.n, reference, rule.n, rule.z) >= 0:
        return False
    return fisher_p(reference, candidate, rule.n) <= rule.alpha / rule.n_gates


def fisher_p(reference: int, candidate: int, n: int) -> float:
    """One-sided p of "the candidate is worse": its hypergeometric share of all successes."""
    return float(hypergeom.cdf(candidate, 2 * n, reference + candidate, n))


def traffic_margin(n_prompts: int, alpha: float) -> float:
    """Smallest margin that so many prompts can support about prompts like them, without any disagreement."""
    return NormalDist().inv_cdf(1 - alpha) * math.sqrt(2) / (n_prompts + 2)
