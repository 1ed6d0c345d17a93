"""A script: what goes out for one request and when, decided before the first byte is sent."""

import operator
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

Payload = dict[str, Any]
Change = Callable[[Payload], Payload]


class After(StrEnum):
    """What happens to the connection when all was written."""

    KEEP = "keep"  # the next request may come
    CLOSE = "close"
    RESET = "reset"  # a TCP reset instead of an orderly end
    HOLD = "hold"  # silence until the client leaves
    REPEAT = "repeat"  # the last write again and again until the client leaves
    RESET_NEXT = "reset-next"  # the next request is read and answered by a reset


class Framing(StrEnum):
    """How the body's end is marked."""

    CHUNKED = "chunked"
    LENGTH = "length"


class Event(msgspec.Struct, frozen=True):
    """One piece of body: a payload becomes `data: {...}`, bytes go out as they are."""

    at_ns: int  # after the start
    data: Payload | bytes
    n_tokens: int = 0


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """A whole response as data, so that a fault is a function from script to script."""

    status: int | None = 200  # None: not even a response head
    headers: tuple[tuple[str, str], ...] = ()
    framing: Framing = Framing.CHUNKED
    head_at_ns: int = 0
    events: tuple[Event, ...] = ()
    is_stream: bool = False
    newline: bytes = b"\n"
    field: bytes = b"data: "
    events_per_write: int = 1
    gzipped: bool = False
    ends_body: bool = True  # whether the body's end is marked
    after: After = After.KEEP
    raw_head: bytes | None = None  # in the place of status line and headers


def replace(script: Script, **changes: Any) -> Script:
    """Give a changed copy."""
    return msgspec.structs.replace(script, **changes)


def moved(event: Event, at_ns: int) -> Event:
    """Give the event at another instant."""
    return Event(at_ns, event.data, event.n_tokens)


def output_positions(script: Script) -> list[int]:
    """Give the positions of the events that carry tokens."""
    return [position for position, event in enumerate(script.events) if event.n_tokens]


def middle(script: Script) -> int:
    """Give the position of the middle output event, or 0 where there is none."""
    positions = output_positions(script)
    return positions[len(positions) // 2] if positions else 0


def first_half(script: Script) -> tuple[Event, ...]:
    """Give the events up to and including the middle output event."""
    return script.events[: middle(script) + 1]


def map_payloads(script: Script, change: Change) -> Script:
    """Apply a change to every payload, or to a JSON body; the same script where nothing changed."""
    if not script.is_stream:
        return _map_body(script, change)
    events = tuple(_changed(event, change) for event in script.events)
    return script if all(map(operator.is_, events, script.events)) else replace(script, events=events)


def with_body(script: Script, body: bytes) -> Script:
    """Give a body of known length another content."""
    headers = tuple((k, str(len(body)) if k == "Content-Length" else v) for k, v in script.headers)
    last = script.events[-1]
    return replace(script, headers=headers, events=(Event(last.at_ns, body, last.n_tokens),))


def _map_body(script: Script, change: Change) -> Script:
    data = script.events[-1].data if script.events else b""
    if not isinstance(data, bytes) or not data.startswith(b"{"):
        return script
    payload = msgspec.json.decode(data)
    changed = change(payload)
    return script if changed is payload else with_body(script, msgspec.json.encode(changed))


def _changed(event: Event, change: Change) -> Event:
    if isinstance(event.data, bytes):
        return event
    changed = change(event.data)
    return event if changed is event.data else Event(event.at_ns, changed, event.n_tokens)
