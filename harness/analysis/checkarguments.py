"""Validates checks and prompts as written, before anything is sent."""

from collections.abc import Callable
from typing import Any

from harness.analysis.excerpts import excerpt
from harness.analysis.expectedcalls import tool_called_problem, tool_expectation
from harness.analysis.jsonschemas import schema_problem
from harness.analysis.jsontext import parse_path
from harness.analysis.matcherproblems import date_problem, matcher_problem, number_problem, pattern_problem
from harness.analysis.matching import is_number
from harness.analysis.tools import offered_tools
from harness.model.golden import TOOL_CHECKS, Check, CheckKind, Prompt

_WITHOUT_NEGATION = TOOL_CHECKS | {CheckKind.NO_MARKUP, CheckKind.NO_REPLACEMENT_CHAR}


def validate_check(check: Check) -> str | None:
    """Say what is wrong with a check as written, None when nothing is."""
    if check.negated and check.kind in _WITHOUT_NEGATION:
        return f"{check.kind} has no not- form"
    problem = _PROBLEMS[check.kind](check.argument)
    return f"{check.kind}: {problem}" if problem else None


def validate_prompt(prompt: Prompt) -> tuple[str, ...]:
    """List what makes a prompt unjudgeable: bad checks, tools that are not offered, schemas that do not compile."""
    problems = [problem for check in prompt.checks if (problem := validate_check(check))]
    problems += [f"final: {problem}" for check in prompt.final if (problem := _final_problem(check))]
    if problems:
        return tuple(problems)
    return (*_response_format_problems(prompt.request), *_tool_problems(prompt), *_loop_problems(prompt))


def _final_problem(check: Check) -> str | None:
    if check.kind in TOOL_CHECKS and check.kind is not CheckKind.NO_TOOL:
        return f"{check.kind} is not for the second answer, which must use what the tools returned"
    return validate_check(check)


def _loop_problems(prompt: Prompt) -> list[str]:
    """A loop needs calls to answer, a result for each of them, and a check on what becomes of it."""
    if bool(prompt.tool_results) != bool(prompt.final):
        lone, other = ("tool_results", "final") if prompt.tool_results else ("final", "tool_results")
        return [f"{lone} without {other}: canned results and checks on the second answer go together"]
    if not prompt.tool_results:
        return []
    offered = offered_tools(prompt.request)
    expectation = tool_expectation(prompt.checks)
    if expectation is None or expectation.most == 0:
        return ["tool_results without a check that expects a call"]
    called = {call.name for call in expectation.calls} or set(offered)
    return [
        *(f"tool_results: {name!r} is not offered" for name in prompt.tool_results if name not in offered),
        *(f"tool {name!r} may be called and has no result" for name in sorted(called - prompt.tool_results.keys())),
    ]


def _response_format_problems(request: dict[str, Any]) -> list[str]:
    wanted = request.get("response_format")
    named = wanted.get("json_schema") if isinstance(wanted, dict) else None
    schema = named.get("schema") if isinstance(named, dict) else None
    problem = schema_problem(schema) if schema is not None else None
    return [f"response_format: {problem}"] if problem else []


def _tool_problems(prompt: Prompt) -> list[str]:
    offered = offered_tools(prompt.request)
    problems = [
        f"parameters of tool {name!r}: {problem}"
        for name, schema in offered.items()
        if schema is not None and (problem := schema_problem(schema))
    ]
    functions = [tool for tool in prompt.request.get("tools") or [] if _is_function(tool)]
    if len(offered) < len(functions):
        problems.append("a tool has no function with a name, or two have the same name")
    kinds = [check.kind for check in prompt.checks if check.kind in TOOL_CHECKS]
    if len(kinds) != len(set(kinds)):
        problems.append("a check on tools is given twice; tool_called takes a list")
    if CheckKind.NO_TOOL in kinds and len(kinds) > 1:
        problems.append("no_tool stands beside another check on tools")
    expectation = tool_expectation(prompt.checks)
    calls = expectation.calls if expectation else ()
    return problems + [f"tool {call.name!r} is not offered" for call in calls if call.name not in offered]


def _is_function(tool: Any) -> bool:
    """Whether a tool is a function; providers offer tools of other types too, which are sent as they stand."""
    return isinstance(tool, dict) and tool.get("type", "function") == "function"


def _scalar(argument: Any) -> str | None:
    is_text = isinstance(argument, str) and argument.strip() != ""
    return None if is_text or is_number(argument) else f"takes a text (found {excerpt(argument, 60)})"


def _scalars(argument: Any) -> str | None:
    if not isinstance(argument, list) or not argument:
        return "takes a list of texts"
    return next((problem for item in argument if (problem := _scalar(item))), None)


def _nothing(argument: Any) -> str | None:
    return None if argument is None or argument is True else "takes no argument, or true"


def _positive_integer(argument: Any) -> str | None:
    is_positive = isinstance(argument, int) and not isinstance(argument, bool) and argument > 0
    return None if is_positive else f"takes a whole number above 0 (found {excerpt(argument, 60)})"


def _number(argument: Any) -> str | None:
    if not isinstance(argument, dict):
        return number_problem(argument, 0)
    if set(argument) - {"value", "tolerance"}:
        return "takes value and tolerance"
    return number_problem(argument.get("value"), argument.get("tolerance", 0))


def _date(argument: Any) -> str | None:
    if not isinstance(argument, dict):
        return date_problem(argument, 0)
    if set(argument) - {"value", "tolerance_days"}:
        return "takes value and tolerance_days"
    return date_problem(argument.get("value"), argument.get("tolerance_days", 0))


def _path(argument: Any) -> str | None:
    if not isinstance(argument, dict) or "path" not in argument or set(argument) - {"path", "equals", "matches"}:
        return "takes path and one of equals, matches, or path alone"
    if "equals" in argument and "matches" in argument:
        return "takes one of equals and matches, not both"
    if not isinstance(argument["path"], str) or parse_path(argument["path"]) is None:
        return f"path looks like $.a.b[0] (found {excerpt(argument['path'], 60)})"
    return matcher_problem(argument.get("matches"))


def _count(argument: Any) -> str | None:
    bounds = argument if isinstance(argument, dict) else {"min": argument, "max": argument}
    if not bounds or set(bounds) - {"min", "max"}:
        return "takes a number, or min and max"
    numbers = [bounds.get("min", 0), bounds["max"]] if "max" in bounds else [bounds["min"]]
    if not all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in numbers):
        return "takes whole numbers, 0 or above"
    return None if numbers == sorted(numbers) else "min is above max"


def _range(argument: Any) -> str | None:
    is_pair = isinstance(argument, list) and len(argument) == 2 and all(map(is_number, argument))  # noqa: PLR2004
    return None if is_pair and argument[0] <= argument[1] else "takes [fewest, most]"


def _reasons(argument: Any) -> str | None:
    reasons = argument if isinstance(argument, list) else [argument]
    is_text = bool(reasons) and all(isinstance(reason, str) and reason for reason in reasons)
    return None if is_text else "takes a finish reason, or a list of them"


_PROBLEMS: dict[CheckKind, Callable[[Any], str | None]] = {
    CheckKind.EQUALS: _scalar,
    CheckKind.CONTAINS: _scalar,
    CheckKind.CONTAINS_ALL: _scalars,
    CheckKind.CONTAINS_ANY: _scalars,
    CheckKind.REGEX: pattern_problem,
    CheckKind.STARTS_WITH: _scalar,
    CheckKind.ENDS_WITH: _scalar,
    CheckKind.JSON_VALID: _nothing,
    CheckKind.JSON_SCHEMA: schema_problem,
    CheckKind.JSON_PATH: _path,
    CheckKind.NUMBER_EQUALS: _number,
    CheckKind.DATE_EQUALS: _date,
    CheckKind.TOOL_CALLED: tool_called_problem,
    CheckKind.TOOL_COUNT: _count,
    CheckKind.NO_TOOL: _nothing,
    CheckKind.NO_MARKUP: _nothing,
    CheckKind.NO_REPLACEMENT_CHAR: _nothing,
    CheckKind.FINISH_REASON: _reasons,
    CheckKind.MAX_WORDS: _positive_integer,
    CheckKind.MIN_COMPLETION_TOKENS: _positive_integer,
    CheckKind.PROMPT_TOKENS_RANGE: _range,
}
