"""Faults of tool calls: fragments that are numbered, named or written in another way."""

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


def _without(key: str) -> Callable[[list[Fragment]], list[Fragment]]:
    return lambda fragments: [{name: value for name, value in f.items() if name != key} for f in fragments]


def _all_first(fragments: list[Fragment]) -> list[Fragment]:
    return [f | {"index": 0} for f in fragments]


def _arguments_as_object(script: Script) -> Script:
    """Join each call's fragments into one delta that holds an object."""
    events = tuple(_joined_calls(script.events))
    return script if len(events) == len(script.events) else replace(script, events=events)


def _joined_calls(events: tuple[Event, ...]) -> Iterator[Event]:
    for event, opened in _by_call(events):
        yield _whole_call(opened) if opened else event


def _by_call(events: tuple[Event, ...]) -> Iterator[tuple[Event, list[Event]]]:
    """Give each event that holds no fragment, and the last of each call with all of that call's."""
    opened: list[Event] = []
    for event in events:
        fragments = _fragments(event)
        if opened and (not fragments or "id" in fragments[0]):
            yield opened[-1], opened
            opened = []
        if fragments:
            opened.append(event)
        else:
            yield event, []
    if opened:
        yield opened[-1], opened


def _whole_call(opened: list[Event]) -> Event:
    fragments = [fragment for event in opened for fragment in _fragments(event)]
    function = fragments[0]["function"] | {"arguments": _object(_arguments(fragments))}
    payload = opened[0].data if isinstance(opened[0].data, dict) else {}
    whole = _with_fragments(payload, [fragments[0] | {"function": function}])
    return Event(opened[-1].at_ns, whole, sum(event.n_tokens for event in opened))


def _arguments(fragments: list[Fragment]) -> str:
    return "".join(fragment["function"]["arguments"] for fragment in fragments)


def _object(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:  # cut by max_tokens: there is no object
        return text


def _name_in_parts(script: Script) -> Script:
    """Open each call with half its name; the other half comes by itself."""
    events: list[Event] = []
    for event in script.events:
        fragments = _fragments(event)
        name = fragments[0]["function"].get("name", "") if fragments else ""
        if not name or isinstance(event.data, bytes):
            events.append(event)
            continue
        half = len(name) // 2
        first = fragments[0] | {"function": fragments[0]["function"] | {"name": name[:half]}}
        rest = {"index": fragments[0]["index"], "function": {"name": name[half:]}}
        events.append(Event(event.at_ns, _with_fragments(event.data, [first]), event.n_tokens))
        events.append(Event(event.at_ns, _with_fragments(event.data, [rest])))
    return script if len(events) == len(script.events) else replace(script, events=tuple(events))


def _repeated_as_legacy(script: Script) -> Script:
    """Say the first call once more as `function_call`."""
    opened = next((opened for _, opened in _by_call(script.events) if opened), None)
    if opened is None or not isinstance(opened[0].data, dict):
        return script
    fragments = [fragment for event in opened for fragment in _fragments(event)]
    said = {"function_call": {"name": fragments[0]["function"]["name"], "arguments": _arguments(fragments)}}
    choice = opened[0].data["choices"][0]
    again = Event(opened[-1].at_ns, opened[0].data | {"choices": [choice | {"delta": said}]})
    position = script.events.index(opened[-1]) + 1
    return replace(script, events=(*script.events[:position], again, *script.events[position:]))


FAULTS: Mapping[str, Fault] = {
    "tool_index_missing": Fault(effect="Tool-call deltas without `index`.", apply=_map_fragments(_without("index"))),
    "tool_index_repeated": Fault(
        effect="Every tool call has index 0; only the id tells them apart.", apply=_map_fragments(_all_first)
    ),
    "tool_id_missing": Fault(effect="Tool calls without an id.", apply=_map_fragments(_without("id"))),
    "tool_name_in_parts": Fault(effect="A tool's name in two deltas.", apply=_name_in_parts),
    "legacy_call_repeats": Fault(
        effect="The first tool call once more, as `function_call`.", apply=_repeated_as_legacy
    ),
    "tool_calls_as_object": Fault(
        effect="`tool_calls` is an object instead of a list.", apply=_map_fragments(lambda fragments: fragments[0])
    ),
    "arguments_as_object": Fault(
        effect="Tool arguments in one delta, as an object instead of text.", apply=_arguments_as_object
    ),
}
