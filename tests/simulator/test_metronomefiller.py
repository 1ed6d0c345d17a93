"""Writes of any sizes become one stream that holds an event wherever one fits."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.simulator.apierror import RefusedRequest
from harness.simulator.metronomefiller import Piece, filled

BASE = {"id": "chatcmpl-1", "model": "m"}
SMALLEST_EVENT = len('data: {"choices":[{"delta":{"content":"."}}]}\n\n')


def usage(n_tokens: int) -> dict[str, Any]:
    return {"completion_tokens": n_tokens}


def pieces_of(sizes: list[int]) -> list[Piece]:
    return filled(sizes, json.dumps(BASE).encode(), usage)


def outputs(stream: bytes) -> list[dict[str, Any]]:
    """Give the payloads with text, read line by line."""
    payloads = [json.loads(data) for data in re.findall(rb"^data: (\{.*\})$", stream, re.MULTILINE)]
    return [p for p in payloads if p["choices"] and p["choices"][0]["delta"].get("content")]


@given(st.lists(st.integers(1, 400), max_size=12), st.integers(150, 600))
def test_every_write_has_its_size_and_the_stream_is_whole(sizes: list[int], last: int) -> None:
    sizes = [*sizes, last]
    pieces = pieces_of(sizes)
    stream = b"".join(piece.data for piece in pieces)
    assert [len(piece.data) for piece in pieces] == sizes
    assert stream.endswith(b"\n\ndata: [DONE]\n\n")
    said = outputs(stream)
    assert sum(piece.n_events for piece in pieces) == len(said)
    (counted,) = re.findall(rb'"completion_tokens":(\d+)', stream)
    assert int(counted) == len(said)
    assert all(line == b"" or line[:1] in b":d" for line in stream.split(b"\n"))


@given(st.lists(st.integers(1, 200), min_size=1, max_size=8))
def test_a_write_has_an_event_of_its_own_wherever_one_fits(sizes: list[int]) -> None:
    pieces = pieces_of([*sizes, 400])
    for size, piece in zip(sizes, pieces[:-1], strict=True):
        assert piece.n_events == len(outputs(piece.data)) == (size >= SMALLEST_EVENT)
    assert pieces[-1].n_events == 1


@given(st.lists(st.integers(1, 30), min_size=20, max_size=30))
def test_an_end_that_fits_in_no_write_runs_over_several(sizes: list[int]) -> None:
    sizes = [200, *sizes]
    pieces = pieces_of(sizes)
    stream = b"".join(piece.data for piece in pieces)
    assert [len(piece.data) for piece in pieces] == sizes
    assert stream.endswith(b"data: [DONE]\n\n")
    assert len(outputs(stream)) == sum(piece.n_events for piece in pieces)


def test_an_event_names_its_response_where_there_is_room() -> None:
    large, small, _ = pieces_of([120, SMALLEST_EVENT, 400])
    assert outputs(large.data)[0]["id"] == "chatcmpl-1"
    assert "id" not in outputs(small.data)[0]


def test_too_few_bytes_for_an_end_are_refused() -> None:
    with pytest.raises(RefusedRequest, match="too few"):
        pieces_of([50, 50])
