"""Random streams, and random ways to cut bytes into reads."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from tests.decode.wires import DONE, data, delta, finish, tool, usage

LINE_ENDS = (b"\n", b"\r", b"\r\n")

# What a naive splitter takes for the end of a line, though JSON may hold it inside a string.
texts = st.text(st.sampled_from('ab é\u2028\u2029\u0085\x0b\x0c\x1c\U0001f600\n\r\t"\\{}'), max_size=6)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**60) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
_KEYS = (
    *("choices", "delta", "message", "content", "role", "index", "finish_reason", "usage", "error", "tool_calls"),
    *("function", "name", "arguments", "id", "reasoning_content", "refusal", "audio", "text", "model", "object"),
    *("completion_tokens", "detail", "x_groq"),
)
strange_objects = st.recursive(
    json_values,
    lambda inner: st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4) | st.lists(inner, max_size=2),
    max_leaves=12,
)


def _plain_tool(index: int, text: str) -> bytes:
    return tool(index=index, id=f"call-{index}", function={"name": "f", "arguments": text})


plain_events = st.one_of(
    st.builds(lambda text: delta(content=text), texts),
    st.builds(lambda text: delta(reasoning_content=text), texts),
    st.builds(lambda text: delta(refusal=text), texts),
    st.builds(_plain_tool, st.integers(0, 2), texts),
    st.just(usage()),
    st.just(finish()),
    st.sampled_from(
        (
            delta(role="assistant", content=""),
            b": keep-alive\n\n",
            b"data:\n\n",
            b"event: ping\n\n",
            b'event: error\ndata: {"message":"no"}\n\n',
            b"id: 7\nretry: 3\ndata: oops\n\n",
            b"error: broken\n\n",
            b"\n",
        )
    ),
)


any_events = plain_events | st.builds(data, strange_objects)


@st.composite
def bodies(draw: st.DrawFn, events: st.SearchStrategy[bytes] = any_events) -> bytes:
    """Give a stream's body, with [DONE] or without, in one of the three line ends."""
    body = b"".join(draw(st.lists(events, max_size=8))) + draw(st.sampled_from((b"", DONE, finish() + DONE)))
    return body.replace(b"\n", draw(st.sampled_from(LINE_ENDS)))


@st.composite
def cuttings(draw: st.DrawFn, wire: bytes) -> list[bytes]:
    """Give the pieces of one way to cut these bytes; none is empty."""
    places = draw(st.sets(st.integers(1, max(1, len(wire) - 1)), max_size=12))
    edges = [0, *sorted(place for place in places if place < len(wire)), len(wire)]
    return [wire[start:end] for start, end in pairwise(edges)]


@st.composite
def cut_texts(draw: st.DrawFn, text: str) -> list[str]:
    """Give the pieces of one way to stream this text; none is empty."""
    places = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=3)))
    return [piece for start, end in pairwise([0, *places, len(text)]) if (piece := text[start:end])]


def as_json(payload: object) -> bytes:
    """Give the compact bytes of a body."""
    return json.dumps(payload, ensure_ascii=False).encode()
