"""Builders of response wires, their reads and the attempts that hold them."""

import json
from collections.abc import Sequence
from typing import Any

from harness.decode.record import decode_attempt
from harness.model.record import Answer, Arm, Attempt, Failure, Reads, Record, RequestKey

MS = 1_000_000
MODEL = "m"


def a_head(status: int = 200, content_type: str = "text/event-stream", *more: str) -> bytes:
    """Give a response head that announces chunks."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}", "Transfer-Encoding: chunked", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunked(piece: bytes) -> bytes:
    """Frame one piece of body as a chunk; nothing for nothing."""
    return b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b""


def a_wire(body: bytes, status: int = 200, content_type: str = "text/event-stream", *more: str) -> bytes:
    """Give a whole response with the body in one chunk."""
    return a_head(status, content_type, *more) + chunked(body) + b"0\r\n\r\n"


def reads_of(pieces: Sequence[bytes], at_ms: Sequence[int] | None = None) -> Reads:
    """Give the reads that brought these pieces; one per millisecond unless told."""
    at_ns = tuple(at * MS for at in (at_ms or range(1, len(pieces) + 1)))
    sizes = tuple(map(len, pieces))
    return Reads(at_ns=at_ns, seen_at_ns=at_ns, n_bytes=sizes, source="u" * len(pieces))


def an_attempt(reads: Reads, failure: Failure | None = None) -> Attempt:
    """Give the attempt that these reads belong to, intended and sent at instant 0."""
    return Attempt(
        key=RequestKey(arm=Arm.REFERENCE, prompt_id="p", repeat=0),
        attempt=1,
        block=0,
        request_sha256="0" * 64,
        request_bytes=1,
        intended_at_ns=0,
        admitted_at_ns=0,
        sent_at_ns=0,
        status=200,
        reads=reads,
        length=sum(reads.n_bytes),
        failure=failure,
    )


def decoded(
    pieces: Sequence[bytes],
    at_ms: Sequence[int] | None = None,
    failure: Failure | None = None,
    model_asked: str | None = MODEL,
) -> Record:
    """Decode a response that came in these pieces."""
    attempt = an_attempt(reads_of(pieces, at_ms), failure)
    return decode_attempt(attempt, b"".join(pieces), model_asked=model_asked)


def data(payload: Any) -> bytes:
    """Give one event with a JSON payload."""
    return b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"


def delta(more: dict[str, Any] | None = None, /, **fields: Any) -> bytes:
    """Give a chunk event whose first choice has this delta; `more` goes into the chunk."""
    choice = {"index": 0, "delta": fields, "finish_reason": None}
    return data({"id": "c1", "object": "chat.completion.chunk", "model": MODEL, "choices": [choice]} | (more or {}))


def finish(reason: object = "stop", **fields: Any) -> bytes:
    """Give the chunk that ends the answer."""
    return data({"choices": [{"index": 0, "delta": fields, "finish_reason": reason}]})


def usage(prompt: int = 5, completion: int = 2, **more: Any) -> bytes:
    """Give a usage chunk as the contract has it."""
    return data({"choices": [], "usage": a_usage(prompt, completion, **more)})


def a_usage(prompt: int = 5, completion: int = 2, **more: Any) -> dict[str, Any]:
    """Give a usage object."""
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return counts | more


def tool(**fragment: Any) -> bytes:
    """Give a chunk with one tool-call fragment."""
    return delta(tool_calls=[fragment])


def as_object(answer: Answer) -> bytes:
    """Write an answer the way a server does that was not asked to stream."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": answer.text,
        "reasoning_content": answer.reasoning,
        "refusal": answer.refusal or None,
        "tool_calls": [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.tool_calls
        ],
    }
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
    body = {"id": "c1", "model": MODEL, "choices": [choice], "usage": a_usage()}
    return json.dumps(body, ensure_ascii=False).encode()


DONE = b"data: [DONE]\n\n"
HI = delta(content="Hi")
END = finish() + usage() + DONE
TOOL_END = finish("tool_calls") + usage() + DONE
