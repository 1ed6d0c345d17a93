import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness.decode.watch
from harness.decode.payload import Payload, decode_payload
from harness.decode.watch import last_output_at_ns
from harness.model.record import Reads
from tests.decode.strategies import bodies, plain_events
from tests.decode.wires import DONE, HI, MS, a_head, chunked, data, decoded, delta, finish, reads_of, tool, usage

KEEP_ALIVE = b": keep-alive\n\n"


def seen_ms(*events: bytes) -> int | None:
    """Ask after the head at 0 ms and each event 10 ms after the one before."""
    pieces = [a_head(), *map(chunked, events)]
    at = last_output_at_ns(b"".join(pieces), reads_of(pieces, [10 * n for n in range(len(pieces))]))
    return None if at is None else at // MS


@pytest.mark.parametrize(
    "event",
    [
        HI,
        delta(reasoning_content="Hm"),
        delta(refusal="no"),
        delta(audio={"data": "AAAA"}),
        tool(index=0, function={"arguments": "{"}),
        tool(index=0, function={"name": "f"}),
        delta(function_call={"arguments": "{"}),
        data({"choices": [{"index": 0, "text": "Hi"}]}),
        data({"choices": [{"index": 0, "message": {"content": "Hi"}}]}),
        data({"choices": [{"index": 1, "delta": {"content": "another choice"}}]}),
    ],
)
def test_output_of_any_channel_and_choice_keeps_a_stream_alive(event: bytes) -> None:
    assert seen_ms(event, KEEP_ALIVE) == 10


@pytest.mark.parametrize(
    "event",
    [
        KEEP_ALIVE,
        b"data:\n\n",
        b"event: ping\n\n",
        b"data: oops\n\n",
        b"data: 7\n\n",
        delta(role="assistant", content=""),
        delta(content=None),
        data({"choices": []}),
        data({"choices": [3, {"delta": 3}, {}]}),
        data({"choices": 3}),
        finish(),
        usage(),
        DONE,
        HI[:-1],  # not complete yet
    ],
)
def test_nothing_else_does(event: bytes) -> None:
    assert seen_ms(event) is None
    assert seen_ms(HI, event) == 10


def test_nothing_yet_is_no_output() -> None:
    assert last_output_at_ns(b"", Reads()) is None
    assert last_output_at_ns(b"HTTP/1.1 200", reads_of([b"HTTP/1.1 200"])) is None


@given(body=bodies(), n=st.integers(20, 200))
def test_as_a_stream_grows_its_last_output_only_moves_forward(body: bytes, n: int) -> None:
    pieces = [a_head(), *(chunked(body[at : at + n]) for at in range(0, len(body), n))]
    reads = reads_of(pieces)
    seen = []
    for k in range(len(pieces) + 1):
        part = Reads(at_ns=reads.at_ns[:k], seen_at_ns=reads.at_ns[:k], n_bytes=reads.n_bytes[:k], source="u" * k)
        seen.append(last_output_at_ns(b"".join(pieces[:k]), part) or 0)
    assert seen == sorted(seen)


@given(body=bodies(plain_events), n=st.integers(20, 200))
def test_at_the_end_of_a_stream_the_watch_and_the_record_agree(body: bytes, n: int) -> None:
    pieces = [a_head(), *(chunked(body[at : at + n]) for at in range(0, len(body), n))]
    seen = last_output_at_ns(b"".join(pieces), reads_of(pieces)) or 0
    told = decoded(pieces).stamps.token_n_at_ns or 0
    assert seen >= told
    assert seen == told or b"tool_calls" in body  # a repeated name is a sign of life, though nothing new


@given(wire=st.binary(max_size=200), sizes=st.lists(st.integers(-1, 90), max_size=5), instants=st.integers(0, 5))
def test_any_bytes_can_be_asked_about(wire: bytes, sizes: list[int], instants: int) -> None:
    at = last_output_at_ns(wire, Reads(at_ns=tuple(range(instants)), n_bytes=tuple(sizes)))
    assert at is None or 0 <= at < instants


def test_a_megabyte_of_keep_alives_costs_one_payload(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    def counting(payload: bytes) -> Payload:
        looked_at.append(payload)
        return decode_payload(payload)

    monkeypatch.setattr(harness.decode.watch, "decode_payload", counting)
    assert seen_ms(*[HI] * 50, KEEP_ALIVE * 70_000, b"data:\n\n" * 1000) == 500
    assert len(looked_at) == 1
