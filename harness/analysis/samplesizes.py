"""How many samples a statement needs before the first request: plain arithmetic, no arrays.

The measuring process imports this module to allocate repeats, so it loads neither numpy nor scipy.
"""

import math
from functools import lru_cache
from itertools import accumulate
from statistics import NormalDist

from harness.analysis.exactlevel import binomial, difference_z, least_passing, likely_counts, share_z
from harness.analysis.intervals import newcombe_bound, wilson_ends
from harness.analysis.looks import ALPHA

_TAIL = 0.025  # each side of a two-sided 95 % interval
POWER = 0.80
_MANY = 2_000  # trials, from which the normal approximation is exact enough
_EARLIER = 0.9  # of the approximation: it asks too much near a rate of one half
_IN_A_ROW = 10
_MOST_REQUESTS = 100_000
_FINE = 200  # trials up to which every size is tried


def smallest_n(q: float) -> int:
    """Fewest samples with a two-sided 95 % distribution-free interval of the q-quantile.

    The largest of n samples lies above the quantile unless all n fall below it: q^n <= 2.5 %.
    """
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {q}")
    # Rounded first: 1 - 0.95 is not exactly 0.05, and low quantiles must mirror high ones.
    return math.ceil(math.log(_TAIL) / math.log(max(q, round(1 - q, 12))))


@lru_cache(maxsize=256)
def smallest_n_for_rate(margin: float, alpha: float = ALPHA) -> int:
    """Fewest trials per side with which a loss of `margin` is excluded when no trial fails on either side.

    A candidate at the margin must lose something in all but alpha of such runs: (1 - margin)^n <= alpha.
    """
    if not 0 < margin < 1:
        raise ValueError(f"a margin lies between 0 and 1, not at {margin}")
    n = max(math.ceil(math.log(alpha) / math.log1p(-margin)), 1)
    while newcombe_bound(n, n, n, n, difference_z(n, margin, alpha)) <= -margin:
        n += 1
    return n


@lru_cache(maxsize=256)
def smallest_n_for_share(budget: float, alpha: float = ALPHA) -> int:
    """Fewest requests, none of them beyond its limit, that show a share within the budget: (1 - budget)^n <= alpha."""
    if not 0 < budget < 1:
        raise ValueError(f"a share lies between 0 and 1, not at {budget}")
    n = max(math.ceil(math.log(alpha) / math.log1p(-budget)), 1)
    while wilson_ends(0, n, share_z(n, budget, alpha))[1] >= budget:
        n += 1
    return n


@lru_cache(maxsize=256)
def n_for_power(success_rate: float, margin: float, alpha: float = ALPHA) -> int:
    """Trials per side with which equal sides PASS with 80 % chance.

    2 (z + z')² p (1 - p) / margin² where errors are many (12.37 p (1 - p) / margin² at 5 %). Where they are few
    that asks too little, and the chance is summed exactly; it rises in a saw's teeth, so the answer is the first of
    some sizes in a row that all reach it.
    """
    normal = NormalDist()
    z = normal.inv_cdf(1 - alpha)
    factor = 2 * (z + normal.inv_cdf(POWER)) ** 2
    approximate = math.ceil(factor * success_rate * (1 - success_rate) / margin**2)
    least = smallest_n_for_rate(margin, alpha)
    if approximate > _MANY:
        return max(approximate, least)
    step = max(approximate // _FINE, 1)  # where n is large, its teeth are small
    n = first = max(math.floor((_EARLIER if step == 1 else 1) * approximate), least)
    while n < first + _IN_A_ROW:
        # Newcombe's own z passes at least as often and needs no search: where it fails, the widened one does.
        if _chance(success_rate, n, margin, z) < POWER or chance_to_pass(success_rate, n, margin, alpha) < POWER:
            first = n + step
        n += step
    return first


@lru_cache(maxsize=64)
def n_for_share(share: float, budget: float, alpha: float = ALPHA) -> int | None:
    """Requests with which a candidate of this true share shows with 80 % chance that it is within its budget.

    None where more than a hundred thousand would be needed.
    """
    if share >= budget:
        return None
    z, power = NormalDist().inv_cdf(1 - alpha), NormalDist().inv_cdf(POWER)
    spread = z * math.sqrt(budget * (1 - budget)) + power * math.sqrt(share * (1 - share))
    n = max(math.ceil((spread / (budget - share)) ** 2), smallest_n_for_share(budget, alpha))
    return n if n <= _MOST_REQUESTS else None


def chance_to_pass(success_rate: float, n: int, margin: float, alpha: float = ALPHA) -> float:
    """Chance that two sides with this rate show a bound inside the margin, n independent trials each."""
    return _chance(success_rate, n, margin, difference_z(n, margin, alpha))


def _chance(success_rate: float, n: int, margin: float, z: float) -> float:
    least = least_passing(n, margin, z)
    counts = likely_counts(success_rate, n)
    chances = [binomial(count, n, success_rate) for count in counts]
    at_least = [*accumulate(reversed(chances), initial=0.0)][::-1]
    places = [min(max(least[count] - counts.start, 0), len(chances)) for count in counts]
    return math.fsum(chance * at_least[place] for chance, place in zip(chances, places, strict=True))


def smallest_prompts(margin: float, alpha: float = ALPHA) -> int:
    """Fewest prompts with which a set without any disagreement supports `margin` for prompts like these."""
    return math.ceil(NormalDist().inv_cdf(1 - alpha) * math.sqrt(2) / margin - 2)
