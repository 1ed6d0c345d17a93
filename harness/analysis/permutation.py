"""Detects a difference by exchanging the sides' labels inside each prompt.

Model: if nothing differs, the requests of one prompt are exchangeable between the sides; prompts need not be alike. The
test is then exact at any number of prompts and repeats, and with one repeat it is McNemar's. p = (1 + #) / (1 + B)
counts the observed labelling among the draws, so that p is never 0 (B. Phipson and G. K. Smyth, Statistical
Applications in Genetics and Molecular Biology 9 (2010) 39). Drawing stops once 100 draws are as extreme as the data:
p = 100 / draws so far is as valid (J. Besag and P. Clifford, Biometrika 78 (1991) 301) and is above 1 % by then.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.quantiles import is_smooth
from harness.analysis.resampling import PairedValues, log_quotient, quantiles_by_draw

DRAWS = 9_999
_TIE = 1e-9  # equal statistics may differ in their last bits
_TIE_BREAK = 1e-5  # between labellings whose quantiles fail alike, the one with more failures is worse
_BEYOND = 100.0
_ENOUGH = 100  # draws as extreme as the data, after which p cannot become small
_AT_ONCE = 500  # draws in memory at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCounts:
    """Successes of one prompt on both sides, of `n` trials each."""

    n: int
    reference: int
    candidate: int

    @property
    def difference(self) -> float:
        """Candidate rate - reference rate."""
        return (self.candidate - self.reference) / self.n


def rate_p_value(
    prompts: Mapping[str, PromptCounts], rng: np.random.Generator, *, is_loss_low: bool, draws: int = DRAWS
) -> float:
    """One-sided p of "the candidate is worse": the sum of the prompts' differences against its label permutations.

    Exchanging labels gives the candidate a hypergeometric share of a prompt's successes.
    """
    sign = 1 if is_loss_low else -1
    rows = list(prompts.values())
    observed = sign * sum(row.difference for row in rows)
    drawn = np.zeros(draws)
    for row in rows:
        both = row.reference + row.candidate
        if 0 < both < 2 * row.n:  # all alike: every labelling gives 0
            candidate = rng.hypergeometric(both, 2 * row.n - both, row.n, size=draws)
            drawn += sign * (2 * candidate - both) / row.n
    return _p(drawn <= observed + _TIE, draws)


def ratio_p_value(
    pairs: PairedValues, q: float, rng: np.random.Generator, *, is_loss_low: bool, draws: int = DRAWS
) -> float:
    """One-sided p of "the candidate is worse": the log ratio of quantiles against its label permutations."""
    pooled = np.concatenate([pairs.reference, pairs.candidate])
    order = np.argsort(pooled, kind="stable")
    ordered, is_infinite = pooled[order], np.isinf(pooled)
    both_upto = np.arange(1, pooled.size + 1)
    n = len(pairs.prompts)
    by_rank = pairs.has_failures or not is_smooth(q)
    sign = 1.0 if is_loss_low else -1.0

    def gains(is_candidate: NDArray[np.bool_]) -> NDArray[np.float64]:
        upto = np.cumsum(is_candidate[:, order], axis=1, dtype=np.int64)
        candidate = quantiles_by_draw(ordered, upto, q, by_rank=by_rank)
        reference = quantiles_by_draw(ordered, both_upto - upto, q, by_rank=by_rank)
        more_failures = 2 * is_candidate[:, is_infinite].sum(axis=1) - np.count_nonzero(is_infinite)
        gained: NDArray[np.float64] = sign * finite(log_quotient(candidate, reference)) - _TIE_BREAK * more_failures
        return gained

    observed = gains(np.repeat([[False, True]], n, axis=1))[0]
    return label_p_value(pairs, rng, draws, lambda is_candidate: gains(is_candidate) <= observed + _TIE)


def label_p_value(
    pairs: PairedValues,
    rng: np.random.Generator,
    draws: int,
    is_extreme: Callable[[NDArray[np.bool_]], NDArray[np.bool_]],
) -> float:
    """Count labellings that are as extreme as the data; drawing stops once enough of them are."""
    found: list[NDArray[np.bool_]] = []
    for is_candidate in labellings(pairs, rng, draws):
        found.append(is_extreme(is_candidate))
        if sum(map(np.count_nonzero, found)) >= _ENOUGH:
            break
    return _p(np.concatenate(found), draws)


def finite(log_ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put a failing quantile beyond any ratio, and two failing ones at no difference."""
    return np.nan_to_num(log_ratios, nan=0.0, posinf=_BEYOND, neginf=-_BEYOND)


def labellings(pairs: PairedValues, rng: np.random.Generator, draws: int) -> Iterator[NDArray[np.bool_]]:
    """Give draws in parts: which pooled values (references, then candidates) are called the candidate's."""
    groups = _groups(pairs)
    n = len(pairs.prompts)
    for start in range(0, draws, _AT_ONCE):
        size = min(_AT_ONCE, draws - start)
        labels = np.empty((size, 2 * n), dtype=bool)
        for members in groups:
            half = np.zeros((size, *members.shape), dtype=bool)
            half[:, :, : members.shape[1] // 2] = True
            labels[:, members.ravel()] = rng.permuted(half, axis=2).reshape(size, -1)
        yield labels


def _groups(pairs: PairedValues) -> list[NDArray[np.int64]]:
    """Pooled positions by prompt: one array per number of repeats, a row per prompt."""
    n = len(pairs.prompts)
    clusters = pairs.clusters
    by_size: dict[int, list[NDArray[np.int64]]] = defaultdict(list)
    for cluster in range(pairs.n_prompts):
        members = np.flatnonzero(clusters == cluster)
        by_size[members.size].append(np.concatenate([members, members + n]))
    return [np.stack(rows) for rows in by_size.values()]


def _p(is_extreme: NDArray[np.bool_], draws: int) -> float:
    """Give p from the draws in order; both ways of drawing stop by the same rule, so that they agree."""
    reached = np.flatnonzero(is_extreme)
    if reached.size >= _ENOUGH:
        return float(_ENOUGH / (reached[_ENOUGH - 1] + 1))
    return float((1 + reached.size) / (1 + draws))
