"""Masks the body of a response, a stream or one object: what was said goes, its lengths and its structure stay."""

import re
from collections.abc import Iterator

from harness.decode.body import BodyKind
from harness.decode.maskedjson import Kept, fill, mask_json
from harness.decode.sse import BYTE_ORDER_MARK

_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\r|\n|\Z)")
_DONE = b"[DONE]"
_EVENT_NAMES = frozenset({b"error", b"message", b"ping", b"done", b"end", b"completion", b"chunk"})
_MARKUP = re.compile(rb"[^\s<>{}\[\]\"':,/]+")

Piece = tuple[int, bytes]  # offset in the body, and what stands there


def mask_body(body: bytes, kind: BodyKind, kept: Kept) -> bytes:
    """Give a body of the same length in which nothing is left of what was said."""
    mark = BYTE_ORDER_MARK if body.startswith(BYTE_ORDER_MARK) else b""
    rest = body[len(mark) :]
    if kind is BodyKind.EVENTS:
        return mark + _masked_events(rest, kept)
    if kind is BodyKind.OBJECT:
        return mark + mask_json(rest, kept)
    return mark + _MARKUP.sub(lambda found: fill(found[0]), rest)


def _masked_events(body: bytes, kept: Kept) -> bytes:
    masked = bytearray(body)
    data: list[Piece] = []
    for at, line in _lines(body):
        if not line:
            _put(masked, data, kept)
            data = []
        elif line.partition(b":")[0] == b"data":
            start = len(line) - len(line.partition(b":")[2].removeprefix(b" "))
            data.append((at + start, line[start:]))
        else:
            masked[at : at + len(line)] = _masked_line(line, kept)
    _put(masked, data, kept)
    return bytes(masked)


def _lines(body: bytes) -> Iterator[Piece]:
    """Give each line without its end; they end as server-sent events' do."""
    for found in _LINE.finditer(body):
        if found[0]:
            yield found.start(), found[0].rstrip(b"\r\n")


def _put(masked: bytearray, data: list[Piece], kept: Kept) -> None:
    """Mask the data of one event, whose lines are one text."""
    whole = _masked_data(b"\n".join(value for _, value in data), kept)
    start = 0
    for at, value in data:
        masked[at : at + len(value)] = whole[start : start + len(value)]
        start += len(value) + 1


def _masked_data(data: bytes, kept: Kept) -> bytes:
    at = data.find(_DONE)
    if at >= 0 and not data[:at].strip():
        return data[: at + len(_DONE)] + fill(data[at + len(_DONE) :])
    return mask_json(data, kept)


def _masked_line(line: bytes, kept: Kept) -> bytes:
    name, colon, value = line.partition(b":")
    space = b" " if value.startswith(b" ") else b""
    rest = value[len(space) :]
    if name == b"error":
        return name + colon + space + mask_json(rest, kept)
    is_kept = (name == b"event" and rest in _EVENT_NAMES) or (name == b"retry" and rest.isdigit())
    known = name in {b"event", b"id", b"retry"}
    return (name if known else fill(name)) + colon + space + (rest if is_kept else fill(rest))
