"""Ways to damage a response, at the level where a server or a network does it."""

import gzip
import json
import random
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.decode.answerkeys.all import KEYS
from tests.decode.cases import CASES
from tests.decode.wires import a_head, chunked

Mutate = Callable[[bytes, random.Random], bytes]

SEEDS = tuple(dict.fromkeys(case.body for case in (*CASES, *KEYS) if len(case.body) < 20_000 and case.status == 200))
STATUSES = (200,) * 37 + (204, 404, 500)
CONTENT_TYPES = ("text/event-stream",) * 6 + ("application/json", "text/html", "")
FRAGMENTS = (
    *(b"data: [DONE]\n\n", b"data: {}\n\n", b"data:\n\n", b"\n\n", b"\r", b"\r\n\r\n", b": x\n\n", b"event: error\n"),
    *(b"error: ", b"data: ", b"id: 1\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\xe2\x80\xa8", b"\xf0\x9f"),
    *(b'{"choices":[', b'"delta":null', b'"finish_reason":"error"', b'"usage":{}', b'"error":{"message":"m"}'),
    *(b"<tool_call>", b"</think>", b"<html><title>", b"HTTP/1.1 200 OK\r\n\r\n", b"0\r\n\r\n", b"fffffffff\r\n"),
    *(b"\\ud83d", b"\\u0000", b'"index":99999999999999999999', b"1e999", b"9" * 5000, b"[" * 2000, b'{"a":' * 2000),
)
CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": partial(gzip.compress, mtime=0),
    "deflate": zlib.compress,
    "br": bytes,  # which is not decoded
}
MOST_BYTES = 200_000  # of a body that repeats itself
_EVENT = re.compile(rb"^data: ?(\{.*\})\r?$", re.MULTILINE)
_CHUNK_SIZE = re.compile(rb"^[0-9a-f]+\r\n", re.MULTILINE)
_MARK = "@@"  # stands for what json.dumps cannot write


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A damaged response, the sizes of the reads that it comes in, and what was done to it."""

    wire: bytes
    sizes: tuple[int, ...]
    mutations: tuple[str, ...]


def mutant(seed: int, number: int) -> Mutant:
    """Give response number k of a seed."""
    draws = random.Random(f"{seed}/{number}")
    body, in_body = _mutated(draws.choice(SEEDS), BODY_MUTATIONS, draws.choice((0, 1, 1, 1, 2, 3, 4)), draws)
    if draws.random() < 0.01:
        body, in_body = _flood(body, draws), (*in_body, "flood")
    framed, framing = _framed(body, draws)
    wire, on_wire = _mutated(framed, WIRE_MUTATIONS, draws.choice((0, 0, 0, 0, 1, 2)), draws)
    return Mutant(wire=wire, sizes=_cut(len(wire), draws), mutations=(*in_body, framing, *on_wire))


def _mutated(
    text: bytes, ways: Mapping[str, Mutate], times: int, draws: random.Random
) -> tuple[bytes, tuple[str, ...]]:
    names = tuple(draws.choice(tuple(ways)) for _ in range(times))
    for name in names:
        text = ways[name](text, draws)
    return text, names


def _framed(body: bytes, draws: random.Random) -> tuple[bytes, str]:
    """Frame it by chunks, by its length, or by the connection's end; compressed now and then."""
    more = []
    if draws.random() < 0.1:
        coding = draws.choice(tuple(CODINGS))
        more.append(f"Content-Encoding: {coding}")
        body = CODINGS[coding](body)
    status, content_type = draws.choice(STATUSES), draws.choice(CONTENT_TYPES)
    framing = draws.choice(("chunks", "chunks", "length", "close"))
    if framing == "chunks":
        edges = sorted(draws.randrange(len(body) + 1) for _ in range(draws.randint(0, 6)))
        pieces = [body[start:end] for start, end in zip([0, *edges], [*edges, len(body)], strict=True)]
        return a_head(status, content_type, *more) + b"".join(map(chunked, pieces)) + b"0\r\n\r\n", framing
    head = a_head(status, content_type, *more)
    length = b"Content-Length: %d" % len(body) if framing == "length" else b"Connection: close"
    return head.replace(b"Transfer-Encoding: chunked", length) + body, framing


def _cut(length: int, draws: random.Random) -> tuple[int, ...]:
    """Give the sizes of the reads, mostly few; now and then one byte each."""
    if draws.random() < 0.02:
        return (1,) * min(length, 3000) + ((length - 3000,) if length > 3000 else ())
    edges = sorted(draws.randrange(length + 1) for _ in range(draws.randint(0, 8)))
    return tuple(end - start for start, end in zip([0, *edges], [*edges, length], strict=True))


def _span(text: bytes, draws: random.Random) -> "slice[int, int, None]":
    start = draws.randrange(len(text) + 1)
    return slice(start, min(len(text), start + draws.choice((1, 2, 10, 100, 1000))))


def _flip(text: bytes, draws: random.Random) -> bytes:
    flipped = bytearray(text)
    for _ in range(draws.choice((1, 1, 3, 30)) if text else 0):
        flipped[draws.randrange(len(flipped))] ^= 1 << draws.randrange(8)
    return bytes(flipped)


def _truncate(text: bytes, draws: random.Random) -> bytes:
    return text[: draws.randrange(len(text) + 1)]


def _drop(text: bytes, draws: random.Random) -> bytes:
    gone = _span(text, draws)
    return text[: gone.start] + text[gone.stop :]


def _repeat(text: bytes, draws: random.Random) -> bytes:
    again = _span(text, draws)
    return text[: again.stop] + text[again] * draws.choice((1, 2, 50)) + text[again.stop :]


def _insert(text: bytes, draws: random.Random) -> bytes:
    at = draws.randrange(len(text) + 1)
    return text[:at] + draws.choice(FRAGMENTS) + text[at:]


def _splice(text: bytes, draws: random.Random) -> bytes:
    """Go on in another response, at the end of an event or anywhere."""
    other = draws.choice(SEEDS)
    at = draws.randrange(len(text) + 1)
    event_end = text.find(b"\n\n", at)
    at = event_end + 2 if event_end >= 0 and draws.random() < 0.7 else at
    return text[:at] + other[draws.randrange(len(other) + 1) if draws.random() < 0.3 else 0 :]


def _flood(text: bytes, draws: random.Random) -> bytes:
    """Say a piece of it some thousand times, as a model in a loop does."""
    again = _span(text, draws)
    return text[: again.start] + text[again] * (MOST_BYTES // max(1, again.stop - again.start)) + text[again.stop :]


def _other_line_ends(text: bytes, draws: random.Random) -> bytes:
    return text.replace(b"\n", draws.choice((b"\r", b"\r\n", b"\n\r", b"\xe2\x80\xa8")))


def _strange_value(text: bytes, draws: random.Random) -> bytes:
    """Put a value that no reader expects in the place of one inside an event's JSON."""
    events = list(_EVENT.finditer(text))
    if not events:
        return _insert(text, draws)
    found = draws.choice(events)
    try:
        payload = json.loads(found[1])
    except (ValueError, RecursionError):  # a mutation before this one
        return _flip(text, draws)
    _replace_one(payload, draws)
    changed = json.dumps(payload).replace(f'"{_MARK}"', _strange(draws))
    return text[: found.start(1)] + changed.encode() + text[found.end(1) :]


def _replace_one(payload: Any, draws: random.Random) -> None:
    """Replace a value at a random depth, or add one under a known name."""
    while True:
        keys = list(payload) if isinstance(payload, dict) else list(range(len(payload)))
        key = draws.choice(keys) if keys else None
        if key is not None and isinstance(payload[key], dict | list) and payload[key] and draws.random() < 0.8:
            payload = payload[key]
            continue
        if isinstance(payload, dict):
            payload[key if key is not None and draws.random() < 0.8 else draws.choice(NAMES)] = _MARK
        elif key is not None:
            payload[key] = _MARK
        return


NAMES = (
    *("choices", "delta", "message", "content", "role", "index", "finish_reason", "usage", "error", "tool_calls"),
    *("function", "name", "arguments", "id", "reasoning_content", "reasoning_details", "refusal", "audio", "text"),
    *("model", "object", "completion_tokens", "detail", "x_groq", "function_call", "custom", "input", "thinking"),
)


def _strange(draws: random.Random) -> str:
    """Give JSON, or nearly, that is deep, huge, halved or of another type."""
    depth = draws.choice((3, 101, 500, draws.randint(850, 1010), 20_000))
    return draws.choice(
        (
            *("null", "true", "[]", "{}", '""', "0", "-1", "1.5", '"x"', '["a",{"text":"b"}]', "[[],[{}],null]"),
            *("9" * 30, "-" + "9" * 400, "9" * 5000, "1e308", "1e999", "NaN", "-Infinity", "1" + "0" * 18, "-0.0"),
            *('"\\ud83d"', '"\\ude00\\ud83d"', '"\\u0000"', '"\\ud83d\\ude00"', '"' + "\\udfff" * 50 + '"'),
            *("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, '{"text":' * depth + '"x"' + "}" * depth),
            '[{"index":0,"id":"a","function":{"name":"weather","arguments":"{}"}}]' * draws.choice((1, 1, 2)),
            "[" + ",".join(f'{{"index":{n * 10**15},"function":{{"name":"f"}}}}' for n in range(50)) + "]",
            json.dumps("<tool_call>" * draws.choice((1, 200))),
            json.dumps("x" * draws.choice((1, 10_000))),
            json.dumps("\u0327\u0301" * draws.choice((1, 3000))),
        )
    )


def _damage_chunk_size(text: bytes, draws: random.Random) -> bytes:
    sizes = list(_CHUNK_SIZE.finditer(text))
    if not sizes:
        return _flip(text, draws)
    found = draws.choice(sizes)
    wrong = draws.choice(
        (b"", b"0\r\n", b"1\r\n", b"ffffffffffffffffff\r\n", b"-1\r\n", b"zz\r\n", b"5;x=y\r\n", b"5\n")
    )
    return text[: found.start()] + wrong + text[found.end() :]


def _damage_head(text: bytes, draws: random.Random) -> bytes:
    end = text.find(b"\r\n\r\n")
    if end < 0:
        return _flip(text, draws)
    way = draws.choice((_flip, _drop, _repeat, _insert))
    return way(text[:end], draws) + text[end:]


BODY_MUTATIONS: Mapping[str, Mutate] = {
    "flip": _flip,
    "truncate": _truncate,
    "drop": _drop,
    "repeat": _repeat,
    "insert": _insert,
    "splice": _splice,
    "line ends": _other_line_ends,
    "strange value": _strange_value,
    "one more strange value": _strange_value,
}
WIRE_MUTATIONS: Mapping[str, Mutate] = {
    "wire flip": _flip,
    "wire truncate": _truncate,
    "wire drop": _drop,
    "wire repeat": _repeat,
    "chunk size": _damage_chunk_size,
    "head": _damage_head,
}
