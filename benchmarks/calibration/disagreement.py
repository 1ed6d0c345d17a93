"""Excess disagreement: how often equal sides are called shifted, and shifted ones alike enough."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration.tables import head, row, share_of
from harness.analysis.disagreement import Block, excess_disagreement
from harness.analysis.kernels import Modality

PROMPTS = 30
BEYOND_FLOOR = 40  # prompts of the shipped set; at level 3 % the bound of 30 is never below 11 points
MARGIN = 0.10
LEVELS = (0.05, 0.03)
DRAWS = 999
_Bools = NDArray[np.bool_]
_Floats = NDArray[np.float64]


def lines(sets: int, seed: int) -> Iterator[str]:
    """Give the table: at most the level."""
    yield from head(["what", "repeats", "sets", *(f"at level {level:g} (bounds)" for level in LEVELS)])
    for repeats in (3, 5, 10):
        found = [p_value(np.random.default_rng([seed, number, repeats]), repeats) for number in range(sets)]
        called = [share_of(p <= level for p in found).between for level in LEVELS]
        yield row(["equal sides called shifted", repeats, sets, *called])
    for name, shift in SHIFTS.items():
        for prompts in (PROMPTS, BEYOND_FLOOR):
            for repeats in (3, 5, 10):
                passed = [share_of(passes((prompts, repeats), shift, sets, seed, a)).between for a in LEVELS]
                yield row([f"{name}, {prompts} prompts", repeats, sets, *passed])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How sides differ: on which prompts, by how much, and how likely the reference's usual answer is at least."""

    differing: Callable[[np.random.Generator, int], _Bools]
    gap: float  # between the sides' chances of one answer: the excess of such a prompt is its square
    least_share: float


def _all(_rng: np.random.Generator, prompts: int) -> _Bools:
    return np.ones(prompts, dtype=bool)


def _these(_rng: np.random.Generator, prompts: int) -> _Bools:
    return np.arange(prompts) < prompts // 5


def _any(rng: np.random.Generator, prompts: int) -> _Bools:
    return rng.random(prompts) < 1 / 5


def _wholly(rng: np.random.Generator, prompts: int) -> _Bools:
    return rng.random(prompts) < MARGIN


_EVERY, _FIFTH = math.sqrt(MARGIN), math.sqrt(5 * MARGIN)
_FALSE = "false PASS at 10 points of excess,"
SHIFTS = {
    f"{_FALSE} the same on every prompt": Shift(differing=_all, gap=_EVERY, least_share=_EVERY),
    f"{_FALSE} all of it on a fifth of these prompts": Shift(differing=_these, gap=_FIFTH, least_share=_FIFTH),
    f"{_FALSE} all of it on a fifth of the prompts that these are drawn from": Shift(
        differing=_any, gap=_FIFTH, least_share=_FIFTH
    ),
    f"{_FALSE} a tenth of the prompts that these are drawn from differ wholly, each side always says the same": Shift(
        differing=_wholly, gap=1.0, least_share=1.0
    ),
    "PASS of equal sides, greedy, every repeat says the same": Shift(differing=_all, gap=0.0, least_share=1.0),
    "PASS of equal sides, greedy, usual answer in 95 to 100 %": Shift(differing=_all, gap=0.0, least_share=0.95),
    "PASS of equal sides, usual answer in 50 to 100 %": Shift(differing=_all, gap=0.0, least_share=0.5),
}


def p_value(rng: np.random.Generator, repeats: int) -> float:
    """Draw equal sides whose prompts have two answers of any likelihood; give p of "the sides answer alike"."""
    shares = rng.uniform(0.5, 1.0, PROMPTS)
    found = excess_disagreement(_blocks(rng, shares, shares, repeats), rng, draws=DRAWS)
    return 1.0 if found.p_value is None else found.p_value


def passes(size: tuple[int, int], shift: Shift, sets: int, seed: int, level: float) -> Iterator[bool]:
    """Say of each set, of so many prompts and repeats, whether the bound lies below the margin.

    A prompt with two answers of shares a and b disagrees beyond itself by (a - b)²; where only some prompts differ,
    they differ by more.
    """
    prompts, repeats = size
    for number in range(sets):
        rng = np.random.default_rng([seed, number, repeats])
        differs = shift.differing(rng, prompts)
        shares = rng.uniform(shift.least_share, 1.0, prompts)
        blocks = _blocks(rng, shares, shares - shift.gap * differs, repeats)
        found = excess_disagreement(blocks, rng, level=1 - level, draws=0)
        yield found.bounds is not None and found.bounds[1] < MARGIN


def _blocks(rng: np.random.Generator, first: _Floats, second: _Floats, repeats: int) -> list[Block]:
    return [
        _block(f"p{number}", np.concatenate([rng.random(repeats) < one, rng.random(repeats) < two]), repeats)
        for number, (one, two) in enumerate(zip(first, second, strict=True))
    ]


def _block(name: str, answers: _Bools, repeats: int) -> Block:
    alike = (answers[:, None] == answers[None, :]).astype(np.float64)
    return Block(prompt_id=name, modality=Modality.TEXT, alike=alike, n_first=repeats)
