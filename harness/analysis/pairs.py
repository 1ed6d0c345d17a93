"""Pairs the two sides' trials: the same prompt and repeat, sent in the same window.

Gates look at pairs only, so that each prompt weighs the same on both sides whatever was lost or left out.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.gatetable import Form, GateRow, is_unsettled
from harness.analysis.permutation import PromptCounts
from harness.analysis.resampling import PairedValues
from harness.analysis.results.estimates import Value
from harness.analysis.results.trial import Trial
from harness.model.golden import GoldenSet
from harness.model.record import Arm, FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One request of the plan on both sides."""

    prompt_id: str
    reference: Trial
    candidate: Trial


def pair_trials(trials: Sequence[Trial]) -> tuple[Pair, ...]:
    """Pair the judged trials, ordered by prompt and repeat: an order that no side influences."""
    reference = {_place(trial): trial for trial in judged_trials(trials, Arm.REFERENCE)}
    candidate = {_place(trial): trial for trial in judged_trials(trials, Arm.CANDIDATE)}
    return tuple(
        Pair(prompt_id=place[0], reference=reference[place], candidate=candidate[place])
        for place in sorted(reference.keys() & candidate.keys())
    )


def judged_trials(trials: Sequence[Trial], arm: Arm) -> list[Trial]:
    """Give one side's trials without warm-ups, possibly cold ones and those that our own user cancelled."""
    return [
        trial
        for trial in trials
        if trial.key.arm is arm and trial.is_judged and trial.failure != FailureKind.CANCELLED.value
    ]


def _place(trial: Trial) -> tuple[str, int]:
    return trial.key.prompt_id, trial.key.repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePairs:
    """The pairs in which a rate gate has an outcome on both sides."""

    pairs: tuple[Pair, ...]
    reference: tuple[bool, ...]
    candidate: tuple[bool, ...]

    def by_prompt(self) -> dict[str, PromptCounts]:
        """Count the outcomes of each prompt."""
        n = Counter(pair.prompt_id for pair in self.pairs)
        rows = list(zip(self.pairs, self.reference, self.candidate, strict=True))
        reference = Counter(pair.prompt_id for pair, is_one, _ in rows if is_one)
        candidate = Counter(pair.prompt_id for pair, _, is_one in rows if is_one)
        return {
            prompt_id: PromptCounts(n=count, reference=reference[prompt_id], candidate=candidate[prompt_id])
            for prompt_id, count in n.items()
        }

    def losses(self, *, is_loss_low: bool) -> list[Pair]:
        """Give the pairs that the reference won and the candidate lost."""
        rows = zip(self.pairs, self.reference, self.candidate, strict=True)
        return [pair for pair, one, two in rows if (one, two) == (is_loss_low, not is_loss_low)]


def rate_pairs(row: GateRow, pairs: Sequence[Pair], golden: GoldenSet) -> RatePairs:
    """Read a rate gate's outcomes; a pair without an outcome on a side does not count."""
    counted = _counted(row, golden)
    chosen = [pair for pair in pairs if pair.prompt_id in counted]
    outcomes = [(pair, _outcome(row, pair.reference), _outcome(row, pair.candidate)) for pair in chosen]
    kept = [(pair, one, two) for pair, one, two in outcomes if one is not None and two is not None]
    return RatePairs(
        pairs=tuple(pair for pair, _, _ in kept),
        reference=tuple(one for _, one, _ in kept),
        candidate=tuple(two for _, _, two in kept),
    )


def _outcome(row: GateRow, trial: Trial) -> bool | None:
    if row.awaits_loops and is_unsettled(trial):
        return None
    if trial.failure is not None:
        return row.failure_is
    return row.outcome(trial) if row.outcome else None


def _counted(row: GateRow, golden: GoldenSet) -> set[str]:
    return {prompt.id for prompt in golden.prompts if row.counts(prompt)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricPairs:
    """The pairs in which a metric has a value on both sides, and what became of the others."""

    values: PairedValues
    n_pairs: int  # of prompts that count
    failed: dict[Arm, int]  # requests of a side; values of a latency gate, left out of a rate's
    undefined: dict[Arm, Counter[str]]  # reasons of requests that succeeded without a value

    @property
    def n_undefined(self) -> int:
        """Requests of the worse side that succeeded without a value."""
        return max(sum(reasons.values()) for reasons in self.undefined.values())


def metric_pairs(row: GateRow, pairs: Sequence[Pair], golden: GoldenSet) -> MetricPairs:
    """Read a ratio gate's values: a failure is an endless latency, never a decode rate; 0 tokens are no length."""
    counted = _counted(row, golden)
    chosen = [pair for pair in pairs if pair.prompt_id in counted]
    both = [(pair, _value(row, pair.reference), _value(row, pair.candidate)) for pair in chosen]
    kept = [(pair.prompt_id, one, two) for pair, one, two in both if one is not None and two is not None]
    return MetricPairs(
        values=PairedValues(
            prompts=tuple(prompt_id for prompt_id, _, _ in kept),
            reference=np.array([one for _, one, _ in kept], dtype=np.float64),
            candidate=np.array([two for _, _, two in kept], dtype=np.float64),
        ),
        n_pairs=len(chosen),
        failed={arm: sum(trial.failure is not None for trial in _side(chosen, arm)) for arm in _ARMS},
        undefined={arm: _reasons(row, _side(chosen, arm)) for arm in _ARMS},
    )


_ARMS = (Arm.REFERENCE, Arm.CANDIDATE)


def _value(row: GateRow, trial: Trial) -> float | None:
    if trial.failure is not None:
        return math.inf if row.counts_failures else None
    found = trial.metrics.get(row.metric)
    return None if found is None or _is_empty(row, found) else found.value


def _is_empty(row: GateRow, found: Value) -> bool:
    """Whether it is a length of nothing, which has no logarithm."""
    return row.form is Form.LENGTH and found.value == 0


def _side(pairs: Sequence[Pair], arm: Arm) -> list[Trial]:
    return [pair.reference if arm is Arm.REFERENCE else pair.candidate for pair in pairs]


def _reasons(row: GateRow, trials: Sequence[Trial]) -> Counter[str]:
    without = [trial for trial in trials if trial.failure is None and _value(row, trial) is None]
    return Counter(_reason(row, trial.metrics.get(row.metric)) for trial in without)


def _reason(row: GateRow, found: Value | None) -> str:
    if found is None:
        return "not measured"
    return "no completion tokens" if _is_empty(row, found) else str(found.reason)
