from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.record import decode_attempt
from harness.model.record import Failure, FailureKind, FindingKind, Reads, Record, ToolCall, Usage
from tests.decode.strategies import as_json, bodies, cuttings, strange_objects
from tests.decode.wires import (
    DONE,
    END,
    HI,
    MODEL,
    MS,
    a_head,
    a_usage,
    a_wire,
    an_attempt,
    chunked,
    data,
    decoded,
    delta,
    finish,
    reads_of,
    tool,
    usage,
)


def one_stream_many_answers() -> Record:
    """Role at 50 ms, 50 thoughts to 1280, 25 words to 1780, usage at 1800, [DONE] at 1801."""
    events = [(0, a_head()), (50, delta(role="assistant", content=""))]
    events += [(300 + 20 * n, delta(reasoning_content="Hm ")) for n in range(50)]
    events += [(1300 + 20 * n, delta(content="word")) for n in range(25)]
    events += [(1790, finish()), (1800, usage(20, 200)), (1801, DONE)]
    pieces = [piece if at == 0 else chunked(piece) for at, piece in events]
    return decoded([*pieces, b"0\r\n\r\n"], at_ms=[*(at for at, _ in events), 1802])


def test_one_stream_has_one_set_of_stamps_whatever_others_make_of_it() -> None:
    stamps = one_stream_many_answers().stamps
    assert stamps.sent_at_ns == 0
    assert stamps.headers_at_ns == 0
    assert stamps.event_1_at_ns == 50 * MS
    assert stamps.token_1_at_ns == 300 * MS
    assert stamps.answer_1_at_ns == 1300 * MS
    assert stamps.token_n_at_ns == 1780 * MS
    assert stamps.finish_at_ns == 1790 * MS
    assert stamps.usage_at_ns == 1800 * MS
    assert stamps.done_at_ns == 1801 * MS


def test_one_stream_holds_what_its_rate_is_made_of_and_nothing_derived() -> None:
    record = one_stream_many_answers()
    assert record.usage == Usage(prompt_tokens=20, completion_tokens=200, total_tokens=220)  # first chunk: not told
    assert len(record.arrivals.at_ns) == 75
    assert sum(record.arrivals.reasoning_chars) == 150
    assert sum(record.arrivals.content_chars) == 100
    span_s = (record.arrivals.at_ns[-1] - record.arrivals.at_ns[0]) / 1e9
    assert round((200 - 1) / span_s, 1) == 134.5
    assert {finding.kind: finding.count for finding in record.findings} == {FindingKind.REASONING_FIELD: 50}
    assert record.failure is None


def without_instants(record: Record) -> dict[str, Any]:
    """Everything of a record that does not depend on how the bytes were cut."""
    found: dict[str, Any] = msgspec.to_builtins(record)
    del found["stamps"], found["reads"]
    found["arrivals"] = [found["arrivals"][key] for key in ("content_chars", "reasoning_chars", "tool_chars")]
    return found


@given(draw=st.data(), body=bodies())
def test_any_cutting_gives_the_same_record_apart_from_instants(draw: st.DataObject, body: bytes) -> None:
    wire = a_wire(body)
    assert without_instants(decoded(draw.draw(cuttings(wire)))) == without_instants(decoded([wire]))


@given(
    draw=st.data(),
    words=st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=6),
    end=st.sampled_from((b"\n", b"\r", b"\r\n")),
)
def test_the_instant_of_an_event_is_that_of_the_read_that_completed_it(
    draw: st.DataObject, words: list[str], end: bytes
) -> None:
    frames = [chunked(delta(content=word).replace(b"\n", end)) for word in words]
    pieces = draw.draw(cuttings(a_head() + b"".join(frames)))
    record = decoded(pieces)
    expected = []
    for n in range(len(words)):
        # the blank line is complete at its first byte; the chunk's own CR LF stands behind it
        n_before = len(a_head() + b"".join(frames[: n + 1])) - len(b"\r\n") - (len(end) - 1)
        n_read = 0
        for read, piece in enumerate(pieces):
            n_read += len(piece)
            if n_read >= n_before:
                expected.append(read)
                break
    assert list(record.arrivals.read) == expected
    assert record.arrivals.at_ns == tuple((read + 1) * MS for read in expected)


@given(body=bodies(), at=st.integers(0, 600))
def test_every_prefix_of_a_stream_decodes_to_a_prefix_of_its_answer(body: bytes, at: int) -> None:
    whole = decoded([a_head() + chunked(body)])
    part = decoded([a_head() + chunked(body[:at])])
    assert whole.answer.text.startswith(part.answer.text.rstrip("\ufffd"))
    assert whole.answer.reasoning.startswith(part.answer.reasoning.rstrip("\ufffd"))
    assert part.n_events <= whole.n_events + 1  # an unfinished last event counts


statuses = st.sampled_from((200, 200, 200, 204, 307, 404, 429, 500, 503, 599))
content_types = st.sampled_from(("text/event-stream", "application/json", "text/html", "x"))
odd_bodies = st.one_of(
    st.binary(max_size=80),
    bodies(),
    strange_objects.map(as_json),
    st.lists(strange_objects, max_size=4).map(lambda found: b"".join(map(data, found))),
)
wires = st.binary(max_size=120) | st.builds(
    a_wire,
    odd_bodies,
    statuses,
    content_types,
    st.sampled_from(("X: y", "Content-Encoding: gzip", "Content-Encoding: br")),
)
failures = st.none() | st.builds(Failure, kind=st.sampled_from(FailureKind), message=st.just("m"))


@given(
    wire=wires,
    sizes=st.lists(st.integers(-1, 200), max_size=5),
    instants=st.lists(st.integers(0, 2**62), max_size=5),
    failure=failures,
    asked=st.tuples(st.booleans(), st.booleans()),
)
def test_any_bytes_decode_and_the_record_survives_its_file(
    wire: bytes, sizes: list[int], instants: list[int], failure: Failure | None, asked: tuple[bool, bool]
) -> None:
    attempt = an_attempt(Reads(at_ns=tuple(instants), n_bytes=tuple(sizes)), failure)
    record = decode_attempt(attempt, wire, model_asked=MODEL, asked_stream=asked[0], asked_usage=asked[1])
    assert decode_attempt(attempt, wire, model_asked=MODEL, asked_stream=asked[0], asked_usage=asked[1]) == record
    assert msgspec.json.decode(msgspec.json.encode(record), type=Record) == record
    arrivals = record.arrivals
    assert len({len(getattr(arrivals, name)) for name in arrivals.__dataclass_fields__}) == 1


@given(wire=wires)
def test_a_response_is_a_success_only_with_output_and_a_status_of_success(wire: bytes) -> None:
    record = decoded([wire])
    if record.failure is None:
        assert record.status is not None
        assert 200 <= record.status < 300
        assert record.arrivals.at_ns


def test_a_reset_before_the_response_has_no_status() -> None:
    record = decoded([b"HTTP/1.1 200"])
    assert record.failure is not None
    assert record.failure.kind is FailureKind.RESET_BEFORE_RESPONSE
    assert decoded([b""]).failure == record.failure


def test_bytes_that_are_no_http_are_malformed() -> None:
    record = decoded([b"SSH-2.0-OpenSSH_9.6\r\n"])
    assert record.failure is not None
    assert record.failure.kind is FailureKind.MALFORMED_HTTP
    assert "broken framing" in record.failure.message


def test_framing_that_never_ends_is_a_cut_and_the_part_is_kept() -> None:
    record = decoded([a_head(), chunked(HI)])
    assert record.failure is not None
    assert record.failure.kind is FailureKind.CUT_OFF
    assert record.answer.text == "Hi"
    assert [finding.kind for finding in record.findings] == [FindingKind.CHUNK_FRAMING_LOST]


@pytest.mark.parametrize("end", [HI + END, HI + finish() + usage()])
def test_a_lost_end_of_framing_is_forgiven_once_the_answer_is_whole(end: bytes) -> None:
    assert decoded([a_head(), chunked(end)]).failure is None


def test_a_json_answer_has_the_instant_of_its_last_byte() -> None:
    message = {"content": "Hi", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}
    body = as_json({"model": MODEL, "choices": [{"message": message, "finish_reason": "tool_calls"}]})
    pieces = [a_head(200, "application/json"), b"%x\r\n" % len(body) + body[:9], body[9:] + b"\r\n", b"0\r\n\r\n"]
    record = decoded(pieces, at_ms=[10, 20, 30, 40])
    assert (record.stamps.headers_at_ns, record.stamps.token_1_at_ns) == (10 * MS, 30 * MS)
    assert record.stamps.event_1_at_ns is None
    assert not record.was_streamed
    assert record.answer.tool_calls == (ToolCall(name="f", arguments="{}", id="a", index=0),)


def test_an_answer_that_was_not_asked_to_stream_is_no_finding() -> None:
    body = as_json({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]})
    wire = a_wire(b"\n\n \n" + body, 200, "application/json")
    attempt = an_attempt(reads_of([wire]))
    record = decode_attempt(attempt, wire, model_asked=None, asked_stream=False, asked_usage=False)
    assert (record.answer.text, record.findings, record.failure) == ("Hi", (), None)


def unstreamed(wire: bytes) -> Record:
    attempt = an_attempt(reads_of([wire]))
    return decode_attempt(replace(attempt, key=replace(attempt.key, is_streamed=False)), wire, model_asked=MODEL)


def test_a_request_whose_key_says_that_no_stream_was_asked_for_expects_json() -> None:
    body = as_json({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "usage": a_usage()})
    record = unstreamed(a_wire(body, 200, "application/json"))
    assert (record.answer.text, record.findings, record.failure, record.was_streamed) == ("Hi", (), None, False)


def test_a_stream_that_nobody_asked_for_is_a_finding_and_an_answer() -> None:
    record = unstreamed(a_wire(HI + END))
    assert [finding.kind for finding in record.findings] == [FindingKind.JSON_ANSWERED_WITH_STREAM]
    assert (record.answer.text, record.failure, record.was_streamed) == ("Hi", None, True)


def test_blank_lines_without_number_before_a_json_answer_are_no_other_kind_of_body() -> None:
    body = as_json({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]})
    assert decoded([a_wire(b"\n" * 10_000 + body, 200, "application/json")]).failure is None


def test_usage_that_was_not_asked_for_is_not_missing() -> None:
    wire = a_wire(HI + finish() + DONE)
    attempt = an_attempt(reads_of([wire]))
    assert decode_attempt(attempt, wire, model_asked=MODEL, asked_usage=False).findings == ()


def test_the_facts_of_the_attempt_are_copied_into_the_record() -> None:
    wire = a_wire(HI + END)
    attempt = an_attempt(reads_of([wire]))
    record = decode_attempt(attempt, wire, model_asked=MODEL)
    assert (record.key, record.attempt, record.block) == (attempt.key, attempt.attempt, attempt.block)
    assert (record.reads, record.headers, record.connection) == (attempt.reads, attempt.headers, attempt.connection)
    assert record.status == 200


def test_a_name_of_the_model_other_than_the_one_asked_for_is_a_finding() -> None:
    wire = a_wire(HI + END)
    assert decoded([wire], model_asked="other").findings[0].detail == "asked other, reported m"
    assert decoded([wire], model_asked=None).findings == ()


def test_a_tool_call_alone_is_an_answer() -> None:
    record = decoded(
        [
            a_wire(
                tool(index=0, id="a", function={"name": "f", "arguments": "{}"}) + finish("tool_calls") + usage() + DONE
            )
        ]
    )
    assert (record.failure, record.findings) == (None, ())
