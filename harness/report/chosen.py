"""Which single request of a prompt a page shows in full: one that failed, else the one in the middle."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.trial import Trial
from harness.model.record import Arm, RequestKey

_BY = ("e2e", "ttft")  # the middle of the first that any request has


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A request and why it was taken."""

    key: RequestKey
    why: str


def chosen_requests(analysis: Analysis) -> Mapping[tuple[str, Arm], Chosen]:
    """Choose one judged request of each prompt and side."""
    found: dict[tuple[str, Arm], list[Trial]] = {}
    for trial in analysis.trials:
        if trial.is_judged and trial.key.arm is not Arm.PLACEBO:
            found.setdefault((trial.key.prompt_id, trial.key.arm), []).append(trial)
    return {place: _choose(trials) for place, trials in found.items()}


def _choose(trials: list[Trial]) -> Chosen:
    failed = [trial for trial in trials if trial.failure is not None]
    if failed:
        return Chosen(key=failed[0].key, why=f"the first of {len(failed)} that failed" if failed[1:] else "it failed")
    for metric in _BY:
        timed = [trial for trial in trials if _value(trial, metric) is not None]
        if timed:
            middle = _lower_middle(timed, metric)
            return Chosen(key=middle.key, why=f"the median of {len(timed)}" if timed[1:] else "the only one")
    return Chosen(key=trials[0].key, why="the first")


def _lower_middle(trials: Iterable[Trial], metric: str) -> Trial:
    ordered = sorted(trials, key=lambda trial: (_value(trial, metric) or 0.0, trial.key.repeat))
    return ordered[(len(ordered) - 1) // 2]


def _value(trial: Trial, metric: str) -> float | None:
    return trial.metrics[metric].value if metric in trial.metrics else None
