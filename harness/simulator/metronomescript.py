"""Writes down what a metronome sends for one request, all but the id, before the first byte is due."""

import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from harness.simulator.apierror import ApiError
from harness.simulator.bodies import error_script
from harness.simulator.metronomefiller import filled
from harness.simulator.metronomeshape import Replay, Shape
from harness.simulator.script import Event, Payload, Script
from harness.simulator.wire import Write, writes_of
from harness.units import NS_PER_MS

_ID_MARK = "_the_id_is_here_"
ID_DIGITS = len(_ID_MARK)
_WORDS = (" tick", " tock")
_DONE = b"data: [DONE]\n\n"
_BLAST_TURN = 8  # writes of one stream, one send each
_LAST_CHUNK = b"0\r\n\r\n"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides a stream's bytes and instants but its id."""

    shape: Shape | Replay
    model: str
    includes_usage: bool


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A response as one run of bytes with its writes as columns."""

    status: int
    is_stream: bool
    is_paced: bool  # False: every write as soon as its turn comes
    template: bytes
    ends: tuple[int, ...]  # where each write's bytes end
    due_ns: tuple[int, ...]  # after the start
    n_tokens: tuple[int, ...]
    turn_ends: tuple[int, ...]  # after each write: the first that is not sent in the same turn

    def bytes_for(self, request_id: str) -> memoryview:
        """Give the bytes with an id in them."""
        return memoryview(self.template.replace(_ID_MARK.encode(), request_id.encode()))


@lru_cache(maxsize=64)
def stream_score(asked: Asked) -> Score:
    """Write a stream down; one that was asked for before is not written again."""
    if isinstance(asked.shape, Replay):
        return _score(_stream(_replayed(asked, asked.shape)), is_paced=True)
    script = _stream(_counted(asked, asked.shape), asked.shape.events_per_write)
    return _score(script, is_paced=asked.shape.itl_ms > 0)


def error_score(error: ApiError) -> Score:
    """Write a refusal down, due at once."""
    return _score(error_script(error, (("x-request-id", f"req_{_ID_MARK}"),)), is_paced=True)


def usage_of(n_tokens: int) -> dict[str, int]:
    """Give the counts; the prompt is not looked at and counts as one token."""
    return {"prompt_tokens": 1, "completion_tokens": n_tokens, "total_tokens": 1 + n_tokens}


def _stream(events: Iterator[Event], events_per_write: int = 1) -> Script:
    return Script(
        headers=(
            ("Content-Type", "text/event-stream; charset=utf-8"),
            ("Cache-Control", "no-cache"),
            ("x-request-id", f"req_{_ID_MARK}"),
        ),
        events=tuple(events),
        is_stream=True,
        events_per_write=events_per_write,
    )


def _score(script: Script, *, is_paced: bool) -> Score:
    writes = _with_last_chunk(writes_of(script))
    ends, n_bytes = [], 0
    for write in writes:
        n_bytes += len(write.data)
        ends.append(n_bytes)
    return Score(
        status=script.status or 0,
        is_stream=script.is_stream,
        is_paced=is_paced,
        template=b"".join(write.data for write in writes),
        ends=tuple(ends),
        due_ns=tuple(write.at_ns for write in writes),
        n_tokens=tuple(write.n_tokens for write in writes),
        turn_ends=tuple(_turn_ends(writes, is_paced=is_paced)),
    )


def _turn_ends(writes: list[Write], *, is_paced: bool) -> list[int]:
    """What is due at one instant goes out together; without a pace a few writes do, then others have their turn."""
    if not is_paced:
        return [min(position + _BLAST_TURN, len(writes)) for position in range(len(writes))]
    ends = [len(writes)] * len(writes)
    for position in reversed(range(len(writes) - 1)):
        is_same = writes[position].at_ns == writes[position + 1].at_ns
        ends[position] = ends[position + 1] if is_same else position + 1
    return ends


def _with_last_chunk(writes: list[Write]) -> list[Write]:
    """Let the last event and the end of the body go out together."""
    if writes[-1].data != _LAST_CHUNK:
        return writes
    *before, last, end = writes
    return [*before, Write(last.at_ns, last.data + end.data, last.n_tokens)]


def _counted(asked: Asked, shape: Shape) -> Iterator[Event]:
    """Give the role with the first token, one event per token, and with the last one finish, usage and [DONE]."""
    base = _base(asked.model)
    due_ns = [round((shape.ttft_ms + k * shape.itl_ms) * NS_PER_MS) for k in range(shape.tokens)]
    yield Event(due_ns[0], base | _choice({"role": "assistant", "content": ""}))
    for k, at_ns in enumerate(due_ns):
        yield Event(at_ns, base | _choice({"content": _WORDS[k % 2]}), 1)
    yield Event(due_ns[-1], base | _choice({}, "stop"))
    if asked.includes_usage:
        yield Event(due_ns[-1], base | {"choices": [], "usage": usage_of(shape.tokens)})
    yield Event(due_ns[-1], _DONE)


def _replayed(asked: Asked, replay: Replay) -> Iterator[Event]:
    base = msgspec.json.encode(_base(asked.model))
    pieces = filled(replay.n_bytes, base, usage_of if asked.includes_usage else None)
    for at_ns, piece in zip(replay.at_ns, pieces, strict=True):
        yield Event(at_ns, piece.data, piece.n_events)


def _base(model: str) -> Payload:
    return {
        "id": f"chatcmpl-{_ID_MARK}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
    }


def _choice(delta: dict[str, Any], finish_reason: str | None = None) -> Payload:
    return {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]}
