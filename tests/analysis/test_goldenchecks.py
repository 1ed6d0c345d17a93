"""A golden set that could not be judged is refused before anything is sent."""

import re
import subprocess
import sys
from typing import Any

import pytest

from harness.analysis.goldenchecks import validate_golden_set
from harness.errors import ConfigError
from harness.model.golden import Check, Example, ExampleCall, GoldenSet, Prompt
from tests.analysis.replies import a_check, a_prompt

BAD_SCHEMA = {"type": "objet"}


def refused(*checks: Check, tools: dict[str, Any] | None = None, request: dict[str, Any] | None = None) -> ConfigError:
    prompts = [a_prompt(a_check("contains", "x")), a_prompt(*checks, tools=tools, request=request or {})]
    with pytest.raises(ConfigError) as caught:
        validate_golden_set(GoldenSet(name="mine", prompts=prompts))
    return caught.value


def test_a_valid_set_passes() -> None:
    prompt = a_prompt(a_check("tool_called", "f"), a_check("tool_count", {"min": 1}), tools={"f": {"type": "object"}})
    validate_golden_set(GoldenSet(name="mine", prompts=[prompt, a_prompt()]))


def test_the_error_names_set_prompt_check_and_remedy() -> None:
    error = refused(a_check("number_equals", "five"), a_check("regex", "("))
    assert str(error) == (
        "golden set 'mine', prompt 'p': number_equals: takes a number (found five); "
        "regex: the regular expression '(' does not compile: missing ), unterminated subpattern at position 0. "
        "Correct it in the golden set; docs/golden-set.md has an example of every check"
    )
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("checks", "tools", "request_body", "word"),
    [
        ([a_check("not-no_tool")], {}, {}, "no_tool has no not- form"),
        ([a_check("not-tool_called", "f")], {"f": None}, {}, "tool_called has no not- form"),
        ([a_check("json_schema", BAD_SCHEMA)], {}, {}, "json_schema: not a draft 2020-12 schema"),
        ([a_check("tool_called", "g")], {"f": None}, {}, "tool 'g' is not offered"),
        ([], {"f": BAD_SCHEMA}, {}, "parameters of tool 'f': not a draft 2020-12 schema"),
        ([], {"f": {"$ref": "#/$defs/x"}}, {}, "reference '#/$defs/x' leads nowhere"),
        ([a_check("no_tool"), a_check("tool_count", 1)], {"f": None}, {}, "no_tool stands beside another"),
        ([a_check("tool_called", "f"), a_check("tool_called", "f")], {"f": None}, {}, "takes a list"),
        ([], None, {"tools": [{"type": "function", "function": {"name": "f"}}] * 2}, "the same name"),
        ([], None, {"tools": [{"type": "function"}]}, "no function with a name"),
        ([], {}, {"response_format": {"json_schema": {"schema": BAD_SCHEMA}}}, "response_format: not a draft 2020-12"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    checks: list[Check], tools: dict[str, Any] | None, request_body: dict[str, Any], word: str
) -> None:
    error = refused(*checks, tools=tools, request=request_body)
    assert word in error.problem
    assert error.where == "golden set 'mine', prompt 'p'"


def test_a_providers_own_type_of_tool_is_left_alone() -> None:
    tools = [{"type": "web_search"}, {"type": "function", "function": {"name": "f"}}]
    validate_golden_set(GoldenSet(name="mine", prompts=[a_prompt(request={"tools": tools})]))


@pytest.mark.parametrize("wanted", [None, "json", {"type": "json_object"}, {"json_schema": None}, {"json_schema": {}}])
def test_a_response_format_without_a_schema_is_left_alone(wanted: Any) -> None:
    validate_golden_set(GoldenSet(name="mine", prompts=[a_prompt(request={"response_format": wanted})]))


def test_validating_loads_no_arrays() -> None:
    code = (
        "import sys; from harness.analysis.goldenchecks import validate_golden_set; "
        "print([name for name in ('pandas', 'scipy', 'numpy', 'matplotlib') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert out.stdout.strip() == "[]"


def test_a_prompt_of_another_set_is_not_blamed() -> None:
    good = Prompt(id="good", category="c", intent="i", request={"messages": []})
    bad = Prompt(id="bad", category="c", intent="i", request={"messages": []}, checks=[a_check("max_words", 0)])
    with pytest.raises(ConfigError, match="prompt 'bad'"):
        validate_golden_set(GoldenSet(name="mine", prompts=[good, bad]))


def an_example(example: Example, *checks: Check, tools: dict[str, Any] | None = None) -> GoldenSet:
    return GoldenSet(name="mine", prompts=[a_prompt(*checks, tools=tools, example=example)])


def test_an_example_that_fails_its_own_check_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"prompt 'p': its example fails equals: delivery \(expected .*delivery.*Refund"
    ):
        validate_golden_set(an_example(Example(text="Refund."), a_check("equals", "delivery")))


def test_an_example_call_is_judged_like_any_other() -> None:
    example = Example(tool_calls=[ExampleCall(name="f", arguments={"b": 1})])
    check = a_check("tool_called", {"name": "f", "arguments": {"a": 1}})
    with pytest.raises(ConfigError, match="its example fails tool-called"):
        validate_golden_set(an_example(example, check, tools={"f": None}))


def test_an_example_is_not_asked_for_what_only_a_reply_has() -> None:
    checks = (a_check("finish_reason", "length"), a_check("min_completion_tokens", 5), a_check("contains", "yes"))
    validate_golden_set(an_example(Example(text="yes"), *checks))


CALLED = a_check("tool_called", "f")
SAYS_IT = a_check("contains", "heron-42")


@pytest.mark.parametrize(
    ("check", "tools", "loop", "word"),
    [
        (CALLED, {"f": None}, {"tool_results": {"f": 1}}, "tool_results without final"),
        (CALLED, {"f": None}, {"final": [SAYS_IT]}, "final without tool_results"),
        (
            CALLED,
            {"f": None},
            {"tool_results": {"f": 1, "g": 2}, "final": [SAYS_IT]},
            "tool_results: 'g' is not offered",
        ),
        (CALLED, {"f": None, "g": None}, {"tool_results": {"g": 1}, "final": [SAYS_IT]}, "tool 'f' may be called"),
        (
            a_check("tool_count", 1),
            {"f": None, "g": None},
            {"tool_results": {"f": 1}, "final": [SAYS_IT]},
            "tool 'g' may be called and has no result",
        ),
        (
            a_check("no_tool"),
            {"f": None},
            {"tool_results": {"f": 1}, "final": [SAYS_IT]},
            "a check that expects a call",
        ),
        (a_check("json_valid"), {"f": None}, {"tool_results": {"f": 1}, "final": [SAYS_IT]}, "expects a call"),
        (
            CALLED,
            {"f": None},
            {"tool_results": {"f": 1}, "final": [CALLED]},
            "final: tool_called is not for the second",
        ),
        (
            CALLED,
            {"f": None},
            {"tool_results": {"f": 1}, "final": [a_check("regex", "(")]},
            "final: regex: the regular",
        ),
    ],
)
def test_a_loop_that_could_not_be_judged_is_refused(
    check: Check, tools: dict[str, Any], loop: dict[str, Any], word: str
) -> None:
    prompt = a_prompt(check, tools=tools, **loop)
    with pytest.raises(ConfigError, match=re.escape(word)):
        validate_golden_set(GoldenSet(name="mine", prompts=[prompt]))


def test_a_loop_whose_calls_all_have_results_is_valid() -> None:
    final = [a_check("no_tool"), SAYS_IT, a_check("not-contains", "sorry")]
    prompt = a_prompt(CALLED, tools={"f": None, "g": None}, tool_results={"f": None}, final=final)
    validate_golden_set(GoldenSet(name="mine", prompts=[prompt]))
