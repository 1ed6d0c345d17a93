"""Overall error of more than one planned look: each look sees all requests so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration.exact import least_to_pass
from benchmarks.calibration.tables import Share, head, row, share_of
from benchmarks.calibration.values import draw_pairs
from harness.analysis.looks import looks_of
from harness.analysis.permutation import PromptCounts, rate_p_value
from harness.analysis.resampling import PairedValues, RatioBounds, log_ratios, prompt_draws
from harness.model.record import LookScheme

PROMPTS = 30
DRAWS = 1_000
_Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Repeats of every prompt and one-sided alpha of each look."""

    name: str
    repeats: tuple[int, ...]
    alphas: tuple[float, ...]


def plans() -> tuple[Plan, ...]:
    """Give the schemes that a plan can have."""
    sequential = looks_of(LookScheme.SEQUENTIAL, 5)
    return (
        Plan(name="one look", repeats=(5,), alphas=(0.05,)),
        Plan(name="two looks at .05: what .03 is for", repeats=(5, 10), alphas=(0.05, 0.05)),
        Plan(name="two looks (shipped)", repeats=(5, 10), alphas=looks_of(LookScheme.TWO, 5).alphas),
        Plan(name="sequential", repeats=sequential.repeats, alphas=sequential.alphas),
    )


def lines(sets: int, seed: int) -> Iterator[str]:
    """Give the table: the chance of any false PASS, and of any false detection, at most 5 %."""
    yield from head(["scheme", "what", "sets", "at any look (bounds)", "at the first look alone"])
    for plan in plans():
        for name, errors, many in ERRORS:
            found = errors(plan, sets * many, np.random.default_rng([seed, len(plan.alphas)]))
            yield row([plan.name, name, found.shape[0], share_of(at_any(found)).between, _first(found).bounded])


def at_any(found: _Bools) -> list[bool]:
    """Say of each set whether any of its looks erred."""
    return [bool(looks.any()) for looks in found]


def _first(found: _Bools) -> Share:
    return share_of(found[:, 0])


def rate_passes(plan: Plan, sets: int, rng: np.random.Generator) -> _Bools:
    """Say of each set and look whether a candidate 5 points below 97 % passes a margin of 5 points."""
    new = np.diff([0, *plan.repeats]) * PROMPTS
    reference = np.cumsum(rng.binomial(new, 0.97, (sets, new.size)), axis=1)
    candidate = np.cumsum(rng.binomial(new, 0.92, (sets, new.size)), axis=1)
    least = [least_to_pass(PROMPTS * n, 0.05, alpha) for n, alpha in zip(plan.repeats, plan.alphas, strict=True)]
    return np.stack([candidate[:, k] >= table[reference[:, k]] for k, table in enumerate(least)], axis=1)


def ratio_passes(plan: Plan, sets: int, rng: np.random.Generator) -> _Bools:
    """Say of each set and look whether a candidate with 1.25 times the latency passes a margin of 1.25 on p50."""
    return np.array([_passes(plan, rng) for _ in range(sets)])


def _passes(plan: Plan, rng: np.random.Generator) -> list[bool]:
    whole = draw_pairs(rng, PROMPTS, plan.repeats[-1], factor=1.25)
    found = []
    for repeats, alpha in zip(plan.repeats, plan.alphas, strict=True):
        seen = first_repeats(whole, plan.repeats[-1], repeats)
        draws = log_ratios(seen, 0.5, prompt_draws(seen, rng, DRAWS))
        found.append(RatioBounds(draws=draws, n_prompts=PROMPTS).upper(1 - alpha) < np.log(1.25))
    return found


def first_repeats(pairs: PairedValues, of: int, repeats: int) -> PairedValues:
    """Give what a look at so many repeats sees."""
    chosen = np.arange(len(pairs.prompts)) % of < repeats
    names: Sequence[str] = np.asarray(pairs.prompts)[chosen].tolist()
    return PairedValues(prompts=tuple(names), reference=pairs.reference[chosen], candidate=pairs.candidate[chosen])


def detections(plan: Plan, sets: int, rng: np.random.Generator) -> _Bools:
    """Say of each set and look whether equal rates are called different."""
    return np.array([_detected(plan, rng) for _ in range(sets)])


def _detected(plan: Plan, rng: np.random.Generator) -> list[bool]:
    success = 1 - rng.beta(0.3, 2.0, PROMPTS)
    new = np.diff([0, *plan.repeats])
    seen = np.cumsum(rng.binomial(new[:, None, None], success, (new.size, 2, PROMPTS)), axis=0)
    return [
        rate_p_value(_counts(table, n), rng, is_loss_low=True, draws=DRAWS - 1) <= alpha
        for table, n, alpha in zip(seen, plan.repeats, plan.alphas, strict=True)
    ]


def _counts(table: NDArray[np.int64], n: int) -> dict[str, PromptCounts]:
    return {
        f"p{number}": PromptCounts(n=n, reference=int(one), candidate=int(two))
        for number, (one, two) in enumerate(table.T)
    }


ERRORS = (
    ("false PASS of a rate, 5 points", rate_passes, 100),  # sums of a table, so a hundred times the sets
    ("false PASS of a ratio of p50, 1.25×", ratio_passes, 1),
    ("false detection of a rate", detections, 1),
)
