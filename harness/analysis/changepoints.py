"""Steps in a series of runs: the segmentation with the least squared error and a penalty for each step.

Optimal partitioning (B. Jackson et al., IEEE Signal Processing Letters 12 (2005) 105), the optimum that PELT (R.
Killick, P. Fearnhead, I. A. Eckley, J. American Statistical Association 107 (2012) 1590) reaches faster. The cost is
sum (x - mean)^2 / s^2 with s from `nightnoise`, which steps hardly move; the penalty PENALTY log n is above Schwarz's
2 log n (Y.-C. Yao, Statistics and Probability Letters 6 (1988) 181), since s is estimated and a false step costs more
than a late one. Where most values are equal, and of rates, s is that of `pair_sd`, which odd values enlarge; of a rate
the binomial standard deviation at least. A value that stands alone is first replaced by the median of its five
neighbours (Hampel's identifier; F. R. Hampel, J. American Statistical Association 69 (1974) 383). No chance is
involved.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.analysis.nightnoise import night_sd, pair_sd
from harness.analysis.results.nights import ChangePoint

LEAST_RUNS = 10
LEAST_SEGMENT = 3  # runs between two steps
PENALTY = 4.0
_REACH = 3  # so that in ten runs most pairs lie on one side of a step
_ALONE = 4.0  # standard deviations from its neighbours
_Floats = NDArray[np.float64]


def find_change_points(
    values: Sequence[float | None], requests: Sequence[int] | None = None
) -> tuple[ChangePoint, ...]:
    """Find the steps of a series; None is a gap, and fewer than ten values have none. Rates need their requests."""
    places = [place for place, value in enumerate(values) if value is not None]
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    if known.size < LEAST_RUNS:
        return ()
    scale = _scale(
        known, None if requests is None else np.array([requests[place] for place in places], dtype=np.float64)
    )
    if scale == 0.0:
        return ()
    starts = _best_starts(_without_lone_values(known, scale) / scale)
    bounds = [*starts, known.size]
    means = [float(known[one:two].mean()) for one, two in pairwise(bounds)]
    return tuple(
        ChangePoint(
            index=places[bounds[k]],
            before=means[k - 1],
            after=means[k],
            n_before=bounds[k] - bounds[k - 1],
            n_after=bounds[k + 1] - bounds[k],
        )
        for k in range(1, len(starts))
    )


def _scale(known: _Floats, requests: _Floats | None) -> float:
    scale = night_sd(known.tolist(), _REACH)
    if requests is None:
        return scale or pair_sd(known.tolist(), _REACH)
    share = float(np.average(known, weights=requests))
    binomial = float(np.sqrt(share * (1 - share) / np.mean(requests)))
    return max(scale, pair_sd(known.tolist(), _REACH), binomial)


def _without_lone_values(values: _Floats, scale: float) -> _Floats:
    """Put the neighbours' median in the place of a value that none of them is near."""
    padded = np.pad(values, 2, mode="edge")
    medians = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    return np.where(np.abs(values - medians) > _ALONE * scale, medians, values)


def _best_starts(values: _Floats) -> list[int]:
    """Give where the segments of the cheapest segmentation begin; 0 is the first."""
    n = values.size
    sums, squares = (np.concatenate([[0.0], np.cumsum(part)]) for part in (values, values**2))
    penalty = PENALTY * np.log(n)
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    previous = np.zeros(n + 1, dtype=np.int64)
    for end in range(LEAST_SEGMENT, n + 1):
        starts = np.arange(end - LEAST_SEGMENT + 1)
        error = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / (end - starts)
        totals = best[starts] + error + penalty
        previous[end] = int(np.argmin(totals))
        best[end] = totals[previous[end]]
    found = [int(previous[n])]
    while found[-1] > 0:
        found.append(int(previous[found[-1]]))
    return found[::-1]
