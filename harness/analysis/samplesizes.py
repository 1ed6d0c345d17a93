"""How many samples a statement needs before the first request: plain arithmetic, no arrays.

The measuring process imports this module to allocate repeats, so it loads neither numpy nor scipy.
"""

import math
from functools import lru_cache
from statistics import NormalDist

from harness.analysis.intervals import newcombe_bound

_TAIL = 0.025  # each side of a two-sided 95 % interval
POWER = 0.80
_MANY = 2_000  # trials, from which the normal approximation is exact enough
_EARLIER = 0.9  # of the approximation: it asks too much near a rate of one half
_IN_A_ROW = 10


def smallest_n(q: float) -> int:
    """Fewest samples with a two-sided 95 % distribution-free interval of the q-quantile.

    The largest of n samples lies above the quantile unless all n fall below it: q^n <= 2.5 %.
    """
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
    # Rounded first: 1 - 0.95 is not exactly 0.05, and low quantiles must mirror high ones.
    return math.ceil(math.log(_TAIL) / math.log(max(q, round(1 - q, 12))))


def smallest_n_for_rate(margin: float) -> int:
    """Fewest trials per side with which a loss of `margin` is excluded when no trial fails on either side."""
    if not 0 < margin < 1:
        raise ValueError(f"a margin lies between 0 and 1, not at {margin}")
    n = 1
    while newcombe_bound(n, n, n, n) <= -margin:
        n += 1
    return n


@lru_cache(maxsize=256)
def n_for_power(success_rate: float, margin: float) -> int:
    """Trials per side with which equal sides PASS with 80 % chance.

    12.37 p (1 - p) / margin² where errors are many. Where they are few that asks too little, and the chance is summed
    exactly; it rises in a saw's teeth, so the answer is the first of some sizes in a row that all reach it.
    """
    normal = NormalDist()
    factor = 2 * (normal.inv_cdf(0.95) + normal.inv_cdf(POWER)) ** 2
    approximate = math.ceil(factor * success_rate * (1 - success_rate) / margin**2)
    least = smallest_n_for_rate(margin)
    if approximate > _MANY:
        return max(approximate, least)
    n = first = max(math.floor(_EARLIER * approximate), least)
    while n < first + _IN_A_ROW:
        if chance_to_pass(success_rate, n, margin) < POWER:
            first = n + 1
        n += 1
    return first


def chance_to_pass(success_rate: float, n: int, margin: float) -> float:
    """Chance that two sides with this rate show a Newcombe bound inside the margin, n independent trials each."""
    counts = _likely_counts(success_rate, n)
    chances = [_binomial(count, n, success_rate) for count in counts]
    at_least = [math.fsum(chances[place:]) for place in range(len(chances))]
    total, place = 0.0, 0
    for reference, chance in zip(counts, chances, strict=True):  # more of the reference asks as much of the candidate
        while place < len(counts) and newcombe_bound(reference, n, counts[place], n) <= -margin:
            place += 1
        total += chance * at_least[place] if place < len(counts) else 0.0
    return total


def _likely_counts(rate: float, n: int) -> range:
    """Counts of successes but for some so rare that they do not matter."""
    spread = math.ceil(8 * math.sqrt(n * rate * (1 - rate))) + 10
    middle = round(n * rate)
    return range(max(middle - spread, 0), min(middle + spread, n) + 1)


def _binomial(count: int, n: int, rate: float) -> float:
    if rate in (0.0, 1.0):
        return float(count == n * rate)
    ways = math.lgamma(n + 1) - math.lgamma(count + 1) - math.lgamma(n - count + 1)
    return math.exp(ways + count * math.log(rate) + (n - count) * math.log1p(-rate))


def smallest_prompts(margin: float) -> int:
    """Fewest prompts with which a set without any disagreement supports `margin` for prompts like these."""
    return math.ceil(NormalDist().inv_cdf(0.95) * math.sqrt(2) / margin - 2)
