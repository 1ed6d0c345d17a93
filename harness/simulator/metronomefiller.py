"""Fills writes of given sizes with server-sent events that make a whole stream."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from harness.simulator.apierror import bad_request

_LEAST = b'data: {"choices":[{"delta":{"content":"'
_CLOSE = b'"}}]}\n\n'
_FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
_DONE = b"data: [DONE]\n\n"

Usage = Callable[[int], dict[str, Any]]


class Piece(msgspec.Struct, frozen=True):
    """The bytes of one write."""

    data: bytes
    n_events: int  # with output that it completes


def filled(n_bytes: Sequence[int], base: bytes, usage: Usage | None) -> list[Piece]:
    """Give a piece of each size: one event with output where one fits, else a comment; the end holds [DONE].

    `base` is the JSON object of the fields that all chunks share; an event too small for it goes without.
    """
    first_of_end, ending = _ending(n_bytes, base, usage)
    whole = [_filler(size, base) for size in n_bytes[:first_of_end]]
    return whole + _cut(ending, n_bytes[first_of_end:])


def _ending(n_bytes: Sequence[int], base: bytes, usage: Usage | None) -> tuple[int, Piece]:
    """Find the last writes that together can hold the stream's end, and fill them as one."""
    n_tokens = sum(_fits(size) for size in n_bytes)  # right but for the writes of the end, mended below
    for first in range(len(n_bytes) - 1, -1, -1):
        n_tokens = sum(_fits(size) for size in n_bytes[:first])
        room = sum(n_bytes[first:])
        for n_events in (1, 0):
            tail = _tail(n_tokens + n_events, usage)
            left = room - len(tail)
            if left >= 0 and _fits(left) == n_events:
                return first, Piece(_filler(left, base).data + tail, n_events)
    raise bad_request("n_bytes are too few for the end of a stream", param="metronome")


def _tail(n_tokens: int, usage: Usage | None) -> bytes:
    if usage is None:
        return _FINISH + _DONE
    counts = msgspec.json.encode({"choices": [], "usage": usage(n_tokens)})
    return _FINISH + b"data: " + counts + b"\n\n" + _DONE


def _cut(whole: Piece, sizes: Sequence[int]) -> list[Piece]:
    """Cut the end at its writes; its event with output is complete with the write that holds its last byte."""
    pieces, start = [], 0
    ends_at = whole.data.find(b"\n\n") + 2 if whole.n_events else 0
    for size in sizes:
        completes = start < ends_at <= start + size
        pieces.append(Piece(whole.data[start : start + size], int(completes)))
        start += size
    return pieces


def _fits(size: int) -> int:
    return int(size > len(_LEAST) + len(_CLOSE))


def _filler(size: int, base: bytes) -> Piece:
    """Give exactly so many bytes: an event with the shared fields, a bare one, a comment, a line break."""
    opening = b"data: " + base[:-1] + b"," + _LEAST[len(b"data: {") :]
    for head in (opening, _LEAST):
        n_text = size - len(head) - len(_CLOSE)
        if n_text > 0:
            return Piece(head + b"." * n_text + _CLOSE, 1)
    return Piece(b":" * min(1, size - 1) + b" " * (size - 2) + b"\n" if size else b"", 0)
