"""How alike answers are, two by two: by hand, and what holds for every way."""

import itertools
import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.similarity import LONGEST_TEXT, WAYS, Way
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import Answer, ToolCall
from tests.analysis.cases import a_prompt
from tests.analysis.replies import a_call, an_answer

BY_ID = {way.metric: way for way in WAYS}
CALLS = st.builds(ToolCall, name=st.just("f"), arguments=st.sampled_from(["", "{}", '{"a": 1}']))
ANSWERS = st.builds(
    Answer,
    text=st.text(max_size=20) | st.sampled_from(["{}", "[1, 2]", '{"a": 1}', '{"a": [1, {"b": null}]}', "a b a"]),
    refusal=st.sampled_from(["", "", "no"]),
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
)
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]


def likeness(metric: str, one: Answer | str, other: Answer | str) -> float:
    answers = [Answer(text=said) if isinstance(said, str) else said for said in (one, other)]
    found = BY_ID[metric].compare(answers)
    assert found[0, 0] == found[1, 1] == 1
    return float(found[0, 1])


def test_letter_by_letter_nothing_is_forgiven() -> None:
    assert likeness("same_exactly", "a b", "a b") == 1
    assert likeness("same_exactly", "a b", "a  b") == 0
    one, other = an_answer("", a_call("f", '{"a":1}', "id-1")), an_answer("", a_call("f", '{"a":1}', "id-2"))
    assert likeness("same_exactly", one, other) == 1  # an id is no answer
    assert likeness("same_exactly", one, an_answer("", a_call("f", '{"a": 1}'))) == 0
    assert likeness("same_exactly", Answer(text="no"), Answer(refusal="no")) == 0


def test_canonical_form_forgives_form() -> None:
    assert likeness("same_canonical", "a  b\n", "a b") == 1
    assert likeness("same_canonical", '{"a": 1, "b": 2.0}', '{"b":2,"a":1}') == 1
    assert likeness("same_canonical", "Yes", "yes") == 0


def test_calls_are_a_multiset() -> None:
    oslo, rome = a_call("f", {"city": "Oslo"}), a_call("f", {"city": "Rome"})
    assert likeness("same_calls", an_answer("", oslo, rome), an_answer("on it", rome, oslo)) == 1
    assert likeness("same_calls", an_answer("", oslo), an_answer("", oslo, oslo)) == 0
    assert likeness("same_calls", an_answer("no need"), an_answer("none is due")) == 1
    assert likeness("same_calls", an_answer("", oslo), an_answer("it is cold")) == 0


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ('{"a": 1, "b": 2}', '{"b": 2.0, "a": 1}', 1.0),
        ('{"a": 1, "b": 2}', '{"a": 1, "b": 3}', 1 / 3),  # one of three (path, value) leaves is shared
        ('{"a": {"b": 1, "c": 2}}', '{"a": {"b": 1}}', 1 / 2),
        ('{"a": 1}', '{"a": true}', 0.0),
        ('{"a": "1"}', '{"a": 1}', 0.0),
        ('{"a": []}', '{"a": {}}', 0.0),
        ('{"a.b": 1}', '{"a": {"b": 1}}', 0.0),
        ("[1, 2]", "[2, 1]", 0.0),
        ("zzz", '{"a": 1}', 0.0),
        ("zzz", "zzz ", 1.0),
        ("zzz", "zz", 0.0),
    ],
)
def test_json_is_compared_by_path(one: str, other: str, alike: float) -> None:
    assert likeness("json_similarity", one, other) == pytest.approx(alike)


def longest_common_subsequence(one: str, other: str) -> int:
    row = [0] * (len(other) + 1)
    for a in one:
        above = row
        row = [0]
        for j, b in enumerate(other):
            row.append(above[j] + 1 if a == b else max(above[j + 1], row[j]))
    return row[-1]


@pytest.mark.parametrize(
    ("one", "other"), [("abcd", "abxd"), ("the cat sat", "a cat sat down"), ("", "a"), ("xy", "yx"), ("a", "b")]
)
def test_text_by_characters_is_the_longest_common_subsequence_over_both(one: str, other: str) -> None:
    expected = 2 * longest_common_subsequence(one, other) / (len(one) + len(other))
    assert likeness("text_similarity", one, other) == pytest.approx(expected)


def test_the_first_divergence_is_a_share_of_the_longer_text() -> None:
    assert likeness("shared_prefix", "abcd", "abxd") == pytest.approx(2 / 4)
    assert likeness("shared_prefix", "abc", "abcdef") == pytest.approx(3 / 6)
    assert likeness("shared_prefix", "", "a") == 0
    assert likeness("shared_prefix", " abc ", "abc") == 1


def overlap(one: list[str], other: list[str]) -> float:
    """Compute word overlap from its formula, counts and edges written out."""
    parts = []
    for items in ((one, other), [list(pairwise(("^", *words, "$"))) for words in (one, other)]):
        a, b = Counter(items[0]), Counter(items[1])
        dot = sum(a[item] * b[item] for item in a)
        parts.append(dot / math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values())))
    return sum(parts) / 2


def test_word_overlap_counts_words_and_neighbours() -> None:
    one, other = "the cat sat on the mat", "on the mat the cat sat"
    expected = overlap(one.split(), other.split())
    assert likeness("word_overlap", one, other) == pytest.approx(expected)
    assert expected == pytest.approx((1 + 4 / 7) / 2)  # the same words, and four of seven neighbourhoods
    assert likeness("word_overlap", "The Cat", "the cat") == pytest.approx(1)
    assert likeness("word_overlap", "yes", "no") == 0
    assert likeness("word_overlap", "a b", "a") == pytest.approx((1 / math.sqrt(2) + 1 / math.sqrt(6)) / 2)


def test_scripts_without_spaces_are_read_by_character() -> None:
    assert 0.5 < likeness("word_overlap", "図書館は開く", "図書館は閉じ") < 1
    assert likeness("word_overlap", "", "") == 1
    assert likeness("word_overlap", "", "a") == 0


def test_a_long_text_is_compared_up_to_a_limit() -> None:
    one, other = "a" * LONGEST_TEXT + "b", "a" * LONGEST_TEXT + "c"
    assert likeness("text_similarity", one, other) == 1
    assert likeness("shared_prefix", one, other) == pytest.approx(LONGEST_TEXT / (LONGEST_TEXT + 1))
    assert likeness("same_canonical", one, other) == 0


def applying(prompt: Prompt) -> list[str]:
    return [way.metric for way in WAYS if way.applies(prompt)]


def test_each_way_applies_to_the_prompts_for_which_it_means_something() -> None:
    always = ["same_exactly", "same_canonical"]
    text = ["text_similarity", "word_overlap", "shared_prefix"]
    asked = a_prompt().request
    by_check = Prompt(id="j", category="c", intent="i", request=asked, checks=[Check(kind=CheckKind.JSON_VALID)])
    by_format = Prompt(id="f", category="c", intent="i", request={**asked, "response_format": {"type": "json_object"}})
    tools = Prompt(id="t", category="c", intent="i", request={**asked, "tools": TOOLS})
    assert applying(a_prompt()) == [*always, *text]
    assert applying(by_check) == applying(by_format) == [*always, "json_similarity"]
    assert applying(tools) == [*always, "same_calls"]


@given(answers=st.lists(ANSWERS, min_size=1, max_size=5))
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.metric)
def test_likeness_is_symmetric_within_bounds_and_full_for_equals(way: Way, answers: list[Answer]) -> None:
    found = way.compare(answers)
    assert found.shape == (len(answers), len(answers))
    assert found == pytest.approx(found.T)
    assert (found >= 0).all()
    assert (found <= 1).all()
    for (i, one), (j, other) in itertools.combinations(enumerate(answers), 2):
        if one == other:
            assert found[i, j] == pytest.approx(1)
    assert found.diagonal() == pytest.approx(1)
