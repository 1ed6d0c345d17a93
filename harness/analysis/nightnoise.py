"""How much a figure varies from night to night, whatever its level does.

The scale is the median of |x_i - x_j| over all pairs of values at most seven places apart, times 1 / (sqrt(2) z_0.75),
which makes it the standard deviation for normal values. Differences need no level, so a step or a slow drift touches
few of them; medians of pairwise differences tolerate up to 29 % of odd values (P. J. Rousseeuw and C. Croux, J.
American Statistical Association 88 (1993) 1273). Its spread for n independent normal values is that of a standard
deviation with 0.7 (n - 1) degrees of freedom (simulated; a test looks). It is 0 where more than half of the pairs are
equal: such values have odd ones and no scale, and whoever asks must do without it or take `pair_sd`, which counts them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

REACH = 7  # places between two values of a pair: a week holds each of its days once
_NORMAL = 1.048358  # 1 / (sqrt(2) * 0.674490)
_EFFICIENCY = 0.7


def night_sd(losses: Sequence[float], reach: int = REACH) -> float:
    """Estimate the standard deviation of single values around their local level; needs two of them."""
    return float(_NORMAL * np.median(_gaps(losses, reach)))


def pair_sd(losses: Sequence[float], reach: int = REACH) -> float:
    """Give the root of half the same pairs' mean squared difference: odd values count, a step touches few pairs."""
    return float(np.sqrt(np.mean(_gaps(losses, reach) ** 2) / 2))


def _gaps(losses: Sequence[float], reach: int) -> NDArray[np.float64]:
    values = np.asarray(losses, dtype=np.float64)
    return np.concatenate([np.abs(values[lag:] - values[:-lag]) for lag in range(1, min(reach, values.size - 1) + 1)])


def freedom(n: int) -> float:
    """Degrees of freedom of that estimate from n values."""
    return max(1.0, _EFFICIENCY * (n - 1))
