"""How often the permutation test calls equal endpoints different."""

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.calibration.tables import head, row, share_of
from benchmarks.calibration.values import draw_pairs
from harness.analysis.permutation import PromptCounts, rate_p_value, ratio_p_value

DRAWS = 999
LEVELS = (0.05, 0.03)
PROMPTS, REPEATS = 30, 5


def lines(sets: int, seed: int) -> Iterator[str]:
    """Give the table: at most the level, and for ratios about the level."""
    yield from head(["statistic", "sets", *(f"p ≤ {level:g} (bounds)" for level in LEVELS)])
    for name, draw in STATISTICS.items():
        found = [draw(np.random.default_rng([seed, number])) for number in range(sets)]
        yield row([name, sets, *(share_of(p <= level for p in found).between for level in LEVELS)])


def rate(rng: np.random.Generator) -> float:
    """Draw two equal endpoints on prompts of unlike difficulty; give p of their rates."""
    success = 1 - rng.beta(0.3, 2.0, PROMPTS)
    drawn = rng.binomial(REPEATS, success, (2, PROMPTS))
    prompts = {
        f"p{number}": PromptCounts(n=REPEATS, reference=int(one), candidate=int(two))
        for number, (one, two) in enumerate(drawn.T)
    }
    return rate_p_value(prompts, rng, is_loss_low=True, draws=DRAWS)


def ratio(rng: np.random.Generator, q: float) -> float:
    """Draw two equal endpoints; give p of the ratio of their quantiles."""
    return ratio_p_value(draw_pairs(rng, PROMPTS, REPEATS), q, rng, is_loss_low=False, draws=DRAWS)


STATISTICS: dict[str, Callable[[np.random.Generator], float]] = {
    "sum of differences of rates": rate,
    "log ratio of p50": lambda rng: ratio(rng, 0.5),
    "log ratio of p95": lambda rng: ratio(rng, 0.95),
}
