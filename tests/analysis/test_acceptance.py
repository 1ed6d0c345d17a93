"""Answers against the reference's own, where no check says what is right."""

import random
from collections.abc import Sequence

import pytest

from harness.analysis.acceptance import (
    HAS_CHECKS,
    NO_REQUEST,
    prompt_acceptance,
    total_acceptance,
    without_acceptance,
)
from harness.analysis.intervals import Z_ONE_SIDED
from harness.analysis.parity import ONE_ENDPOINT, ONE_REFERENCE_ANSWER
from harness.analysis.results.trial import Trial
from harness.model.record import Answer, Arm
from tests.analysis.cases import a_key, a_prompt, a_record, failed, judged


def trials(*texts: str | None, arm: Arm = Arm.REFERENCE) -> list[Trial]:
    """Give the trials of answers with these texts; None: a failed request."""
    records = [
        failed(key=a_key(i, arm=arm)) if text is None else a_record(key=a_key(i, arm=arm), answer=Answer(text=text))
        for i, text in enumerate(texts)
    ]
    return [item.trial for item in judged(records, a_prompt(), arm=arm)]


def test_the_references_answers_are_looked_for_among_its_others() -> None:
    found = prompt_acceptance(trials("42", "42", "42", "42", "41"), trials("42", "42", "42", "42", "42"))
    assert found.reference.value == pytest.approx(4 / 5)  # nobody else says 41
    assert found.candidate.value == 1
    assert found.difference.value == pytest.approx(0.2)


def test_an_answer_that_the_reference_gave_once_is_accepted_unless_that_one_is_left_out() -> None:
    found = prompt_acceptance(trials("42", "42", "42", "42", "41"), trials("41", "40"))
    assert found.candidate.value == pytest.approx((4 / 5 + 0) / 2)


def test_form_does_not_count_and_a_failed_request_is_accepted_by_nobody() -> None:
    found = prompt_acceptance(trials("a b", "a  b", None, "c"), trials("a b\n", None, None, "a b"))
    assert found.reference.value == pytest.approx(2 / 4)
    assert found.candidate.value == pytest.approx(2 / 4)


def test_what_has_no_value_says_why() -> None:
    assert prompt_acceptance(trials("a"), trials("a", "a")).candidate.reason == ONE_REFERENCE_ANSWER
    assert prompt_acceptance(trials("a", None), trials("a", "a")).reference.reason == ONE_REFERENCE_ANSWER
    assert prompt_acceptance(trials("a", "a"), []).candidate.reason == NO_REQUEST
    alone = prompt_acceptance(trials("a", "a"), None)
    assert (alone.reference.value, alone.candidate.reason, alone.difference.reason) == (1, ONE_ENDPOINT, ONE_ENDPOINT)


def test_an_equal_candidate_is_accepted_as_often_as_the_reference_itself() -> None:
    """Both draw from one pool of answers; the mean difference over 4,000 prompts is 0 within 4 standard errors."""
    chance = random.Random(5)

    def drawn(arm: Arm) -> Sequence[Trial]:
        return trials(*(chance.choice("aaabbc") for _ in range(4)), arm=arm)

    pool = {arm: [drawn(arm) for _ in range(300)] for arm in (Arm.REFERENCE, Arm.CANDIDATE)}
    found = [
        prompt_acceptance(chance.choice(pool[Arm.REFERENCE]), chance.choice(pool[Arm.CANDIDATE])).difference.value
        for _ in range(4_000)
    ]
    differences = [value for value in found if value is not None]
    assert len(differences) == 4_000
    assert abs(sum(differences) / 4_000) < 0.04


def test_the_total_is_over_prompts_without_checks() -> None:
    """d = 0 and -1; with the pseudo-prompts 1 and -1: m = -1/4, s² = 3/4 - 1/16, L = m - 1.645 s / 2."""
    same, lost = (
        prompt_acceptance(trials("a", "a"), trials("a", "a")),
        prompt_acceptance(trials("a", "a"), trials("b", "b")),
    )
    total = total_acceptance([same, without_acceptance(), lost])
    assert total is not None
    assert (total.reference.value, total.candidate.value, total.difference.value) == (1, 0.5, -0.5)
    assert total.n_prompts == 2
    assert total.traffic_bound == pytest.approx(-0.25 - Z_ONE_SIDED * (0.75 - 0.0625) ** 0.5 / 2)
    assert without_acceptance().reference.reason == HAS_CHECKS
    assert total_acceptance([without_acceptance()]) is None


def test_the_total_of_what_cannot_be_measured_is_a_reason() -> None:
    total = total_acceptance([prompt_acceptance(trials("a"), trials("a"))])
    assert total is not None
    assert (total.reference.value, total.reference.reason) == (None, ONE_REFERENCE_ANSWER)
    varied = prompt_acceptance(trials("a", "a", "b", "c", "d", "e", "f", "g"), trials("h", "i"))
    total = total_acceptance([varied])
    assert total is not None
    assert total.reference.value == pytest.approx(0.25)
    assert str(total.difference.reason).startswith("not measurable: the reference agrees with itself in 25% only")
    assert total.traffic_bound is None
