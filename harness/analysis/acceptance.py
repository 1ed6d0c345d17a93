"""How often answers are among the reference's own, where no check says what is right.

The reference's repeats are then the allowed set. Each of its n answers is looked for among its n - 1 others; an answer
of the candidate among n - 1 of them too, averaged over which one is left out, so that an equal candidate is accepted as
often as the reference itself. Answers are compared in canonical form. A request that failed is accepted by nobody.
"""

import math
from collections import Counter
from collections.abc import Sequence

from harness.analysis.intervals import prompts_like_these_bound
from harness.analysis.parity import ONE_ENDPOINT, ONE_REFERENCE_ANSWER, assayed
from harness.analysis.results.answers import Acceptance
from harness.analysis.results.estimates import Value
from harness.analysis.results.trial import Trial
from harness.analysis.values import known, missing

HAS_CHECKS = "the prompt has checks"
NO_REQUEST = "no request"


def prompt_acceptance(reference: Sequence[Trial], candidate: Sequence[Trial] | None) -> Acceptance:
    """Compare the trials of one prompt with the reference's answers; `candidate` None: one endpoint."""
    allowed = Counter(_answers(reference))
    if allowed.total() < 2:  # noqa: PLR2004 - one is left out, and one must remain
        return _nothing(ONE_REFERENCE_ANSWER)
    own = known(sum(count for count in allowed.values() if count > 1) / len(reference))
    if candidate is None:
        other = missing(ONE_ENDPOINT)
    else:
        other = known(_accepted(allowed, candidate) / len(candidate)) if candidate else missing(NO_REQUEST)
    return Acceptance(reference=own, candidate=other, difference=_difference(own, other))


def without_acceptance() -> Acceptance:
    """Give that of a prompt whose checks say what is right."""
    return _nothing(HAS_CHECKS)


def _accepted(allowed: Counter[str], candidate: Sequence[Trial]) -> float:
    """Add up the chances that an answer is still allowed when one answer of the reference, any of them, is left out."""
    n = allowed.total()
    chances = {form: 1.0 if count > 1 else (n - 1) / n for form, count in allowed.items()}
    return math.fsum(chances.get(form, 0.0) for form in _answers(candidate))


def _answers(trials: Sequence[Trial]) -> list[str]:
    return [trial.canonical for trial in trials if trial.failure is None]


def _difference(reference: Value, candidate: Value) -> Value:
    if reference.value is None or candidate.value is None:
        return reference if reference.value is None else candidate
    return known(candidate.value - reference.value)


def _nothing(reason: str) -> Acceptance:
    nothing = missing(reason)
    return Acceptance(reference=nothing, candidate=nothing, difference=nothing)


def total_acceptance(found: Sequence[Acceptance]) -> Acceptance | None:
    """Average over the prompts without checks; None where there is none."""
    unlabelled = [one for one in found if one.reference.reason != HAS_CHECKS]
    if not unlabelled:
        return None
    counted = [one for one in unlabelled if one.reference.value is not None]
    if not counted:
        return _nothing(ONE_REFERENCE_ANSWER)
    differences = [one.difference.value for one in counted if one.difference.value is not None]
    both = [one for one in counted if one.difference.value is not None] or counted
    reference = _mean([one.reference for one in both])
    difference = assayed(reference, _mean([one.difference for one in both]))
    return Acceptance(
        reference=reference,
        candidate=_mean([one.candidate for one in both]),
        difference=difference,
        traffic_bound=None if difference.value is None else prompts_like_these_bound(differences),
        n_prompts=len(both),
    )


def _mean(values: Sequence[Value]) -> Value:
    numbers = [value.value for value in values if value.value is not None]
    return known(math.fsum(numbers) / len(numbers)) if numbers else values[0]
