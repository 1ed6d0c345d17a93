"""The tool ladder: each rung, and what climbs past it."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.assignment import assign
from harness.analysis.results.trial import Rung, ToolResult
from harness.analysis.tools import judge_tools, offered_tools
from harness.errors import ConfigError
from harness.model.record import Answer, ToolCall
from tests.analysis.replies import TIMED_OUT, a_call, a_check, a_prompt, a_record, an_answer

CITY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["city"],
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer", "default": 1},
        "above": {"type": "number"},
        "is_brief": {"type": "boolean", "default": False},
    },
}
TOOLS = {"weather": CITY, "tide": CITY, "anything": None, "empty": {}}


def climbed(expected: Any, *calls: ToolCall, text: str = "", check: str = "tool_called") -> ToolResult:
    result = judge_tools(a_prompt(a_check(check, expected), tools=TOOLS), a_record(an_answer(text, *calls)))
    assert result is not None
    return result


def rung(expected: Any, *calls: ToolCall, text: str = "", check: str = "tool_called") -> Rung:
    return climbed(expected, *calls, text=text, check=check).rung


def weather(**arguments: Any) -> dict[str, Any]:
    return {"name": "weather", "arguments": arguments}


def test_a_prompt_without_an_expectation_of_tools_has_no_result() -> None:
    assert judge_tools(a_prompt(a_check("contains", "x"), tools=TOOLS), a_record(an_answer("x"))) is None


def test_transport_a_failed_request_falls_first() -> None:
    prompt = a_prompt(a_check("tool_called", "weather"), tools=TOOLS)
    result = judge_tools(prompt, a_record(Answer(), failure=TIMED_OUT))
    assert result == ToolResult(rung=Rung.TRANSPORT, detail="timeout_idle: nothing for 30 s")


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>{"name": "weather", "arguments": {"city": "Oslo"}}</tool_call>',
        '[TOOL_CALLS] [{"name": "weather"}]',
        '<|python_tag|>{"name": "weather"}',
        "<｜tool▁calls▁begin｜>",
        '{"name": "weather", "parameters": {"city": "Oslo"}}',
        '[{"name": "weather", "arguments": {"city": "Oslo"}}]',
    ],
)
def test_leaked_markup_is_its_own_rung(text: str) -> None:
    assert rung("weather", text=text) is Rung.LEAKED_MARKUP
    assert rung(None, text=text, check="no_tool") is Rung.LEAKED_MARKUP


def test_leaked_markup_beside_a_call_counts_too() -> None:
    assert rung("weather", a_call("weather", {"city": "Oslo"}), text="ok <tool_call>") is Rung.LEAKED_MARKUP


def test_json_that_is_no_call_is_no_leak() -> None:
    assert rung("weather", text='{"name": "someone", "arguments": {}}') is Rung.DECISION
    assert rung(None, text='{"name": "weather"}', check="no_tool") is Rung.OK


def test_decision_no_call_where_one_is_due() -> None:
    result = climbed("weather", text="It is cold in Oslo.")
    assert (result.rung, result.tool) == (Rung.DECISION, "weather")
    assert result.detail == "expected 1 call, came 0 (text: It is cold in Oslo.)"


def test_decision_a_call_where_none_is_due() -> None:
    result = climbed(None, a_call("weather", {"city": "Oslo"}), check="no_tool")
    assert (result.rung, result.tool) == (Rung.DECISION, "weather")
    assert result.detail == "expected no call, came 1 (weather)"


def test_decision_the_number_of_calls() -> None:
    oslo = a_call("weather", {"city": "Oslo"})
    assert rung(2, oslo, check="tool_count") is Rung.DECISION
    assert rung({"min": 2}, oslo, oslo, oslo, check="tool_count") is Rung.OK
    assert rung({"min": 1, "max": 2}, oslo, oslo, oslo, check="tool_count") is Rung.DECISION
    assert climbed({"min": 2}, oslo, check="tool_count").detail.startswith("expected 2 calls or more")
    assert climbed({"min": 2, "max": 3}, oslo, check="tool_count").detail.startswith("expected 2 to 3 calls")


def test_decision_another_tool_that_is_offered() -> None:
    result = climbed("weather", a_call("tide", {"city": "Oslo"}))
    assert (result.rung, result.tool) == (Rung.DECISION, "weather")
    assert result.detail == "expected weather, called tide"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("", "empty"),
        ("{'city': 'Oslo'}", "not JSON"),
        ('{"city": "Oslo"', "cut off"),
        ('"{\\"city\\": \\"Oslo\\"}"', "a text (encoded twice)"),
        ("[]", "a list"),
        ("null", "null"),
        ("5", "a number"),
        ("true", "a boolean"),
        ('{"city": NaN}', "NaN is not JSON"),
        ('```json\n{"city": "Oslo"}\n```', "fenced"),
    ],
)
def test_arguments_that_do_not_parse_to_an_object(arguments: str, word: str) -> None:
    result = climbed("weather", a_call("weather", arguments))
    assert (result.rung, result.tool) == (Rung.INVALID_JSON, "weather")
    assert word in result.detail


def test_a_name_that_is_not_offered() -> None:
    result = climbed("weather", a_call("get_weather", {"city": "Oslo"}))
    assert (result.rung, result.tool) == (Rung.UNKNOWN_NAME, "get_weather")
    assert "offered: weather, tide" in result.detail
    assert rung("weather", a_call(None, {"city": "Oslo"})) is Rung.UNKNOWN_NAME


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({}, "'city' is a required property"),
        ({"city": 5}, "$.city"),
        ({"city": "Oslo", "days": "2"}, "$.days"),
        ({"city": "Oslo", "days": True}, "$.days"),
        ({"city": "Oslo", "days": 2.5}, "$.days"),
        ({"city": "Oslo", "town": "Oslo"}, "'town' was unexpected"),
    ],
)
def test_arguments_that_the_schema_does_not_allow(arguments: dict[str, Any], word: str) -> None:
    result = climbed(weather(city="Oslo"), a_call("weather", arguments))
    assert (result.rung, result.tool) == (Rung.SCHEMA_MISMATCH, "weather")
    assert word in result.detail


def test_no_parameters_and_an_empty_schema_allow_any_object() -> None:
    for name in ("anything", "empty"):
        assert rung(name, a_call(name, {})) is Rung.OK
        assert rung(name, a_call(name, {"x": [1]})) is Rung.OK
        assert rung({"name": name, "arguments": {}}, a_call(name, {})) is Rung.OK
        assert rung({"name": name, "arguments": {}}, a_call(name, {"x": 1})) is Rung.ARGUMENT_MISMATCH


def test_a_schema_that_does_not_compile_is_the_golden_sets_mistake() -> None:
    prompt = a_prompt(a_check("tool_called", "f"), tools={"f": {"type": "objet"}})
    with pytest.raises(ConfigError, match="does not compile"):
        judge_tools(prompt, a_record(an_answer("", a_call("f", {}))))


def test_a_number_too_large_for_a_float_is_judged_and_does_not_end_the_run() -> None:
    schema = {"properties": {"a": {"type": "number", "multipleOf": 0.5}}}
    prompt = a_prompt(a_check("tool_called", {"name": "f", "arguments": {"a": 5}}), tools={"f": schema, "g": None})
    huge = a_call("f", '{"a": 1' + "0" * 400 + "}")
    result = judge_tools(prompt, a_record(an_answer("", huge)))
    assert result is not None
    assert result.rung is Rung.SCHEMA_MISMATCH
    expected = {"name": "anything", "arguments": {"a": {"number": 5}}}
    assert rung(expected, a_call("anything", huge.arguments)) is Rung.ARGUMENT_MISMATCH
    literal = {"name": "anything", "arguments": {"a": 5}}
    assert rung(literal, a_call("anything", huge.arguments)) is Rung.ARGUMENT_MISMATCH


ACCEPTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (weather(city="Oslo"), {"city": "Oslo"}),
    (weather(city="Oslo"), {"city": " oslo "}),
    (weather(city="Oslo"), {"city": "Oslo", "days": 1}),  # its schema's default
    (weather(city="Oslo"), {"city": "Oslo", "is_brief": False}),
    (weather(city="Oslo", days=1), {"city": "Oslo"}),  # the default is what was expected
    (weather(city="Oslo", above=5), {"city": "Oslo", "above": 5.0}),
    (weather(city="Oslo", above=5.0), {"city": "Oslo", "above": 5}),
    (weather(city={"any_of": ["Oslo", "Bergen"]}), {"city": "Bergen"}),
    (weather(city={"any": True}), {"city": "zzz"}),
    ({"name": "weather"}, {"city": "zzz", "days": 9}),
    ({**weather(city="Oslo"), "optional": ["days"]}, {"city": "Oslo", "days": 7}),
    ({**weather(city="Oslo", days=2), "optional": ["days"]}, {"city": "Oslo"}),
    ({**weather(city="Oslo"), "ignore": ["a*", "d*"]}, {"city": "Oslo", "days": 7, "above": 1}),
    ({"name": "weather", "ignore": ["city"]}, {"city": "zzz"}),
]
GUEST: dict[str, Any] = {"name": "book", "arguments": {"guest": {"name": "Ada", "note": "window"}}}
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (weather(city="Oslo"), {"city": "Bergen"}, 'weather.arguments.city: expected "Oslo", came "Bergen"'),
    (weather(city="Oslo"), {"city": "Oslo", "days": 2}, "weather.arguments.days: expected no such argument, came 2"),
    (weather(city="Oslo"), {"city": "Oslo", "is_brief": True}, "expected no such argument, came true"),
    (weather(city="Oslo", days=2), {"city": "Oslo"}, "weather.arguments.days: expected 2, came nothing"),
    (weather(city="Oslo", days=1), {"city": "Oslo", "days": 1.0}, "expected 1, came 1.0"),
    (weather(city={"any_of": ["Oslo", "Bergen"]}), {"city": "Rome"}, 'expected one of "Oslo", "Bergen", came "Rome"'),
    ({**weather(city="Oslo", days=2), "optional": ["days"]}, {"city": "Oslo", "days": 3}, "expected 2, came 3"),
    ({"name": "weather", "arguments": {}, "ignore": ["days"]}, {"city": "Oslo"}, "expected no such argument"),
]


@pytest.mark.parametrize(("expected", "arguments"), ACCEPTED)
def test_a_call_with_the_expected_arguments_reaches_the_top(expected: Any, arguments: dict[str, Any]) -> None:
    assert climbed(expected, a_call("weather", arguments, "c1")) == ToolResult(rung=Rung.OK, tool="weather")


@pytest.mark.parametrize(("expected", "arguments", "detail"), REFUSED)
def test_a_call_with_other_arguments_says_which(expected: Any, arguments: dict[str, Any], detail: str) -> None:
    result = climbed(expected, a_call("weather", arguments))
    assert (result.rung, result.tool) == (Rung.ARGUMENT_MISMATCH, "weather")
    assert detail in result.detail


def test_quotes_line_breaks_and_emoji_survive() -> None:
    text = 'She said "it\'s done" 🎉\nC:\\temp'
    expected = {"name": "anything", "arguments": {"text": {"exactly": text}}}
    assert rung(expected, a_call("anything", {"text": text})) is Rung.OK
    assert rung(expected, a_call("anything", {"text": text.replace("\n", "\\n")})) is Rung.ARGUMENT_MISMATCH


CITIES = ("Oslo", "Lima", "Nairobi")


@pytest.mark.parametrize("order", list(itertools.permutations(CITIES)))
def test_parallel_calls_match_in_any_order(order: tuple[str, ...]) -> None:
    expected = [weather(city=city) for city in CITIES]
    assert rung(expected, *(a_call("weather", {"city": city}) for city in order)) is Rung.OK


def test_a_strict_order_is_kept() -> None:
    expected = {"order": "strict", "calls": [weather(city="Oslo"), weather(city="Lima")]}
    oslo, lima = a_call("weather", {"city": "Oslo"}), a_call("weather", {"city": "Lima"})
    assert rung(expected, oslo, lima) is Rung.OK
    assert rung(expected, lima, oslo) is Rung.ARGUMENT_MISMATCH
    assert rung({**expected, "order": "free"}, lima, oslo) is Rung.OK


def test_the_best_assignment_is_found_where_a_greedy_one_would_fail() -> None:
    either = weather(city={"any_of": ["Oslo", "Lima"]})
    calls = [a_call("weather", {"city": "Oslo"}), a_call("weather", {"city": "Lima"})]
    assert rung([either, weather(city="Oslo")], *calls) is Rung.OK
    assert rung([weather(city="Lima"), either], *calls) is Rung.OK


def test_two_equal_calls_do_not_stand_for_two_cities() -> None:
    expected = [weather(city="Oslo"), weather(city="Lima")]
    oslo = a_call("weather", {"city": "Oslo"})
    result = climbed(expected, oslo, oslo)
    assert result.rung is Rung.ARGUMENT_MISMATCH
    assert 'expected "Lima", came "Oslo"' in result.detail


def test_calls_of_two_tools_are_never_confused() -> None:
    expected = [weather(city="Oslo"), {"name": "tide", "arguments": {"city": "Lima"}}]
    oslo, lima = a_call("weather", {"city": "Oslo"}), a_call("tide", {"city": "Lima"})
    assert rung(expected, lima, oslo) is Rung.OK
    result = climbed(expected, a_call("weather", {"city": "Lima"}), a_call("tide", {"city": "Oslo"}))
    assert result.rung is Rung.ARGUMENT_MISMATCH
    assert rung(expected, oslo, oslo) is Rung.DECISION


def test_more_calls_than_expected_are_allowed_only_by_a_count() -> None:
    prompt = a_prompt(a_check("tool_called", weather(city="Oslo")), a_check("tool_count", {"min": 1}), tools=TOOLS)
    calls = (a_call("weather", {"city": "Lima"}), a_call("weather", {"city": "Oslo"}))
    result = judge_tools(prompt, a_record(an_answer("", *calls)))
    assert result is not None
    assert result.rung is Rung.OK
    assert rung(weather(city="Oslo"), *calls) is Rung.DECISION


def test_protocol_two_calls_with_one_id() -> None:
    expected = [weather(city="Oslo"), weather(city="Lima")]
    calls = [a_call("weather", {"city": city}, "call_1") for city in ("Oslo", "Lima")]
    result = climbed(expected, *calls)
    assert (result.rung, result.detail) == (Rung.PROTOCOL, "id 'call_1' is given twice")


def test_a_contradicting_finish_reason_is_a_note_and_no_fall() -> None:
    prompt = a_prompt(a_check("tool_called", "weather"), tools=TOOLS)
    call = a_call("weather", {"city": "Oslo"}, "c1")
    result = judge_tools(prompt, a_record(an_answer("", call, finish_reason="stop")))
    assert result == ToolResult(rung=Rung.OK, tool="weather", detail="note: 1 calls with finish_reason 'stop'")
    assert climbed("weather", a_call("weather", {"city": "Oslo"})).detail == "note: a call without id"


def test_the_lowest_rung_that_any_call_misses_is_the_answers() -> None:
    expected = [weather(city="Oslo"), weather(city="Lima")]
    wrong_value = a_call("weather", {"city": "Rome"})
    assert rung(expected, wrong_value, a_call("weather", {"city": 5})) is Rung.SCHEMA_MISMATCH
    assert rung(expected, wrong_value, a_call("forecast", {"city": 5})) is Rung.UNKNOWN_NAME
    assert rung(expected, a_call("forecast", "{"), wrong_value) is Rung.INVALID_JSON


@pytest.mark.parametrize("tools", [None, [], [None], [{}], [{"function": None}], [{"function": {"name": 5}}], ["f"]])
def test_tools_that_are_none_offer_nothing(tools: Any) -> None:
    assert offered_tools({"tools": tools}) == {}


@given(costs=st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=1, max_size=4))
def test_an_assignment_is_the_cheapest_of_all(costs: list[list[int]]) -> None:
    pairs = assign([[float(cost) for cost in row] for row in costs])
    assert sorted(row for row, _ in pairs) == list(range(len(costs)))
    assert len({column for _, column in pairs}) == len(costs)
    cheapest = min(
        sum(costs[row][column] for row, column in enumerate(columns))
        for columns in itertools.permutations(range(4), len(costs))
    )
    assert sum(costs[row][column] for row, column in pairs) == cheapest


@given(arguments=st.text(max_size=60), text=st.text(max_size=60), name=st.sampled_from(["weather", "zzz", None]))
def test_any_reply_lands_on_one_rung(arguments: str, text: str, name: str | None) -> None:
    assert rung(weather(city="Oslo"), ToolCall(name=name, arguments=arguments), text=text) in set(Rung) - {Rung.OK}


@pytest.mark.parametrize(
    ("ignored", "guest", "expected_rung"),
    [
        (["guest.note"], {"name": "Ada", "note": "aisle"}, Rung.OK),
        (["guest.note"], {"name": "Ada"}, Rung.OK),
        (["guest.*"], {"name": "Bob"}, Rung.OK),
        (["guest.note"], {"name": "Bob", "note": "window"}, Rung.ARGUMENT_MISMATCH),
        (["guest.note"], {"name": "Ada", "note": "window", "age": 36}, Rung.ARGUMENT_MISMATCH),
        (["g*"], {"name": "Ada", "note": "aisle"}, Rung.ARGUMENT_MISMATCH),  # without a dot: whole arguments only
        ([], {"name": "Ada", "note": "aisle"}, Rung.ARGUMENT_MISMATCH),
    ],
)
def test_a_glob_with_a_dot_ignores_a_place_inside_an_argument(
    ignored: list[str], guest: dict[str, Any], expected_rung: Rung
) -> None:
    prompt = a_prompt(a_check("tool_called", {**GUEST, "ignore": ignored}), tools={"book": {}})
    result = judge_tools(prompt, a_record(an_answer("", a_call("book", {"guest": guest}))))
    assert result is not None
    assert result.rung is expected_rung
