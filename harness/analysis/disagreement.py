"""Excess disagreement: how far two sides disagree beyond what each does with itself.

Per prompt, over pairs of different answers under a kernel of the modality: u = (A with A + B with B) / 2 - A with B,
half of the unbiased squared maximum mean discrepancy (A. Gretton et al., J. Machine Learning Research 13 (2012) 723,
lemma 6). The effect is the mean of u over prompts.

Same? Labels are permuted inside each prompt, which is exact; all labellings are counted where they are few. Alike
enough? A one-sided bound of the mean, prompts as the unit, corrected for their skewness (`skewedmean.py`), which leaves
room for the prompts that K draws may have missed. Where the reference hardly agrees with itself, no difference could
show, and nothing is said.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.analysis.kernels import Modality, kernel_matrix, modality_of
from harness.analysis.parity import assayed
from harness.analysis.permutation import DRAWS
from harness.analysis.results.case import Side
from harness.analysis.results.estimates import Interval
from harness.analysis.results.likeness import Disagreement
from harness.analysis.skewedmean import skewed_mean_bounds
from harness.analysis.values import known, missing
from harness.analysis.words import count_of
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Answer

LEAST_ANSWERS = 3  # of each side to a prompt: with two, the own agreement is a single pair
MOST_ANSWERS = 32  # of each side to a prompt, the first of the run
LEAST_PROMPTS = 5  # fewer say nothing of the spread between prompts
NO_ANSWERS = f"no prompt has {LEAST_ANSWERS} answers on either side"
_MOST_LABELLINGS = 1_000  # of one prompt, up to which all are computed once and drawn from
_TIE = 1e-9
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One prompt's answers compared two by two, the first side's before the second's."""

    prompt_id: str
    modality: Modality
    alike: _Floats
    n_first: int

    @property
    def n_second(self) -> int:
        """How many answers the second side gave."""
        return int(self.alike.shape[0]) - self.n_first


Answers = Mapping[str, Sequence[Answer]]


def compare_blocks(
    golden: GoldenSet,
    first: Answers,
    second: Answers,
    greedy: Callable[[Prompt], bool],
    *,
    least: int = LEAST_ANSWERS,
) -> list[Block]:
    """Compare the prompts that both sides answered often enough; `greedy` says where nothing is drawn at random."""
    found = []
    for prompt in golden.prompts:
        ours, theirs = (list(side.get(prompt.id, ()))[:MOST_ANSWERS] for side in (first, second))
        if min(len(ours), len(theirs)) >= least:
            modality = modality_of(prompt, is_greedy=greedy(prompt))
            alike = kernel_matrix(modality, [*ours, *theirs])
            found.append(Block(prompt_id=prompt.id, modality=modality, alike=alike, n_first=len(ours)))
    return found


def is_greedy(prompt: Prompt, *sides: Side) -> bool:
    """Whether every side is asked for temperature 0 on this prompt."""
    return all(_temperature(prompt, side) == 0 for side in sides)


def _temperature(prompt: Prompt, side: Side) -> object:
    """Read it as the body was made: extra fields over declared differences over pinned sampling over the prompt."""
    declared = side.endpoint.get("params")
    params: Mapping[str, object] = declared if isinstance(declared, Mapping) else {}
    dropped = params.get("drop")
    if isinstance(dropped, Sequence) and "temperature" in dropped:
        return None
    layers = (side.endpoint.get("extra_body"), params.get("add"), side.endpoint.get("sampling"), prompt.request)
    stated = (layer["temperature"] for layer in layers if isinstance(layer, Mapping) and "temperature" in layer)
    return next(stated, None)


def excess_disagreement(
    blocks: Sequence[Block], rng: np.random.Generator, *, level: float = 0.95, draws: int = DRAWS
) -> Disagreement:
    """Estimate, bound and test the excess over these prompts; 0 draws leave the test out."""
    if not blocks:
        return _nothing(NO_ANSWERS, level)
    parts = np.array([_parts(block) for block in blocks])
    own, other, cross = (known(float(mean)) for mean in parts.mean(axis=0))
    excesses = (parts[:, 0] + parts[:, 1]) / 2 - parts[:, 2]
    effect = assayed(own, known(float(excesses.mean())))
    reason = effect.reason or _too_few(len(blocks))
    return Disagreement(
        effect=effect,
        reference_self=own,
        candidate_self=other,
        cross=cross,
        bounds=None if reason else _bounds(excesses, level),
        interval=None if reason else _interval(excesses),
        p_value=_p_value(blocks, rng, draws) if draws and not reason else None,
        level=level,
        n_prompts=len(blocks),
        n_answers=sum(min(block.n_first, block.n_second) for block in blocks),
        reason=reason,
    )


def _nothing(reason: str, level: float) -> Disagreement:
    nothing = missing(reason)
    return Disagreement(
        effect=nothing, reference_self=nothing, candidate_self=nothing, cross=nothing, level=level, reason=reason
    )


def _too_few(n_prompts: int) -> str | None:
    if n_prompts >= LEAST_PROMPTS:
        return None
    return f"{count_of(n_prompts, 'prompt')} with {LEAST_ANSWERS} answers on each side; {LEAST_PROMPTS} are needed"


def _parts(block: Block) -> tuple[float, float, float]:
    """Own agreement of either side, and the agreement between them."""
    ours, theirs = block.alike[: block.n_first, : block.n_first], block.alike[block.n_first :, block.n_first :]
    return _within(ours), _within(theirs), float(block.alike[: block.n_first, block.n_first :].mean())


def _within(alike: _Floats) -> float:
    n = alike.shape[0]
    return float((alike.sum() - np.trace(alike)) / (n * (n - 1)))


def _bounds(excesses: _Floats, level: float) -> tuple[float, float]:
    """Bound the mean; whatever spread was seen, an unseen share of prompts may differ wholly, or not at all.

    Where a share p of all prompts differs by 1, the most that a prompt can, K draws miss it with chance (1 - p)^K; that
    is 1 - level at p = 1 - (1 - level)^(1 / K). The others are given the least excess that was seen.
    """
    low, high = skewed_mean_bounds(excesses, level)
    unseen = 1 - (1 - level) ** (1 / excesses.size)
    least, most = max(float(excesses.min()), 0.0), max(float(excesses.max()), 0.0)
    return min(low, most * (1 - unseen)), min(max(high, least + (1 - least) * unseen), 1.0)


def _interval(excesses: _Floats) -> Interval:
    low, high = _bounds(excesses, 0.975)
    return Interval(low=low, high=high, level=0.95, method="Student's t over prompts, corrected for skewness")


def _p_value(blocks: Sequence[Block], rng: np.random.Generator, draws: int) -> float:
    """One-sided p of "the sides answer alike": the summed excess against its label permutations."""
    observed = sum(_excesses(block, _first_labels(block)[None, :])[0] for block in blocks)
    tables = [_all_excesses(block) for block in blocks]
    if all(table is not None for table in tables) and _count(tables) <= draws:
        return float((_all_sums(tables) >= observed - _TIE).mean())
    drawn = np.zeros(draws)
    for block, table in zip(blocks, tables, strict=True):
        drawn += _drawn(block, rng, draws) if table is None else table[rng.integers(table.size, size=draws)]
    return float((1 + np.count_nonzero(drawn >= observed - _TIE)) / (1 + draws))


def _count(tables: Sequence[_Floats | None]) -> int:
    return math.prod(1 if table is None else table.size for table in tables)


def _all_sums(tables: Sequence[_Floats | None]) -> _Floats:
    sums = np.zeros(1)
    for table in tables:
        if table is not None:
            sums = np.add.outer(sums, table).ravel()
    return sums


def _first_labels(block: Block) -> NDArray[np.bool_]:
    return np.arange(block.alike.shape[0]) < block.n_first


def _all_excesses(block: Block) -> _Floats | None:
    """Give the excess under every labelling, once where none differs; None where they are too many."""
    n = block.alike.shape[0]
    if np.ptp(block.alike) == 0:
        return np.zeros(1)
    if math.comb(n, block.n_first) > _MOST_LABELLINGS:
        return None
    chosen = np.array(list(itertools.combinations(range(n), block.n_first)))
    labels = np.zeros((len(chosen), n), dtype=bool)
    np.put_along_axis(labels, chosen, values=True, axis=1)
    return _excesses(block, labels)


def _drawn(block: Block, rng: np.random.Generator, draws: int) -> _Floats:
    labels = np.broadcast_to(_first_labels(block), (draws, block.alike.shape[0]))
    return _excesses(block, rng.permuted(labels, axis=1))


def _excesses(block: Block, labels: NDArray[np.bool_]) -> _Floats:
    """Excess under each labelling (row), where True names an answer of the first side."""
    alike = block.alike - np.diag(np.diag(block.alike))
    first = labels.astype(np.float64)
    n, m = block.n_first, block.n_second
    of_first = first @ alike
    within = np.einsum("ij,ij->i", of_first, first)
    between = of_first.sum(axis=1) - within
    rest = alike.sum() - within - 2 * between
    excesses: _Floats = (within / (n * (n - 1)) + rest / (m * (m - 1))) / 2 - between / (n * m)
    return excesses
