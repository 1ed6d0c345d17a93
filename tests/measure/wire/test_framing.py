"""The framing's properties."""

from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.http import split_wire
from harness.measure.wire.framing import MAX_HEAD_BYTES, Framing
from harness.measure.wire.redact import redact
from harness.model.record import Reads
from tests.measure.wire.builders import CANARY, CHUNKED_HEAD, DONE, LAST_CHUNK, WHOLE, chunk, said, sized

ANSWERS = [
    WHOLE,
    sized(b"hello"),
    sized(b""),
    CHUNKED_HEAD + chunk(said("a")) + b"0\r\nX-Trailer: x\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + WHOLE,
    CHUNKED_HEAD + b"zz\r\n",
    b"HTTP/1.1 200 OK\r\n\r\ndata: [DONE]\n\n",
    WHOLE + b"HTTP/1.1 200 OK\r\n",
]


def fed(*pieces: bytes) -> Framing:
    framing = Framing()
    for piece in pieces:
        framing.feed(piece)
    return framing


def state(framing: Framing) -> tuple[object, ...]:
    return (
        framing.status,
        framing.headers,
        framing.is_complete,
        framing.is_done,
        framing.is_framed,
        framing.is_reusable,
        framing.error is None,
        framing.n_body_bytes,
    )


def cut(text: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[start:end] for start, end in pairwise(edges) if start < end]


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_two_part_cut_gives_the_same_framing(answer: bytes) -> None:
    whole = state(fed(answer))
    assert all(state(fed(*cut(answer, [place]))) == whole for place in range(len(answer)))


@given(st.sampled_from(ANSWERS), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cutting_gives_the_same_framing(answer: bytes, places: list[int]) -> None:
    assert state(fed(*cut(answer, places))) == state(fed(answer))


@pytest.mark.parametrize("size", range(1, len(WHOLE) + 1))
def test_the_end_is_known_with_its_last_byte_and_not_before(size: int) -> None:
    assert fed(WHOLE[:size]).is_complete == (size == len(WHOLE))


def test_an_interim_head_is_not_the_answer() -> None:
    framing = fed(b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n", sized(b"hi", "201 Created"))
    assert (framing.status, framing.headers) == (201, [("content-length", "2")])


def test_only_length_or_chunks_are_framing() -> None:
    assert fed(sized(b"hi")).is_framed
    assert fed(CHUNKED_HEAD).is_framed
    assert not fed(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhi").is_framed


@pytest.mark.parametrize(
    "body",
    [
        b"data: [DONE]",
        b"data:[DONE]\n\n",
        said("a") + DONE,
        said("a") + b"\r\ndata: [DONE]\r\n\r\n",
        b"x\rdata: [DONE]\r",
    ],
)
def test_done_is_seen_at_a_lines_start(body: bytes) -> None:
    assert fed(CHUNKED_HEAD, chunk(body)).is_done
    assert fed(CHUNKED_HEAD, *(chunk(bytes([byte])) for byte in body)).is_done


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"content": "say data: [DONE]',
        b"xdata: [DONE]\n\n",
        b"data: [DONE] and more",
        b": [DONE]\n\n",
        b"[DONE]",
    ],
)
def test_done_elsewhere_is_text(body: bytes) -> None:
    assert not fed(CHUNKED_HEAD, chunk(body)).is_done
    assert not fed(CHUNKED_HEAD, *(chunk(bytes([byte])) for byte in body)).is_done or b"[DONE] and" in body


def test_a_response_behind_the_end_makes_the_connection_useless() -> None:
    assert fed(WHOLE).is_reusable
    assert not fed(WHOLE, b"HTTP/1.1 408 X\r\n\r\n").is_reusable
    assert not fed(WHOLE + b"garbage").is_reusable
    assert fed(WHOLE + b"garbage").error is None


def test_a_head_without_end_is_refused() -> None:
    framing = fed(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * MAX_HEAD_BYTES)
    assert framing.error is not None
    assert "head of more than" in framing.error


def test_the_last_chunk_alone_completes() -> None:
    assert fed(CHUNKED_HEAD, LAST_CHUNK).is_complete


LENIENT = [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    CHUNKED_HEAD + b"2 \r\nhi\r\n0\r\n\r\n",
    CHUNKED_HEAD + b'2;name="a;b"\r\nhi\r\n0;last\r\n\r\n',
]


@pytest.mark.parametrize("answer", LENIENT)
def test_what_the_sdks_own_http_reads_is_read(answer: bytes) -> None:
    """That library is h11: the two must agree, or an endpoint fails here that works in every application."""
    application = h11.Connection(h11.CLIENT)
    application.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    application.send(h11.EndOfMessage())
    application.receive_data(answer)
    events = [application.next_event() for _ in range(3)]
    assert [type(event) for event in events] == [h11.Response, h11.Data, h11.EndOfMessage]
    framing = fed(answer)
    assert (framing.error, framing.is_complete, framing.n_body_bytes) == (None, True, 2)
    reads = Reads(at_ns=(1,), seen_at_ns=(1,), n_bytes=(len(answer),), source="u")
    assert split_wire(answer, reads).body == b"hi"
    assert redact(answer, (CANARY,)).count(b"hi") == 1


def test_a_change_of_protocol_is_named() -> None:
    framing = fed(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n")
    assert framing.error == "broken framing: the server switched to another protocol"
