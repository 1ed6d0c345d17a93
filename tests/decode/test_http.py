import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.http import HttpResponse, split_wire
from harness.model.record import Reads
from tests.decode.strategies import cuttings
from tests.decode.wires import a_head, a_wire, chunked, reads_of

HEAD = b"HTTP/1.1 200 OK\r\nX-One: 1\r\nX-One: 2\r\n"


def split(*pieces: bytes) -> HttpResponse:
    return split_wire(b"".join(pieces), reads_of(pieces))


def facts(response: HttpResponse) -> tuple[object, ...]:
    """Everything about a response that does not depend on how it was cut."""
    return (
        response.status,
        response.reason,
        response.headers,
        response.body,
        response.is_complete,
        response.is_framed,
        response.coding,
        response.error,
    )


def test_a_body_by_length_is_whole_at_its_last_byte() -> None:
    response = split(HEAD + b"Content-Length: 4\r\n\r\nab", b"cd")
    assert (response.status, response.reason, response.body) == (200, "OK", b"abcd")
    assert response.header("x-one") == "1"
    assert response.is_complete
    assert (response.body_ends, response.body_reads) == ((2, 4), (0, 1))


def test_a_body_in_chunks_loses_its_framing_and_keeps_its_reads() -> None:
    response = split(a_head(), b"3\r\nab", b"c\r\n2\r", b"\nde\r\n0\r\n\r\n")
    assert response.body == b"abcde"
    assert (response.body_ends, response.body_reads) == ((2, 3, 5), (1, 2, 3))
    assert [response.read_of(end) for end in range(1, 6)] == [1, 1, 2, 3, 3]
    assert response.head_read == 0
    assert response.is_complete


def test_a_body_without_framing_ends_with_the_connection() -> None:
    response = split(HEAD + b"\r\nab", b"cd")
    assert (response.body, response.is_framed, response.is_complete) == (b"abcd", False, True)


@pytest.mark.parametrize("cut", [b"", b"5\r\nab", b"5\r\nabcde\r\n", b"5\r\nabcde\r\n0\r\n"])
def test_a_body_whose_framing_saw_no_end_is_incomplete(cut: bytes) -> None:
    response = split(a_head(), cut)
    assert response.is_framed
    assert not response.is_complete
    assert response.error is None


def test_the_head_is_complete_at_the_read_of_its_blank_line() -> None:
    response = split(b"HTTP/1.1 404 Not", b" Found\r\nA: b\r\n", b"\r\n")
    assert (response.status, response.reason, response.head_read) == (404, "Not Found", 2)


def test_an_unfinished_head_has_no_status() -> None:
    response = split(b"HTTP/1.1 200 OK\r\nContent-")
    assert (response.status, response.headers, response.head_read, response.is_complete) == (None, (), None, False)


def test_an_interim_response_does_not_count() -> None:
    response = split(b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n", a_wire(b"Hi", 201))
    assert (response.status, response.body, response.header("x-early")) == (201, b"Hi", None)
    assert response.is_complete


def test_trailers_are_no_headers() -> None:
    response = split(a_head() + chunked(b"Hi") + b"0\r\nX-Late: 1\r\n\r\n")
    assert response.header("x-late") is None
    assert response.is_complete


@pytest.mark.parametrize("more", [b"garbage", a_wire(b"Other", 500), b"\x00\xff", b"HTTP/1.1 2"])
@pytest.mark.parametrize("is_one_read", [True, False])
def test_bytes_behind_the_response_are_not_part_of_it(more: bytes, *, is_one_read: bool) -> None:
    wire = a_wire(b"Hi")
    response = split(wire + more) if is_one_read else split(wire, more)
    assert facts(response) == facts(split(wire))


@pytest.mark.parametrize(
    "wire",
    [b"SSH-2.0-OpenSSH\r\n", b"\x16\x03\x01", b"<html></html>", b"HTTP/9.9 200 OK\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"],
)
def test_what_is_no_http_says_so(wire: bytes) -> None:
    response = split(wire)
    assert response.status is None
    assert str(response.error).startswith("broken framing: ")


def test_framing_that_breaks_keeps_what_was_whole_before() -> None:
    response = split(a_head(), chunked(b"abc"), b"zz\r\nno chunk")
    assert (response.status, response.body, response.is_complete) == (200, b"abc", False)
    assert "broken framing" in str(response.error)


def test_a_read_without_bytes_keeps_the_numbers_of_the_others() -> None:
    wire = a_head() + chunked(b"Hi")
    reads = Reads(at_ns=(1, 2, 3), seen_at_ns=(1, 2, 3), n_bytes=(len(a_head()), 0, len(chunked(b"Hi"))), source="uuu")
    assert split_wire(wire, reads).body_reads == (2,)


@pytest.mark.parametrize("sizes", [(), (1,), (5, 5), (10_000,), (0, 0), (-3, 4)])
def test_reads_that_do_not_add_up_lose_no_bytes(sizes: tuple[int, ...]) -> None:
    wire = a_wire(b"Hi")
    assert facts(split_wire(wire, Reads(n_bytes=sizes))) == facts(split(wire))


responses = st.builds(
    lambda head, bodies, end: head + b"".join(map(chunked, bodies)) + end,
    st.sampled_from((a_head(), b"HTTP/1.1 100 Continue\r\n\r\n" + a_head(503, "text/plain"), HEAD + b"\r\n")),
    st.lists(st.binary(max_size=20), max_size=4),
    st.sampled_from((b"0\r\n\r\n", b"", b"q\r\n", b"0\r\nT: 1\r\n\r\nmore")),
)


@given(data=st.data(), wire=responses)
def test_any_cutting_gives_the_same_response(data: st.DataObject, wire: bytes) -> None:
    pieces = data.draw(cuttings(wire))
    assert facts(split(*pieces)) == facts(split(wire))


@given(wire=st.binary(max_size=200) | responses, sizes=st.lists(st.integers(-2, 90), max_size=6))
def test_any_bytes_and_any_reads_are_a_response_of_some_kind(wire: bytes, sizes: list[int]) -> None:
    response = split_wire(wire, Reads(n_bytes=tuple(sizes)))
    assert response.body_ends == tuple(sorted(response.body_ends))
    assert len(response.body_ends) == len(response.body_reads)
    assert all(0 <= read < max(1, len(sizes)) for read in response.body_reads)
    assert (response.body_ends[-1] if response.body_ends else 0) == len(response.body)
