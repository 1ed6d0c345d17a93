import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.sse import split_events
from tests.decode.strategies import LINE_ENDS, bodies


def datas(body: bytes) -> list[bytes | None]:
    return [event.data for event in split_events(body).events]


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        (b"data: a\n\ndata: b\n\n", [9, 18]),
        (b"data: a\r\rdata: b\r\r", [9, 18]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [10, 21]),  # at the second CR; its LF belongs to the same line end
        (b"data: a\n\r\ndata: b\r\n\n", [9, 20]),
    ],
)
def test_an_event_is_complete_at_the_first_byte_of_the_line_end_that_closes_it(body: bytes, ends: list[int]) -> None:
    found = split_events(body).events
    assert [event.data for event in found] == [b"a", b"b"]
    assert [event.end for event in found] == ends
    assert all(event.is_finished for event in found)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_what_unicode_calls_a_line_end_is_none(separator: str) -> None:
    text = f'data: {{"t":"a{separator}b"}}\n\n'.encode()
    assert len(text.decode().splitlines()) == 3  # the mistake that this splitter does not make
    assert datas(text) == [f'{{"t":"a{separator}b"}}'.encode()]


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"data:a\n\n", b"a"),
        (b"data: a\n\n", b"a"),
        (b"data:  a\n\n", b" a"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b"data\n\n", b""),
        (b"data:\ndata:\n\n", b"\n"),
        (b"event: x\n\n", None),
        (b"data: a: b\n\n", b"a: b"),
    ],
)
def test_a_field_loses_its_name_and_one_space(body: bytes, data: bytes | None) -> None:
    assert datas(body) == [data]


def test_every_field_of_an_event_is_kept_with_it_and_not_with_the_next() -> None:
    first, second = split_events(b"id: 1\nevent: e\nretry: 5\nerror: no\ndata: a\n\ndata: b\n\n").events
    assert (first.id, first.name, first.retry, first.error, first.data) == ("1", "e", "5", b"no", b"a")
    assert (second.id, second.name, second.retry, second.error, second.data) == (None, None, None, None, b"b")


def test_comments_are_counted_and_make_no_event() -> None:
    body = split_events(b": one\n\n: two\ndata: a\n:three\n\n")
    assert [event.data for event in body.events] == [b"a"]
    assert (body.n_comments, body.first_comment) == (3, "one")


def test_a_byte_order_mark_counts_at_the_start_only() -> None:
    body = split_events(b"\xef\xbb\xbfdata: a\n\n")
    assert body.has_byte_order_mark
    assert [(event.data, event.end) for event in body.events] == [(b"a", 12)]
    later = split_events(b"data: a\n\n\xef\xbb\xbfdata: b\n\n")
    assert not later.has_byte_order_mark
    assert [event.data for event in later.events] == [b"a", None]


@pytest.mark.parametrize("rest", [b"data: b", b"data: b\n", b"data: b\r\n"])
def test_a_last_event_without_its_blank_line_is_given_and_marked(rest: bytes) -> None:
    first, last = split_events(b"data: a\n\n" + rest).events
    assert first.is_finished
    assert (last.data, last.is_finished, last.end) == (b"b", False, 9 + len(rest))


def the_standard_way(body: bytes) -> list[bytes]:
    """Data of the events that the HTML standard dispatches, written from its text a second way."""
    lines = re.split(rb"\r\n|\n|\r", body.removeprefix(b"\xef\xbb\xbf"))[:-1]
    found: list[bytes] = []
    buffer = b""
    for line in lines:
        name, _, value = line.partition(b":")
        if name == b"data":
            buffer += (value[1:] if value[:1] == b" " else value) + b"\n"
        if not line:
            found += [buffer[:-1]] if buffer else []
            buffer = b""
    return found


@given(body=bodies())
def test_a_stream_splits_as_the_standard_says(body: bytes) -> None:
    finished = [event.data for event in split_events(body).events if event.is_finished and event.data is not None]
    assert finished == the_standard_way(body)


@given(body=st.binary(max_size=60) | st.text(st.sampled_from("data: \r\n:xevnt"), max_size=60).map(str.encode))
def test_any_bytes_split_as_the_standard_says_and_every_event_ends_inside_them(body: bytes) -> None:
    found = split_events(body).events
    assert [event.data for event in found if event.is_finished and event.data is not None] == the_standard_way(body)
    ends = [event.end for event in found]
    assert ends == sorted(set(ends))
    assert all(0 < end <= len(body) for end in ends)
    assert all(event.is_finished for event in found[:-1])


@given(body=bodies(), at=st.integers(0, 400))
def test_a_prefix_holds_exactly_the_events_that_end_in_it(body: bytes, at: int) -> None:
    at = min(at, len(body))
    whole = [event for event in split_events(body).events if event.is_finished and event.end <= at]
    assert [event for event in split_events(body[:at]).events if event.is_finished] == whole


@given(body=bodies())
def test_the_three_line_ends_give_the_same_events(body: bytes) -> None:
    lines = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lf, cr, crlf = (datas(lines.replace(b"\n", end)) for end in LINE_ENDS)
    assert lf == cr == crlf
