"""The canonical form of an answer, under which equal answers are the same string."""

import json
from typing import Any

from harness.analysis.jsontext import read_json
from harness.analysis.normaltext import collapse, encodable
from harness.model.record import Answer, ToolCall


def canonical_answer(answer: Answer) -> str:
    """Calls as sorted canonical JSON, a JSON object or list as canonical JSON, text collapsed; a refusal says so."""
    if answer.tool_calls:
        return encodable("\n".join(sorted(canonical_call(call) for call in answer.tool_calls)))
    if answer.refusal:
        return encodable(f"[refusal] {collapse(answer.refusal)}")
    reading = read_json(answer.text)
    if isinstance(reading.value, (dict, list)):
        return encodable(canonical_json(reading.value))
    return encodable(collapse(answer.text))


def canonical_call(call: ToolCall) -> str:
    """Give name(arguments); arguments that are not JSON stay as they came."""
    reading = read_json(call.arguments)
    arguments = call.arguments if reading.problem else canonical_json(reading.value)
    return f"{call.name or '?'}({arguments})"


def canonical_json(value: Any) -> str:
    """Sorted keys, no spaces, 5.0 written as 5."""
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
