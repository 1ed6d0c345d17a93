"""Small readers of text: the last number, words and marks, leaked markup, excerpts."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.excerpts import excerpt
from harness.analysis.normaltext import collapse, composed, count_wordlike_tokens, loose, trimmed
from harness.analysis.numbertext import last_number
from harness.decode.markup import find_markup, find_tool_markup


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", None),
        ("none", None),
        ("42", 42),
        ("42.", 42),
        ("It is 42, I think.", 42),
        ("1 then 2 then 3", 3),
        ("-7", -7),
        ("\u22127.5", -7.5),
        ("x=-7", -7),
        ("10-7", 7),
        ("3 \u2013 5", 5),
        ("- 5 apples", 5),
        ("2026-01-15", 15),
        ("$-5", -5),
        ("-$5", -5),
        ("€1,234.50", 1234.5),
        ("1'234'567", 1234567),
        ("1\u202f234", 1234),
        ("12,34", 34),
        ("$1{,}234$", 1234),
        (".5", 0.5),
        ("6.02e23", 6.02e23),
        ("1e5x", 5),
        ("\\boxed{65}", 65),
        ("9" * 400, float("inf")),
    ],
)
def test_the_last_number_of_a_text(text: str, number: float | None) -> None:
    assert last_number(text) == number


@given(number=st.integers(-(10**9), 10**9))
def test_an_integer_is_read_with_and_without_separators(number: int) -> None:
    assert last_number(f"so it is {number}.") == number
    assert last_number(f"so it is {number:,} in all") == number


@given(text=st.text())
def test_any_text_has_a_number_or_none(text: str) -> None:
    assert last_number(text) is None or any(character.isdigit() for character in text)


def test_white_space_composition_and_case() -> None:
    assert collapse(" a\u00a0\t b\n") == "a b"
    assert loose(" STRASSE ") == loose("straße")
    assert trimmed(" a  b\n") == "a  b"
    assert collapse("e\u0301") == trimmed("e\u0301") == "\u00e9"


@pytest.mark.parametrize(
    "text",
    [
        "cafe\u0301 " * 3000,
        "図書館" * 3000,
        "か\u3099" * 3000,
        "\u1100\u1161\u11a8" * 3000,
        "e\u0301\u0327" * 3000,
        ("и\u0306" * 200 + " ") * 50,
        "x" * 499 + "e\u0301" * 10 + "x" * 3000,
        "\u0301" * 499,
    ],
)
def test_long_texts_are_composed_as_short_ones_are(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)


def test_an_endless_run_of_marks_is_composed_piece_by_piece() -> None:
    marks = "\u0327\u0301" * 200_000  # in one piece this takes minutes
    assert len(composed(marks)) == len(marks)
    assert composed("e" + marks)[0] == "\u0229"  # the cedilla, which comes first in canonical order


@pytest.mark.parametrize(("text", "count"), [("", 0), ("one, two!", 4), ("  \n ", 0), ("a_b c1", 2), ("図書館。", 2)])
def test_words_and_marks_are_counted(text: str, count: int) -> None:
    assert count_wordlike_tokens(text) == count


@pytest.mark.parametrize(
    "marker",
    [
        "<tool_call>",
        "</tool_call>",
        "<function=f>",
        "[TOOL_CALLS]",
        "[TOOL_REQUEST]",
        "<|python_tag|>",
        "<|tool_calls_section_begin|>",
        "<|tool_call_begin|>",
        "<|tool_call_argument_begin|>",
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁sep｜>",
        "<minimax:tool_call>",
        "<arg_key>",
        "functions.get_weather:0<|tool_call_argument_begin|>",
    ],
)
def test_leaked_tool_markup_is_found_anywhere(marker: str) -> None:
    found = find_tool_markup(f"Well, {marker} x")
    assert found is not None
    assert marker.startswith(found)
    assert find_markup(f"Well, {marker} x") == found


@pytest.mark.parametrize(
    "marker",
    [
        "<think>",
        "</think>",
        "[THINK]",
        "<|im_end|>",
        "<|eot_id|>",
        "<end_of_turn>",
        "[/INST]",
        "<｜end▁of▁sentence｜>",
        "<|channel|>",
        "◁think▷",
    ],
)
def test_other_markup_is_found_and_is_no_tool_markup(marker: str) -> None:
    assert find_markup(f"Well, {marker} x") == marker
    assert find_tool_markup(f"Well, {marker} x") is None


@pytest.mark.parametrize(
    "text", ["", "a < b > c", "<b>bold</b>", "List[int]", "a | b", "f(x) -> <none>", "I think so", "call the tool"]
)
def test_ordinary_text_holds_no_markup(text: str) -> None:
    assert find_markup(text) is None


def test_an_excerpt_is_one_short_line() -> None:
    assert excerpt("a\tb\r\nc") == "a\\tb\\r\\nc"
    assert excerpt("x" * 150 + "y" * 50) == "x" * 104 + " … " + "x" * 3 + "y" * 50
    assert excerpt("abcdefghijkl", 6) == "abcde…"
    assert excerpt({"a": "é"}) == '{"a": "é"}'
    assert excerpt("\ud800") == "�" * 3


@given(text=st.text(), limit=st.integers(1, 50))
def test_an_excerpt_keeps_to_its_limit_and_can_be_written(text: str, limit: int) -> None:
    short = excerpt(text, limit)
    assert len(short.encode().decode()) <= limit
    assert not set(short) & set("\r\n\t")
