"""promptfoo's assertions as checks: each one that has a check, and each way in which one has none."""

import re
from typing import Any

import pytest

from harness.analysis.answers import judge_answer
from harness.analysis.checkarguments import validate_check
from harness.analysis.results.trial import Rung
from harness.model.foreign.assertions import SUPPORTED, Conversion, convert_assertion
from harness.model.golden import CheckKind
from tests.analysis.replies import a_call, a_prompt, a_record, an_answer, holds, judged

TOOLS = frozenset({"f", "g"})
SCHEMA = {"type": "object", "required": ["a"]}


def converted(kind: str, value: Any = None, **more: Any) -> Conversion:
    written = {"type": kind, **({} if value is None else {"value": value}), **more}
    return convert_assertion(written, {"city": "Oslo", "n": 5}, TOOLS)


def passes(conversion: Conversion, text: str) -> bool:
    check = conversion.check
    assert check is not None
    assert validate_check(check) is None
    return holds(("not-" if check.negated else "") + check.kind, check.argument, text)


# assertion, value, an answer that passes it, an answer that fails it
ACCEPTED: list[tuple[str, Any, str, str]] = [
    ("equals", "yes", "yes", "yes!"),
    ("equals", 5, "5", "5.5"),
    ("equals", 5.0, "5", "5.0"),
    ("equals", True, "true", "True"),
    ("equals", {"a": [1]}, '{"a": [1]}', '{"a": [2]}'),
    ("not-equals", "yes", "no", "yes"),
    ("contains", "{{city}}", "in Oslo now", "in oslo now"),
    ("not-contains", "sorry", "fine", "so sorry"),
    ("contains-all", ["a", "b"], "b and a", "a"),
    ("contains-all", 'a, "b, c"', "a b, c", "a b c"),
    ("not-contains-all", "a, b", "a", "a b"),
    ("contains-any", ["a", 7], "7", "8"),
    ("not-contains-any", "a, b", "c", "b"),
    ("icontains", "a.B", "xA.bx", "aXb"),
    ("icontains", "stra\u00dfe", "STRA\u00dfE", "strasse"),
    ("icontains", "e\u0301t\u00e9", "\u00c9T\u00c9", "ete"),
    ("not-icontains", "Sorry", "fine", "SORRY"),
    ("icontains-all", "a, b c", "line\nB C\nA", "b  c a"),
    ("not-icontains-all", ["a", "b"], "A", "B\nA"),
    ("icontains-any", ["x+y", "z"], "X+Y", "xxy"),
    ("not-icontains-any", ["x", "z"], "y", "Z"),
    ("regex", r"^\d{3}$", "123", "1234"),
    ("regex", r"(?<year>\d{4})-\k<year>".replace(r"-\k<year>", ""), "in 2024", "in 24"),
    ("regex", r"(?<!a)b", "cb", "ab"),
    ("not-regex", "(?i)sorry", "fine", "Sorry"),
    ("starts-with", "SELECT", "SELECT 1", "select 1"),
    ("not-starts-with", "Sure", "Yes", "Sure!"),
    ("ends-with", "end", "the end", "the end."),
    ("not-ends-with", "?", "no", "no?"),
    ("is-json", None, "[1]", "[1"),
    ("is-json", "", "[1]", "[1"),
    ("is-json", SCHEMA, '{"a": 1}', '{"b": 1}'),
    ("is-json", "type: object\nrequired: [a]", '{"a": 1}', '{"b": 1}'),
    ("not-is-json", None, "[1", "[1]"),
    ("not-is-json", SCHEMA, '{"b": 1}', '{"a": 1}'),
    ("contains-json", None, "[1]", "none"),
    ("contains-json", SCHEMA, '{"a": 1}', '{"b": 1}'),
    ("not-contains-json", None, "none at all", 'here: {"a": 1}'),
    ("finish-reason", "STOP", "x", ""),
]


@pytest.mark.parametrize(("kind", "value", "right", "wrong"), ACCEPTED)
def test_an_assertion_with_a_check_passes_and_fails_the_same_answers(
    kind: str, value: Any, right: str, wrong: str
) -> None:
    conversion = converted(kind, value)
    assert conversion.unsupported is None
    assert passes(conversion, right)
    assert kind == "finish-reason" or not passes(conversion, wrong)


def test_a_finish_reason_is_compared_in_lower_case() -> None:
    check = converted("finish-reason", "Length").check
    assert check is not None
    assert judged("finish_reason", check.argument, an_answer("x", finish_reason="length")).passed
    assert not judged("finish_reason", check.argument, an_answer("x")).passed
    negated = converted("not-finish-reason", "length").check
    assert negated is not None
    assert negated.negated


def test_a_valid_tools_call_asks_for_at_least_one_valid_call() -> None:
    check = converted("is-valid-openai-tools-call").check
    assert check is not None
    assert (check.kind, check.argument) == (CheckKind.TOOL_COUNT, {"min": 1})
    prompt = a_prompt(check, tools={"f": {"type": "object", "required": ["a"]}})
    rungs = {
        name: judge_answer(prompt, a_record(answer)).tool
        for name, answer in (
            ("valid", an_answer("", a_call("f", {"a": 1}), a_call("f", {"a": 2}))),
            ("none", an_answer("no call")),
            ("unknown", an_answer("", a_call("h"))),
            ("invalid", an_answer("", a_call("f", {"b": 1}))),
        )
    }
    reached = {name: tool is not None and tool.rung is Rung.OK for name, tool in rungs.items()}
    assert reached == {"valid": True, "none": False, "unknown": False, "invalid": False}


@pytest.mark.parametrize("value", ["f, g", ["f", "g", "f"]])
def test_an_f1_of_1_asks_for_exactly_these_tools(value: Any) -> None:
    check = converted("tool-call-f1", value, threshold=1.0).check
    assert check is not None
    assert judged("tool_called", check.argument, an_answer("", a_call("g"), a_call("f"))).passed
    assert not judged("tool_called", check.argument, an_answer("", a_call("f"))).passed


@pytest.mark.parametrize("kind", ["latency", "cost"])
def test_latency_and_cost_are_measured_anyway_and_said(kind: str) -> None:
    conversion = converted(kind, threshold=5)
    assert (conversion.check, conversion.unsupported) == (None, None)
    assert "measured on every request" in str(conversion.remark)


def test_what_is_read_more_strictly_says_so() -> None:
    assert "the whole answer is JSON" in str(converted("contains-json").remark)
    assert "no brackets at all" in str(converted("not-contains-json").remark)
    assert "called once" in str(converted("tool-call-f1", "f").remark)
    assert "without JSON fails" in str(converted("not-is-json", SCHEMA).remark)
    assert "without JSON fails" in str(converted("not-equals", {"a": 1}).remark)
    assert converted("is-json", SCHEMA).remark is None
    assert converted("equals", "a").remark is None


# assertion, value, what is said of it
UNSUPPORTED: list[tuple[dict[str, Any], str]] = [
    ({"type": "llm-rubric", "value": "polite"}, ""),
    ({"type": "javascript", "value": "1"}, ""),
    ({"type": "similar", "value": "x"}, ""),
    ({"type": "not-similar", "value": "x"}, ""),
    ({"type": "select-best", "value": "x"}, ""),
    ({"type": "equals"}, "without a text"),
    ({"type": "equals", "value": ""}, "without a text"),
    ({"type": "contains", "value": " "}, "without a text"),
    ({"type": "contains", "value": ["a"]}, "without a text"),
    ({"type": "contains-all", "value": []}, "without a list"),
    ({"type": "contains-any", "value": 5}, "without a list"),
    ({"type": "icontains", "value": None}, "without a text"),
    ({"type": "icontains-all", "value": ["a", None]}, "without a text"),
    ({"type": "icontains-any", "value": {}}, "without a list"),
    ({"type": "regex", "value": r"\p{L}"}, "does not read"),
    ({"type": "regex", "value": "("}, "does not read"),
    ({"type": "regex", "value": "(?<=a*)b"}, "does not read"),
    ({"type": "starts-with", "value": "{{missing}}"}, "no value for {{missing}}"),
    ({"type": "contains", "value": "{{city | upper}}"}, "beyond {{variable}}"),
    ({"type": "contains", "value": "file://x.txt"}, "another file"),
    ({"type": "is-json", "value": "file://schema.json"}, "another file"),
    ({"type": "is-json", "value": "{"}, "not YAML"),
    ({"type": "is-json", "value": "a text"}, "no mapping"),
    ({"type": "contains-json", "value": 5}, "no mapping"),
    ({"type": "not-contains-json", "value": SCHEMA}, "with a schema"),
    ({"type": "not-is-valid-openai-tools-call"}, "no check"),
    ({"type": "not-tool-call-f1", "value": "f"}, "no check"),
    ({"type": "tool-call-f1", "value": "f", "threshold": 0.5}, "below 1"),
    ({"type": "tool-call-f1", "value": "f, h"}, "'h'"),
    ({"type": "finish-reason"}, "without a text"),
    ({"type": "contains", "value": "a", "transform": "output.text"}, "transformed"),
    ({"type": "contains", "value": "a", "weight": 0}, "weight 0"),
]


@pytest.mark.parametrize(("written", "words"), UNSUPPORTED, ids=lambda value: str(value)[:50])
def test_an_assertion_without_a_check_keeps_its_name_and_reason(written: dict[str, Any], words: str) -> None:
    conversion = convert_assertion(written, {"city": "Oslo"}, TOOLS)
    assert conversion.check is None
    assert conversion.unsupported is not None
    assert words in conversion.unsupported
    assert conversion.name == written["type"]


def test_a_valid_call_without_tools_has_no_check() -> None:
    conversion = convert_assertion({"type": "is-valid-openai-tools-call"}, {}, frozenset())
    assert "without tools" in str(conversion.unsupported)


def test_a_named_group_and_what_refers_to_it_are_rewritten() -> None:
    def pattern(written: str) -> Any:
        check = convert_assertion({"type": "regex", "value": written}, {}, TOOLS).check
        return check and check.argument

    assert pattern(r"(?<x>a)\k<x>") == "(?P<x>a)(?P=x)"
    assert pattern(r"(?<x>a)\\\k<x>") == r"(?P<x>a)\\(?P=x)"
    assert pattern(r"a\\k<x>") == r"a\\k<x>"  # an escaped backslash, then letters
    assert re.search(pattern(r"(?<q>['\"]).*\k<q>"), "say 'x'")


@pytest.mark.parametrize("written", [None, "contains", {}, {"type": 5}])
def test_what_is_no_assertion_is_named(written: Any) -> None:
    assert convert_assertion(written, {}, TOOLS) == Conversion(name="an assertion without a type", unsupported="")


def test_every_supported_assertion_is_tried_here() -> None:
    tried = {row[0].removeprefix("not-") for row in ACCEPTED} | {"is-valid-openai-tools-call", "tool-call-f1"}
    assert tried | {"latency", "cost"} == set(SUPPORTED)
    refused = {row[0]["type"].removeprefix("not-") for row in UNSUPPORTED}
    assert set(SUPPORTED) - refused == {"latency", "cost", "ends-with"}  # the last reads its value as starts-with does
