"""What repeats of prompts can show of a ratio of quantiles, from its standard error between equal sides.

The log ratio of equal sides is taken as normal around 0. Its standard error comes from a recorded run, split into
the parts between prompts and between repeats, or from stated assumptions by simulation.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from zlib import crc32

import numpy as np
from scipy.stats import t as student

from harness.analysis.gatetable import GateRow
from harness.analysis.pairs import metric_pairs, pair_trials
from harness.analysis.power import POWER
from harness.analysis.resampling import PairedValues, log_ratio
from harness.analysis.results.trial import Trial
from harness.analysis.settling import split_variance
from harness.model.golden import GoldenSet
from harness.model.record import Arm

ASSUMED = (
    "Times are assumed, not measured: one prompt's vary by 20 % (decode rates 3 %), 2 % of requests spike, and prompts "
    "differ by a factor of about two. `--from results/<run>` takes them from a run."
)
_SIMULATIONS = 400
_SPIKES = 0.02
_LEAST_PROMPTS = 2
_LEAST_VALUES = 20  # of each half: a spread from fewer says little


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioPower:
    """What a ratio gate can show."""

    standard_error: float  # of the log ratio between equal sides
    chance_to_pass: float  # if the sides are equal
    smallest_ratio: float  # that FAILs with 80 % chance, on the gate's own axis
    is_assumed: bool


def ratio_power(
    standard_error: float, row: GateRow, margin: float, *, n_prompts: int, alphas: tuple[float, float], is_assumed: bool
) -> RatioPower:
    """Judge a standard error as the gate would: `alphas` are those of the bounds and of the detection."""
    of_bounds, of_detection = alphas
    widened = math.sqrt(n_prompts / (n_prompts - 1)) * float(student.ppf(1 - of_bounds, n_prompts - 1))
    normal, limit = NormalDist(), abs(math.log(margin))
    if standard_error == 0:
        return RatioPower(standard_error=0.0, chance_to_pass=1.0, smallest_ratio=margin, is_assumed=is_assumed)
    beyond = max(max(widened, normal.inv_cdf(1 - of_detection)) * standard_error, limit - widened * standard_error)
    smallest = beyond + normal.inv_cdf(POWER) * standard_error
    return RatioPower(
        standard_error=standard_error,
        chance_to_pass=normal.cdf(limit / standard_error - widened),
        smallest_ratio=math.exp(-smallest if row.higher_is_better else smallest),
        is_assumed=is_assumed,
    )


def recorded_error(
    row: GateRow, trials: Sequence[Trial], golden: GoldenSet, repeats: Mapping[str, int], planned: GoldenSet
) -> float | None:
    """Standard error with the planned prompts and repeats, from a reference's even repeats against its odd ones.

    V = between / K + within / n; the two parts are resampled. None where the run does not hold enough.
    """
    values = metric_pairs(row, pair_trials(halves(trials)), golden).values
    n_planned, k_planned = _planned_size(row, repeats, planned)
    if values.n_prompts < _LEAST_PROMPTS or len(values.prompts) < _LEAST_VALUES or not n_planned:
        return None
    split = split_variance(values, row.q or 0.5, 0)
    if split is None:
        return None
    within = split.within * len(values.prompts) / n_planned
    return math.sqrt(split.between * values.n_prompts / k_planned + within)


def halves(trials: Sequence[Trial]) -> list[Trial]:
    """Make two sides of one: its even repeats the reference's, its odd ones the candidate's."""
    arms = (Arm.REFERENCE, Arm.CANDIDATE)
    return [
        replace(trial, key=replace(trial.key, arm=arms[trial.key.repeat % 2], repeat=trial.key.repeat // 2))
        for trial in trials
    ]


def _planned_size(row: GateRow, repeats: Mapping[str, int], golden: GoldenSet) -> tuple[int, int]:
    counted = [repeats[prompt.id] for prompt in golden.prompts if row.counts(prompt)]
    return sum(counted), len(counted)


def assumed_error(row: GateRow, repeats: Mapping[str, int], golden: GoldenSet, seed: int) -> float:
    """Standard error between equal sides with assumed times: simulated log ratios, new prompts in each."""
    rng = np.random.default_rng([seed, crc32(row.id.encode())])
    counts = [repeats[prompt.id] for prompt in golden.prompts if row.counts(prompt)]
    found = [log_ratio(_drawn(row, counts, rng), row.q or 0.5) for _ in range(_SIMULATIONS)]
    return float(np.std(found))


def _drawn(row: GateRow, counts: Sequence[int], rng: np.random.Generator) -> PairedValues:
    """Draw both sides' values of one set of prompts."""
    is_rate = row.higher_is_better
    between, within = (0.03, 0.03) if is_rate else (0.6, 0.2)
    levels = np.repeat(np.exp(rng.normal(0, between, len(counts))), counts)
    n = levels.size

    def side() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        noise = np.exp(rng.normal(0, within, n))
        is_spike = rng.random(n) < _SPIKES
        if is_rate:  # a stream's rate is a mean: a stall slows it by a part
            return np.asarray(levels * noise / np.where(is_spike, 1 + rng.exponential(0.3, n), 1.0), dtype=np.float64)
        return np.asarray(levels * noise * np.where(is_spike, 1.5 + rng.pareto(1.8, n), 1.0), dtype=np.float64)

    prompts = tuple(f"{place:06d}" for place, count in enumerate(counts) for _ in range(count))
    return PairedValues(prompts=prompts, reference=side(), candidate=side())
