"""The look that spares decoding: whatever it calls well, the decoder calls well."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.finish import INTERRUPTED
from harness.measure.outcome import failure_kind, is_surely_well
from harness.model.record import Attempt, FailureKind
from tests.decode.cases import CASES, Case
from tests.decode.wires import a_wire, an_attempt, reads_of

SAID = b'data: {"choices":[{"index":0,"delta":{"content":"yes"}}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"%s"}]}\n\n'
DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error":{"code":503,"text":"overloaded"}}\n\n'
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def an_answer(wire: bytes) -> Attempt:
    return an_attempt(reads_of([wire]))


def chunked(*pieces: bytes) -> bytes:
    return CHUNKED + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"


def looked_at(wire: bytes) -> tuple[bool, FailureKind | None]:
    attempt = an_answer(wire)
    return is_surely_well(attempt, wire), failure_kind(attempt, wire)


def test_a_stream_that_ended_well_is_not_decoded() -> None:
    events = (SAID, STOP % b"stop", DONE)
    assert looked_at(chunked(*events)) == (True, None)
    assert looked_at(chunked(*(event.replace(b"\n", b"\r\n") for event in events))) == (True, None)


@pytest.mark.parametrize("word", sorted(INTERRUPTED))
def test_a_finish_reason_that_tells_of_an_interruption_is_decoded(word: str) -> None:
    assert looked_at(chunked(SAID, STOP % word.encode(), DONE)) == (False, FailureKind.ERROR_IN_STREAM)


@pytest.mark.parametrize(
    "told",
    [
        ERROR,
        ERROR.replace(b"error", rb"\u0065rror"),
        ERROR.replace(b"error", rb"e\u0072ror"),
        b"error: boom\n\n",
        b"event:error\ndata: boom\n\n",
    ],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_an_error_before_the_end_is_found_however_it_is_written_and_cut(told: bytes, line_end: bytes) -> None:
    body = (SAID + told + DONE).replace(b"\n", line_end)
    assert looked_at(chunked(body)) == (False, FailureKind.ERROR_IN_STREAM)
    for at in range(len(SAID), len(SAID + told) + 1):
        assert not is_surely_well(an_answer(chunked(body[:at], body[at:])), chunked(body[:at], body[at:]))


def test_the_end_s_word_within_a_text_is_no_end() -> None:
    body = b'data: {"choices":[{"index":0,"delta":{"content":"data: [DONE]"}}]}'
    assert looked_at(chunked(body)) == (False, FailureKind.TRUNCATED_STREAM)
    assert not is_surely_well(an_answer(chunked(body[:-5])), chunked(body[:-5]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_way_to_answer_is_called_well_that_the_decoder_calls_a_failure(case: Case) -> None:
    wire = a_wire(case.body, case.status, case.content_type, *case.headers)
    attempt = replace(an_answer(wire), status=case.status)
    assert not is_surely_well(attempt, wire) or failure_kind(attempt, wire) in {None, FailureKind.EMPTY_ANSWER}


@given(
    st.lists(st.sampled_from([SAID, ERROR, DONE, STOP % b"error", b"error: x\n", b"\n", b"\r", b"data: ", b'"', b"{"]))
)
def test_no_mixture_is_called_well_that_the_decoder_calls_an_error(parts: list[bytes]) -> None:
    is_well, kind = looked_at(chunked(b"".join(parts)))
    assert not is_well or kind not in {FailureKind.ERROR_IN_STREAM, FailureKind.CUT_OFF}
