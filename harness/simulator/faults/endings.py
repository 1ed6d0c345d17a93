"""Faults that end an answer wrongly: errors inside it, cuts, missing ends."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from harness.simulator.faults.kind import Fault
from harness.simulator.script import (
    After,
    Event,
    Payload,
    Script,
    first_half,
    map_payloads,
    middle,
    output_positions,
    replace,
)
from harness.simulator.stream import DONE
from harness.simulator.wire import event_bytes

_ERROR = {"message": "The engine died", "type": "server_error", "param": None, "code": 500}
_FIRST_OF_SEVERAL = 0xC0  # bytes from here on start a character of several bytes


def _error_inside(line: bytes, *, is_done: bool = False) -> Callable[[Script], Script]:
    """Give half the answer, then the error; with [DONE] where the server still writes it."""

    def apply(script: Script) -> Script:
        if not script.is_stream:
            return script
        kept = first_half(script)
        at_ns = kept[-1].at_ns
        ending = (Event(at_ns, line + b"\n\n"), *([Event(at_ns, DONE)] if is_done else []))
        return replace(script, events=(*kept, *ending))

    return apply


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _cut_at(script: Script, position: int, size: int) -> Script:
    """End the connection after some bytes of an event."""
    event = script.events[position]
    part = Event(event.at_ns, event_bytes(script, event)[:size])
    return replace(script, events=(*script.events[:position], part), ends_body=False, after=After.CLOSE)


def _cut_mid_event(script: Script) -> Script:
    position = middle(script)
    return _cut_at(script, position, len(event_bytes(script, script.events[position])) // 2)


def _cut_mid_character(script: Script) -> Script:
    for position in output_positions(script):
        data = event_bytes(script, script.events[position])
        first = next((i for i, byte in enumerate(data) if byte >= _FIRST_OF_SEVERAL), None)
        if first is not None:
            return _cut_at(script, position, first + 1)
    return _cut_mid_character(_with_wide_character(script)) if script.is_stream else script


def _with_wide_character(script: Script) -> Script:
    """Put a character of two bytes where the answer has none."""
    event = script.events[middle(script)]
    payload: Payload = event.data if isinstance(event.data, dict) else {}
    wide = payload | {"choices": [{"index": 0, "delta": {"content": "é"}, "finish_reason": None}]}
    return replace(script, events=(*first_half(script)[:-1], Event(event.at_ns, wide, event.n_tokens or 1)))


def _stopping(*, ends_body: bool, after: After) -> Callable[[Script], Script]:
    """Stop after half the answer."""

    def apply(script: Script) -> Script:
        if not script.is_stream:
            return script
        return replace(script, events=first_half(script), ends_body=ends_body, after=after)

    return apply


def _no_done(script: Script) -> Script:
    return replace(script, events=tuple(event for event in script.events if event.data != DONE))


def _with_reason(reason: str | None) -> Callable[[Script], Script]:
    """Put another reason, or none, in the place of every finish reason."""

    def change(payload: Payload) -> Payload:
        choices = payload.get("choices") or []
        if not any(choice.get("finish_reason") for choice in choices):
            return payload
        return payload | {"choices": [choice | {"finish_reason": reason} for choice in choices]}

    return lambda script: map_payloads(script, change)


def _no_output(script: Script) -> Script:
    if not script.is_stream:
        return script
    return replace(script, events=tuple(event for event in script.events if not event.n_tokens))


def _filtered(script: Script) -> Script:
    return _with_reason("content_filter")(_no_output(script)) if script.is_stream else script


FAULTS: Mapping[str, Fault] = {
    "error_in_stream": Fault(
        effect='Half the answer, then `data: {"error": …}` and [DONE], all at status 200.',
        apply=_error_inside(b"data: " + _json({"error": _ERROR}), is_done=True),
    ),
    "error_in_stream_flat": Fault(
        effect="Half the answer, then a flat error body as a data event.",
        apply=_error_inside(b"data: " + _json({"object": "error", **_ERROR})),
    ),
    "error_field_in_stream": Fault(
        effect="Half the answer, then an SSE field `error:`, which parsers drop.",
        apply=_error_inside(b"error: " + _json(_ERROR)),
    ),
    "error_event_in_stream": Fault(
        effect="Half the answer, then `event: error` with the error in its data.",
        apply=_error_inside(b"event: error\ndata: " + _json({"error": _ERROR})),
    ),
    "cut_mid_event": Fault(effect="Closes the connection inside an event or a JSON body.", apply=_cut_mid_event),
    "cut_mid_character": Fault(
        effect="Closes the connection inside a character of several bytes.", apply=_cut_mid_character
    ),
    "cut_between_events": Fault(
        effect="Closes the connection after half the events, the body unfinished.",
        apply=_stopping(ends_body=False, after=After.CLOSE),
    ),
    "reset_mid_stream": Fault(
        effect="Resets the connection after half the events.", apply=_stopping(ends_body=False, after=After.RESET)
    ),
    "ends_early": Fault(
        effect="Ends the body in good order after half the events: no finish reason, no [DONE].",
        apply=_stopping(ends_body=True, after=After.KEEP),
    ),
    "no_done": Fault(effect="Leaves [DONE] out.", apply=_no_done),
    "no_finish_reason": Fault(effect="Gives no finish reason anywhere.", apply=_with_reason(None)),
    "unknown_finish_reason": Fault(effect="Finishes with a reason outside the contract.", apply=_with_reason("banana")),
    "filtered": Fault(effect="Finishes with content_filter before the first word.", apply=_filtered),
    "empty_stream": Fault(effect="A whole stream without any output.", apply=_no_output),
}
