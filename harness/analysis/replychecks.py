"""Checks on the reply as a whole: its JSON, its tool calls, its finish reason, its token counts."""

from typing import Any

from harness.analysis.checkoutcome import CheckOutcome, Evidence, JudgeCheck
from harness.analysis.excerpts import excerpt
from harness.analysis.expectedcalls import count_range, expected_calls
from harness.analysis.finishwords import contract_word
from harness.analysis.jsonschemas import first_violation
from harness.analysis.jsontext import equal_json, follow_path, parse_path, read_json
from harness.analysis.matching import compare_value, describe, excerpt_json
from harness.analysis.normaltext import count_wordlike_tokens
from harness.analysis.results.trial import Rung
from harness.model.golden import CheckKind


def _json_valid(_argument: Any, evidence: Evidence) -> CheckOutcome:
    text = evidence.record.answer.text
    problem = read_json(text).problem
    came = "JSON" if problem is None else f"{problem}: {excerpt(text.strip(), 80)}"
    return CheckOutcome(holds=problem is None, expected="the whole answer is JSON", came=came, where="answer text")


def _without_json(expected: str, problem: str) -> CheckOutcome:
    return CheckOutcome(holds=False, expected=expected, came=problem, where="answer text", is_decidable=False)


def _json_schema(argument: Any, evidence: Evidence) -> CheckOutcome:
    reading = read_json(evidence.record.answer.text)
    if reading.problem is not None:
        return _without_json("JSON valid against the schema", reading.problem)
    violation = first_violation(argument, reading.value)
    where, _, message = (violation or "$: valid").partition(": ")
    return CheckOutcome(
        holds=violation is None, expected="JSON valid against the schema", came=message or "valid", where=where
    )


def _json_path(argument: Any, evidence: Evidence) -> CheckOutcome:
    path = argument["path"]
    expected = _expected_at_path(argument)
    reading = read_json(evidence.record.answer.text)
    if reading.problem is not None:
        return _without_json(expected, reading.problem)
    found = follow_path(reading.value, parse_path(path) or ())
    if found.missing_at is not None:
        return CheckOutcome(holds=False, expected=expected, came="nothing", where=found.missing_at)
    holds = _holds_at_path(argument, found.value)
    return CheckOutcome(holds=holds, expected=expected, came=excerpt_json(found.value), where=path)


def _expected_at_path(argument: dict[str, Any]) -> str:
    if "equals" in argument:
        return excerpt_json(argument["equals"])
    return describe(argument["matches"]) if "matches" in argument else "a value"


def _holds_at_path(argument: dict[str, Any], value: Any) -> bool:
    if "equals" in argument:
        return equal_json(argument["equals"], value)
    return "matches" not in argument or not compare_value(argument["matches"], value, where="$")


def _tool_called(argument: Any, evidence: Evidence) -> CheckOutcome:
    names = ", ".join(call.name for call in expected_calls(argument))
    tool = evidence.tool
    if tool is None:
        return CheckOutcome(holds=False, expected=f"calls {names}", came="not judged")
    came = tool.detail if tool.rung is not Rung.OK else "as expected"
    return CheckOutcome(holds=tool.rung is Rung.OK, expected=f"calls {names}", came=came, where=f"rung {tool.rung}")


def _tool_count(argument: Any, evidence: Evidence) -> CheckOutcome:
    fewest, most = count_range(argument)
    came = len(evidence.record.answer.tool_calls)
    upper = "or more" if most is None else f"to {most}"
    expected = f"{fewest} calls" if fewest == most else f"{fewest} {upper} calls"
    return CheckOutcome(
        holds=came >= fewest and (most is None or came <= most),
        expected=expected,
        came=f"{came} calls",
        where="tool calls",
    )


def _no_tool(_argument: Any, evidence: Evidence) -> CheckOutcome:
    tool, calls = evidence.tool, evidence.record.answer.tool_calls
    has_fallen = tool is not None and tool.rung is not Rung.OK
    came = tool.detail if tool is not None and has_fallen else f"{len(calls)} calls"
    return CheckOutcome(holds=not calls and not has_fallen, expected="no call", came=came, where="tool calls")


def _finish_reason(argument: Any, evidence: Evidence) -> CheckOutcome:
    allowed = argument if isinstance(argument, list) else [argument]
    came = evidence.record.answer.finish_reason
    word = contract_word(came)
    meant = "" if word == came else f" (means {word})"
    return CheckOutcome(
        holds=came in allowed or word in allowed,
        expected=" or ".join(allowed),
        came=excerpt(came or "none sent") + meant,
        where="finish_reason",
    )


def _min_completion_tokens(argument: Any, evidence: Evidence) -> CheckOutcome:
    usage = evidence.record.usage
    n_tokens = usage.completion_tokens if usage is not None else None
    expected = f"at least {argument} completion tokens"
    if n_tokens is not None:
        return CheckOutcome(
            holds=n_tokens >= argument, expected=expected, came=str(n_tokens), where="usage.completion_tokens"
        )
    counted = count_wordlike_tokens(evidence.record.answer.text)
    where = "words and marks in the text, for want of usage"
    return CheckOutcome(holds=counted >= argument, expected=expected, came=f"about {counted}", where=where)


def _prompt_tokens_range(argument: Any, evidence: Evidence) -> CheckOutcome:
    fewest, most = argument
    usage = evidence.record.usage
    n_tokens = usage.prompt_tokens if usage is not None else None
    return CheckOutcome(
        holds=n_tokens is not None and fewest <= n_tokens <= most,
        expected=f"{fewest} to {most} prompt tokens",
        came="not reported" if n_tokens is None else str(n_tokens),
        where="usage.prompt_tokens",
        is_decidable=n_tokens is not None,
    )


REPLY_CHECKS: dict[CheckKind, JudgeCheck] = {
    CheckKind.JSON_VALID: _json_valid,
    CheckKind.JSON_SCHEMA: _json_schema,
    CheckKind.JSON_PATH: _json_path,
    CheckKind.TOOL_CALLED: _tool_called,
    CheckKind.TOOL_COUNT: _tool_count,
    CheckKind.NO_TOOL: _no_tool,
    CheckKind.FINISH_REASON: _finish_reason,
    CheckKind.MIN_COMPLETION_TOKENS: _min_completion_tokens,
    CheckKind.PROMPT_TOKENS_RANGE: _prompt_tokens_range,
}
