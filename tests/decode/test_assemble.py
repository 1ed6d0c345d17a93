import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.record import Answer, Arrivals, FailureKind, FindingKind, Record, ToolCall, Usage
from tests.decode.strategies import cut_texts, texts
from tests.decode.wires import (
    DONE,
    END,
    HI,
    MODEL,
    MS,
    a_head,
    a_wire,
    as_object,
    chunked,
    data,
    decoded,
    delta,
    finish,
    tool,
    usage,
)


def streamed(*events: bytes) -> Record:
    """Decode a stream whose head comes at 0 ms and each event 10 ms after the one before."""
    pieces = [a_head(), *map(chunked, events)]
    return decoded([*pieces[:-1], pieces[-1] + b"0\r\n\r\n"], at_ms=[10 * n for n in range(len(pieces))])


def stamps_ms(record: Record) -> dict[str, int | None]:
    stamps = record.stamps
    names = ("event_1", "token_1", "answer_1", "token_n", "finish", "usage", "done")
    found = {name: getattr(stamps, f"{name}_at_ns") for name in names}
    return {name: None if at is None else at // MS for name, at in found.items()}


def test_each_stamp_is_the_instant_of_its_own_event() -> None:
    record = streamed(
        delta(role="assistant", content=""),
        delta(reasoning_content="Hm"),
        HI,
        delta(content="!"),
        finish(),
        usage(),
        DONE,
    )
    assert stamps_ms(record) == {
        "event_1": 10,
        "token_1": 20,
        "answer_1": 30,
        "token_n": 40,
        "finish": 50,
        "usage": 60,
        "done": 70,
    }
    assert record.n_events == 7


def test_arrivals_are_the_events_with_output_and_their_characters_by_channel() -> None:
    record = streamed(
        delta(role="assistant", content=""),
        delta(reasoning="Hmm"),
        delta(content="Hé"),
        delta(refusal="no"),
        tool(index=0, id="a", function={"name": "f", "arguments": "{}"}),
        delta(audio={"data": "AAAA"}),
        END,
    )
    assert record.arrivals == Arrivals(
        at_ns=tuple(at * MS for at in (20, 30, 40, 50, 60)),
        read=(2, 3, 4, 5, 6),
        content_chars=(0, 2, 2, 0, 4),
        reasoning_chars=(3, 0, 0, 0, 0),
        tool_chars=(0, 0, 0, 3, 0),
    )


@pytest.mark.parametrize(
    ("event", "is_answer"),
    [
        (HI, True),
        (delta(refusal="no"), True),
        (tool(index=0, function={"name": "f"}), True),
        (delta(function_call={"name": "f"}), True),
        (delta(reasoning="Hm"), False),
        (delta(audio={"data": "AAAA"}), False),
    ],
)
def test_the_first_answer_is_visible_text_or_a_call(event: bytes, *, is_answer: bool) -> None:
    stamps = stamps_ms(streamed(event, END))
    assert stamps["token_1"] == 10
    assert stamps["answer_1"] == (10 if is_answer else None)


@pytest.mark.parametrize(
    "event",
    [
        b": keep-alive\n\n",
        b"data:\n\n",
        delta(role="assistant", content=""),
        delta(role="assistant", content=None, tool_calls=[], reasoning="", refusal=None),
        data({"choices": []}),
        tool(index=0, id="a", type="function", function={"name": "", "arguments": ""}),
        delta(audio={"id": "x", "expires_at": 3}),
        delta(reasoning_details=[{"type": "reasoning.encrypted", "data": "abc"}]),
    ],
)
def test_what_carries_no_output_is_no_token(event: bytes) -> None:
    stamps = stamps_ms(streamed(event, HI, event, END))
    assert (stamps["token_1"], stamps["token_n"]) == (20, 20)


def test_the_last_finish_reason_and_the_last_usage_give_their_stamps() -> None:
    record = streamed(HI, finish("length"), usage(1, 1), finish(), usage(5, 2), DONE)
    assert (stamps_ms(record)["finish"], stamps_ms(record)["usage"]) == (40, 50)
    assert record.answer.finish_reason == "stop"


def test_several_events_of_one_read_share_its_instant() -> None:
    record = streamed(HI + HI, END)
    assert record.arrivals.at_ns == (10 * MS, 10 * MS)
    assert record.arrivals.read == (1, 1)


def test_an_event_over_two_reads_has_the_instant_of_the_second() -> None:
    record = streamed(HI[:20], HI[20:], END)
    assert stamps_ms(record)["token_1"] == 20


def test_nothing_after_done_enters_the_answer() -> None:
    record = streamed(HI, DONE, delta(content="!"), finish("length"), usage(), data({"error": "late"}))
    assert record.failure is None
    assert (record.answer, record.usage) == (Answer(text="Hi"), None)
    assert stamps_ms(record)["done"] == 20


def test_the_first_error_counts() -> None:
    record = streamed(data({"error": {"message": "first"}}), b"event: error\ndata: second\n\n")
    assert record.failure is not None
    assert record.failure.message == "first"


def test_an_error_event_without_data_is_an_error_all_the_same() -> None:
    record = streamed(HI, b"event: error\n\n", DONE)
    assert record.failure is not None
    assert (record.failure.kind, record.failure.shape) == (FailureKind.ERROR_IN_STREAM, "empty")


def test_the_first_name_of_id_and_model_counts() -> None:
    one = {"id": "1", "model": MODEL, "system_fingerprint": "f", "choices": []}
    record = streamed(data({"id": "", "choices": []}), data(one), data(one | {"id": "2", "model": "other"}), HI, END)
    assert (record.response_id, record.model_reported, record.system_fingerprint) == ("1", MODEL, "f")


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Give an answer in any mix of channels, with at least a word of text."""
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
def as_streams(draw: st.DrawFn, answer: Answer) -> bytes:
    """Write an answer as a stream: channels one after the other, each in pieces, calls interleaved."""
    body = delta(role="assistant", content="")
    for channel, text in (("reasoning_content", answer.reasoning), ("content", answer.text)):
        body += b"".join(delta(**{channel: piece}) for piece in draw(cut_texts(text)))
    body += b"".join(delta(refusal=piece) for piece in draw(cut_texts(answer.refusal)))
    rests = []
    for call in answer.tool_calls:
        body += tool(index=call.index, id=call.id, type="function", function={"name": call.name, "arguments": ""})
        rests.append([(call.index, piece) for piece in draw(cut_texts(call.arguments))])
    while any(rests):
        index, piece = draw(st.sampled_from([rest for rest in rests if rest])).pop(0)
        body += tool(index=index, function={"arguments": piece})
    return body + finish(answer.finish_reason) + usage() + DONE


@given(data=st.data(), answer=answers())
def test_one_answer_assembles_alike_streamed_and_not(data: st.DataObject, answer: Answer) -> None:
    stream = decoded([a_wire(data.draw(as_streams(answer)))])
    whole = decoded([a_wire(as_object(answer), 200, "application/json")])
    assert stream.answer == whole.answer == answer
    assert stream.usage == whole.usage == Usage(prompt_tokens=5, completion_tokens=2, total_tokens=7)
    assert stream.failure is whole.failure is None
    assert sum(stream.arrivals.content_chars) == sum(whole.arrivals.content_chars)
    assert sum(stream.arrivals.tool_chars) == sum(whole.arrivals.tool_chars)
    assert {finding.kind for finding in stream.findings} <= {FindingKind.REASONING_FIELD}
