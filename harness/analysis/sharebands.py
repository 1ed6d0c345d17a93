"""The exact interval of a cumulative share at each of its steps.

Model: `n` independent requests, each at or below a value or not; so the band holds point by point, not for the whole
curve at once. Read along a share q it gives the interval of the q-quantile by ranks (`quantiles`). Repeats of one
prompt are alike: for these prompts the pooled variance is then overstated, and the band errs on the wide side.

Reference: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import beta

from harness.analysis.results.estimates import Interval

_TAIL = 0.025
_LEVEL = 0.95


def share_bands(ranks: Sequence[int], n: int) -> tuple[Interval, ...]:
    """Give the two-sided 95 % interval of k of n for each k of `ranks`."""
    if not all(0 <= rank <= n for rank in ranks) or n < 1:
        raise ValueError(f"ranks lie from 0 to {n}, of at least one request")
    k = np.asarray(ranks, dtype=float)
    with np.errstate(invalid="ignore"):  # the ends are set beside
        low = np.where(k == 0, 0.0, beta.ppf(_TAIL, k, n - k + 1))
        high = np.where(k == n, 1.0, beta.isf(_TAIL, k + 1, n - k))
    return tuple(
        Interval(low=float(one), high=float(two), level=_LEVEL, method="clopper-pearson")
        for one, two in zip(low, high, strict=True)
    )
