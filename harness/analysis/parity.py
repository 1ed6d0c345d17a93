"""Output parity: how far answers to the same prompts agree, between the sides and within each.

An agreement is a mean over pairs of answers to one prompt, and no pair holds an answer beside itself. Agreement between
the sides says nothing without the agreement of the reference's own repeats: a model that words every answer anew
disagrees with itself. So the first is given only where the second can be measured.

Excess disagreement is (A with A + B with B) / 2 - A with B: half of the squared maximum mean discrepancy of the two
sides (A. Gretton et al., J. Machine Learning Research 13 (2012) 723, lemma 6), in which answers of one prompt are
compared only with each other.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.analysis.results.answers import Agreement
from harness.analysis.results.estimates import Value
from harness.analysis.similarity import WAYS, Matrix, Way, exact_form
from harness.analysis.values import known, missing
from harness.model.golden import Prompt
from harness.model.record import Answer

ONE_ENDPOINT = "one endpoint measured"
ONE_REFERENCE_ANSWER = "not measurable: the reference has fewer than two answers to compare with each other"
ONE_CANDIDATE_ANSWER = "not measurable: the candidate has fewer than two answers to compare with each other"
NO_CANDIDATE_ANSWER = "the candidate has no answer"
NO_PROMPT = "no prompt of this kind"
LEAST_SELF_AGREEMENT = 0.30  # below it a difference could not show
_Counts = NDArray[np.float64]


def prompt_agreements(
    prompt: Prompt, reference: Sequence[Answer], candidate: Sequence[Answer] | None
) -> tuple[Agreement, ...]:
    """Compare the answers to one prompt by every way that applies to it; `candidate` None: one endpoint."""
    return tuple(_agreement(way, reference, candidate) for way in WAYS if way.applies(prompt))


def _agreement(way: Way, reference: Sequence[Answer], candidate: Sequence[Answer] | None) -> Agreement:
    ours, theirs = reference[: way.most_answers], (candidate or ())[: way.most_answers]
    distinct = {exact_form(answer): answer for answer in (*ours, *theirs)}
    alike = way.compare(list(distinct.values())) if distinct else np.zeros((0, 0))
    one, two = _counts(ours, distinct), _counts(theirs, distinct)
    reference_self = _within(alike, one, ONE_REFERENCE_ANSWER)
    if candidate is None:
        nothing = missing(ONE_ENDPOINT)
        return Agreement(
            metric=way.metric, reference_self=reference_self, candidate_self=nothing, cross=nothing, excess=nothing
        )
    candidate_self = _within(alike, two, ONE_CANDIDATE_ANSWER)
    cross = reference_self if reference_self.value is None else _between(alike, one, two)
    return Agreement(
        metric=way.metric,
        reference_self=reference_self,
        candidate_self=candidate_self,
        cross=cross,
        excess=excess_disagreement(reference_self, candidate_self, cross),
    )


def _counts(answers: Sequence[Answer], distinct: Mapping[tuple[object, ...], Answer]) -> _Counts:
    counted = Counter(map(exact_form, answers))
    return np.array([counted[form] for form in distinct], dtype=np.float64)


def _within(alike: Matrix, counts: _Counts, reason: str) -> Value:
    """Mean over pairs of different answers of one side: the pairs of an answer with itself, each 1, are taken out."""
    n = float(counts.sum())
    return missing(reason) if n < 2 else known(float((counts @ alike @ counts - n) / (n * (n - 1))))  # noqa: PLR2004 - a pair


def _between(alike: Matrix, one: _Counts, two: _Counts) -> Value:
    pairs = float(one.sum() * two.sum())
    return known(float(one @ alike @ two) / pairs) if pairs else missing(NO_CANDIDATE_ANSWER)


def excess_disagreement(reference_self: Value, candidate_self: Value, cross: Value) -> Value:
    """(A with A + B with B) / 2 - A with B; undefined as the first of them that is."""
    values = (reference_self.value, candidate_self.value, cross.value)
    if any(value is None for value in values):
        return next(value for value in (reference_self, candidate_self, cross) if value.value is None)
    one, two, between = (value or 0.0 for value in values)
    return known((one + two) / 2 - between)


def total_agreements(by_prompt: Sequence[Sequence[Agreement]]) -> tuple[Agreement, ...]:
    """Average each way over the prompts in which it could be measured, every prompt weighing the same."""
    found: dict[str, list[Agreement]] = {way.metric: [] for way in WAYS}
    for agreements in by_prompt:
        for agreement in agreements:
            found[agreement.metric].append(agreement)
    return tuple(mean_agreement(metric, rows) for metric, rows in found.items() if rows)


def mean_agreement(metric: str, rows: Sequence[Agreement]) -> Agreement:
    """Average over prompts; without a value on a prompt's reference, nothing of that prompt counts."""
    is_alone = all(row.cross.reason == ONE_ENDPOINT for row in rows)
    counted = [
        row for row in rows if row.reference_self.value is not None and (is_alone or row.cross.value is not None)
    ]
    basis = counted or rows
    reference_self = _mean([row.reference_self for row in basis])
    return Agreement(
        metric=metric,
        reference_self=reference_self,
        candidate_self=_mean([row.candidate_self for row in basis]),
        cross=_mean([row.cross for row in basis]),
        excess=assayed(reference_self, _mean([row.excess for row in basis])),
        n_prompts=len(counted),
    )


def assayed(reference_self: Value, effect: Value) -> Value:
    """Withhold what no difference could have moved: where the reference hardly ever says the same twice."""
    if effect.value is None or reference_self.value is None or reference_self.value >= LEAST_SELF_AGREEMENT:
        return effect
    return missing(
        f"not measurable: the reference agrees with itself in {reference_self.value:.0%} only "
        f"(at least {LEAST_SELF_AGREEMENT:.0%} is needed)"
    )


def _mean(values: Sequence[Value]) -> Value:
    numbers = [value.value for value in values if value.value is not None]
    if numbers:
        return known(math.fsum(numbers) / len(numbers))
    return values[0] if values else missing(NO_PROMPT)
