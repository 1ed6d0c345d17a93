"""Every kind of check, plain and negated, on answers small enough to judge by eye."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.checkarguments import validate_check
from harness.analysis.checks import as_written
from harness.model.golden import TOOL_CHECKS, Check, CheckKind
from harness.model.record import Answer, ToolCall, Usage
from tests.analysis.replies import a_call, a_check, an_answer, holds, judged

SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
ONLY_PLAIN = TOOL_CHECKS | {CheckKind.NO_MARKUP, CheckKind.NO_REPLACEMENT_CHAR}

# kind, argument, answers on which it holds, answers on which it does not
TEXT_CASES: list[tuple[str, Any, list[str], list[str]]] = [
    ("equals", "Brno", ["Brno", "  Brno\n"], ["brno", "Brno.", "", "In Brno"]),
    ("equals", 42, ["42"], ["42.0", "042"]),
    ("equals", "caf\u00e9", ["cafe\u0301"], ["cafe"]),
    ("contains", "HL-58", ["Your reference is HL-58.", "HL-58"], ["hl-58", "HL58", ""]),
    ("contains_all", ["one", "two"], ["two, one"], ["one", "two", ""]),
    ("contains_any", ["hot", "warm"], ["It is warm.", "hot"], ["Hot", "cold", ""]),
    ("regex", r"(?i)\bbrno\b", ["In BRNO, yes."], ["Brnox", ""]),
    ("regex", r"\A1\s+2\Z", ["1\n2\n"], ["0 1 2", "1 2 3"]),
    ("starts_with", "- ", ["- a", "  - a"], ["a - b", ""]),
    ("ends_with", "HERON", ["Blue light scatters. HERON", "HERON\n"], ["HERON.", ""]),
    (
        "json_valid",
        None,
        ['{"a": 1}', " [1, 2]\n", "null", "5"],
        ["", "{a: 1}", '```json\n{"a": 1}\n```', '{"a": 1} ok'],
    ),
    ("json_schema", SCHEMA, ['{"a": 1}', '{"a": 1, "b": 2}'], ['{"a": "1"}', "{}", "[]", '{"a": true}']),
    (
        "json_path",
        {"path": "$.a.b[0]", "equals": 1},
        ['{"a": {"b": [1]}}', '{"a": {"b": [1.0]}}'],
        ['{"a": {"b": [true]}}'],
    ),
    ("json_path", {"path": "$.a", "equals": None}, ['{"a": null}'], ["{}", '{"a": "null"}']),
    ("json_path", {"path": "$.a"}, ['{"a": null}', '{"a": 0}'], ['{"b": 1}', "[]"]),
    (
        "json_path",
        {"path": "$.a", "matches": {"number": 3, "tolerance": 0.5}},
        ['{"a": 3.5}'],
        ['{"a": 3.6}', '{"a": "3"}'],
    ),
    ("json_path", {"path": "$[-1]", "equals": [1, {"x": 2}]}, ['[0, [1, {"x": 2}]]'], ["[]", '[[1, {"x": 3}]]']),
    (
        "number_equals",
        86.8,
        ["So it took 86.80", "32.40 + 54.40 = **86.80**", "€86.8."],
        ["86.81", "86.8 or 87", "", "six"],
    ),
    ("number_equals", {"value": 26.22, "tolerance": 0.005}, ["26.22", "26.215", "26.225"], ["26.23", "-26.22"]),
    ("number_equals", -5, ["It is -5", "\u22125"], ["5", "10-5", "- 5"]),
    ("number_equals", 1234567, ["1,234,567", "1\u00a0234\u00a0567", "1.234567e6"], ["1234,567"]),
    (
        "date_equals",
        "2026-03-14",
        [
            *(
                "2026-03-14",
                "It is due on 14 March 2026.",
                "March 14th, 2026",
                "14.3.2026",
                "2026年3月14日",
                "3/14/2026",
            ),
            *("not 2026-03-13 but 2026-03-14", "2026-03-14T23:59:59Z"),
        ],
        ["", "14 March", "2026-03-13", "2026-03-14, so before 2026-03-15", "31 Feb 2026", "2026-03-144"],
    ),
    (
        "date_equals",
        {"value": "2026-03-04", "tolerance_days": 2},
        ["2026-03-02", "2026-03-06", "Mar. 4, 2026", "4/3/2026 is unclear, 2026-03-05 is not"],
        ["2026-03-01", "2026-03-07", "03/04/2026", "4 April 2026"],
    ),
    (
        "json_path",
        {"path": "$.due", "matches": {"date": "2026-03-14", "tolerance_days": 1}},
        ['{"due": "2026-03-15"}', '{"due": "March 14, 2026"}', '{"due": "20260313"}'],
        ['{"due": "2026-03-16"}', '{"due": 20260314}', '{"due": "by 2026-03-14"}', '{"due": null}'],
    ),
    ("no_markup", None, ["a < b and [x]", ""], ["<tool_call>{}", "ok</think>", "<|im_end|>"]),
    ("no_replacement_char", None, ["žluťoučký 👩\u200d👧", ""], ["caf\ufffd"]),
    ("max_words", 3, ["one two three", "", "a\nb"], ["one two three four"]),
]


@pytest.mark.parametrize(("kind", "argument", "right", "wrong"), TEXT_CASES)
def test_a_check_holds_on_right_answers_only(kind: str, argument: Any, right: list[str], wrong: list[str]) -> None:
    assert [text for text in right if not holds(kind, argument, text)] == []
    assert [text for text in wrong if holds(kind, argument, text)] == []


@pytest.mark.parametrize(("kind", "argument", "right", "wrong"), TEXT_CASES)
def test_the_not_form_is_the_opposite_wherever_there_is_something_to_judge(
    kind: str, argument: Any, right: list[str], wrong: list[str]
) -> None:
    if CheckKind(kind) in ONLY_PLAIN:
        assert validate_check(a_check(f"not-{kind}", argument)) == f"{kind} has no not- form"
        return
    looks_into_json = kind in {"json_schema", "json_path"}
    assert [text for text in right if holds(f"not-{kind}", argument, text)] == []
    judgeable = [text for text in wrong if not looks_into_json or text]
    assert [text for text in judgeable if not holds(f"not-{kind}", argument, text)] == []


@pytest.mark.parametrize("name", ["json_schema", "not-json_schema"])
def test_an_answer_without_json_fails_both_forms_of_a_check_that_looks_into_it(name: str) -> None:
    assert not holds(name, SCHEMA, "zzz")
    path = {"path": "$.a", "equals": 1}
    assert not holds(name.replace("schema", "path"), path, '```json\n{"a": 1}\n```')


Reply = tuple[Answer, Usage | None]


def _reply(answer: Answer | str, **usage: int) -> Reply:
    return an_answer(answer) if isinstance(answer, str) else answer, Usage(**usage) if usage else None


F_CALL, G_CALL = a_call("f"), a_call("g")
# as TEXT_CASES, for what is looked for outside of the text
REPLY_CASES: list[tuple[str, Any, list[Reply], list[Reply]]] = [
    (
        "finish_reason",
        "stop",
        [_reply("a")],
        [_reply(an_answer("a", finish_reason="length")), _reply(Answer(text="a")), _reply(an_answer("", F_CALL))],
    ),
    ("finish_reason", ["stop", "length"], [_reply("a"), _reply(an_answer("a", finish_reason="length"))], []),
    (
        "min_completion_tokens",
        3,
        [_reply("a", completion_tokens=3), _reply("one, two"), _reply("a", completion_tokens=900)],
        [_reply("a b c d", completion_tokens=2), _reply("one two"), _reply("")],
    ),
    (
        "prompt_tokens_range",
        [5, 7],
        [_reply("a", prompt_tokens=5), _reply("a", prompt_tokens=7)],
        [_reply("a", prompt_tokens=4), _reply("a", prompt_tokens=8), _reply("a", prompt_tokens=0)],
    ),
    (
        "tool_called",
        {"name": "f", "arguments": {}},
        [_reply(an_answer("", F_CALL)), _reply(an_answer("I look.", F_CALL))],
        [_reply("f()"), _reply(an_answer("", G_CALL)), _reply(an_answer("", F_CALL, F_CALL)), _reply("")],
    ),
    (
        "tool_count",
        {"min": 1, "max": 2},
        [_reply(an_answer("", F_CALL)), _reply(an_answer("", F_CALL, G_CALL))],
        [_reply("f"), _reply(an_answer("", F_CALL, F_CALL, G_CALL))],
    ),
    (
        "no_tool",
        None,
        [_reply("hot"), _reply("")],
        [_reply(an_answer("", F_CALL)), _reply("<tool_call>"), _reply('{"name": "f", "arguments": {}}')],
    ),
]


@pytest.mark.parametrize(("kind", "argument", "right", "wrong"), REPLY_CASES)
def test_a_check_on_the_reply_holds_on_right_replies_only_and_its_not_form_on_wrong_ones(
    kind: str, argument: Any, right: list[Reply], wrong: list[Reply]
) -> None:
    assert [reply for reply in right if not holds(kind, argument, *reply)] == []
    assert [reply for reply in wrong if holds(kind, argument, *reply)] == []
    if CheckKind(kind) in ONLY_PLAIN:
        assert validate_check(a_check(f"not-{kind}", argument)) == f"{kind} has no not- form"
    else:
        assert [reply for reply in right if holds(f"not-{kind}", argument, *reply)] == []
        assert [reply for reply in wrong if not holds(f"not-{kind}", argument, *reply)] == []


def test_every_kind_of_check_is_in_the_tables_with_what_it_accepts_and_refuses() -> None:
    tables = [*TEXT_CASES, *REPLY_CASES]
    assert {case[0] for case in tables if case[2]} == {case[0] for case in tables if case[3]} == set(CheckKind)


def test_every_check_that_fails_says_what_was_expected_what_came_and_where() -> None:
    wrong: list[tuple[str, Any, Reply]] = [
        (kind, argument, (an_answer(text), None)) for kind, argument, _, texts in TEXT_CASES for text in texts
    ]
    wrong += [(kind, argument, reply) for kind, argument, _, replies in REPLY_CASES for reply in replies]
    right: list[tuple[str, Any, Reply]] = [
        (kind, argument, (an_answer(text), None)) for kind, argument, texts, _ in TEXT_CASES for text in texts
    ]
    right += [(kind, argument, reply) for kind, argument, replies, _ in REPLY_CASES for reply in replies]
    failing = [(kind, *judgement) for kind, *judgement in wrong]
    failing += [(f"not-{kind}", *judgement) for kind, *judgement in right if CheckKind(kind) not in ONLY_PLAIN]
    results = [judged(kind, argument, *reply) for kind, argument, reply in failing]
    assert len(results) > 150
    assert [result for result in results if result.passed] == []
    assert [result for result in results if not (result.expected and result.came and result.where)] == []
    assert all(result.expected.startswith("not: ") == result.check.startswith("not-") for result in results)


def test_a_finish_reason_is_one_of_those_allowed() -> None:
    cut = an_answer("a", finish_reason="length")
    assert holds("finish_reason", "length", cut)
    assert holds("finish_reason", ["stop", "length"], cut)
    assert not holds("finish_reason", "stop", cut)
    assert holds("not-finish_reason", "stop", cut)
    assert not holds("finish_reason", "stop", Answer(text="a"))
    assert judged("finish_reason", "stop", Answer(text="a")).came == "none sent"


@pytest.mark.parametrize(
    ("came", "word"), [("eos", "stop"), ("eos_token", "stop"), ("stop_sequence", "stop"), ("model_length", "length")]
)
def test_a_servers_own_finish_reason_counts_as_the_contracts(came: str, word: str) -> None:
    answer = an_answer("a", finish_reason=came)
    assert holds("finish_reason", word, answer)
    assert holds("finish_reason", came, answer)
    assert not holds("not-finish_reason", word, answer)
    assert not holds("finish_reason", "tool_calls", answer)
    assert judged("finish_reason", "tool_calls", answer).came == f"{came} (means {word})"
    assert judged("finish_reason", "stop", an_answer("a", finish_reason="banana")).came == "banana"


def test_completion_tokens_come_from_usage_and_else_from_words_and_marks() -> None:
    assert holds("min_completion_tokens", 3, "a", Usage(completion_tokens=3))
    assert not holds("min_completion_tokens", 3, "a b c d", Usage(completion_tokens=2))
    assert holds("min_completion_tokens", 4, "one, two!")
    assert not holds("min_completion_tokens", 5, "one, two!")
    assert judged("min_completion_tokens", 5, an_answer("one, two!")).came == "about 4"


def test_prompt_tokens_that_nobody_reported_satisfy_neither_form() -> None:
    assert holds("prompt_tokens_range", [5, 7], "a", Usage(prompt_tokens=5))
    assert holds("prompt_tokens_range", [5, 7], "a", Usage(prompt_tokens=7))
    assert not holds("prompt_tokens_range", [5, 7], "a", Usage(prompt_tokens=8))
    assert holds("not-prompt_tokens_range", [5, 7], "a", Usage(prompt_tokens=8))
    for name in ("prompt_tokens_range", "not-prompt_tokens_range"):
        assert not holds(name, [5, 7], "a")
        assert not holds(name, [5, 7], "a", Usage(completion_tokens=6))


def test_tool_checks_follow_the_ladder() -> None:
    assert holds("tool_called", "f", an_answer("", a_call("f")))
    assert not holds("tool_called", "f", an_answer("", a_call("g")))
    assert not holds("tool_called", "f", an_answer("f()"))
    assert holds("tool_count", 2, an_answer("", a_call("f"), a_call("f")))
    assert holds("tool_count", {"min": 1}, an_answer("", a_call("f"), a_call("g")))
    assert not holds("tool_count", {"max": 1}, an_answer("", a_call("f"), a_call("g")))
    assert holds("no_tool", None, an_answer("hot"))
    assert not holds("no_tool", None, an_answer("", a_call("f")))
    assert not holds("no_tool", None, an_answer('<tool_call>{"name": "f"}</tool_call>'))
    assert not holds("no_tool", None, an_answer('{"name": "f", "arguments": {}}'))


def test_a_replacement_character_inside_arguments_counts() -> None:
    assert not holds("no_replacement_char", None, an_answer("", a_call("f", '{"a": "caf\ufffd"}')))


def test_a_failing_check_says_what_was_expected_what_came_and_where() -> None:
    result = judged("json_path", {"path": "$.a.b", "equals": 5}, an_answer('{"a": {"b": "5"}}'))
    assert (result.expected, result.came, result.where) == ("5", '"5"', "$.a.b")
    result = judged("json_path", {"path": "$.a.b[2]", "equals": 5}, an_answer('{"a": {"b": []}}'))
    assert (result.came, result.where) == ("nothing", "$.a.b[2]")
    result = judged("json_schema", SCHEMA, an_answer('{"a": "1"}'))
    assert (result.where, result.came) == ("$.a", "'1' is not of type 'integer'")
    result = judged("equals", "abcd", an_answer("abxd"))
    assert result.where == "answer text, from character 2"
    result = judged("contains_all", ["x", "y"], an_answer("x"))
    assert result.where == "answer text; missing: y"
    result = judged("number_equals", {"value": 2, "tolerance": 0.5}, an_answer("it is 3"))
    assert (result.expected, result.came) == ("2 ± 0.5", "3 in: it is 3")
    assert judged("not-contains", "x", an_answer("x")).expected == "not: contains x"


def test_a_check_is_shown_as_it_stands_in_the_file() -> None:
    assert as_written(a_check("not-contains", "sorry")) == "not-contains: sorry"
    assert as_written(a_check("no_tool", True)) == "no-tool"
    assert as_written(a_check("json_path", {"path": "$.a"})) == 'json-path: {"path": "$.a"}'


def test_a_message_can_always_be_written_to_a_file() -> None:
    result = judged("json_path", {"path": "$.a", "equals": 1}, an_answer('{"a": "\\ud800"}'))
    assert result.came.encode()
    assert not result.passed


@given(text=st.text(max_size=300))
def test_any_answer_can_be_judged_by_every_check(text: str) -> None:
    calls = (ToolCall(name="f", arguments=text),)
    for kind, argument, _, _ in TEXT_CASES:
        assert judged(kind, argument, an_answer(text)).passed in {True, False}
        assert len(judged(kind, argument, Answer(text=text, tool_calls=calls)).came) <= 400


@pytest.mark.parametrize("text", ["[" * 200_000, "1" * 100_000, "\n" * 100_000 + "x", "```" + "\n" * 100_000 + "x"])
def test_an_answer_stuck_in_a_loop_is_judged_like_any_other(text: str) -> None:
    for kind, argument, _, _ in TEXT_CASES:
        assert not judged(kind, argument, an_answer(text)).passed or kind.startswith(("no_", "max_words", "json_valid"))
    assert judged("min_completion_tokens", 10**9, an_answer(text)).passed is False


# check as written, a word of the problem; None where nothing is wrong
ARGUMENTS: list[tuple[str, Any, str | None]] = [
    ("contains", "x", None),
    ("contains", 5, None),
    ("contains", "", "takes a text"),
    ("contains", True, "takes a text"),
    ("contains", None, "takes a text"),
    ("contains_all", ["a", 1], None),
    ("contains_all", [], "a list of texts"),
    ("contains_any", "a", "a list of texts"),
    ("contains_any", ["a", None], "takes a text"),
    ("regex", "(", "does not compile"),
    ("regex", 5, "a regular expression is a text"),
    ("json_valid", True, None),
    ("json_valid", None, None),
    ("json_valid", "yes", "takes no argument"),
    ("json_schema", {"type": "objet"}, "not a draft 2020-12 schema at $.type"),
    ("json_schema", {"properties": {"a": {"pattern": "("}}}, "not a draft 2020-12 schema"),
    ("json_schema", {"$ref": "#/$defs/nowhere"}, "leads nowhere"),
    ("json_schema", {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}, None),
    ("json_schema", "object", "a schema is a mapping"),
    ("json_schema", True, None),
    ("json_path", {"path": "$.a", "equals": 1}, None),
    ("json_path", {"path": "$['a b'][-1]"}, None),
    ("json_path", "$.a", "takes path"),
    ("json_path", {"path": "a.b"}, "looks like $.a.b[0]"),
    ("json_path", {"path": "$..a"}, "looks like $.a.b[0]"),
    ("json_path", {"path": "$.a", "equals": 1, "matches": 1}, "not both"),
    ("json_path", {"path": "$.a", "equal": 1}, "takes path"),
    ("json_path", {"path": "$.a", "matches": {"regex": "("}}, "does not compile"),
    ("number_equals", 5, None),
    ("number_equals", {"value": 5, "tolerance": 0.1}, None),
    ("number_equals", {"value": 5, "tolerance": -1}, "0 or above"),
    ("number_equals", {"value": "5"}, "takes a number"),
    ("number_equals", {"value": 5, "tol": 1}, "value and tolerance"),
    ("number_equals", True, "takes a number"),
    ("date_equals", "2026-03-14", None),
    ("date_equals", {"value": "2026-03-14", "tolerance_days": 2}, None),
    ("date_equals", "14 March 2026", "takes a date as 2026-03-14"),
    ("date_equals", "2026-02-30", "takes a date as 2026-03-14"),
    ("date_equals", 20260314, "takes a date as 2026-03-14"),
    ("date_equals", {"value": "2026-03-14", "tolerance": 2}, "takes value and tolerance_days"),
    ("date_equals", {"value": "2026-03-14", "tolerance_days": 0.5}, "a whole number, 0 or above"),
    ("date_equals", {"value": "2026-03-14", "tolerance_days": -1}, "a whole number, 0 or above"),
    ("json_path", {"path": "$.a", "matches": {"date": "tomorrow"}}, "takes a date as 2026-03-14"),
    ("tool_called", {"name": "f", "defaults": {"a": 1}}, None),
    ("tool_called", {"name": "f", "defaults": [1]}, "defaults of 'f' are a mapping"),
    ("tool_called", {"name": "f", "defaults": {False: 1}}, "put it in quotes"),
    ("number_equals", float("nan"), "takes a number"),
    ("tool_called", "f", None),
    ("tool_called", {"name": "f", "arguments": {"a": {"any_of": [1, 2]}}, "optional": ["b"], "ignore": ["c*"]}, None),
    ("tool_called", {"order": "strict", "calls": ["f", {"name": "g"}]}, None),
    ("tool_called", {"order": "loose", "calls": ["f"]}, "strict or free"),
    ("tool_called", {"order": [], "calls": ["f"]}, "strict or free"),
    ("tool_called", [], "at least one call"),
    ("tool_called", {"arguments": {}}, "a mapping with a name"),
    ("tool_called", {"name": "f", "args": {}}, "unknown key 'args'"),
    ("tool_called", {"name": "f", "arguments": [1]}, "are a mapping"),
    ("tool_called", {"name": "f", "optional": "a"}, "a list of argument names"),
    ("tool_called", {"name": "f", "arguments": {False: 1}}, "put it in quotes"),
    ("tool_called", {"name": "f", "arguments": {"a": {"b": {True: 1}}}}, "put it in quotes"),
    ("tool_called", {"name": "f", "arguments": {"a": {"any_of": []}}}, "any_of takes a list"),
    ("tool_called", {"name": "f", "arguments": {"a": {"number": "5"}}}, "takes a number"),
    ("tool_called", {"name": "f", "arguments": {"a": {"number": 5, "tolerance": -1}}}, "0 or above"),
    ("tool_called", {"name": "f", "arguments": {"a": {"any": False}}}, "any takes true"),
    ("tool_called", {"name": "f", "arguments": {"a": {"contains": 5}}}, "contains takes a text"),
    ("tool_count", 2, None),
    ("tool_count", {"min": 1}, None),
    ("tool_count", {"min": 2, "max": 1}, "min is above max"),
    ("tool_count", -1, "0 or above"),
    ("tool_count", True, "whole numbers"),
    ("tool_count", {"most": 1}, "min and max"),
    ("no_tool", True, None),
    ("no_tool", False, "takes no argument"),
    ("finish_reason", ["stop", "length"], None),
    ("finish_reason", [], "takes a finish reason"),
    ("finish_reason", 5, "takes a finish reason"),
    ("max_words", 5, None),
    ("max_words", 0, "above 0"),
    ("min_completion_tokens", 1.5, "a whole number"),
    ("prompt_tokens_range", [1, 2], None),
    ("prompt_tokens_range", [2, 1], "[fewest, most]"),
    ("prompt_tokens_range", 5, "[fewest, most]"),
]


@pytest.mark.parametrize(("kind", "argument", "problem"), ARGUMENTS)
def test_an_argument_is_accepted_or_its_problem_is_named(kind: str, argument: Any, problem: str | None) -> None:
    found = validate_check(a_check(kind, argument))
    assert (found is None) if problem is None else (found is not None and problem in found)
    assert found is None or found.startswith(kind)


def test_every_kind_refuses_some_argument() -> None:
    assert {kind for kind, _, problem in ARGUMENTS if problem} >= set(CheckKind) - {
        "equals",  # as contains
        "starts_with",
        "ends_with",
        "no_markup",  # as no_tool
        "no_replacement_char",
    }


ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(argument=ANY_VALUE)
def test_any_argument_is_accepted_or_refused_in_words(argument: Any) -> None:
    for kind in CheckKind:
        problem = validate_check(Check(kind=kind, argument=argument))
        assert problem is None or problem.startswith(kind)
