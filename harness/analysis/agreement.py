"""How far answers to one prompt agree: within a side, between sides, by their canonical form.

Agreement counts pairs, and a pair never holds an answer beside itself, so the two shares can be compared.
"""

from collections.abc import Mapping, Sequence

from harness.analysis.results import AnswerGroup, Trial, Value
from harness.analysis.similarity import similarity
from harness.analysis.values import known, missing
from harness.model.record import Answer, RequestKey

MOST_PAIRS = 12  # of distinct answers, whose similarity is computed for one prompt
NO_ANSWER = "a side has no answer"


def answer_groups(trials: Sequence[Trial]) -> tuple[AnswerGroup, ...]:
    """Group the answers of successful requests by canonical form, most frequent first."""
    keys: dict[str, list[RequestKey]] = {}
    for trial in trials:
        if trial.failure is None:
            keys.setdefault(trial.canonical, []).append(trial.key)
    groups = [AnswerGroup(canonical=text, count=len(found), keys=tuple(found)) for text, found in keys.items()]
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


def mean_similarity(
    reference: Sequence[AnswerGroup], candidate: Sequence[AnswerGroup], answers: Mapping[RequestKey, Answer]
) -> Value:
    """Mean similarity of pairs of one answer of each side, over the most frequent pairs of distinct answers."""
    pairs = sorted(
        ((one.count * two.count, one, two) for one in reference for two in candidate), key=lambda pair: -pair[0]
    )[:MOST_PAIRS]
    if not pairs:
        return missing(NO_ANSWER)
    weighed = sum(weight * _similarity(one, two, answers) for weight, one, two in pairs)
    return known(weighed / sum(weight for weight, _, _ in pairs))


def _similarity(one: AnswerGroup, two: AnswerGroup, answers: Mapping[RequestKey, Answer]) -> float:
    if one.canonical == two.canonical:
        return 1.0
    return similarity(answers[one.keys[0]], answers[two.keys[0]])


def _answers(groups: Sequence[AnswerGroup]) -> int:
    return sum(group.count for group in groups)
