"""One recorded response as a load generator's chat client hears it: chunks with instants, and nothing judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.decode.assemble import DONE
from harness.decode.http import HttpResponse, split_wire
from harness.decode.payload import decode_payload
from harness.decode.sse import SseBody, split_events
from harness.model.record import Record

_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardChunk:
    """One data event, by what the tools look for in it; of several choices, the first."""

    at_ns: int
    is_readable: bool = True  # a JSON object
    has_choices: bool = False
    has_content: bool = False
    has_reasoning: bool = False
    has_tool_calls: bool = False  # a non-empty list, whatever is in it
    has_tool_text: bool = False  # a name or arguments
    has_usage: bool = False
    has_error: bool = False
    tokens: int | None = None  # usage.completion_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request: when a tool would have started its clock, what it then heard."""

    start_at_ns: int
    ended_at_ns: int
    done_at_ns: int | None = None  # [DONE]
    is_whole: bool = False  # status 200, and the transport did not break
    has_comments: bool = False
    has_fields: bool = False  # lines other than data: an event's name, id or retry
    has_error_event: bool = False  # an event named error
    chunks: tuple[HeardChunk, ...] = ()

    @property
    def is_readable(self) -> bool:
        """Whether every data event before [DONE] is a JSON object."""
        return all(chunk.is_readable for chunk in self.chunks)

    @property
    def reports_error(self) -> bool:
        """Whether a chunk has an error where the answer should be."""
        return any(chunk.has_error for chunk in self.chunks)

    def without_usage_chunk(self) -> tuple[HeardChunk, ...]:
        """Give what would have come, had nobody asked for usage."""
        return tuple(chunk for chunk in self.chunks if chunk.has_choices or not chunk.has_usage)


def heard(record: Record, wire: bytes, *, is_cut: bool) -> Heard:
    """Hear one attempt; `is_cut`: its transport failed, whatever had come by then.

    A tool starts its clock before it opens a connection, so from the slot it got, not from the last byte sent.
    """
    stamps = record.stamps
    starts = (stamps.admitted_at_ns, stamps.sent_at_ns, stamps.intended_at_ns)
    start = next(at_ns for at_ns in starts if at_ns is not None)
    response = split_wire(wire, record.reads)
    body = split_events(response.body)
    chunks, done_at_ns = _chunks(body, response, record)
    last = record.reads.at_ns[-1] if record.reads.at_ns else start
    return Heard(
        start_at_ns=start,
        ended_at_ns=last if stamps.ended_at_ns is None else stamps.ended_at_ns,
        done_at_ns=done_at_ns,
        is_whole=not is_cut and _is_whole(response, is_done=done_at_ns is not None),
        has_comments=body.n_comments > 0,
        has_fields=any(event.name or event.id or event.retry for event in body.events),
        has_error_event=any(event.name == "error" for event in body.events),
        chunks=chunks,
    )


def _is_whole(response: HttpResponse, *, is_done: bool) -> bool:
    return response.status == _OK and response.error is None and (response.is_complete or is_done)


def _chunks(body: SseBody, response: HttpResponse, record: Record) -> tuple[tuple[HeardChunk, ...], int | None]:
    """Give the chunks before [DONE], and its instant."""
    found: list[HeardChunk] = []
    for data, at_ns in _data_events(body, response, record):
        if data.startswith(DONE):
            return tuple(found), at_ns
        found.append(_chunk(data, at_ns))
    return tuple(found), None


def _data_events(body: SseBody, response: HttpResponse, record: Record) -> Iterator[tuple[bytes, int]]:
    at_ns = record.reads.at_ns
    for event in body.events:
        read = response.read_of(event.end) or 0
        if event.data is not None and (data := event.data.strip()) and read < len(at_ns):
            yield data, at_ns[read]


def _chunk(data: bytes, at_ns: int) -> HeardChunk:
    payload = decode_payload(data).value
    if not isinstance(payload, dict):
        return HeardChunk(at_ns=at_ns, is_readable=False)
    choice = _first(payload.get("choices"))
    delta = _object((choice or {}).get("delta"))
    used = _object(payload.get("usage"))
    calls = delta.get("tool_calls")
    return HeardChunk(
        at_ns=at_ns,
        has_choices=choice is not None,
        has_content=bool(delta.get("content")),
        has_reasoning=bool(delta.get("reasoning_content") or delta.get("reasoning")),
        has_tool_calls=isinstance(calls, list) and bool(calls),
        has_tool_text=isinstance(calls, list) and any(map(_says_something, calls)),
        has_usage=bool(used),
        has_error=bool(payload.get("error")),
        tokens=_count(used.get("completion_tokens")),
    )


def _first(choices: object) -> dict[str, Any] | None:
    found = choices[0] if isinstance(choices, list) and choices else None
    return found if isinstance(found, dict) else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _says_something(call: object) -> bool:
    body = call.get("function") if isinstance(call, dict) else None
    return isinstance(body, dict) and bool(body.get("name") or body.get("arguments"))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
