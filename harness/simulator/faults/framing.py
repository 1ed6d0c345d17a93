"""Faults of framing: line ends, comments, how events share writes, connections after the end."""

from collections.abc import Iterator, Mapping

from harness.simulator.faults.kind import Fault
from harness.simulator.script import After, Event, Script, middle, output_positions, replace
from harness.simulator.wire import event_bytes

_EVENTS_PER_WRITE = 4


def _inserted(script: Script, data: bytes) -> Script:
    """Put a raw event at the start and one in the middle."""
    if not script.is_stream:
        return script
    position = middle(script)
    first, later = script.events[0].at_ns, script.events[position].at_ns
    events = (Event(first, data), *script.events[:position], Event(later, data), *script.events[position:])
    return replace(script, events=events)


def _bom(script: Script) -> Script:
    if not script.is_stream:
        return script
    return replace(script, events=(Event(script.events[0].at_ns, b"\xef\xbb\xbf"), *script.events))


def _split(script: Script) -> Iterator[Event]:
    for event in script.events:
        data = event_bytes(script, event)
        half = len(data) // 2
        yield Event(event.at_ns, data[:half])
        yield Event(event.at_ns, data[half:], event.n_tokens)


def _bytes_of(script: Script) -> tuple[Event, ...]:
    position = next(iter(output_positions(script)), 0)
    event = script.events[position]
    data = event_bytes(script, event)
    single = [Event(event.at_ns, data[i : i + 1]) for i in range(len(data) - 1)]
    last = Event(event.at_ns, data[-1:], event.n_tokens)
    return (*script.events[:position], *single, last, *script.events[position + 1 :])


def _of_stream(script: Script, **changes: object) -> Script:
    return replace(script, **changes) if script.is_stream else script


FAULTS: Mapping[str, Fault] = {
    "empty_data_events": Fault(
        effect="Events with empty data at the start and in the middle.", apply=lambda s: _inserted(s, b"data:\n\n")
    ),
    "comments": Fault(
        effect="Comment lines at the start and in the middle.", apply=lambda s: _inserted(s, b": PROCESSING\n\n")
    ),
    "invalid_json_event": Fault(
        effect="Data events that are no JSON at the start and in the middle.",
        apply=lambda s: _inserted(s, b"data: {oops\n\n"),
    ),
    "crlf": Fault(effect="Lines end in CR LF.", apply=lambda s: _of_stream(s, newline=b"\r\n")),
    "bom": Fault(effect="A byte order mark before the first event.", apply=_bom),
    "no_space_after_data": Fault(
        effect="`data:` without the space after it.", apply=lambda s: _of_stream(s, field=b"data:")
    ),
    "several_events_per_write": Fault(
        effect="Four events in each write, when the last of them is due.",
        apply=lambda s: _of_stream(s, events_per_write=_EVENTS_PER_WRITE),
    ),
    "split_writes": Fault(effect="Every event in two writes.", apply=lambda s: _of_stream(s, events=tuple(_split(s)))),
    "hold_after_done": Fault(
        effect="Sends everything up to [DONE], then holds the body open until the client leaves.",
        apply=lambda s: _of_stream(s, ends_body=False, after=After.HOLD),
    ),
    "byte_by_byte": Fault(
        effect="The first event with output in writes of one byte.", apply=lambda s: _of_stream(s, events=_bytes_of(s))
    ),
    "reset_next_request": Fault(
        effect="Answers rightly, takes the next request on the connection and resets it.",
        apply=lambda s: replace(s, after=After.RESET_NEXT),
    ),
    "close_between_requests": Fault(
        effect="Closes after a whole response, though nothing announced it.",
        apply=lambda s: replace(s, after=After.CLOSE),
    ),
}
