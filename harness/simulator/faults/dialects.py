"""Faults of dialect: chunks that no schema of the contract allows, though most clients survive them."""

from collections.abc import Callable, Mapping
from typing import Any

from harness.simulator.faults.kind import Fault
from harness.simulator.script import Event, Payload, Script, map_payloads, middle, output_positions, replace
from harness.simulator.stream import DONE
from harness.simulator.wire import event_bytes

Choice = dict[str, Any]


def _inserted(script: Script, position: int, data: Payload | bytes) -> Script:
    """Put an event before another."""
    if not script.is_stream:
        return script
    event = Event(script.events[position].at_ns, data)
    return replace(script, events=(*script.events[:position], event, *script.events[position:]))


def _chunk(script: Script, *choices: Choice) -> Payload:
    """Give a chunk of this stream with other choices."""
    first = next((event.data for event in script.events if isinstance(event.data, dict)), {})
    return {name: value for name, value in first.items() if name != "usage"} | {"choices": list(choices)}


def _extra(*choices: Choice) -> Callable[[Script], Script]:
    """Put a chunk of these choices in the middle."""
    return lambda script: _inserted(script, middle(script), _chunk(script, *choices))


def _said(content: dict[str, Any], index: Any = 0) -> Choice:
    return {"index": index, "delta": content, "finish_reason": None}


def _before_output(content: dict[str, Any]) -> Callable[[Script], Script]:
    def apply(script: Script) -> Script:
        positions = output_positions(script)
        return _inserted(script, positions[0], _chunk(script, _said(content))) if positions else script

    return apply


def _behind_output(content: dict[str, Any]) -> Callable[[Script], Script]:
    def apply(script: Script) -> Script:
        positions = output_positions(script) if script.is_stream else []
        return _inserted(script, positions[-1] + 1, _chunk(script, _said(content))) if positions else script

    return apply


def _map_choices(change: Callable[[Choice], Choice]) -> Callable[[Script], Script]:
    def of_payload(payload: Payload) -> Payload:
        choices = payload.get("choices")
        return payload | {"choices": [change(choice) for choice in choices]} if choices else payload

    return lambda script: map_payloads(script, of_payload) if script.is_stream else script


def _reason(old: str | None, new: str) -> Callable[[Script], Script]:
    """Put another reason for those that are this one; None stands for no reason."""
    return _map_choices(lambda c: c | {"finish_reason": new} if c.get("finish_reason") == old else c)


def _bytes_after_done(script: Script) -> Script:
    if not script.is_stream:
        return script
    return replace(script, events=(*script.events, Event(script.events[-1].at_ns, b'data: {"late": true}\n\n')))


def _unfinished(script: Script) -> Script:
    if not script.is_stream or script.events[-1].data != DONE:
        return script
    return replace(script, events=(*script.events[:-1], Event(script.events[-1].at_ns, b"data: [DONE]\n")))


def _invalid_utf8(script: Script) -> Script:
    """Put a byte that UTF-8 does not know into the middle event's text."""
    if not script.is_stream or not output_positions(script):
        return script
    position = middle(script)
    event = script.events[position]
    data = event_bytes(script, event).replace(b'"content":"', b'"content":"\xff', 1)
    changed = Event(event.at_ns, data, event.n_tokens)
    return replace(script, events=(*script.events[:position], changed, *script.events[position + 1 :]))


def _error_first(script: Script) -> Script:
    if not script.is_stream:
        return script
    error = b'data: {"error": {"message": "Out of memory", "type": "server_error", "code": "oom"}}\n\n'
    return replace(script, events=(Event(script.events[0].at_ns, error),))


def _error_of_filter(script: Script) -> Script:
    if not script.is_stream:
        return script
    error = b'data: {"error": {"message": "Stopped by the filter", "type": "content_filter", "code": "content_filter"}}'
    half = script.events[: middle(script) + 1]
    return replace(script, events=(*half, Event(half[-1].at_ns, error + b"\n\n")))


FAULTS: Mapping[str, Fault] = {
    "error_before_output": Fault(effect="200, and the first event is an error.", apply=_error_first),
    "error_of_filter": Fault(effect="Half the answer, then an error of the content filter.", apply=_error_of_filter),
    "finish_reason_error": Fault(effect="Finishes with the reason `error`.", apply=_reason("stop", "error")),
    "finish_reason_empty": Fault(effect="An empty finish reason until the end.", apply=_reason(None, "")),
    "finish_reason_contradicts": Fault(
        effect="Finishes with tool_calls where no tool was called.", apply=_reason("stop", "tool_calls")
    ),
    "bytes_after_done": Fault(effect="An event behind [DONE].", apply=_bytes_after_done),
    "unfinished_last_event": Fault(effect="No blank line behind [DONE].", apply=_unfinished),
    "invalid_utf8": Fault(effect="A byte in the text that is no UTF-8.", apply=_invalid_utf8),
    "choice_without_delta": Fault(
        effect="A choice that has no delta.", apply=_extra({"index": 0, "finish_reason": None})
    ),
    "empty_choices": Fault(effect="A chunk without choices that brings no usage either.", apply=_extra()),
    "several_choices": Fault(
        effect="A second choice, which nobody asked for.", apply=_extra(_said({"content": "B"}, 1))
    ),
    "choice_index_text": Fault(
        effect="The choice's index as text.", apply=_map_choices(lambda choice: choice | {"index": "0"})
    ),
    "leaked_markup": Fault(
        effect="The model's own end mark at the end of the text.", apply=_behind_output({"content": "<|im_end|>"})
    ),
    "reasoning_field": Fault(
        effect="Reasoning in a field of its own before the answer.",
        apply=_before_output({"reasoning_content": "Let me think."}),
    ),
}
