"""Widens the bounds of rates until, summed exactly, a candidate at its margin passes no more often than stated.

Newcombe's and Wilson's bounds are approximate: at 52 trials and 5 points the first lets a candidate at the margin pass
in 6.9 % of runs that claim 5 %. So the normal quantile z in them is enlarged, as little as it takes, until the chance
summed over all tables of two binomials is at most alpha at every true rate of a grid, less a thirtieth for the rates in
between.
Plain arithmetic, since the plan needs it.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

from harness.analysis.intervals import wilson_ends

# True rates of the reference at which the chance is summed; the worst lie near 1, where a table is nearly certain.
_RATES = (
    *(1.0, 0.9975, 0.995, 0.99, 0.985, 0.98, 0.97, 0.96, 0.95, 0.94, 0.92, 0.9),
    *(0.88, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5),
)
_BETWEEN = 1.03  # the most by which the chance between two rates of the grid was seen to exceed that on the grid
_MOST_Z = 12.0
_FIRST_STEP = 0.05
_BISECTIONS = 8
_MANY = 4_000  # trials, from which the difference no longer matters
_SPREAD = 8  # standard deviations that hold all but a negligible share


@lru_cache(maxsize=4096)
def difference_z(n: int, margin: float, alpha: float) -> float:
    """Give z for Newcombe's bound, n trials a side, with which a loss of the margin PASSes in at most alpha of runs."""
    z = NormalDist().inv_cdf(1 - alpha)
    if n < 1 or not 0 < margin < 1 or n > _MANY:
        return z
    alpha /= _BETWEEN
    rates = [_Rate.at(rate, n, margin) for rate in _RATES if rate >= margin]
    if _worst(rates, n, margin, z) <= alpha:
        return z
    low, high = z, z + _FIRST_STEP
    while _worst(rates, n, margin, high) > alpha and high < _MOST_Z:
        low, high = high, high + 2 * (high - low)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _worst(rates, n, margin, middle) <= alpha:
            high = middle
        else:
            low = middle
    return high


class _Rate:
    """Two binomials a margin apart: likely counts of the reference, and the candidate's chances to reach a count."""

    __slots__ = ("candidate", "first", "reference")

    def __init__(self, first: int, reference: Sequence[float], candidate: Sequence[float]) -> None:
        """Keep the reference's chances from count `first` on, and the candidate's to reach each count."""
        self.first, self.reference, self.candidate = first, reference, candidate

    @classmethod
    def at(cls, rate: float, n: int, margin: float) -> "_Rate":
        """Tabulate one true rate of the reference."""
        counts = likely_counts(rate, n)
        tail, total = [0.0] * (n + 2), 0.0
        for count in range(n, -1, -1):
            total += binomial(count, n, rate - margin)
            tail[count] = min(total, 1.0)
        return cls(counts.start, [binomial(count, n, rate) for count in counts], tail)

    def chance(self, least: Sequence[int]) -> float:
        """Chance of a PASS, where so many successes of the candidate are needed by count of the reference."""
        return math.fsum(
            chance * self.candidate[least[self.first + i]] for i, chance in enumerate(self.reference) if chance
        )


def _worst(rates: Sequence[_Rate], n: int, margin: float, z: float) -> float:
    least = least_passing(n, margin, z)
    return max((rate.chance(least) for rate in rates), default=0.0)


def least_passing(n: int, margin: float, z: float) -> list[int]:
    """Fewest successes of the candidate that PASS, by successes of the reference; n + 1 where none do."""
    found, least = [], 0
    rates = [count / n for count in range(n + 1)]
    ends = [wilson_ends(count, n, z) for count in range(n + 1)]
    for reference in range(n + 1):  # more of the reference asks as much of the candidate
        rate, (_, high) = rates[reference], ends[reference]
        while least <= n and _bound(rate, high, rates[least], ends[least][0]) <= -margin:
            least += 1
        found.append(least)
    return found


def _bound(reference: float, high: float, candidate: float, low: float) -> float:
    """Newcombe's bound, as `newcombe_bound` has it, from Wilson's ends."""
    return candidate - reference - math.hypot(candidate - low, high - reference)


@lru_cache(maxsize=1024)
def share_z(n: int, budget: float, alpha: float) -> float:
    """Give z for Wilson's upper bound, with which a true share of the budget PASSes in at most alpha of runs."""
    z = NormalDist().inv_cdf(1 - alpha)
    if n < 1 or not 0 < budget < 1:
        return z
    most, chance = -1, 0.0  # most bad requests of n that may PASS
    while most < n and (chance := chance + binomial(most + 1, n, budget)) <= alpha:
        most += 1
    if wilson_ends(most + 1, n, z)[1] >= budget:
        return z
    low, high = z, _MOST_Z  # the first count that must not PASS brings its bound to the budget
    for _ in range(6 * _BISECTIONS):
        middle = (low + high) / 2
        if wilson_ends(most + 1, n, middle)[1] >= budget:
            high = middle
        else:
            low = middle
    return high


def likely_counts(rate: float, n: int) -> range:
    """Counts of successes but for some so rare that they do not matter."""
    spread = math.ceil(_SPREAD * math.sqrt(n * rate * (1 - rate))) + 10
    middle = round(n * rate)
    return range(max(middle - spread, 0), min(middle + spread, n) + 1)


def binomial(count: int, n: int, rate: float) -> float:
    """Chance of so many successes."""
    if rate in (0.0, 1.0):
        return float(count == n * rate)
    return math.exp(_log_ways(n)[count] + count * math.log(rate) + (n - count) * math.log1p(-rate))


@lru_cache(maxsize=8)
def _log_ways(n: int) -> tuple[float, ...]:
    """Log of the number of ways to choose 0, 1, ... n of n: most of the time of a sum over all tables."""
    return tuple(math.lgamma(n + 1) - math.lgamma(count + 1) - math.lgamma(n - count + 1) for count in range(n + 1))
