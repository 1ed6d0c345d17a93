"""Agreement of answers: within a side, between sides, beyond their own; never one without the other."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.parity import (
    LEAST_SELF_AGREEMENT,
    NO_CANDIDATE_ANSWER,
    ONE_CANDIDATE_ANSWER,
    ONE_ENDPOINT,
    ONE_REFERENCE_ANSWER,
    prompt_agreements,
    total_agreements,
)
from harness.analysis.results.answers import Agreement
from harness.analysis.similarity import MOST_TEXTS, WAYS
from harness.model.golden import Prompt
from harness.model.record import Answer
from tests.analysis.cases import a_prompt

BY_ID = {way.metric: way for way in WAYS}


def said(*texts: str) -> list[Answer]:
    return [Answer(text=text) for text in texts]


def compared(
    reference: Sequence[Answer], candidate: Sequence[Answer] | None, prompt: Prompt | None = None
) -> dict[str, Agreement]:
    return {row.metric: row for row in prompt_agreements(prompt or a_prompt(), reference, candidate)}


def test_agreement_is_a_mean_over_pairs_of_different_answers() -> None:
    """Of the reference's ten pairs 6 agree (4 choose 2), of the candidate's all; of 25 pairs across 20 do."""
    found = compared(said("42", "42", "42", "42", "41"), said("42", "42", "42", "42", "42"))["same_canonical"]
    assert found.reference_self.value == pytest.approx(6 / 10)
    assert found.candidate_self.value == 1
    assert found.cross.value == pytest.approx(20 / 25)
    assert found.excess.value == pytest.approx((0.6 + 1) / 2 - 0.8)


def test_a_soft_likeness_is_averaged_the_same_way() -> None:
    """`abcd` and `abxd` share half of their length from the start; of the reference's three pairs one is of equals."""
    found = compared(said("abcd", "abcd", "abxd"), said("abxd", "abxd"))["shared_prefix"]
    assert found.reference_self.value == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert found.candidate_self.value == 1
    assert found.cross.value == pytest.approx((0.5 * 4 + 1 * 2) / 6)
    assert found.excess.value == pytest.approx((2 / 3 + 1) / 2 - 4 / 6)


def test_letter_by_letter_and_canonical_form_are_told_apart() -> None:
    found = compared(said("a b", "a b"), said("a  b", "a  b"))
    assert (found["same_exactly"].cross.value, found["same_canonical"].cross.value) == (0, 1)
    assert found["same_exactly"].excess.value == 1
    assert found["same_canonical"].excess.value == 0


def test_without_the_references_repeats_nothing_is_said_of_the_sides() -> None:
    for reference in (said("a"), []):
        for row in compared(reference, said("a", "a")).values():
            assert row.reference_self.reason == row.cross.reason == row.excess.reason == ONE_REFERENCE_ANSWER
            assert row.candidate_self.value == 1


def test_without_the_candidates_repeats_its_own_agreement_is_missing_only() -> None:
    row = compared(said("a", "a"), said("a"))["same_canonical"]
    assert (row.reference_self.value, row.cross.value) == (1, 1)
    assert row.candidate_self.reason == row.excess.reason == ONE_CANDIDATE_ANSWER
    assert compared(said("a", "a"), [])["same_canonical"].cross.reason == NO_CANDIDATE_ANSWER


def test_one_endpoint_is_compared_with_itself() -> None:
    row = compared(said("a", "a", "b"), None)["same_canonical"]
    assert row.reference_self.value == pytest.approx(1 / 3)
    assert {row.candidate_self.reason, row.cross.reason, row.excess.reason} == {ONE_ENDPOINT}
    total = total_agreements([[row]])[0]
    assert total.reference_self.value == pytest.approx(1 / 3)
    assert total.n_prompts == 1
    assert total.cross.reason == ONE_ENDPOINT


def test_only_the_first_texts_of_many_are_compared() -> None:
    many = said(*["a"] * MOST_TEXTS, *["b"] * 100)
    found = compared(many, many)
    assert found["text_similarity"].reference_self.value == 1
    n = MOST_TEXTS + 100
    agreeing = MOST_TEXTS * (MOST_TEXTS - 1) + 100 * 99
    assert found["same_canonical"].reference_self.value == pytest.approx(agreeing / (n * (n - 1)))


def of(*pairs: tuple[list[str], list[str]]) -> Agreement:
    rows = [compared(said(*one), said(*two)).values() for one, two in pairs]
    return next(row for row in total_agreements([list(found) for found in rows]) if row.metric == "same_canonical")


def test_the_total_weighs_each_prompt_once_however_often_it_was_repeated() -> None:
    total = of((["a"] * 9, ["a"] * 9), (["a", "a"], ["b", "b"]))
    assert (total.cross.value, total.reference_self.value, total.n_prompts) == (0.5, 1, 2)
    assert total.excess.value == pytest.approx((0 + 1) / 2)


def test_the_total_leaves_out_prompts_that_cannot_be_measured() -> None:
    total = of((["a", "a"], ["a", "a"]), (["a"], ["b", "b"]), (["a", "a"], []))
    assert (total.cross.value, total.reference_self.value, total.candidate_self.value, total.n_prompts) == (1, 1, 1, 1)
    nothing = of((["a"], ["b", "b"]))
    assert (nothing.n_prompts, nothing.cross.reason) == (0, ONE_REFERENCE_ANSWER)


def test_an_excess_is_withheld_where_the_reference_never_says_the_same_twice() -> None:
    """A difference could not show: 1 of 10 pairs of the reference agrees."""
    texts = ["a", "a", "b", "c", "d"]
    total = of((texts, ["x", "y", "z"]))
    assert total.reference_self.value == pytest.approx(0.1)
    assert total.cross.value == 0
    assert total.excess.value is None
    assert total.excess.reason == (
        "not measurable: the reference agrees with itself in 10% only (at least 30% is needed)"
    )
    assert LEAST_SELF_AGREEMENT == 0.3


@given(
    one=st.lists(st.sampled_from(["a", "b", "a b", "c"]), min_size=2, max_size=5),
    two=st.lists(st.sampled_from(["a", "b", "a b", "c"]), min_size=2, max_size=5),
)
def test_exchanging_the_sides_exchanges_the_columns_and_keeps_the_rest(one: list[str], two: list[str]) -> None:
    there, back = compared(said(*one), said(*two)), compared(said(*two), said(*one))
    for metric, row in there.items():
        assert row.reference_self.value == pytest.approx(back[metric].candidate_self.value)
        assert row.cross.value == pytest.approx(back[metric].cross.value)
        assert row.excess.value == pytest.approx(back[metric].excess.value)


@given(
    one=st.lists(st.sampled_from(["a", "b", "ab", "c d"]), min_size=2, max_size=5),
    two=st.lists(st.sampled_from(["a", "b", "ab", "c d"]), min_size=2, max_size=5),
)
def test_agreement_is_what_counting_every_pair_gives(one: list[str], two: list[str]) -> None:
    for metric, row in compared(said(*one), said(*two)).items():
        alike = BY_ID[metric].compare(said(*one, *two))
        n = len(one)
        within = [alike[i, j] for i in range(n) for j in range(n) if i != j]
        across = [alike[i, j] for i in range(n) for j in range(n, n + len(two))]
        assert row.reference_self.value == pytest.approx(sum(within) / len(within))
        assert row.cross.value == pytest.approx(sum(across) / len(across))
