"""Equal answers have one canonical form, different ones do not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.canonical import canonical_answer, canonical_call, canonical_json
from harness.model.record import Answer
from tests.analysis.replies import a_call, an_answer
from tests.analysis.test_jsontext import JSON_VALUES


def canonical(text: str) -> str:
    return canonical_answer(Answer(text=text))


def test_text_is_collapsed_but_keeps_its_case() -> None:
    assert canonical(" Two \n\n words\u00a0here ") == "Two words here"
    assert canonical("cafe\u0301") == canonical("caf\u00e9")
    assert canonical("Hot") != canonical("hot")


def test_json_is_the_same_whatever_its_layout_and_key_order() -> None:
    assert (
        canonical('{"b": 1.0, "a": [1, 2.5]}') == canonical('{\n "a": [1,2.50],\n "b": 1\n}') == '{"a":[1,2.5],"b":1}'
    )
    assert canonical('{"a": true}') != canonical('{"a": 1}')
    assert canonical('{"a": "1"}') != canonical('{"a": 1}')
    assert canonical("[1, 2]") != canonical("[2, 1]")


def test_fenced_json_and_a_lone_number_stay_text() -> None:
    assert canonical('```json\n{"a": 1}\n```') == '```json {"a": 1} ```'
    assert canonical("5.0") == "5.0"


def test_calls_are_sorted_and_their_ids_left_out() -> None:
    one = an_answer("", a_call("f", '{"b": 1, "a": 2}', "x"), a_call("e", ""))
    other = an_answer("hm", a_call("e", "", "y"), a_call("f", '{"a":2.0,"b":1}'))
    assert canonical_answer(one) == canonical_answer(other) == 'e()\nf({"a":2,"b":1})'


def test_arguments_that_are_not_json_stay_as_they_came() -> None:
    assert canonical_call(a_call("f", "{'a': 1}")) == "f({'a': 1})"
    assert canonical_call(a_call(None, "{}")) == "?({})"


def test_a_refusal_is_marked_as_one() -> None:
    assert canonical_answer(Answer(refusal="No,  thanks.")) == "[refusal] No, thanks."
    assert canonical_answer(Answer(text="No, thanks.")) != canonical_answer(Answer(refusal="No, thanks."))


@pytest.mark.parametrize("answer", [Answer(text='{"a": "\\ud800"}'), an_answer("", a_call("f", '{"a": "\\udfff"}'))])
def test_a_lone_surrogate_can_be_written_to_a_file(answer: Answer) -> None:
    assert "�" in canonical_answer(answer).encode().decode()


@given(value=JSON_VALUES)
def test_the_canonical_form_of_json_is_its_own(value: Any) -> None:
    text = canonical_json(value)
    assert canonical_json(json.loads(text)) == text


@given(text=st.text())
def test_the_canonical_form_of_text_is_its_own_and_encodable(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    assert once.encode().decode() == once
