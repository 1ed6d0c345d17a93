"""One golden prompt in full, in 80 columns."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from harness.analysis.checks import as_written
from harness.cli.goldensummary import WIDTH, tagged
from harness.model.chatrequest import message_text, messages_of
from harness.model.golden import Prompt
from harness.report.untrusted import visible

_OF_THEIR_OWN = frozenset({"messages", "tools"})
_LONG = 240


def prompt_lines(prompt: Prompt) -> list[str]:
    """Give everything that a prompt holds: what is sent, how it is judged, its example."""
    return [
        *tagged("id", prompt.id),
        *tagged("category", prompt.category),
        *tagged("intent", prompt.intent),
        *(tagged("tags", ", ".join(prompt.tags)) if prompt.tags else []),
        *(tagged("requires", ", ".join(prompt.requires)) if prompt.requires else []),
        *tagged("repeats", "the plan's" if prompt.repeats is None else str(prompt.repeats)),
        *tagged("timed", _timed(prompt)),
        *_request(prompt.request),
        *_checks(prompt),
        *_example(prompt),
    ]


def _timed(prompt: Prompt) -> str:
    names = {"time to first token": prompt.measure.ttft, "decode rate": prompt.measure.decode}
    return ", ".join(name for name, is_timed in names.items() if is_timed) or "no"


def _request(request: dict[str, Any]) -> Iterator[str]:
    for name, value in request.items():
        if name not in _OF_THEIR_OWN:
            yield from tagged("request", f"{name}: {_json(value)}")
    for tool in request.get("tools") or []:
        yield from tagged("tool", _tool(tool))
    for message in messages_of(request):
        yield from _message(message)


def _tool(tool: Any) -> str:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        return _json(tool)
    parameters = function.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    return f"{function.get('name')}({', '.join(map(str, properties or {}))}) {function.get('description') or ''}"


def _message(message: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{visible(str(message.get('role')))}:"
    yield from _block(message_text(message))
    rest = {key: value for key, value in message.items() if key not in ("role", "content")}
    if isinstance(message.get("content"), list):
        rest["content"] = [part for part in message["content"] if not (isinstance(part, dict) and "text" in part)]
    for key, value in rest.items():
        yield from _block(f"{key}: {_json(value)}")


def _checks(prompt: Prompt) -> Iterator[str]:
    yield ""
    yield "checks:" if prompt.checks else "checks: none, it is timed and compared, never right or wrong"
    for check in prompt.checks:
        yield from _block(as_written(check))
    if prompt.tool_results:
        yield from ("", "tool results:", *_block(_json(prompt.tool_results)))
    if prompt.final:
        yield from ("", "checks on the answer to them:")
        for check in prompt.final:
            yield from _block(as_written(check))


def _example(prompt: Prompt) -> Iterator[str]:
    if prompt.example is None:
        return
    yield from ("", "example, never sent:")
    yield from _block(prompt.example.text or "")
    for call in prompt.example.tool_calls:
        yield from _block(f"{call.name}({_json(call.arguments)})")


def _block(text: str) -> Iterator[str]:
    """Fold a text line by line, indented; what would act on a terminal is made visible."""
    for line in visible(text).splitlines():
        folded = textwrap.wrap(
            line,
            WIDTH,
            initial_indent="  ",
            subsequent_indent="  ",
            break_on_hyphens=False,
            replace_whitespace=False,
            drop_whitespace=True,
        )
        yield from folded or [""]


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else f"{text[:_LONG]} … ({len(text)} characters)"
