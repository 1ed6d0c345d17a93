"""How long a plan's requests take and what they use, from what a recorded run's did."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.results.estimates import Value
from harness.analysis.results.trial import Trial
from harness.analysis.values import known, missing
from harness.model.record import Arrival, Plan

NOT_KNOWN = "not known before a run: give one with --from"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one side's requests are expected to take, were it like the recorded reference."""

    minutes: Value
    prompt_tokens: Value
    completion_tokens: Value


def no_work() -> Work:
    """Say that nothing is known."""
    nothing = missing(NOT_KNOWN)
    return Work(minutes=nothing, prompt_tokens=nothing, completion_tokens=nothing)


def expected_work(plan: Plan, trials: Sequence[Trial]) -> Work:
    """Take each prompt's mean of the recorded trials, and the mean of all where a prompt is new."""
    return Work(
        minutes=_minutes(plan, _total(plan.repeats, trials, "ttlb")),
        prompt_tokens=_total(plan.repeats, trials, "prompt_tokens"),
        completion_tokens=_total(plan.repeats, trials, "completion_tokens"),
    )


def _minutes(plan: Plan, service_s: Value) -> Value:
    """Service time over what is in flight, level by level; an open loop lasts as long as its schedule says."""
    if service_s.value is None:
        return service_s
    if plan.arrival is not Arrival.CLOSED:
        last = {block.level: block.due_ns or 0 for block in plan.blocks if not block.is_warmup}
        return known(sum(last.values()) / 60e9)
    n = sum(plan.repeats.values())
    return known(sum(service_s.value / max(min(load, n), 1) for load in plan.load or (1.0,)) / 60)


def _total(repeats: Mapping[str, int], trials: Sequence[Trial], metric: str) -> Value:
    by_prompt: dict[str, list[float]] = {}
    for trial in trials:
        value = trial.metrics.get(metric)
        if value is not None and value.value is not None:
            by_prompt.setdefault(trial.key.prompt_id, []).append(value.value)
    everything = [value for values in by_prompt.values() for value in values]
    if not everything:
        return missing("the run given has no such figures")
    mean = math.fsum(everything) / len(everything)
    means = {prompt_id: math.fsum(values) / len(values) for prompt_id, values in by_prompt.items()}
    return known(math.fsum(count * means.get(prompt_id, mean) for prompt_id, count in repeats.items()))
