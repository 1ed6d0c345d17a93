"""Composes the second request of a tool loop: the history, the answer as it came, what the tools returned."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from harness.model.golden import Prompt
from harness.model.toolloop import why_no_second_turn

Message = dict[str, Any]


def second_turn(prompt: Prompt, answer: Message) -> Prompt | None:
    """Give the prompt that goes on where `answer` ended; None where a call has no canned result.

    A choice of tool that the first request forced is left to the model, or the loop would never end.
    """
    calls = _calls(answer)
    if why_no_second_turn([_name(call) for call in calls], prompt.tool_results) is not None:
        return None
    results = [_result(call, prompt.tool_results[str(_name(call))]) for call in calls]
    request = prompt.request | {"messages": [*prompt.request["messages"], answer, *results]}
    if "tool_choice" in request:
        request["tool_choice"] = _unforced(request["tool_choice"])
    return msgspec.structs.replace(prompt, request=request)


def _calls(answer: Message) -> Sequence[Message]:
    """Give the calls; one of the old kind has no id, and stands alone as a rule."""
    legacy = answer.get("function_call")
    return [*(answer.get("tool_calls") or ()), *([{"type": "function_call", "function": legacy}] if legacy else ())]


def _name(call: Message) -> str | None:
    body = call.get("function") or call.get("custom") or {}
    name = body.get("name")
    return name if isinstance(name, str) else None


def _result(call: Message, result: Any) -> Message:
    """Answer a call under the server's own id; a call that came without one is answered without one."""
    content = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)
    if call["type"] == "function_call":
        return {"role": "function", "name": _name(call), "content": content}
    answered = {"tool_call_id": call["id"]} if "id" in call else {}
    return {"role": "tool", **answered, "content": content}


def _unforced(choice: Any) -> Any:
    """Give the choice that the second request makes: none stays none, and a list of allowed tools stays a list."""
    if not isinstance(choice, dict):
        return "auto" if choice == "required" else choice
    allowed = choice.get("allowed_tools")
    if isinstance(allowed, dict):
        return {**choice, "allowed_tools": {**allowed, "mode": "auto"}}
    return "auto"
