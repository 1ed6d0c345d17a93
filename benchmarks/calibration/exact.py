"""False PASS of a rate gate at its margin, summed over all tables: no simulation."""

from collections.abc import Iterator
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from benchmarks.calibration.tables import head, percent, row
from harness.analysis.exactlevel import difference_z, share_z
from harness.analysis.intervals import newcombe_bound, wilson_ends
from harness.analysis.samplesizes import smallest_n_for_share

MARGINS = (0.02, 0.05, 0.10)
ALPHAS = (0.05, 0.03)
BUDGETS = (0.01, 0.05)  # shares of requests that may be beyond a limit
RATES = tuple(np.round(np.arange(0.5, 1.0001, 0.0025), 4).tolist())  # of the reference


@lru_cache(maxsize=64)
def least_to_pass(n: int, margin: float, alpha: float, *, widened: bool = True) -> NDArray[np.int64]:
    """Give, by successes of the reference, the fewest successes of the candidate that exclude the margin."""
    z = difference_z(n, margin, alpha) if widened else NormalDist().inv_cdf(1 - alpha)
    least, candidate = np.empty(n + 1, dtype=np.int64), 0
    for reference in range(n + 1):  # more of the reference asks as much of the candidate
        while candidate <= n and newcombe_bound(reference, n, candidate, n, z) <= -margin:
            candidate += 1
        least[reference] = candidate
    return least


def chance_to_pass(
    n: int, margin: float, alpha: float, reference: float, candidate: float, *, widened: bool = True
) -> float:
    """Sum the chance of every table that passes, n independent trials per side."""
    counts = np.arange(n + 1)
    passes = binom.sf(least_to_pass(n, margin, alpha, widened=widened) - 1, n, candidate)
    return float(np.dot(binom.pmf(counts, n, reference), passes))


def worst(n: int, margin: float, alpha: float, *, widened: bool = True) -> tuple[float, float]:
    """Give the largest chance over rates of the reference, and that rate; the candidate is exactly `margin` lower."""
    return max((chance_to_pass(n, margin, alpha, rate, rate - margin, widened=widened), rate) for rate in RATES)


def sizes(margin: float, alpha: float) -> list[int]:
    """Give the least n for perfect sides, and multiples of it."""
    n = 1
    while least_to_pass(n, margin, alpha)[n] > n:
        n += 1
    return [n, round(1.5 * n), 3 * n, 6 * n]


def lines(_sets: int, _seed: int) -> Iterator[str]:
    """Give the table: at most alpha."""
    words = ["margin", "one-sided level", "trials per side", "largest false PASS", "at a reference's rate of"]
    yield from head([*words, "with Newcombe's own z"])
    for margin in MARGINS:
        for alpha in ALPHAS:
            for n in sizes(margin, alpha):
                chance, rate = worst(n, margin, alpha)
                plain, _ = worst(n, margin, alpha, widened=False)
                yield row([f"{100 * margin:g} points", f"{alpha:g}", n, fine(chance), percent(rate), fine(plain)])


def fine(chance: float) -> str:
    """Write a chance with two decimals."""
    return f"{100 * chance:.2f} %"


def share_lines(_sets: int, _seed: int) -> Iterator[str]:
    """Give the table of service levels: a candidate whose true share beyond the limit is the whole budget."""
    yield from head(["budget", "one-sided level", "requests", "false PASS", "with Wilson's own z"])
    for budget in BUDGETS:
        for alpha in ALPHAS:
            for n in (smallest_n_for_share(budget, alpha), 500, 1_000):
                found = [share_chance(n, budget, alpha, widened=widened) for widened in (True, False)]
                yield row([percent(budget), f"{alpha:g}", n, *map(fine, found)])


def share_chance(n: int, budget: float, alpha: float, *, widened: bool = True) -> float:
    """Chance that n requests show a share within the budget."""
    z = share_z(n, budget, alpha) if widened else NormalDist().inv_cdf(1 - alpha)
    most = sum(wilson_ends(count, n, z)[1] < budget for count in range(n + 1)) - 1
    return float(binom.cdf(most, n, budget)) if most >= 0 else 0.0
