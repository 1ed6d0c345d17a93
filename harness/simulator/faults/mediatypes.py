"""Faults of media type: the body is of another kind than the header says, or than was asked for."""

from collections.abc import Callable, Mapping

from harness.simulator.bodies import json_script, text_script
from harness.simulator.faults.fold import folded_body
from harness.simulator.faults.kind import Fault, kept_headers
from harness.simulator.script import Event, Script, replace
from harness.simulator.stream import DONE
from harness.simulator.wire import event_bytes


def _typed(script: Script, media_type: str) -> Script:
    headers = tuple((k, media_type if k.lower() == "content-type" else v) for k, v in script.headers)
    return replace(script, headers=headers)


def _stream_typed(media_type: str) -> Callable[[Script], Script]:
    return lambda script: _typed(script, media_type) if script.is_stream else script


def _json_for_stream(script: Script) -> Script:
    return folded_body(script) if script.is_stream else script


def _json_typed_as_stream(script: Script) -> Script:
    return _typed(folded_body(script), "text/event-stream") if script.is_stream else script


def _stream_for_json(script: Script) -> Script:
    """Give the one JSON body as one event."""
    if script.is_stream or not script.events:
        return script
    body = script.events[-1].data
    event = b"data: " + body + b"\n\n" if isinstance(body, bytes) else b""
    return text_script(200, event + DONE, kept_headers(script), content_type="text/event-stream")


def _json_lines(script: Script) -> Script:
    """Leave the framing of events out: one JSON object a line."""
    if not script.is_stream:
        return script
    lines = tuple(
        Event(event.at_ns, event_bytes(script, event).removeprefix(b"data: ")[:-1], event.n_tokens)
        for event in script.events
        if event.data != DONE
    )
    return _typed(replace(script, events=lines), "application/x-ndjson")


def _plain_text(script: Script) -> Script:
    return text_script(200, b"It is Prague, I think.", kept_headers(script), content_type="text/plain")


def _other_json(script: Script) -> Script:
    return json_script(200, b'{"status": "ok", "queued": 3}', kept_headers(script))


FAULTS: Mapping[str, Fault] = {
    "json_for_stream": Fault(effect="Answers a streamed request with one JSON body.", apply=_json_for_stream),
    "json_typed_as_stream": Fault(
        effect="One JSON body under text/event-stream for a streamed request.", apply=_json_typed_as_stream
    ),
    "stream_for_json": Fault(
        effect="Answers an unstreamed request with a stream of one event.", apply=_stream_for_json
    ),
    "stream_typed_as_json": Fault(
        effect="A right stream under application/json.", apply=_stream_typed("application/json")
    ),
    "stream_typed_as_text": Fault(effect="A right stream under text/plain.", apply=_stream_typed("text/plain")),
    "json_lines": Fault(effect="A JSON object a line, without `data:`.", apply=_json_lines),
    "plain_text_200": Fault(effect="200 with plain words.", apply=_plain_text),
    "other_json_200": Fault(effect="200 with a JSON object that is no completion.", apply=_other_json),
}
