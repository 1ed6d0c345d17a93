"""Tonight against the baseline, over all metrics and both sides: a suspicion, or a regression that a rerun confirmed.

Suspicious is a metric whose change is beyond its threshold and whose p, times the windows looked at (Bonferroni) and
after Holm over the metrics, is at most alpha. So in a night without a change any suspicion has a chance of at most
alpha, however the metrics hang together.
"""

from collections.abc import Sequence
from dataclasses import replace

from harness.analysis.blame import blame_prompts
from harness.analysis.changepoints import find_change_points
from harness.analysis.drift import drift_of
from harness.analysis.ledgernights import Nights, has_reference, nights_of, watched_arm
from harness.analysis.multiplicity import holm
from harness.analysis.nightlosses import has_value
from harness.analysis.nightly import judge_night
from harness.analysis.nightmetrics import change_text
from harness.analysis.results.nights import (
    MetricNight,
    Mover,
    NightlyCheck,
    NightlyRule,
    NightMetric,
    RegressionWord,
    Rerun,
    RerunWord,
    Suspicion,
)
from harness.model.ledger import LedgerEntry
from harness.model.record import Arm

NOT_RERUN = Rerun(word=RerunWord.NOT_RUN, sentence="not measured once more")


def over_metrics(found: Sequence[MetricNight], rule: NightlyRule) -> tuple[MetricNight, ...]:
    """Correct over the metrics, and say which are suspicious."""
    p_values = {one.metric.id: one.adjusted_p for one in found if one.adjusted_p is not None}
    adjusted = holm(p_values)
    return tuple(
        one
        if one.adjusted_p is None
        else replace(one, adjusted_p=adjusted[one.metric.id], is_suspicious=adjusted[one.metric.id] <= rule.alpha)
        for one in found
    )


def check_night(
    entries: Sequence[LedgerEntry], baseline: int, metrics: Sequence[NightMetric], rule: NightlyRule
) -> NightlyCheck:
    """Check the last run of a series against the one at place `baseline`, without a rerun."""
    arm = watched_arm(entries[-1])
    nights = nights_of(entries, arm, metrics)
    found = _judged(nights, baseline, metrics, rule)
    suspicions = tuple(_suspicion(entries, nights, baseline, one, rule) for one in found if one.is_suspicious)
    own = tuple(one for one in suspicions if one.drift.mover is not Mover.BOTH)
    common = tuple(one for one in suspicions if one.drift.mover is Mover.BOTH)
    others = _of_reference(entries, nights, baseline, rule, [one.metric for one in found if not one.is_suspicious])
    check = NightlyCheck(
        word=RegressionWord.NOTHING,
        sentence="",
        run_id=entries[-1].run_id,
        baseline_run_id=entries[baseline].run_id,
        side=arm.value,
        rule=rule,
        metrics=found,
        suspicions=own,
        common=common,
        of_reference=others,
        currency=entries[-1].parts.get(f"{arm.value}.currency", ""),
        notes=tuple(_notes(nights, baseline, metrics, rule)),
    )
    return decided(check)


def _judged(
    nights: Nights, baseline: int, metrics: Sequence[NightMetric], rule: NightlyRule
) -> tuple[MetricNight, ...]:
    return over_metrics([judge_night(nights[metric.id], baseline, metric, rule) for metric in metrics], rule)


def _suspicion(
    entries: Sequence[LedgerEntry], nights: Nights, baseline: int, found: MetricNight, rule: NightlyRule
) -> Suspicion:
    metric, shift = found.metric, found.shift
    assert shift is not None  # noqa: S101  # what is suspicious has one
    arm = watched_arm(entries[-1])
    reference = nights_of(entries, Arm.REFERENCE, [metric])[metric.id] if has_reference(entries[-1]) else None
    places = (baseline, shift.n_nights)
    return Suspicion(
        night=found,
        drift=drift_of(nights[metric.id], reference, places, metric, rule),
        blame=blame_prompts(entries, nights[metric.id], arm, metric, places, rule),
        rerun=NOT_RERUN,
    )


def _of_reference(
    entries: Sequence[LedgerEntry],
    candidate: Nights,
    baseline: int,
    rule: NightlyRule,
    metrics: Sequence[NightMetric],
) -> tuple[Suspicion, ...]:
    """Find what the reference alone lost: a verdict against it flatters the candidate."""
    if not has_reference(entries[-1]):
        return ()
    nights = nights_of(entries, Arm.REFERENCE, metrics)
    found = [one for one in _judged(nights, baseline, metrics, rule) if one.is_suspicious]
    alone = []
    for one in found:
        if one.shift is None:
            continue
        places = (baseline, one.shift.n_nights)
        own = nights[one.metric.id]
        drift = drift_of(candidate[one.metric.id], own, places, one.metric, rule)
        blame = blame_prompts(entries, own, Arm.REFERENCE, one.metric, places, rule)
        alone.append(Suspicion(night=one, drift=drift, blame=blame, rerun=NOT_RERUN))
    return tuple(alone)


def _notes(nights: Nights, baseline: int, metrics: Sequence[NightMetric], rule: NightlyRule) -> list[str]:
    """Say what makes the baseline period less than it should be."""
    notes = []
    for metric in metrics:
        own = [night for night in nights[metric.id][baseline:] if has_value(night, metric)]
        period = own[: rule.n_baseline]
        requests = [night.n for night in period] if metric.is_rate else None
        if find_change_points([night.value for night in period], requests):
            notes.append(f"{metric.title} steps within the baseline period itself: set a baseline after the step")
    return notes


def with_reruns(check: NightlyCheck, reruns: dict[str, Rerun]) -> NightlyCheck:
    """Put what reruns said beside the suspicions, and decide again."""
    told = tuple(replace(one, rerun=reruns.get(one.night.metric.id, one.rerun)) for one in check.suspicions)
    return decided(replace(check, suspicions=told))


def decided(check: NightlyCheck) -> NightlyCheck:
    """Say how a check ends: a regression is a suspicion that a rerun has confirmed."""
    words = [one.rerun.word for one in check.suspicions]
    if RerunWord.CONFIRMED in words:
        word = RegressionWord.REGRESSION
    elif check.common or any(one is not RerunWord.REFUTED for one in words):
        word = RegressionWord.SUSPICION
    elif any(one.is_missing for one in check.metrics):
        word = RegressionWord.NOT_JUDGED  # what is watched and has no value tonight may have regressed
    elif any(one.shift is not None for one in check.metrics):
        word = RegressionWord.NOTHING
    else:
        word = RegressionWord.NOT_JUDGED
    return replace(check, word=word, sentence=_sentence(word, check))


def _sentence(word: RegressionWord, check: NightlyCheck) -> str:
    if word is RegressionWord.NOT_JUDGED:
        return _why_not_judged(check)
    if word is RegressionWord.REGRESSION:
        confirmed = [one for one in check.suspicions if one.rerun.word is RerunWord.CONFIRMED]
        return f"Worse than the baseline, and a rerun shows it too: {_changes(confirmed)}."
    if word is RegressionWord.SUSPICION and check.suspicions:
        return f"Worse than the baseline, and not confirmed: {_changes(check.suspicions)}."
    if word is RegressionWord.SUSPICION:
        return f"Both sides are worse than at the baseline: {_changes(check.common)}."
    if check.suspicions:
        return f"A rerun did not show it again: {_changes(check.suspicions)}."
    n = sum(one.shift is not None for one in check.metrics)
    return f"No regression in {n} figure{'s' * (n != 1)}."


def _why_not_judged(check: NightlyCheck) -> str:
    missing = [one for one in check.metrics if one.is_missing]
    if not any(one.shift is not None for one in check.metrics) or not missing:
        reasons = dict.fromkeys(one.reason for one in check.metrics if one.reason)
        return f"Nothing could be judged: {'; '.join(reasons)}." if reasons else "Nothing could be judged."
    reasons = dict.fromkeys(one.reason for one in missing if one.reason)
    titles = ", ".join(one.metric.title for one in missing)
    return f"Without a value tonight, so not judged: {titles} ({'; '.join(reasons)}). The rest is no worse."


def _changes(suspicions: Sequence[Suspicion]) -> str:
    return "; ".join(
        f"{one.night.metric.title} {change_text(one.night.metric, one.night.shift.loss)}"
        + (f" (mean of {one.night.shift.n_nights} nights)" if one.night.shift.n_nights > 1 else "")
        for one in suspicions
        if one.night.shift is not None
    )
