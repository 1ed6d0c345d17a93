import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.decode.compression import inflate
from harness.model.record import FailureKind, FindingKind
from tests.decode.strategies import cuttings
from tests.decode.wires import END, HI, MS, a_head, chunked, decoded, delta, reads_of

GZIP = "Content-Encoding: gzip"


def deflated(pieces: list[bytes], window: int = 31, flush: int = zlib.Z_SYNC_FLUSH) -> list[bytes]:
    """Compress piece by piece, as a proxy does that flushes after each, or does not."""
    stream = zlib.compressobj(wbits=window)
    found = [stream.compress(piece) + stream.flush(flush) for piece in pieces]
    return [*found[:-1], found[-1] + stream.flush()]


@pytest.mark.parametrize(
    ("coding", "window"), [("gzip", 31), ("x-gzip", 31), (" GZIP ", 31), ("deflate", 15), ("deflate", -15)]
)
def test_each_piece_decodes_to_what_it_held(coding: str, window: int) -> None:
    pieces = [b"one", b"two", b"three" * 100]
    found = inflate(deflated(pieces, window), coding)
    assert found.pieces == tuple(pieces)
    assert found.error is None


def test_gzip_members_may_follow_one_another() -> None:
    found = inflate([gzip.compress(b"one") + gzip.compress(b"two")], "gzip")
    assert (found.pieces, found.error) == ((b"onetwo",), None)


def test_damage_ends_the_decoding_and_keeps_what_came_before() -> None:
    first, second = deflated([b"one", b"two"])
    found = inflate([first, b"\xff" * 20, second], "gzip")
    assert found.pieces == (b"one", b"", b"")
    assert str(found.error).startswith("damaged gzip: ")


def test_a_body_that_inflates_without_end_is_stopped_at_the_limit() -> None:
    bomb = gzip.compress(b"\x00" * 10_000_000)
    found = inflate([bomb, b"more"], "gzip", limit=1000)
    assert found.is_too_large
    assert found.pieces == (b"", b"")
    assert found.error == "gzip body inflates beyond 1000 bytes"


def test_a_body_exactly_at_the_limit_is_whole() -> None:
    found = inflate([gzip.compress(b"x" * 1000)], "gzip", limit=1000)
    assert (found.is_too_large, len(found.pieces[0])) == (False, 1000)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "utf-8"])
def test_a_coding_that_is_not_decoded_says_so_and_leaves_the_bytes(coding: str) -> None:
    found = inflate([b"raw"], coding)
    assert (found.pieces, found.error) == ((b"raw",), f"content coding {coding} is not decoded")


@given(
    data=st.data(),
    pieces=st.lists(st.binary(max_size=30), min_size=1, max_size=5),
    window=st.sampled_from((31, 15, -15)),
    flush=st.sampled_from((zlib.Z_SYNC_FLUSH, zlib.Z_NO_FLUSH, zlib.Z_FULL_FLUSH)),
)
def test_any_cutting_decodes_to_the_same_bytes(
    data: st.DataObject, pieces: list[bytes], window: int, flush: int
) -> None:
    coded = b"".join(deflated(pieces, window, flush))
    found = inflate(data.draw(cuttings(coded)), "gzip" if window == 31 else "deflate")
    assert (b"".join(found.pieces), found.error) == (b"".join(pieces), None)


@given(pieces=st.lists(st.binary(max_size=30), max_size=4), coding=st.sampled_from(("gzip", "deflate")))
def test_any_bytes_give_a_piece_for_a_piece(pieces: list[bytes], coding: str) -> None:
    assert len(inflate(pieces, coding).pieces) == len(pieces)


def arrivals_ms(bodies: list[bytes]) -> list[int]:
    wire = [a_head(200, "text/event-stream", GZIP), *map(chunked, bodies)]
    record = decoded([*wire[:-1], wire[-1] + b"0\r\n\r\n"], at_ms=[10 * n for n in range(len(wire))])
    assert record.failure is None
    assert record.answer.text == "HiHo"
    return [at // MS for at in record.arrivals.at_ns]


def test_a_compressed_stream_that_is_flushed_keeps_its_instants() -> None:
    assert arrivals_ms(deflated([HI, delta(content="Ho"), END])) == [10, 20]


def test_a_compressed_stream_that_is_not_flushed_shows_its_burst() -> None:
    assert arrivals_ms(deflated([HI, delta(content="Ho"), END], flush=zlib.Z_NO_FLUSH)) == [30, 30]


def test_a_compressed_body_beyond_the_limit_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.decode.compression.inflate.__kwdefaults__", {"limit": 100})
    bomb = gzip.compress(HI * 1000)
    record = decoded([a_head(200, "text/event-stream", GZIP) + chunked(bomb) + b"0\r\n\r\n"])
    assert record.failure is not None
    assert record.failure.kind is FailureKind.BODY_TOO_LARGE
    assert {finding.kind for finding in record.findings} >= {FindingKind.COMPRESSED, FindingKind.CHUNK_FRAMING_LOST}
    assert reads_of([bomb]).n_bytes[0] < 1000
