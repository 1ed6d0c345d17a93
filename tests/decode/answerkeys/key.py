"""A response written out byte by byte, with everything that is true of it."""

from dataclasses import dataclass, field
from typing import Any

from harness.analysis.results.trial import Rung
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import FailureKind, FindingKind, ToolCall, Usage

MODEL = "m"
JSON = "application/json"
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"], "default": "C"}},
                "required": ["city"],
            },
        },
    },
    {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}},
]


def _prompt(prompt_id: str, kind: CheckKind, argument: Any = None) -> Prompt:
    request = {"messages": [{"role": "user", "content": "?"}], "tools": TOOLS}
    checks = [Check(kind=kind, argument=argument)]
    return Prompt(id=prompt_id, category="tools", intent="i", request=request, checks=checks)


ROME = {"name": "get_weather", "arguments": {"city": "Rome"}}
OSLO = {"name": "get_weather", "arguments": {"city": "Oslo"}}
ONE_CALL = _prompt("one-call", CheckKind.TOOL_CALLED, ROME)
TWO_CITIES = _prompt("two-cities", CheckKind.TOOL_CALLED, [ROME, OSLO])
TWO_TOOLS = _prompt("two-tools", CheckKind.TOOL_CALLED, [ROME, "get_time"])
NO_CALL = _prompt("no-call", CheckKind.NO_TOOL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding as it must be: its kind, how often, and the evidence."""

    kind: FindingKind
    count: int = 1
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The response and the truth about it; `numbers` are those of docs/streams.md, none for what has no number."""

    name: str
    numbers: tuple[int, ...] = ()
    body: bytes
    status: int = 200
    content_type: str = "text/event-stream"
    headers: tuple[str, ...] = ()
    asked_stream: bool = True
    transport: FailureKind | None = None  # what the player saw of the connection
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = "stop"
    usage: Usage | None = None
    found: tuple[Found, ...] = ()
    failure: FailureKind | None = None
    said: str | None = None  # the failure's message
    prompt: Prompt = field(default=NO_CALL)
    rung: Rung = Rung.OK


def counted(prompt: int, completion: int, **more: int) -> Usage:
    """Give a usage whose total is the sum."""
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion, **more)


def weather(city: str, call_id: str | None, index: int | None, arguments: str | None = None) -> ToolCall:
    """Give a call of get_weather, its arguments without spaces unless told."""
    text = f'{{"city":"{city}"}}' if arguments is None else arguments
    return ToolCall(name="get_weather", arguments=text, id=call_id, index=index)
