"""What 30 prompts by 5 repeats and 50 by 10 can show: chance of PASS for equal sides, of detection for unequal ones."""

from collections.abc import Iterator

import numpy as np

from benchmarks.calibration.exact import chance_to_pass
from benchmarks.calibration.tables import head, percent, row, share_of
from benchmarks.calibration.values import draw_pairs
from harness.analysis.permutation import PromptCounts, rate_p_value
from harness.analysis.resampling import RatioBounds, log_ratios, prompt_draws

SIZES = ((30, 5), (50, 10))
ALPHA = 0.03  # of the first of two planned looks
RATES = ((0.99, 0.05), (0.97, 0.05), (0.95, 0.05), (0.90, 0.05), (0.97, 0.10), (0.90, 0.10), (0.99, 0.02))
RATIOS = ((0.5, 1.10), (0.5, 1.25), (0.95, 1.25), (0.95, 1.5))
DROPS = (0.05, 0.10, 0.15, 0.20)
HARD = 0.97  # success of the reference where a drop is to be detected
GATES = 9  # required ones: the smallest p of all must be below the level over their number
DRAWS = 1_999


def lines(sets: int, seed: int) -> Iterator[str]:
    """Give the table; rates are summed exactly, every prompt serving the gate."""
    yield from head(["statement, equal sides unless said", *(f"{k} × {r}" for k, r in SIZES)])
    for rate, margin in RATES:
        name = f"PASS: rate, margin {100 * margin:g} points, both at {percent(rate)}"
        yield row([name, *(percent(chance_to_pass(k * r, margin, ALPHA, rate, rate)) for k, r in SIZES)])
    for q, margin in RATIOS:
        name = f"PASS: ratio of p{100 * q:.0f} below {margin:g}× ({sets} sets)"
        yield row([name, *(share_of(ratio_passes(size, q, margin, sets, seed)).between for size in SIZES)])
    for drop in DROPS:
        name = f"detected, Holm over {GATES} gates: rate {100 * drop:g} points below {percent(HARD)} ({sets} sets)"
        yield row([name, *(share_of(detected(size, drop, sets, seed)).between for size in SIZES)])


def ratio_passes(size: tuple[int, int], q: float, margin: float, sets: int, seed: int) -> Iterator[bool]:
    """Say of each set whether equal sides exclude the margin."""
    for number in range(sets):
        rng = np.random.default_rng([seed, number, *size])
        pairs = draw_pairs(rng, *size)
        bounds = RatioBounds(draws=log_ratios(pairs, q, prompt_draws(pairs, rng, 1_000)), n_prompts=size[0])
        yield bounds.upper(1 - ALPHA) < np.log(margin)


def detected(size: tuple[int, int], drop: float, sets: int, seed: int) -> Iterator[bool]:
    """Say of each set whether the loss is detected though it stands beside eight gates without one."""
    k, repeats = size
    for number in range(sets):
        rng = np.random.default_rng([seed, number, *size])
        one, two = rng.binomial(repeats, HARD, k), rng.binomial(repeats, HARD - drop, k)
        prompts = {f"p{i}": PromptCounts(n=repeats, reference=int(one[i]), candidate=int(two[i])) for i in range(k)}
        yield rate_p_value(prompts, rng, is_loss_low=True, draws=DRAWS) <= ALPHA / GATES
