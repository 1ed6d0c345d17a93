"""The tool-call ladder: whether an answer's calls are what the prompt expects, and the rung where they fall.

Rungs in order: transport, leaked markup, decision (how many calls, of which tools), arguments parse, known name,
schema, argument matchers, protocol. The lowest rung that any call misses is the answer's. A finish_reason that
contradicts the calls is a note on the result, since applications and SDKs act on the calls.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from harness.analysis.assignment import assign
from harness.analysis.excerpts import LONGEST_CAME, excerpt
from harness.analysis.expectedcalls import ExpectedCall, ToolExpectation, tool_expectation
from harness.analysis.jsonschemas import first_violation
from harness.analysis.jsontext import read_json
from harness.analysis.matching import Mismatch
from harness.analysis.results.trial import Rung, ToolResult
from harness.decode.markup import find_tool_markup
from harness.model.golden import Prompt
from harness.model.record import Answer, Record, ToolCall

_LONGEST_NAME = 80
_FENCE = re.compile(r"\s*```[\w-]*[ \t]*\n(?P<inside>.*)\n[ \t]*```\s*\Z", re.DOTALL)
_TOOL_FINISH = frozenset({"tool_calls", "function_call"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calls:
    """An answer's calls beside what the prompt offers and expects."""

    answer: Answer
    expectation: ToolExpectation
    schemas: dict[str, Any]  # parameters by tool name
    arguments: tuple[Any, ...]  # parsed, None where they do not parse

    @property
    def made(self) -> tuple[ToolCall, ...]:
        return self.answer.tool_calls


def judge_tools(prompt: Prompt, record: Record) -> ToolResult | None:
    """Climb the ladder; None for a prompt without an expectation of tools."""
    expectation = tool_expectation(prompt.checks)
    if expectation is None:
        return None
    if record.failure is not None:
        return ToolResult(rung=Rung.TRANSPORT, detail=f"{record.failure.kind}: {excerpt(record.failure.message)}")
    calls = _Calls(
        answer=record.answer,
        expectation=expectation,
        schemas=offered_tools(prompt.request),
        arguments=tuple(read_json(call.arguments).value for call in record.answer.tool_calls),
    )
    for rung in _RUNGS:
        fall = rung(calls)
        if fall is not None:
            return _in_a_line(fall)
    return ToolResult(rung=Rung.OK, tool=_first_name(calls), detail=_note(calls))


def _in_a_line(fall: ToolResult) -> ToolResult:
    """Shorten what holds names and keys as they came, which may have no end."""
    tool = None if fall.tool is None else excerpt(fall.tool, _LONGEST_NAME)
    return replace(fall, tool=tool, detail=excerpt(fall.detail, LONGEST_CAME))


def offered_tools(request: dict[str, Any]) -> dict[str, Any]:
    """Give the parameter schema of every function offered in a request, by name."""
    functions = [tool.get("function") for tool in request.get("tools") or [] if isinstance(tool, dict)]
    return {
        function["name"]: function.get("parameters")
        for function in functions
        if isinstance(function, dict) and isinstance(function.get("name"), str)
    }


def _check_markup(calls: _Calls) -> ToolResult | None:
    marker = find_tool_markup(calls.answer.text)
    if marker is not None:
        return ToolResult(rung=Rung.LEAKED_MARKUP, detail=f"{marker} in the text: {excerpt(calls.answer.text, 100)}")
    written = None if calls.made else _call_written_as_text(calls)
    if written is not None:
        return ToolResult(rung=Rung.LEAKED_MARKUP, tool=written, detail="the call came as JSON in the text")
    return None


def _call_written_as_text(calls: _Calls) -> str | None:
    """Name an offered tool whose call is the whole text: as JSON, bare, in one fence or wrapped as the API wraps it."""
    fenced = _FENCE.match(calls.answer.text)
    written = _unwrapped(read_json(fenced["inside"] if fenced else calls.answer.text).value)
    if not isinstance(written, dict) or not written.keys() & {"arguments", "parameters"}:
        return None
    name = written.get("name") or written.get("function")
    return name if isinstance(name, str) and name in calls.schemas else None


def _unwrapped(value: Any) -> Any:
    """Give the first call of a list, of `tool_calls` and inside `function`."""
    if isinstance(value, dict) and "tool_calls" in value:
        value = value["tool_calls"]
    if isinstance(value, list) and value:
        value = value[0]
    function = value.get("function") if isinstance(value, dict) else None
    return function if isinstance(function, dict) else value


def _check_decision(calls: _Calls) -> ToolResult | None:
    names = [call.name or "?" for call in calls.made]
    if not calls.expectation.allows_count(len(names)):
        came = ", ".join(names) if names else f"text: {excerpt(calls.answer.text, 80)}"
        detail = f"expected {calls.expectation.counted()}, came {len(names)} ({came})"
        expected_name = calls.expectation.calls[0].name if calls.expectation.calls else None
        return ToolResult(rung=Rung.DECISION, tool=expected_name or _first_name(calls), detail=detail)
    expected = Counter(call.name for call in calls.expectation.calls)
    missing = expected - Counter(names)
    if not missing or not all(name in calls.schemas for name in names):
        return None
    others = Counter(names) - expected
    detail = f"expected {', '.join(missing.elements())}, called {', '.join(others.elements()) or 'too few of it'}"
    return ToolResult(rung=Rung.DECISION, tool=next(iter(missing)), detail=detail)


def _check_parse(calls: _Calls) -> ToolResult | None:
    for call, value in zip(calls.made, calls.arguments, strict=True):
        if not isinstance(value, dict):
            problem = read_json(call.arguments).problem or f"the arguments are {_kind_of(value)}, not an object"
            detail = f"{problem}: {excerpt(call.arguments, 100)}"
            return ToolResult(rung=Rung.INVALID_JSON, tool=call.name, detail=detail)
    return None


def _check_names(calls: _Calls) -> ToolResult | None:
    for call in calls.made:
        if call.name not in calls.schemas:
            detail = f"{call.name!r} is not offered; offered: {', '.join(calls.schemas)}"
            return ToolResult(rung=Rung.UNKNOWN_NAME, tool=call.name, detail=detail)
    return None


def _check_schemas(calls: _Calls) -> ToolResult | None:
    for call, value in zip(calls.made, calls.arguments, strict=True):
        schema = calls.schemas[str(call.name)]
        violation = first_violation({} if schema is None else schema, value)
        if violation is not None:
            return ToolResult(rung=Rung.SCHEMA_MISMATCH, tool=call.name, detail=violation)
    return None


def _check_arguments(calls: _Calls) -> ToolResult | None:
    expected = calls.expectation.calls
    table = [[_mismatches(one, calls, column) for column in range(len(calls.made))] for one in expected]
    if calls.expectation.is_ordered:
        pairs = [(row, row) for row in range(len(expected))]
    else:
        pairs = assign([[float(len(cell)) for cell in row] for row in table])
    for row, column in pairs:
        if table[row][column]:
            shown = "; ".join(str(mismatch) for mismatch in table[row][column][:3])
            return ToolResult(rung=Rung.ARGUMENT_MISMATCH, tool=expected[row].name, detail=shown)
    return None


def _mismatches(expected: ExpectedCall, calls: _Calls, column: int) -> list[Mismatch]:
    name = str(calls.made[column].name)
    if name != expected.name:
        other_tool = Mismatch(where=f"call {column + 1}", expected=expected.name, came=name)
        return [other_tool] * 1000  # so that an assignment never prefers another tool
    return expected.mismatches(calls.arguments[column], calls.schemas[name])


def _check_protocol(calls: _Calls) -> ToolResult | None:
    seen: Counter[str] = Counter(call.id for call in calls.made if call.id)
    repeated = [call_id for call_id, count in seen.items() if count > 1]
    if repeated:
        return ToolResult(rung=Rung.PROTOCOL, tool=_first_name(calls), detail=f"id {repeated[0]!r} is given twice")
    return None


_RUNGS: tuple[Callable[[_Calls], ToolResult | None], ...] = (
    _check_markup,
    _check_decision,
    _check_parse,
    _check_names,
    _check_schemas,
    _check_arguments,
    _check_protocol,
)


def _note(calls: _Calls) -> str:
    reason = calls.answer.finish_reason
    if reason is not None and bool(calls.made) != (reason in _TOOL_FINISH):
        return f"note: {len(calls.made)} calls with finish_reason {excerpt(repr(reason), 80)}"
    return "note: a call without id" if any(not call.id for call in calls.made) else ""


def _first_name(calls: _Calls) -> str | None:
    return calls.made[0].name if calls.made else None


def _kind_of(value: Any) -> str:
    kinds = {str: "a text (encoded twice)", list: "a list", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
