"""How often a third arm that is the reference once more makes a sound run INVALID, and an unsteady one's does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from benchmarks.calibration.tables import head, percent, row, share_of
from benchmarks.calibration.verdicts import EQUAL, FEWER, comparisons, count, judgements
from harness.analysis.gates import Scale
from harness.analysis.placebo import judge_placebo
from harness.analysis.results.estimates import Value
from harness.analysis.results.gate import Gate, GateKind
from harness.analysis.results.trial import Trial
from harness.model.record import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How the times to first token of a reference and its placebo scatter beyond the usual."""

    name: str
    spread: float  # standard deviation of the logarithm of a factor on each
    reference_factor: float = 1.0  # on all of the reference's


TIMES = (
    Times(name="equal arms, usual spread", spread=0.0),
    Times(name="equal arms, TTFT times a log-normal factor of 0.8", spread=0.8),
    Times(name="equal arms, TTFT times a log-normal factor of 1.6", spread=1.6),
    Times(name="reference's TTFT 2 times its placebo's", spread=0.0, reference_factor=2.0),
    Times(name="reference's TTFT 0.5 times its placebo's", spread=0.0, reference_factor=0.5),
)


def lines(sets: int, seed: int) -> Iterator[str]:
    """Give the tables: INVALID in at most 5 %, of equal arms."""
    yield from head(["scenario, with a placebo arm", "sets", "INVALID (upper bound)", "PASS", "FAIL", "INCONCLUSIVE"])
    for scenario in EQUAL:
        found = count(judgements(scenario, sets, seed, with_placebo=True))
        others = [percent(found.verdict(name).rate) for name in ("PASS", "FAIL", "INCONCLUSIVE")]
        yield row([scenario.name, sets, found.verdict("INVALID").bounded, *others])
    yield ""
    yield from head(["arms", "sets", "INVALID (upper bound)", "an estimate beyond its margin"])
    for times in TIMES:
        told = [_judge(times, number, seed) for number in range(sets)]
        convicted, beyond = (share_of(one[place] for one in told) for place in (0, 1))
        yield row([times.name, sets, convicted.bounded, percent(beyond.rate)])


def _judge(times: Times, number: int, seed: int) -> tuple[bool, bool]:
    """Say whether the placebo convicts, and whether any required ratio lies beyond its margin in either direction."""
    rng = np.random.default_rng([seed, number, crc32(times.name.encode())])
    ((case, trials),) = comparisons(EQUAL[0], 1, seed + number, with_placebo=True)
    found = judge_placebo(case, _scattered(times, trials, rng), None, FEWER)
    return found is not None and bool(found.faults), found is not None and any(map(_is_beyond, found.gates))


def _scattered(times: Times, trials: Sequence[Trial], rng: np.random.Generator) -> list[Trial]:
    factors = rng.lognormal(0, times.spread, len(trials)) if times.spread else np.ones(len(trials))
    return [_slowed(times, trial, float(factor)) for trial, factor in zip(trials, factors, strict=True)]


def _slowed(times: Times, trial: Trial, factor: float) -> Trial:
    ttft = trial.metrics["ttft"].value
    if ttft is None:
        return trial
    own = times.reference_factor if trial.key.arm is Arm.REFERENCE else 1.0
    return replace(trial, metrics={**trial.metrics, "ttft": Value(value=ttft * factor * own)})


def _is_beyond(gate: Gate) -> bool:
    if gate.kind is not GateKind.RATIO or not gate.is_required or gate.effect.value is None:
        return False
    scale = Scale(kind=gate.kind, higher_is_better=True)
    return abs(scale.gain(gate.effect.value)) >= abs(scale.gain(gate.margin))
