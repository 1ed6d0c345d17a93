"""Synthetic timings of both sides, as the ratio gates see them."""

import numpy as np

from harness.analysis.resampling import PairedValues

SPIKES = 0.02  # share of requests that are slowed by a factor with a heavy tail


def draw_pairs(
    rng: np.random.Generator, prompts: int, repeats: int, *, factor: float = 1.0, between: float = 0.0
) -> PairedValues:
    """Draw latencies: medians over an order of magnitude, 20 % noise, 2 % spikes; the candidate's times `factor`.

    `between` is the spread of each prompt's own ratio around the factor.
    """
    names = np.repeat([f"p{number:03d}" for number in range(prompts)], repeats)
    median = np.repeat(0.25 * np.exp(rng.normal(0, 0.6, prompts)), repeats)
    own = np.repeat(np.exp(rng.normal(0, between, prompts)), repeats)
    return PairedValues(
        prompts=tuple(names.tolist()),
        reference=median * _noise(rng, names.size),
        candidate=median * own * factor * _noise(rng, names.size),
    )


def _noise(rng: np.random.Generator, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    spikes = np.where(rng.random(n) < SPIKES, 1.5 + rng.pareto(1.8, n), 1.0)
    return np.asarray(np.exp(rng.normal(0, 0.2, n)) * spikes)
