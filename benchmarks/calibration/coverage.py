"""How often the 95 % interval of a ratio of quantiles holds the true ratio."""

from collections.abc import Iterator

import numpy as np

from benchmarks.calibration.tables import head, row, share_of
from benchmarks.calibration.values import draw_pairs
from harness.analysis.resampling import RatioBounds, log_ratios, prompt_draws

SIZES = ((30, 5), (50, 10))
BETWEEN = (0.0, 0.15)  # spread of the prompts' own ratios
QUANTILES = (0.5, 0.95)
DRAWS = 1_000


def lines(sets: int, seed: int) -> Iterator[str]:
    """Give the table: target 92 to 97 %."""
    yield from head(["prompts × repeats", "ratio's own spread between prompts", "quantile", "sets", "covered (bounds)"])
    for size in SIZES:
        for between in BETWEEN:
            for q in QUANTILES:
                found = share_of(covered(size, between, q, sets, seed))
                own = f"{100 * between:.0f} %" if between else "none"
                yield row([f"{size[0]} × {size[1]}", own, f"p{100 * q:.0f}", sets, found.between])


def covered(size: tuple[int, int], between: float, q: float, sets: int, seed: int) -> Iterator[bool]:
    """Say of each set whether its interval holds 1; both sides are drawn alike, so 1 is the true ratio."""
    for number in range(sets):
        rng = np.random.default_rng([seed, number, *size])
        pairs = draw_pairs(rng, *size, between=between)
        bounds = RatioBounds(draws=log_ratios(pairs, q, prompt_draws(pairs, rng, DRAWS)), n_prompts=size[0])
        yield bounds.lower(0.975) <= 0.0 <= bounds.upper(0.975)
