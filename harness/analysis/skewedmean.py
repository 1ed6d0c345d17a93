"""One-sided bounds of the mean of skewed values, after Hall's cubic transformation.

With T = sqrt(n) (mean - mu) / s and c = skewness / sqrt(n), g(T) = T + c T^2 / 3 + c^2 T^3 / 27 + c / 6 is monotone and
lacks the skewness that T has to first order (P. Hall, J. Royal Statistical Society B 54 (1992) 221; without the cubic
term N. J. Johnson, J. American Statistical Association 73 (1978) 536). A bound is the mu at which g(T) is a quantile,
here Student's with n - 1 degrees of freedom. Values are taken as independent draws from one distribution.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

_LEAST_SKEW = 1e-6  # c below which g(T) is T in double precision
_Floats = NDArray[np.float64]


def skewed_mean_bounds(values: _Floats, level: float) -> tuple[float, float]:
    """Bound the mean from below and from above, each at this level; without spread both are the mean."""
    middle, spread = float(values.mean()), float(values.std(ddof=1))
    if spread == 0:
        return middle, middle
    step, quantile = spread / math.sqrt(values.size), float(student.ppf(level, values.size - 1))
    skew = _skewness(values) / math.sqrt(values.size)
    return middle - step * _studentised(quantile, skew), middle - step * _studentised(-quantile, skew)


def _skewness(values: _Floats) -> float:
    """Third central moment over the cube of the root of the second, both divided by n."""
    return float((((values - values.mean()) / values.std()) ** 3).mean())


def _studentised(transformed: float, skew: float) -> float:
    """Invert g: with w = 1 + c T / 3, g(T) = (w^3 - 1) / c + c / 6."""
    if abs(skew) < _LEAST_SKEW:
        return transformed
    return 3 / skew * (math.cbrt(1 + skew * (transformed - skew / 6)) - 1)
