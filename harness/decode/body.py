"""A response body read as what it is: a stream, one JSON object, or neither."""

import re
from enum import Enum

from harness.decode.assemble import Assembled, Assembler
from harness.decode.findings import Findings
from harness.decode.http import HttpResponse
from harness.decode.payload import decode_payload
from harness.decode.sse import BYTE_ORDER_MARK, SseBody, split_events
from harness.model.record import FindingKind, Reads

_SSE_START = re.compile(rb"(?:data|event|id|retry|error)?[ ]?:")


class BodyKind(Enum):
    """What a body looks like, by content type and by content."""

    EVENTS = "events"
    OBJECT = "object"
    OTHER = "other"
    EMPTY = "empty"


def kind_of_body(response: HttpResponse) -> BodyKind:
    """Judge by the first bytes; the content type decides where they do not tell and were not garbled."""
    start = response.body.removeprefix(BYTE_ORDER_MARK).lstrip()[:16]
    if not start:
        return BodyKind.EMPTY
    if start.startswith((b"{", b"[")):
        return BodyKind.OBJECT
    if _SSE_START.match(start):
        return BodyKind.EVENTS
    content_type = response.header("content-type") or ""
    is_garbled = start.startswith(b"<") or response.error is not None
    return BodyKind.EVENTS if "event-stream" in content_type and not is_garbled else BodyKind.OTHER


def assemble_events(response: HttpResponse, reads: Reads, findings: Findings) -> Assembled:
    """Assemble a stream; every event carries the instant of the read that completed it."""
    body = split_events(response.body)
    _note_framing(body, findings)
    assembler = Assembler(findings)
    n_instants = len(reads.at_ns)
    for position, event in enumerate(body.events):
        read = response.read_of(event.end) or 0
        at_ns = reads.at_ns[read] if read < n_instants else None
        assembler.take_event(event, read, at_ns)
        if assembler.is_done:
            _note_rest(body, position, response.body, findings)
            break
    last = body.events[-1] if body.events else None
    if last is not None and not last.is_finished and not _is_after_done(assembler, body):
        findings.note(FindingKind.UNFINISHED_LAST_EVENT, (last.data or b"")[-80:].decode("utf-8", "replace"))
    return assembler.result()


def _is_after_done(assembler: Assembler, body: SseBody) -> bool:
    """Whether the unfinished event is a scrap behind [DONE], which has its own finding."""
    last = body.events[-1]
    return assembler.is_done and not (last.data or b"").strip().startswith(b"[DONE]")


def _note_framing(body: SseBody, findings: Findings) -> None:
    if body.has_byte_order_mark:
        findings.note(FindingKind.BYTE_ORDER_MARK)
    if body.n_comments:
        findings.note(FindingKind.COMMENTS, body.first_comment, count=body.n_comments)


def _note_rest(body: SseBody, position: int, raw: bytes, findings: Findings) -> None:
    rest = raw[body.events[position].end :].strip()
    if rest and position + 1 < len(body.events):
        count = len(body.events) - position - 1
        findings.note(FindingKind.BYTES_AFTER_DONE, f"{len(rest)} bytes in {count} events", count=count)


def assemble_object(response: HttpResponse, reads: Reads, findings: Findings) -> Assembled | None:
    """Assemble an answer that came as one JSON object; None when the body is none."""
    payload = decode_payload(response.body.removeprefix(BYTE_ORDER_MARK).strip())
    if not isinstance(payload.value, dict):
        return None
    if payload.is_invalid_utf8:
        findings.note(FindingKind.INVALID_UTF8)
    read = response.read_of(len(response.body)) or 0
    at_ns = reads.at_ns[read] if read < len(reads.at_ns) else None
    assembler = Assembler(findings)
    assembler.take_object(payload.value, read, at_ns, is_chunk=False)
    return assembler.result()
