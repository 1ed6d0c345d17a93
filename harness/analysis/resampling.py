"""Resamples prompts to learn how far a ratio of two quantiles may be off.

Model: the prompts are a sample of prompts like them, and the repeats of one prompt are alike; so whole prompts are
drawn with replacement and each brings all its repeats of both sides. Resampling single requests would treat repeats
as if they were new prompts and give intervals that are too narrow.

The bounds are percentiles at levels widened for few prompts, so that they agree with Student's t where that applies
("expanded percentiles": T. C. Hesterberg, American Statistician 69 (2015) 371). Field, Welsh, J. R. Statist. Soc. B 69
(2007) 369, compare ways to resample clusters.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from harness.analysis.quantiles import harrell_davis_steps, is_smooth, quantile, rank_of

DRAWS = 4_000
_Floats = NDArray[np.float64]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedValues:
    """One metric of both sides on the same requests: equal lengths, sorted by prompt and repeat."""

    prompts: tuple[str, ...]  # of each pair
    reference: _Floats  # infinite where the request failed
    candidate: _Floats

    @property
    def clusters(self) -> _Counts:
        """Number of each pair's prompt, 0 to K - 1 in the order of prompt ids."""
        return np.unique(np.asarray(self.prompts), return_inverse=True)[1]

    @property
    def n_prompts(self) -> int:
        """How many prompts there are."""
        return len(set(self.prompts))

    @property
    def has_failures(self) -> bool:
        """Whether either side holds an infinite value: then both sides use order statistics."""
        return bool(np.isinf(self.reference).any() or np.isinf(self.candidate).any())


def log_ratio(pairs: PairedValues, q: float) -> float:
    """Log of candidate quantile over reference quantile; NaN when both are infinite."""
    every = np.ones((1, len(pairs.prompts)), dtype=np.int64)
    return float(log_ratios(pairs, q, every)[0])


def log_ratios(pairs: PairedValues, q: float, counts: _Counts) -> _Floats:
    """Log ratio in each draw; `counts` says how often a draw holds each pair."""
    by_rank = pairs.has_failures or not is_smooth(q)
    reference = weighted_quantiles(pairs.reference, counts, q, by_rank=by_rank)
    candidate = weighted_quantiles(pairs.candidate, counts, q, by_rank=by_rank)
    return log_quotient(candidate, reference)


def log_quotient(candidate: _Floats, reference: _Floats) -> _Floats:
    """Log of candidate over reference: infinite against a failure, NaN between two failures."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.log(candidate) - np.log(reference), dtype=np.float64)


def side_quantile(pairs: PairedValues, values: _Floats, q: float) -> float:
    """One side's quantile, by the estimator that both sides of these pairs use."""
    if pairs.has_failures or not is_smooth(q):
        return float(np.sort(values)[rank_of(q, values.size) - 1])
    found = quantile(values.tolist(), q)
    if found is None:
        raise ValueError("no pairs, no quantile")
    return found


def prompt_draws(pairs: PairedValues, rng: np.random.Generator, draws: int = DRAWS) -> _Counts:
    """Draw prompts with replacement: how often each pair is in each draw, the same for both sides."""
    clusters = pairs.clusters
    n = pairs.n_prompts
    chosen = rng.multinomial(n, np.full(n, 1 / n), size=draws)
    return np.asarray(chosen[:, clusters], dtype=np.int64)


def repeat_draws(pairs: PairedValues, rng: np.random.Generator, draws: int = DRAWS) -> _Counts:
    """Draw repeats within each prompt, prompts fixed: the part of the uncertainty that more repeats reduce."""
    clusters = pairs.clusters
    counts = np.empty((draws, clusters.size), dtype=np.int64)
    for cluster in range(pairs.n_prompts):
        members = np.flatnonzero(clusters == cluster)
        counts[:, members] = rng.multinomial(members.size, np.full(members.size, 1 / members.size), size=draws)
    return counts


def weighted_quantiles(values: _Floats, counts: _Counts, q: float, *, by_rank: bool) -> _Floats:
    """Quantile of each draw: row i holds value j `counts[i, j]` times."""
    order = np.argsort(values, kind="stable")
    return quantiles_by_draw(values[order], np.cumsum(counts[:, order], axis=1), q, by_rank=by_rank)


def quantiles_by_draw(ordered: _Floats, upto: _Counts, q: float, *, by_rank: bool) -> _Floats:
    """Quantile of each draw from ascending values; `upto[i, j]` says how many of row i are values 0 to j."""
    totals = upto[:, -1]
    if by_rank:
        ranks = np.maximum(np.ceil(q * totals - 1e-9), 1)
        return np.asarray(ordered[(upto < ranks[:, None]).sum(axis=1)], dtype=np.float64)
    steps = _steps_by_draw(totals, q)
    reached = np.take_along_axis(steps, upto, axis=1) if steps.shape[0] > 1 else steps[0][upto]
    # sum of (step after - step before) x value, written as a sum over the gaps between values
    return np.asarray(ordered[-1] - reached[:, :-1] @ np.diff(ordered), dtype=np.float64)


def _steps_by_draw(totals: _Counts, q: float) -> _Floats:
    """Harrell-Davis steps of each draw's own size; one row when all sizes agree."""
    sizes, which = np.unique(totals, return_inverse=True)
    table = np.ones((sizes.size, int(sizes[-1]) + 1))
    for row, size in enumerate(sizes):
        table[row, : size + 1] = harrell_davis_steps(int(size), q)
    return table if sizes.size == 1 else table[which]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioBounds:
    """Bounds of a log ratio; where both sides fail, each bound takes the side that claims less."""

    draws: _Floats
    n_prompts: int

    def lower(self, level: float) -> float:
        """One-sided lower bound."""
        filled = np.where(np.isnan(self.draws), -np.inf, self.draws)
        return low_end(filled, self._tail(level))

    def upper(self, level: float) -> float:
        """One-sided upper bound."""
        filled = np.where(np.isnan(self.draws), np.inf, self.draws)
        return -low_end(-filled, self._tail(level))

    def _tail(self, level: float) -> float:
        """Expanded percentile: the normal tail at sqrt(K / (K - 1)) times Student's quantile."""
        widened = math.sqrt(self.n_prompts / (self.n_prompts - 1)) * student.ppf(level, self.n_prompts - 1)
        return float(norm.sf(widened))


_LEAST_RANK = 10  # from an end of the draws, nearer to which they are too few to be read


def low_end(values: _Floats, tail: float) -> float:
    """Order statistic of the draws, so that infinite draws need no interpolation and the two ends mirror each other.

    Too far out for the number of draws, the line through the median and the tenth draw, on normal quantiles, goes on.
    """
    rank = math.floor(tail * (values.size + 1))
    if rank >= _LEAST_RANK:
        return float(np.partition(values, rank - 1)[rank - 1])
    last = min(_LEAST_RANK, values.size)
    edge, middle = float(np.partition(values, last - 1)[last - 1]), float(np.median(values))
    if math.isinf(edge) or math.isinf(middle):
        return edge if math.isinf(edge) else -math.inf
    return middle - (middle - edge) * float(norm.isf(tail) / norm.isf(last / (values.size + 1)))
