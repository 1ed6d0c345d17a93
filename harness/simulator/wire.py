"""Turns a script into the bytes of each write."""

import gzip
from collections.abc import Iterable, Iterator
from http import HTTPStatus

import msgspec

from harness.simulator.script import Event, Framing, Script


class Write(msgspec.Struct, frozen=True):
    """Bytes that go out in one send, and when."""

    at_ns: int  # after the start
    data: bytes
    n_tokens: int = 0


def writes_of(script: Script) -> list[Write]:
    """Give every write of a response, in order."""
    if script.status is None:
        return []
    body = list(_body_writes(script))
    head = Write(script.head_at_ns, head_bytes(script))
    if script.framing is Framing.LENGTH and body and body[0].at_ns <= head.at_ns:
        return [Write(head.at_ns, head.data + body[0].data, body[0].n_tokens), *body[1:]]
    return [head, *body]


def head_bytes(script: Script) -> bytes:
    """Give the status line and the headers."""
    if script.raw_head is not None:
        return script.raw_head
    status = script.status or 0
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
    fields = [*script.headers]
    if script.gzipped:
        fields.append(("Content-Encoding", "gzip"))
    if script.framing is Framing.CHUNKED:
        fields.append(("Transfer-Encoding", "chunked"))
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in fields)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def event_bytes(script: Script, event: Event) -> bytes:
    """Render one event."""
    if isinstance(event.data, bytes):
        return event.data.replace(b"\n", script.newline) if script.is_stream else event.data
    return script.field + msgspec.json.encode(event.data) + script.newline * 2


def _body_writes(script: Script) -> Iterator[Write]:
    is_chunked = script.framing is Framing.CHUNKED
    groups: Iterable[Write] = (
        Write(event.at_ns, event_bytes(script, event), event.n_tokens) for event in script.events
    )
    if script.gzipped:
        groups = _joined(list(groups), len(script.events), compress=True)
    elif script.events_per_write > 1:
        groups = _joined(list(groups), script.events_per_write)
    last_at_ns = script.head_at_ns
    for write in groups:
        last_at_ns = write.at_ns
        if write.data:
            yield Write(write.at_ns, _chunk(write.data), write.n_tokens) if is_chunked else write
    if is_chunked and script.ends_body:
        yield Write(last_at_ns, b"0\r\n\r\n")


def _joined(writes: list[Write], size: int, *, compress: bool = False) -> Iterator[Write]:
    """Join neighbours; a joined write goes out when its last part is due."""
    for start in range(0, len(writes), max(1, size)):
        group = writes[start : start + size]
        data = b"".join(write.data for write in group)
        yield Write(group[-1].at_ns, gzip.compress(data) if compress else data, sum(write.n_tokens for write in group))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
