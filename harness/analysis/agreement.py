"""How far answers to one prompt agree: within a side, between sides, by their canonical form.

Agreement counts pairs, and a pair never holds an answer beside itself, so the two shares can be compared.
"""

from collections.abc import Sequence

from harness.analysis.results.estimates import Value
from harness.analysis.results.prompts import AnswerGroup
from harness.analysis.results.trial import Trial
from harness.analysis.values import known, missing

NO_ANSWER = "a side has no answer"


def answer_groups(trials: Sequence[Trial]) -> tuple[AnswerGroup, ...]:
    """Group the answers of successful requests by canonical form, most frequent first."""
    alike: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.failure is None:
            alike.setdefault(trial.canonical, []).append(trial)
    groups = [
        AnswerGroup(canonical=text, count=len(found), keys=tuple(trial.key for trial in found))
        for text, found in alike.items()
    ]
    return tuple(sorted(groups, key=lambda group: -group.count))


def self_agreement(groups: Sequence[AnswerGroup]) -> Value:
    """Share of pairs of a side's own repeats with the same canonical answer."""
    n = sum(group.count for group in groups)
    if n < 2:  # noqa: PLR2004 - a pair
        return missing("fewer than two answers")
    return known(sum(group.count * (group.count - 1) for group in groups) / (n * (n - 1)))


def cross_agreement(reference: Sequence[AnswerGroup], candidate: Sequence[AnswerGroup]) -> Value:
    """Share of pairs of one answer of each side with the same canonical form."""
    pairs = _answers(reference) * _answers(candidate)
    if not pairs:
        return missing(NO_ANSWER)
    theirs = {group.canonical: group.count for group in candidate}
    return known(sum(group.count * theirs.get(group.canonical, 0) for group in reference) / pairs)


def _answers(groups: Sequence[AnswerGroup]) -> int:
    return sum(group.count for group in groups)
