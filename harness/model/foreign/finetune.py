"""Fine-tuning examples: the last assistant turn is the reference answer, what stands before it is sent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.model.chatrequest import message_text
from harness.model.foreign.draft import Item, Skipped, draft_of_body, unsendable
from harness.model.golden import Example, ExampleCall
from harness.model.jsonitems import read_json_items

KEYS = ("messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "functions", "function_call")
_WEIGHT = "weight"  # of a message in training; no endpoint knows it


def read_finetune(file: Path) -> Iterator[Item]:
    """Give a draft for each example."""
    for item in read_json_items(file):
        yield _item(item.value, f"{file}:{item.line}")


def _item(line: Any, where: str) -> Item:
    if not isinstance(line, dict) or not isinstance(line.get("messages"), list):
        return Skipped(where=where, reason="no messages")
    if (reason := unsendable(line["messages"])) is not None:
        return Skipped(where=where, reason=reason)
    messages = [_without_weight(message) for message in line["messages"]]
    reference = _reference(messages[-1] if messages else None)
    body = {key: line[key] for key in KEYS if key in line}
    item = draft_of_body({**body, "messages": messages[:-1] if reference else messages}, where=where)
    if isinstance(item, Skipped):
        return Skipped(where=where, reason="nothing but an answer") if reference and len(messages) == 1 else item
    changes = [*item.changes, *(f"{key} dropped" for key in line if key not in KEYS)]
    if messages != line["messages"]:
        changes.append("weight dropped")
    changes.append(reference.remark if reference else "no answer at the end, sent whole")
    return replace(item, example=reference.example if reference else None, changes=tuple(changes))


def _without_weight(message: Any) -> Any:
    is_weighed = isinstance(message, dict) and _WEIGHT in message
    return {key: value for key, value in message.items() if key != _WEIGHT} if is_weighed else message


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    """The last assistant turn as an example; None where it cannot be one."""

    example: Example | None
    remark: str


def _reference(message: Any) -> _Reference | None:
    """Read the last turn; None where it is not the assistant's."""
    if not isinstance(message, dict) or message.get("role") != "assistant":
        return None
    calls = message.get("tool_calls") or []
    read = [_call(call) for call in calls] if isinstance(calls, list) else [None]
    kept = [call for call in read if call is not None]
    text = message_text(message) or None
    if len(kept) < len(read) or (text is None and not kept):
        return _Reference(example=None, remark="last answer left out, it cannot be an example")
    return _Reference(example=Example(text=text, tool_calls=kept), remark="last answer kept as example, not sent")


def _call(call: Any) -> ExampleCall | None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        return None
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except (TypeError, ValueError):
        return None
    is_kept = isinstance(arguments, dict) and unsendable(arguments) is None
    return ExampleCall(name=function["name"], arguments=arguments) if is_kept else None
