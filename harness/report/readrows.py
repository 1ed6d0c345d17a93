"""The socket reads of one response, each with what it carried: a timeline as text."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from harness.analysis.gaps import stalls
from harness.decode.assemble import DONE, delta_of
from harness.decode.body import BodyKind, kind_of_body
from harness.decode.channels import spoken_in
from harness.decode.errors import error_in
from harness.decode.findings import Findings
from harness.decode.http import HttpResponse, split_wire
from harness.decode.payload import decode_payload
from harness.decode.sse import SseEvent, split_events
from harness.model.record import Reads, Record
from harness.report.untrusted import one_line
from harness.units import NS_PER_MS

_PIECE = 48  # characters of a piece of output
_LINE = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One read: when, how much, what it completed."""

    read: int
    at_ms: float | None  # since the request was sent; None: it never was
    gap_ms: float | None  # since the read before; None: the first
    n_bytes: int
    source: str  # kernel or user: whose clock stamped it
    carried: tuple[str, ...]  # a line per event that it completed
    is_stall: bool = False  # output stood still before it


def read_rows(record: Record, wire: bytes) -> tuple[ReadRow, ...]:
    """Give every read in order; a read that completed nothing carried a part of what a later one did."""
    reads = record.reads
    carried = _carried(wire, reads)
    ends = {end for _, end in stalls(replace(record, failure=None))}
    sent_at_ns = record.stamps.sent_at_ns
    return tuple(
        ReadRow(
            read=read,
            at_ms=None if sent_at_ns is None else (at_ns - sent_at_ns) / NS_PER_MS,
            gap_ms=None if read == 0 else (at_ns - reads.at_ns[read - 1]) / NS_PER_MS,
            n_bytes=n_bytes,
            source="kernel" if reads.source[read : read + 1] == "k" else "user",
            carried=tuple(carried.get(read, ())),
            is_stall=at_ns in ends,
        )
        for read, (at_ns, n_bytes) in enumerate(zip(reads.at_ns, reads.n_bytes, strict=True))
    )


def _carried(wire: bytes, reads: Reads) -> dict[int, list[str]]:
    response = split_wire(wire, reads)
    found: dict[int, list[str]] = {}
    if response.head_read is not None:
        found.setdefault(response.head_read, []).append(f"response head: {response.status} {response.reason}".rstrip())
    for read, words in _events(response):
        found.setdefault(read, []).append(one_line(words, _LINE))
    return found


def _events(response: HttpResponse) -> Iterator[tuple[int, str]]:
    last = response.body_reads[-1] if response.body_reads else 0
    if kind_of_body(response) is not BodyKind.EVENTS:
        if response.body:
            yield last, f"the body is whole: {len(response.body)} bytes, {response.header('content-type') or 'no type'}"
        return
    for event in split_events(response.body).events:
        yield response.read_of(event.end) or 0, _words(event)


def _words(event: SseEvent) -> str:
    """Say what an event holds."""
    if not event.is_finished:
        return f"an event without its end: {_quoted((event.data or b'').decode('utf-8', 'replace'))}"
    if event.data is None:
        return f"an event without data: {event.name or 'no name'}"
    data = event.data.strip()
    if data.startswith(DONE):
        return "[DONE]"
    payload = decode_payload(data)
    if not isinstance(payload.value, dict):
        return f"no JSON object: {_quoted(data.decode('utf-8', 'replace'))}"
    return "; ".join(_of_payload(payload.value)) or "nothing"


def _of_payload(payload: dict[str, Any]) -> Iterator[str]:
    error = error_in(payload)
    if error is not None:
        yield f"error: {error.message}"
    choices = payload.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            yield from _of_choice(choice)
    usage = payload.get("usage")
    if isinstance(usage, dict):
        counts = (usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
        yield f"usage {' / '.join('?' if count is None else str(count) for count in counts)}"


def _of_choice(choice: dict[str, Any]) -> Iterator[str]:
    delta = delta_of(choice, is_chunk=True) or {}
    spoken = spoken_in(delta, Findings())
    for channel, text in (("", spoken.content), ("reasoning ", spoken.reasoning), ("refusal ", spoken.refusal)):
        if text:
            yield f"{channel}{_quoted(text)}"
    if spoken.audio_chars:
        yield f"audio, {spoken.audio_chars} characters"
    yield from _of_calls(delta.get("tool_calls"))
    if not spoken.has_any and delta.get("role") and not delta.get("tool_calls"):
        yield f"role {delta['role']}"
    if choice.get("finish_reason"):
        yield f"finish {choice['finish_reason']}"


def _of_calls(calls: object) -> Iterator[str]:
    for call in calls if isinstance(calls, list) else ():
        body = call.get("function") if isinstance(call, dict) else None
        if isinstance(body, dict):
            arguments = str(body.get("arguments") or "")
            yield f"call {body.get('name') or ''}{_quoted(arguments) if arguments else ''}"


def _quoted(text: str) -> str:
    """Give the piece between quotes, its line breaks visible."""
    shown = text if len(text) <= _PIECE else f"{text[: _PIECE - 1]}…"
    escaped = shown.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace('"', '\\"')
    return f'"{escaped}"'
