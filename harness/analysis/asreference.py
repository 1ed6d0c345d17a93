"""Whether one side alone can be compared with: the conditions under which its comparisons would be INVALID."""

from collections.abc import Iterator

from harness.analysis.pairs import judged_trials
from harness.analysis.results.analysis import Analysis
from harness.analysis.words import count_of, percent


def reference_problems(analysis: Analysis) -> Iterator[str]:
    """Give what would make it no reference: it lost too much, or does not answer its set."""
    limits = analysis.case.settings.validity
    trials = judged_trials(analysis.trials, analysis.case.reference.arm)
    if not trials:
        yield "no request was judged"
        return
    lost = sum(trial.failure is not None for trial in trials)
    if lost > limits.reference_lost_fraction * len(trials):
        most = percent(limits.reference_lost_fraction)
        yield f"{lost} of {count_of(len(trials), 'request')} were lost, more than the {most} that a reference may lose"
    outcomes = [trial.task_success for trial in trials if trial.task_success is not None]
    if outcomes and sum(outcomes) < limits.reference_task_floor * len(outcomes):
        floor = percent(limits.reference_task_floor)
        yield f"{sum(outcomes)} of {len(outcomes)} answers are right, less than the {floor} that a reference must reach"
