"""Matchers of arguments: which values they accept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.matcherproblems import matcher_problem
from harness.analysis.matching import compare_value, describe, is_matcher_form, is_number

NUMBER = {"type": "number"}
INTEGER = {"type": "integer"}

ACCEPTED: list[tuple[Any, Any, Any]] = [
    ("Oslo", " OSLO\n", None),
    ("a b", "a \t b", None),
    ("Straße", "STRASSE", None),
    ("caf\u00e9", "cafe\u0301", None),
    (5, 5, None),
    (5, 5.0, None),
    (5, 5.0, NUMBER),
    (5.0, 5, NUMBER),
    (5, 5.0, {"type": ["number", "null"]}),
    (0.1 + 0.2, 0.3, NUMBER),
    (True, True, None),
    (None, None, None),
    ([1, "a"], [1, "A"], None),
    ({"a": {"b": [1]}}, {"a": {"b": [1]}}, None),
    ({"a": 1}, {"a": 1.0}, {"properties": {"a": NUMBER}}),
    ([1], [1.0], {"items": NUMBER}),
    ({}, {}, None),
    ({"any_of": ["a", 5, {"number": 7}]}, 7, None),
    ({"any_of": [None, "x"]}, None, None),
    ({"regex": r"^LX ?318$"}, " LX318 ", None),
    ({"contains": "dash"}, "the DASHBOARD", None),
    ({"number": 5, "tolerance": 0.1}, 5.1, INTEGER),
    ({"number": 5}, 5.0, None),
    ({"any": True}, None, None),
    ({"any": True}, {"x": 1}, None),
    ({"exactly": "a  B"}, "a  B", None),
    ({"exactly": {"regex": "a"}}, {"regex": "a"}, None),
    ({"a": {"any_of": [1, 2]}, "b": {"any": True}}, {"b": 0, "a": 2}, None),
    ([{"contains": "x"}, {"any": True}], ["axb", None], None),
    (10**400, 10**400, None),
    ({"loosely": "April 1, 2024"}, "april 1 2024", None),
    ({"loosely": "2*x**2"}, "2x2", None),
    ({"loosely": "engine size"}, "Engine_Size", None),
    ({"loosely": "it's"}, 'it"s', None),
    ({"a": 1}, {"a": 1, "b": False}, {"properties": {"b": {"default": False}}}),
    ({"a": 1, "b": 2}, {"a": 1}, {"properties": {"b": {"default": 2}}}),
    ([{"a": 1}], [{"a": 1, "b": None}], {"items": {"properties": {"b": {"default": None}}}}),
    (1_700_000_000_000, 1_700_000_000_000.0, NUMBER),
    ({"number": 1_700_000_000_000, "tolerance": 1}, 1_700_000_000_001, None),
    ({"number": 2**60, "tolerance": 3}, 2**60 + 3, None),
    ({"exactly": [1, {"a": 2.5}]}, [1, {"a": 2.5}], None),
    ({"unordered": [1, {"any_of": [2, 1]}]}, [2, 1], None),
    ({"unordered": [{"any": True}, "b", "b"]}, ["B", "b", None], None),
    ({"unordered": list(range(8))}, list(range(8))[::-1], None),  # more than are paired by trying
    ({"unordered": [{"a": 1}, {"a": 2}]}, [{"a": 2.0}, {"a": 1}], {"items": {"properties": {"a": NUMBER}}}),
    ({"unordered": []}, [], None),
    (5, 5.0, {"$ref": "#/$defs/n", "$defs": {"n": NUMBER}}),
    (
        {"a": 5},
        {"a": 5.0},
        {"$ref": "#/$defs/o", "$defs": {"o": {"properties": {"a": {"$ref": "#/$defs/n"}}}, "n": NUMBER}},
    ),
    (5, 5.0, {"anyOf": [{"type": "null"}, NUMBER]}),
    (5, 5.0, {"enum": [5, 2.5]}),
    ({}, {"a": 1}, {"allOf": [{"properties": {"a": {"default": 1}}}, {"properties": {"b": {}}}]}),
    ({"a": 1}, {}, {"anyOf": [{"type": "null"}, {"properties": {"a": {"default": 1}}}]}),
    ({"a": 1}, {}, {"properties": {"a": {"$ref": "#/$defs/one"}}, "$defs": {"one": {"default": 1}}}),
    ({"a": 1}, {}, {"properties": {"a": {"$ref": "#/$defs/one", "default": 1}}, "$defs": {"one": {"default": 2}}}),
    ([5], [5.0], {"allOf": [{"items": {"oneOf": [NUMBER, {"type": "string"}]}}]}),
    (5, 5.0, {"$ref": "#"}),  # refers to itself and says nothing
]
REFUSED: list[tuple[Any, Any, Any]] = [
    ("Oslo", "Oslo, Norway", None),
    ("5", 5, None),
    (5, "5", None),
    (5, 5.0, INTEGER),
    (5.0, 5, INTEGER),
    (1, True, None),
    (True, 1, None),
    (0, False, None),
    (False, None, None),
    ("", None, None),
    ("true", True, None),
    (5, 5.001, NUMBER),
    ([1, 2], [2, 1], None),
    ([1], [1, 1], None),
    ([], {}, None),
    ({"a": 1}, {}, None),
    ({"a": 1}, {"a": 1, "b": 2}, None),
    ({"a": 1}, [["a", 1]], None),
    ({"any_of": [1, 2]}, True, None),
    ({"regex": "^a$"}, "ba", None),
    ({"regex": "5"}, 5, None),
    ({"contains": "5"}, 5, None),
    ({"number": 5, "tolerance": 0.1}, 5.2, None),
    ({"number": 1}, True, None),
    ({"number": 5}, "5", None),
    ({"number": 5}, 10**400, None),
    ({"number": 5}, float("inf"), None),
    ({"exactly": "a"}, "A", None),
    ({"exactly": 1}, True, None),
    (5, 10**400, None),
    (10**400, 5, None),
    ({"loosely": "April 1, 2024"}, "April 2, 2024", None),
    ({"loosely": "5"}, 5, None),
    ({"loosely": "(a)"}, "a", None),  # brackets count
    ({"a": 1}, {"a": 1, "b": True}, {"properties": {"b": {"default": False}}}),
    ({"a": 1, "b": 2}, {"a": 1}, {"properties": {"b": {"default": 3}}}),
    (1_700_000_000_000, 1_700_000_000_001, INTEGER),
    (1_700_000_000_000, 1_700_000_000_001.0, NUMBER),
    (2**60, 2**60 + 1, None),  # one double for both
    ({"number": 1_700_000_000_000}, 1_700_000_000_001, None),
    ({"number": 1_700_000_000_000, "tolerance": 1}, 1_700_000_000_002, None),
    ({"exactly": 5}, 5.0, None),
    ({"exactly": {"a": [5.0]}}, {"a": [5]}, None),
    ({"unordered": [1, 2]}, [1, 1], None),
    ({"unordered": [1, 2]}, [2, 1, 1], None),
    ({"unordered": [1]}, 1, None),
    ({"unordered": [{"a": 1}]}, [{"a": 1.0}], {"items": {"properties": {"a": INTEGER}}}),
    (5, 5.0, {"$ref": "#/$defs/n", "$defs": {"n": INTEGER}}),
    (5, 5.0, {"anyOf": [INTEGER, {"type": "null"}]}),
    (5, 5.0, {"allOf": [NUMBER, INTEGER]}),
    (5, 5.0, {"enum": [5, 6]}),
    (5, 5.0, {"const": 5}),
    ({}, {"a": 1}, {"allOf": [{"properties": {"a": {"default": 2}}}]}),
    ({"a": 1}, {}, {"anyOf": [{"properties": {"a": {"default": 1}}}, {"properties": {"a": {"default": 2}}}]}),
]


@pytest.mark.parametrize(("matcher", "came", "schema"), ACCEPTED)
def test_a_matcher_accepts(matcher: Any, came: Any, schema: Any) -> None:
    assert compare_value(matcher, came, where="x", schema=schema) == []
    assert matcher_problem(matcher) is None


@pytest.mark.parametrize(("matcher", "came", "schema"), REFUSED)
def test_a_matcher_refuses_and_says_where(matcher: Any, came: Any, schema: Any) -> None:
    found = compare_value(matcher, came, where="x", schema=schema)
    assert found
    assert all(mismatch.where.startswith("x") for mismatch in found)


def test_every_mismatch_of_an_object_is_listed_with_its_path() -> None:
    found = compare_value({"a": 1, "b": [2, {"c": 3}]}, {"a": 0, "b": [2, {"c": "3"}], "d": 4}, where="f")
    assert list(map(str, found)) == [
        "f.a: expected 1, came 0",
        'f.b[1].c: expected 3, came "3"',
        "f.d: expected no such key, came 4",
    ]


def test_a_mapping_with_other_keys_beside_a_forms_key_is_a_literal_object() -> None:
    assert is_matcher_form({"number": 5, "tolerance": 1})
    assert not is_matcher_form({"number": 5, "street": "x"})
    assert not is_matcher_form({"tolerance": 1})
    assert compare_value({"number": 5, "street": "x"}, {"number": 5, "street": "X"}, where="") == []


def test_a_matcher_is_described_in_words() -> None:
    assert describe({"any_of": ["a", {"number": 5, "tolerance": 1}]}) == 'one of "a", 5 ± 1'
    assert describe({"any": True}) == "any value"
    assert describe({"unordered": [1, "a"]}) == 'unordered [1, "a"]'
    assert describe({"regex": "^a"}) == 'regex "^a"'
    assert describe({"a": 1}) == '{"a": 1}'


def test_items_in_any_order_are_paired_so_that_the_fewest_mismatches_are_named() -> None:
    matcher = {"unordered": [{"a": 1, "b": 1}, {"a": 2, "b": 2}]}
    found = compare_value(matcher, [{"a": 2, "b": 3}, {"b": 1, "a": 1}], where="x")
    assert list(map(str, found)) == ["x[0].b: expected 2, came 3"]


def test_what_is_unordered_is_a_list() -> None:
    assert matcher_problem({"unordered": 5}) == "unordered takes a list of values"
    assert matcher_problem({"unordered": [{"any_of": []}]}) == "any_of takes a list of values"


def test_infinity_and_a_truth_value_are_no_numbers() -> None:
    assert [value for value in (True, float("nan"), float("inf"), 10**400, "5", None) if is_number(value)] == []
    assert all(map(is_number, (0, -1, 5.5, 1e308, 10**300)))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON_VALUES)
def test_every_value_matches_itself_and_is_exactly_itself(value: Any) -> None:
    assert compare_value({"exactly": value}, value, where="") == []
    assert compare_value({"any_of": [{"exactly": value}]}, value, where="") == []


@given(one=JSON_VALUES, other=JSON_VALUES)
def test_two_values_are_exactly_each_other_or_neither_is(one: Any, other: Any) -> None:
    forth = compare_value({"exactly": one}, other, where="")
    back = compare_value({"exactly": other}, one, where="")
    assert bool(forth) == bool(back)
