"""JSON out of an answer: the whole of it or a named reason; paths into it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.jsontext import MAX_DEPTH, JsonReading, equal_json, follow_path, parse_path, read_json

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ('```json\n{"a": 1}\n```', "fenced: the JSON stands inside a ``` block"),
        ('```\n{"a": 1}```', "fenced: the JSON stands inside a ``` block"),
        ('```json {"a": 1} ```', "fenced: the JSON stands inside a ``` block"),
        ('Here you are: {"a": 1}', "prose around the JSON"),
        ("Sure!\n[1, 2]\nAnything else?", "prose around the JSON"),
        ('```json\n{"a": 1}', "prose around the JSON"),
        ('{"a": 1} I hope this helps.', "text after the JSON (from character 9)"),
        ('{"a": 1}{"a": 2}', "text after the JSON (from character 8)"),
        ('{"a": 1', "not JSON: Expecting ',' delimiter (cut off)"),
        ('{"a": "b', "not JSON: Unterminated string starting at (cut off)"),
        ("{'a': 1}", "not JSON: Expecting property name enclosed in double quotes (at character 1)"),
        ('{"a": 1,}', "not JSON: Illegal trailing comma before end of object (at character 7)"),
        ('{"a": NaN}', "not JSON: NaN is not JSON"),
        ('{"a": -Infinity}', "not JSON: -Infinity is not JSON"),
        ("zzz", "not JSON: Expecting value (at character 0)"),
        ("closed ] before [ opened", "not JSON: Expecting value (at character 0)"),
        ("\ufeff{}", "prose around the JSON"),
        ("[" * 200 + "]" * 200, f"nested deeper than {MAX_DEPTH}"),
        ("[" * 100_000, f"nested deeper than {MAX_DEPTH}"),
    ],
)
def test_what_is_not_json_has_a_named_reason(text: str, problem: str) -> None:
    found = read_json(text)
    assert found.value is None
    if "trailing comma" in problem:  # worded differently by older Python
        assert found.problem is not None
        assert found.problem.startswith("not JSON: ")
    else:
        assert found.problem == problem


@pytest.mark.parametrize(
    ("text", "value"), [("null", None), (" 5\n", 5), ('"a"', "a"), ("[]", []), ('{"a": 1e2}', {"a": 100.0})]
)
def test_any_json_value_is_read_and_null_is_one(text: str, value: Any) -> None:
    assert read_json(text) == JsonReading(value=value)


def test_of_a_key_given_twice_the_last_value_counts() -> None:
    assert read_json('{"a": 1, "a": 2}') == JsonReading(value={"a": 2})


def test_a_number_too_long_to_read_is_a_problem_and_no_crash() -> None:
    found = read_json("1" * 10_000)
    assert found.problem is not None
    assert found.problem.startswith("not JSON")


@given(value=JSON_VALUES.filter(lambda value: "Infinity" not in json.dumps(value)))
def test_what_is_written_is_read(value: Any) -> None:
    assert read_json(f" {json.dumps(value)}\n") == JsonReading(value=value)


@given(text=st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    found = read_json(text)
    assert found.problem is None or found.value is None


@given(depth=st.integers(1, 3 * MAX_DEPTH))
def test_the_depth_limit_is_where_it_says(depth: int) -> None:
    found = read_json("[" * depth + "0" + "]" * depth)
    assert (found.problem is None) == (depth <= MAX_DEPTH)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$", ()),
        ("$.a", ("a",)),
        ("$.a.b[0][-1]", ("a", "b", 0, -1)),
        ("$['odd key'].x", ("odd key", "x")),
        ('$["it\'s"]', ("it's",)),
        ("$['']", ("",)),
        ("a.b", None),
        ("", None),
        ("$.", None),
        ("$..a", None),
        ("$[a]", None),
        ("$.a[", None),
        ("$.a b", None),
    ],
)
def test_a_path_is_split_or_refused(path: str, steps: tuple[str | int, ...] | None) -> None:
    assert parse_path(path) == steps


def test_a_path_is_followed_as_far_as_it_leads() -> None:
    value = {"a": [{"b": None}], "0": "key"}
    assert follow_path(value, ("a", 0, "b")).missing_at is None
    assert follow_path(value, ("a", -1)).value == {"b": None}
    assert follow_path(value, ("a", 1)).missing_at == "$.a[1]"
    assert follow_path(value, ("a", "0")).missing_at == "$.a.0"
    assert follow_path(value, ("a", 0, "b", "c")).missing_at == "$.a[0].b.c"
    assert follow_path(value, (0,)).missing_at == "$[0]"
    assert follow_path("abc", (0,)).missing_at == "$[0]"


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        ("1", 1, False),
        (None, None, True),
        (None, 0, False),
        ({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        ([1, 2], [2, 1], False),
        ([True], [1], False),
        ({"a": 1}, [1], False),
    ],
)
def test_values_are_equal_as_json(one: Any, other: Any, equal: bool) -> None:
    assert equal_json(one, other) is equal
    assert equal_json(other, one) is equal
