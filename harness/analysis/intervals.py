"""Intervals of rates and of their differences: Wilson, Newcombe, and the bound for prompts like these.

Model: `n` independent trials per side. Pooling trials of fixed prompts overstates their variance (the variance of a
mixture is at least the mean of the variances), so "these prompts" bounds err on the wide side.

References: E. B. Wilson, JASA 22 (1927) 209; R. G. Newcombe, Statistics in Medicine 17 (1998) 873, method 10;
D. G. Bonett and R. M. Price, J. Educational and Behavioral Statistics 37 (2012) 479, for the pseudo-observations.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

from harness.analysis.results.estimates import Interval

LEVEL = 0.95
Z_ONE_SIDED = NormalDist().inv_cdf(LEVEL)
Z_TWO_SIDED = NormalDist().inv_cdf(0.5 + LEVEL / 2)


def wilson(successes: int, n: int, z: float = Z_TWO_SIDED) -> Interval:
    """Give the score interval of a rate; its ends stay within 0 and 1 and never collapse to a point."""
    low, high = wilson_ends(successes, n, z)
    return Interval(low=low, high=high, level=_level(z), method="wilson")


def newcombe(reference: int, n_reference: int, candidate: int, n_candidate: int) -> Interval:
    """Give the two-sided 95 % interval of candidate rate - reference rate."""
    return Interval(
        low=newcombe_bound(reference, n_reference, candidate, n_candidate, Z_TWO_SIDED),
        high=-newcombe_bound(candidate, n_candidate, reference, n_reference, Z_TWO_SIDED),
        level=LEVEL,
        method="newcombe",
    )


def newcombe_bound(reference: int, n_reference: int, candidate: int, n_candidate: int, z: float = Z_ONE_SIDED) -> float:
    """Lower bound of candidate rate - reference rate: D - sqrt((pB - lB)² + (uA - pA)²), Wilson's l and u.

    The upper bound is minus the lower bound of the swapped sides.
    """
    p_reference, p_candidate = reference / n_reference, candidate / n_candidate
    _, high = wilson_ends(reference, n_reference, z)
    low, _ = wilson_ends(candidate, n_candidate, z)
    return p_candidate - p_reference - math.hypot(p_candidate - low, high - p_reference)


def prompts_like_these_bound(differences: Sequence[float], z: float = Z_ONE_SIDED) -> float | None:
    """Lower bound of the mean difference over prompts like these; None without prompts.

    `differences` are per prompt, candidate rate - reference rate. Two pseudo-prompts, +1 and -1, keep a set without any
    disagreement from claiming certainty: without disagreement the bound is -2.33 / (K + 2).
    """
    if not differences:
        return None
    count = len(differences) + 2
    mean = math.fsum(differences) / count
    square = (math.fsum(d * d for d in differences) + 2) / count
    return mean - z * math.sqrt(max(square - mean**2, 0.0) / count)


def rate_without_event(n: int) -> float:
    """Largest rate still compatible at 95 % with no event in n trials, exactly: 1 - 0.05^(1/n)."""
    return float(1 - (1 - LEVEL) ** (1 / n))


def wilson_ends(successes: int, n: int, z: float) -> tuple[float, float]:
    """Give both ends of the score interval."""
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} of {n} is not a rate")
    rate = successes / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def _level(z: float) -> float:
    return round(2 * NormalDist().cdf(z) - 1, 6)
