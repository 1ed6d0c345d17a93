"""One answer in every mix of dialects: whatever the server's habits, the same answer comes out."""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.model.record import Answer, ToolCall, Usage
from tests.decode.strategies import LINE_ENDS, cut_texts, cuttings, texts
from tests.decode.wires import DONE, a_usage, a_wire, as_object, data, decoded

USAGE = Usage(prompt_tokens=5, completion_tokens=2, total_tokens=7)
NOISE = (b": keep-alive\n\n", b"event: ping\n\n", b"data:\n\n", b'data: {"choices":[],"prompt_filter_results":[]}\n\n')


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A server's habits, each of them seen in the field."""

    roles: str  # none, first, every, null
    reasoning: str  # the name of its field
    indexes: str  # given, from 3, absent, all 0
    repeats_name: bool  # with its id, in every fragment of a call
    usage: str  # last, on finish, every chunk, zero before, x_groq, in choice
    finish: str  # own chunk, with the last piece, every chunk, "" until the end
    line_end: bytes
    space: bytes


dialects = st.builds(
    Dialect,
    roles=st.sampled_from(("none", "first", "every", "null")),
    reasoning=st.sampled_from(("reasoning_content", "reasoning", "thinking", "reasoning_details")),
    indexes=st.sampled_from(("given", "from 3", "absent", "all 0")),
    repeats_name=st.booleans(),
    usage=st.sampled_from(("last", "on finish", "every chunk", "zero before", "x_groq", "in choice")),
    finish=st.sampled_from(("own chunk", "with the last piece", "every chunk", "empty until the end")),
    line_end=st.sampled_from(LINE_ENDS),
    space=st.sampled_from((b" ", b"")),
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Give an answer in any mix of channels; arguments may hold anything, JSON or not."""
    calls = tuple(
        ToolCall(name=f"f{n}", arguments=draw(texts), id=f"call-{n}", index=n) for n in range(draw(st.integers(0, 3)))
    )
    return Answer(
        text="a" + draw(texts),
        reasoning=draw(texts),
        refusal=draw(texts),
        tool_calls=calls,
        finish_reason="tool_calls" if calls else "stop",
    )


@st.composite
def deltas(draw: st.DrawFn, answer: Answer, dialect: Dialect) -> list[dict[str, Any]]:
    """Give what the chunks bring, in order; calls one after the other, which every numbering allows."""
    found: list[dict[str, Any]] = [{"content": ""}] if dialect.roles == "first" else []
    for piece in draw(cut_texts(answer.reasoning)):
        is_list = dialect.reasoning == "reasoning_details"
        found.append({dialect.reasoning: [{"type": "reasoning.text", "text": piece}] if is_list else piece})
    found += [{"content": piece} for piece in draw(cut_texts(answer.text))]
    found += [{"refusal": piece} for piece in draw(cut_texts(answer.refusal))]
    for call in answer.tool_calls:
        pieces = ["", *draw(cut_texts(call.arguments))]
        fragments = [_fragment(call, piece, dialect, is_first=n == 0) for n, piece in enumerate(pieces)]
        found += [{"tool_calls": [fragment]} for fragment in fragments]
    if dialect.roles in ("first", "every", "null"):
        role = None if dialect.roles == "null" else "assistant"
        found = [{"role": role} | one if n == 0 or dialect.roles == "every" else one for n, one in enumerate(found)]
    return found


def _fragment(call: ToolCall, piece: str, dialect: Dialect, *, is_first: bool) -> dict[str, Any]:
    index = {"given": call.index, "from 3": (call.index or 0) + 3, "all 0": 0}.get(dialect.indexes)
    fragment: dict[str, Any] = {} if index is None else {"index": index}
    function = {"arguments": piece}
    if is_first or dialect.repeats_name:
        fragment |= {"id": call.id, "type": "function"}
        function["name"] = call.name or ""
    return fragment | {"function": function}


def stream(parts: list[dict[str, Any]], answer: Answer, dialect: Dialect) -> bytes:
    """Write the deltas as chunks, with finish reason and usage where the dialect has them."""
    if dialect.finish != "with the last piece":
        parts = [*parts, {}]
    body = b""
    for n, delta in enumerate(parts, 1):
        is_last = n == len(parts)
        waiting = {"every chunk": answer.finish_reason, "empty until the end": ""}.get(dialect.finish)
        choice = {"index": 0, "delta": delta, "finish_reason": answer.finish_reason if is_last else waiting}
        body += data(_with_usage({"model": "m", "choices": [choice]}, dialect, is_last=is_last))
    if dialect.usage in ("last", "zero before"):
        body += data({"choices": [], "usage": a_usage()})
    return (body + DONE).replace(b"data: ", b"data:" + dialect.space).replace(b"\n", dialect.line_end)


def _with_usage(chunk: dict[str, Any], dialect: Dialect, *, is_last: bool) -> dict[str, Any]:
    if dialect.usage == "every chunk" or (dialect.usage == "on finish" and is_last):
        return chunk | {"usage": a_usage()}
    if dialect.usage == "zero before":
        return chunk | {"usage": a_usage(0, 0)}
    if dialect.usage == "x_groq" and is_last:
        return chunk | {"x_groq": {"usage": a_usage()}}
    if dialect.usage == "in choice" and is_last:
        return chunk | {"choices": [chunk["choices"][0] | {"usage": a_usage()}]}
    return chunk


def without_indexes(answer: Answer) -> Answer:
    return replace(answer, tool_calls=tuple(replace(call, index=None) for call in answer.tool_calls))


@given(draw=st.data(), answer=answers(), dialect=dialects)
def test_one_answer_comes_out_of_every_dialect_streamed_and_not(
    draw: st.DataObject, answer: Answer, dialect: Dialect
) -> None:
    wire = a_wire(stream(draw.draw(deltas(answer, dialect)), answer, dialect))
    record = decoded(draw.draw(cuttings(wire)))
    whole = decoded([a_wire(as_object(answer), 200, "application/json")])
    assert record.failure is whole.failure is None
    assert without_indexes(record.answer) == without_indexes(whole.answer) == without_indexes(answer)
    assert record.usage is not None
    assert replace(record.usage, first_chunk_tokens=None) == whole.usage == USAGE


@given(draw=st.data(), answer=answers(), dialect=dialects)
def test_what_says_nothing_between_the_events_changes_nothing(
    draw: st.DataObject, answer: Answer, dialect: Dialect
) -> None:
    dialect = replace(dialect, line_end=b"\n")
    body = stream(draw.draw(deltas(answer, dialect)), answer, dialect)
    events = [event + b"\n\n" for event in body.split(b"\n\n") if event]
    noisy = b"".join(draw.draw(st.sampled_from((b"", *NOISE))) + event for event in events)
    plain, disturbed = decoded([a_wire(body)]), decoded([a_wire(noisy)])
    assert (disturbed.answer, disturbed.usage, disturbed.failure) == (plain.answer, plain.usage, plain.failure)
    assert disturbed.arrivals.content_chars == plain.arrivals.content_chars
