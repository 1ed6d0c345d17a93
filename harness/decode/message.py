"""The assistant message of a response as an application keeps it: unknown keys, signatures and ids included."""

import math
from collections.abc import Iterator
from typing import Any

from harness.decode.assemble import DONE, delta_of
from harness.decode.body import BodyKind, kind_of_body
from harness.decode.channels import spoken_in
from harness.decode.findings import Findings
from harness.decode.http import split_wire
from harness.decode.numbering import choice_number
from harness.decode.payload import clean_text, decode_payload
from harness.decode.sse import BYTE_ORDER_MARK, split_events
from harness.decode.toolcalls import KeptCall, ToolCallAssembler
from harness.model.record import Reads

Json = dict[str, Any]

_CALLS = frozenset({"tool_calls", "function_call"})
_OF_A_CALL = frozenset({"index", "id", "function", "custom", "name", "arguments", "input"})
_OF_A_FUNCTION = frozenset({"name", "arguments", "input"})
# What comes in pieces. Other text labels something: said again, it is not said twice.
_TEXTS = frozenset(
    {
        *("content", "refusal", "text", "transcript", "data", "summary"),
        *("reasoning_content", "reasoning", "reasoning_text", "thinking", "thought"),
    }
)
_DEEPEST = 32


def received_message(wire: bytes, reads: Reads) -> Json | None:
    """Give the message that the response's first choice holds; None where there is none. Total.

    `content` is null where none came. Null says nothing under any other key, so such keys are left out.
    """
    parts = _Parts()
    calls = ToolCallAssembler(Findings(), keeps_fragments=True)
    has_any = has_output = False
    for choice, is_chunk in _choices(wire, reads):
        delta = delta_of(choice, is_chunk=is_chunk)
        if delta is None or (is_chunk and has_output and delta is choice.get("message")):
            continue
        has_any = True
        has_output |= calls.take(delta, is_chunk=is_chunk) > 0 or spoken_in(delta, Findings()).has_any
        for key, value in delta.items():
            if key not in _CALLS:
                parts.add(key, value)
    return _whole(parts.message(), calls.kept()) if has_any else None


class _Parts:
    """The message's keys as they grow; a text of many pieces is joined once."""

    def __init__(self) -> None:
        self._values: Json = {}
        self._texts: dict[str, list[str]] = {}

    def add(self, key: str, value: Any) -> None:
        """Take one delta's value."""
        if isinstance(value, str) and key in _TEXTS:
            self._texts.setdefault(key, []).append(value)
        else:
            self._values[key] = _merged(self._joined(key), value, key)

    def message(self) -> Json:
        """Give the keys in the order in which they came, texts last."""
        return {key: self._joined(key) for key in (*self._values, *self._texts)}

    def _joined(self, key: str) -> Any:
        if key not in self._texts:
            return self._values.get(key)
        text = "".join(self._texts.pop(key))
        self._values[key] = _merged(self._values.get(key), text, key)
        return self._values[key]


def _choices(wire: bytes, reads: Reads) -> Iterator[tuple[Json, bool]]:
    """Give the first choice of every payload, and whether the payload is one chunk of many."""
    response = split_wire(wire, reads)
    kind = kind_of_body(response)
    if kind is BodyKind.OBJECT:
        bodies, is_chunk = [response.body.removeprefix(BYTE_ORDER_MARK).strip()], False
    else:
        events = split_events(response.body).events if kind is BodyKind.EVENTS else ()
        bodies, is_chunk = [event.data.strip() for event in events if event.data], True
    for body in bodies:
        if is_chunk and body.startswith(DONE):
            return
        payload = decode_payload(body).value
        choices = payload.get("choices") if isinstance(payload, dict) else None
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if isinstance(choice, dict) and choice_number(choice, position) == 0:
                yield choice, is_chunk


def _whole(message: Json, calls: tuple[KeptCall, ...]) -> Json:
    """Put the parts in the contract's order."""
    rest = {key: value for key, value in message.items() if key not in ("role", "content") and value is not None}
    whole: Json = {"role": message.get("role") or "assistant", "content": message.get("content")} | rest
    listed = [_call(kept) for kept in calls if not kept.is_legacy]
    legacy = [kept.call for kept in calls if kept.is_legacy]
    if listed:
        whole["tool_calls"] = listed
    if legacy:
        whole["function_call"] = {"name": legacy[0].name, "arguments": legacy[0].arguments}
    return {clean_text(str(key)): _sendable(value) for key, value in whole.items()}


def _call(kept: KeptCall) -> Json:
    """Give a call as one object: the server's own id, its arguments as text, and what else its fragments hold."""
    is_custom = any(isinstance(fragment.get("custom"), dict) for fragment in kept.fragments)
    inner_key, argument_key = ("custom", "input") if is_custom else ("function", "arguments")
    outer: Json = {}
    inner: Json = {}
    for fragment in kept.fragments:
        outer = _merged(outer, _others(fragment, _OF_A_CALL))
        inner = _merged(inner, _others(fragment.get(inner_key), _OF_A_FUNCTION))
    said = {key: value for key, value in outer.items() if value is not None and key != "type"}
    call: Json = {"type": outer.get("type") or inner_key, **said}
    call[inner_key] = {"name": kept.call.name, argument_key: kept.call.arguments, **inner}
    given = [fragment["id"] for fragment in kept.fragments if fragment.get("id") is not None]
    call_id = kept.call.id if kept.call.id is not None else next(iter(given), None)
    return call if call_id is None else {"id": call_id, **call}


def _others(part: Any, known: frozenset[str]) -> Json:
    """Give what an object holds under other keys than these; nothing where it is no object."""
    return {key: value for key, value in part.items() if key not in known} if isinstance(part, dict) else {}


def _merged(before: Any, more: Any, key: str = "", depth: int = 0) -> Any:
    """Lay a further piece over what came before: texts join, labels give way, objects merge, lists by number."""
    if more is None or depth > _DEEPEST:
        return before
    if isinstance(before, str) and isinstance(more, str):
        return before + more if key in _TEXTS else more or before
    if isinstance(before, dict) and isinstance(more, dict):
        inner = {name: _merged(before.get(name), value, str(name), depth + 1) for name, value in more.items()}
        return before | inner
    if isinstance(before, list) or (isinstance(before, str) and isinstance(more, list)):
        return _joined(_parts(before), _parts(more), depth)
    return more


def _parts(content: Any) -> list[Any]:
    """Give content that came as text and as parts in one form."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else [content]


def _joined(before: list[Any], more: list[Any], depth: int) -> list[Any]:
    """Extend a list; a part whose `index` is there already goes on with that part."""
    parts = list(before)
    places = {part["index"]: place for place, part in enumerate(parts) if _number(part) is not None}
    for part in more:
        place = places.get(_number(part))
        if place is None:
            parts.append(part)
        else:
            parts[place] = _merged(parts[place], part, depth=depth + 1)
    return parts


def _number(part: Any) -> int | None:
    index = part.get("index") if isinstance(part, dict) else None
    return index if isinstance(index, int) and not isinstance(index, bool) else None


def _sendable(value: Any, depth: int = 0) -> Any:
    """Replace what no JSON body can hold: halves of surrogate pairs, NaN and infinities, endless nesting."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict | list) and depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {clean_text(str(key)): _sendable(item, depth + 1) for key, item in value.items()}
    return [_sendable(item, depth + 1) for item in value] if isinstance(value, list) else value
