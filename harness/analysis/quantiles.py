"""Quantiles: the only place where one is estimated.

Harrell-Davis for q from 0.05 to 0.95: a weighted mean of all order statistics, with less error than any single one and
smooth under resampling. The order statistic of the inverse CDF as soon as a value is infinite, since a weighted mean
would then be infinite everywhere. Hyndman and Fan's type 7 beyond p95: there Harrell-Davis follows the largest sample.

References: F. E. Harrell and C. E. Davis, Biometrika 69 (1982) 635; R. J. Hyndman and Y. Fan, American Statistician 50
(1996) 361; the interval by ranks: H. A. David and H. N. Nagaraja, Order Statistics, 3rd ed. (2003), section 7.1.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc
from scipy.stats import binom

from harness.analysis.results.estimates import Interval
from harness.analysis.samplesizes import smallest_n

__all__ = [
    "harrell_davis_steps",
    "is_smooth",
    "order_statistic_interval",
    "quantile",
    "quantile_at_most",
    "rank_of",
    "smallest_n",
    "smallest_n_at_most",
]

_SMOOTH_FROM, _SMOOTH_TO = 0.05, 0.95
_TAIL = 0.025
_ONE_SIDED = 0.05
_ROUNDING = 1e-9  # 0.95 * 20 is 19.000000000000004 in some orders of evaluation; its rank is 19


def quantile(values: Sequence[float], q: float) -> float | None:
    """Estimate the q-quantile; None for no values, infinite where it falls among failures."""
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
    ordered = np.sort(np.asarray(values, dtype=float))
    if ordered.size == 0:
        return None
    if np.isnan(ordered[-1]):
        raise ValueError("an undefined value is not a sample")
    if not np.isfinite(ordered).all():
        return float(ordered[rank_of(q, ordered.size) - 1])
    if is_smooth(q):
        steps = harrell_davis_steps(ordered.size, q)
        estimate = float(np.dot(np.diff(steps), ordered))
        return min(max(estimate, float(ordered[0])), float(ordered[-1]))  # rounding must not leave the samples
    return float(np.quantile(ordered, q))


def order_statistic_interval(values: Sequence[float], q: float) -> Interval | None:
    """Give the distribution-free two-sided 95 % interval between two ranks; None below `smallest_n`."""
    n = len(values)
    if n < smallest_n(q):
        return None
    ordered = sorted(values)
    low = int(binom.ppf(_TAIL, n, q))  # largest rank l with P(fewer than l below the quantile) <= 2.5 %
    while low > 0 and binom.cdf(low - 1, n, q) > _TAIL:
        low -= 1
    high = int(binom.isf(_TAIL, n, q)) + 1
    while binom.sf(high - 1, n, q) > _TAIL:
        high += 1
    return Interval(low=ordered[low - 1], high=ordered[high - 1], level=0.95, method="order statistics")


def quantile_at_most(values: Sequence[float], q: float) -> float | None:
    """Give the distribution-free one-sided upper 95 % bound of a quantile; None below `smallest_n_at_most`.

    The order statistic of the smallest rank k with P(Bin(n, q) < k) >= 95 %: David and Nagaraja, section 7.1.
    """
    n = len(values)
    if n < smallest_n_at_most(q):
        return None
    rank = int(binom.ppf(1 - _ONE_SIDED, n, q)) + 1
    return sorted(values)[rank - 1]


def smallest_n_at_most(q: float) -> int:
    """Fewest samples of which the largest bounds the q-quantile from above at 95 %: q^n <= 5 %."""
    return math.ceil(math.log(_ONE_SIDED) / math.log(q))


def is_smooth(q: float) -> bool:
    """Whether finite samples of this quantile are estimated by Harrell-Davis."""
    return _SMOOTH_FROM - _ROUNDING <= q <= _SMOOTH_TO + _ROUNDING


def rank_of(q: float, n: int) -> int:
    """Rank, from 1, of the inverse CDF's order statistic."""
    return max(math.ceil(q * n - _ROUNDING), 1)


@lru_cache(maxsize=4096)
def harrell_davis_steps(n: int, q: float) -> NDArray[np.float64]:
    """Cumulative weights of the first 0, 1, ... n order statistics: the beta CDF at i/n."""
    steps: NDArray[np.float64] = betainc((n + 1) * q, (n + 1) * (1 - q), np.arange(n + 1) / n)
    steps.setflags(write=False)
    return steps
