"""Faults inside the payloads: tool calls, usage, model, repeated chunks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from harness.simulator.faults.kind import Fault
from harness.simulator.script import Event, Payload, Script, map_payloads, replace

Fragment = dict[str, Any]


def _fragments(event: Event) -> list[Fragment]:
    """Give the tool-call fragments of an event."""
    if isinstance(event.data, bytes):
        return []
    return [f for choice in event.data.get("choices") or [] for f in choice.get("delta", {}).get("tool_calls") or []]


def _with_fragments(payload: Payload, fragments: Any) -> Payload:
    choice = payload["choices"][0]
    return payload | {"choices": [choice | {"delta": choice["delta"] | {"tool_calls": fragments}}]}


def _map_fragments(change: Callable[[list[Fragment]], Any]) -> Callable[[Script], Script]:
    def of_payload(payload: Payload) -> Payload:
        fragments = _fragments(Event(0, payload))
        return _with_fragments(payload, change(fragments)) if fragments else payload

    return lambda script: map_payloads(script, of_payload)


def _without_index(fragments: list[Fragment]) -> list[Fragment]:
    return [{name: value for name, value in f.items() if name != "index"} for f in fragments]


def _all_first(fragments: list[Fragment]) -> list[Fragment]:
    return [f | {"index": 0} for f in fragments]


def _arguments_as_object(script: Script) -> Script:
    """Join each call's fragments into one delta that holds an object."""
    events = tuple(_joined_calls(script.events))
    return script if len(events) == len(script.events) else replace(script, events=events)


def _joined_calls(events: tuple[Event, ...]) -> Iterator[Event]:
    opened: list[Event] = []
    for event in events:
        fragments = _fragments(event)
        if opened and (not fragments or "id" in fragments[0]):
            yield _whole_call(opened)
            opened = []
        if fragments:
            opened.append(event)
        else:
            yield event
    if opened:
        yield _whole_call(opened)


def _whole_call(opened: list[Event]) -> Event:
    fragments = [fragment for event in opened for fragment in _fragments(event)]
    text = "".join(fragment["function"]["arguments"] for fragment in fragments)
    function = fragments[0]["function"] | {"arguments": _object(text)}
    payload = opened[0].data if isinstance(opened[0].data, dict) else {}
    whole = _with_fragments(payload, [fragments[0] | {"function": function}])
    return Event(opened[-1].at_ns, whole, sum(event.n_tokens for event in opened))


def _object(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:  # cut by max_tokens: there is no object
        return text


def _map_usage(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Callable[[Script], Script]:
    def of_payload(payload: Payload) -> Payload:
        return payload | {"usage": change(payload["usage"])} if payload.get("usage") else payload

    return lambda script: map_payloads(script, of_payload)


def _tenfold(usage: dict[str, Any]) -> dict[str, Any]:
    completion = usage["completion_tokens"] * 10
    return usage | {"completion_tokens": completion, "total_tokens": usage["prompt_tokens"] + completion}


def _other_model(script: Script) -> Script:
    return map_payloads(script, lambda payload: payload | {"model": "another-model"})


def _duplicate_finish(script: Script) -> Script:
    position = next((i for i, event in enumerate(script.events) if _finishes(event)), None)
    if position is None:
        return script
    events = script.events[: position + 1] + script.events[position:]
    return replace(script, events=events)


def _finishes(event: Event) -> bool:
    choices = event.data.get("choices") or [] if isinstance(event.data, dict) else []
    return any(choice.get("finish_reason") for choice in choices)


FAULTS: Mapping[str, Fault] = {
    "duplicate_finish": Fault(effect="Sends the finishing chunk twice.", apply=_duplicate_finish),
    "tool_index_missing": Fault(effect="Tool-call deltas without `index`.", apply=_map_fragments(_without_index)),
    "tool_index_repeated": Fault(
        effect="Every tool call has index 0; only the id tells them apart.", apply=_map_fragments(_all_first)
    ),
    "tool_calls_as_object": Fault(
        effect="`tool_calls` is an object instead of a list.", apply=_map_fragments(lambda fragments: fragments[0])
    ),
    "arguments_as_object": Fault(
        effect="Tool arguments in one delta, as an object instead of text.", apply=_arguments_as_object
    ),
    "usage_wrong": Fault(effect="Usage counts ten times the completion tokens.", apply=_map_usage(_tenfold)),
    "usage_missing": Fault(effect="No usage, although asked for.", apply=_map_usage(lambda _: None)),
    "model_other": Fault(effect="Another model's name in the response.", apply=_other_model),
}
