"""How alike two answers are: 1 for equal ones, 0 across kinds, symmetric, between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.similarity import Modality, first_divergence, modality, similarity
from harness.model.record import Answer, ToolCall
from tests.analysis.replies import a_call, an_answer

CALLS = st.builds(ToolCall, name=st.just("f"), arguments=st.sampled_from(["", "{}", '{"a": 1}']))
ANSWERS = st.builds(
    Answer,
    text=st.text(max_size=20) | st.sampled_from(["{}", "[1, 2]", '{"a": 1}', '{"a": [1, {"b": null}]}']),
    refusal=st.sampled_from(["", "", "no"]),
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (an_answer("", a_call("f")), Modality.TOOLS),
        (Answer(refusal="no", text="{}"), Modality.REFUSAL),
        (Answer(text='{"a": 1}'), Modality.JSON),
        (Answer(text="5"), Modality.TEXT),
        (Answer(text="null"), Modality.TEXT),
        (Answer(), Modality.TEXT),
    ],
)
def test_the_kind_of_an_answer(answer: Answer, kind: Modality) -> None:
    assert modality(answer) is kind


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ('{"a": 1, "b": 2}', '{"b": 2.0, "a": 1}', 1.0),
        ('{"a": 1, "b": 2}', '{"a": 1, "b": 3}', 1 / 3),  # one of three leaves is shared
        ('{"a": 1}', '{"a": true}', 0.0),
        ('{"a": []}', '{"a": {}}', 0.0),
        ("[1, 2]", "[2, 1]", 0.0),
        ("abcd", "abce", 0.75),
        ("a  b", "a b", 1.0),
        ("zzz", '{"a": 1}', 0.0),
    ],
)
def test_likeness_by_hand(one: str, other: str, alike: float) -> None:
    assert similarity(Answer(text=one), Answer(text=other)) == pytest.approx(alike)


def test_the_first_difference_of_two_answers() -> None:
    assert first_divergence(Answer(text="abcd"), Answer(text="abxd")) == 2
    assert first_divergence(Answer(text="abc"), Answer(text="abcd")) == 3
    assert first_divergence(Answer(text=" abc "), Answer(text="abc")) is None
    assert first_divergence(Answer(), Answer(text="a")) == 0


@given(one=ANSWERS, other=ANSWERS)
def test_likeness_is_symmetric_within_bounds_and_full_for_equals(one: Answer, other: Answer) -> None:
    alike = similarity(one, other)
    assert 0 <= alike <= 1
    assert alike == pytest.approx(similarity(other, one))
    assert similarity(one, one) == 1
    assert (first_divergence(one, other) is None) == (first_divergence(other, one) is None)
