"""The cheap look and the certain one, at streams cut in many ways."""

import asyncio
import zlib
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.clock import SystemClock
from harness.decode.compression import GZIP_WINDOW
from harness.decode.watch import last_output_at_ns
from harness.measure.wire.clockmap import ClockMap
from harness.measure.wire.intake import Intake
from harness.measure.wire.lookout import Lookout, Sighting
from harness.model.record import Reads
from tests.decode.strategies import bodies
from tests.measure.wire.builders import CHUNKED_HEAD, DONE, chunk, said
from tests.measure.wire.kernel import Kernel
from tests.measure.wire.stamping import a_stamp

KEEP_ALIVE = b": keep-alive\n\n"
ROLE = b'data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}\n\n'
USAGE = b'data: {"choices": [], "usage": {"completion_tokens": 3}}\n\n'
MANY = 300
S = 1_000_000_000


def sightings(
    pieces: Sequence[bytes], last_output_at: Callable[[bytes, Reads], int | None] = last_output_at_ns
) -> tuple[Sighting, Sighting]:
    """Glance and look at reads whose instants are 1, 2, 3, and so on."""

    async def main() -> tuple[Sighting, Sighting]:
        intake = Intake(max_body_bytes=1 << 20)
        for number, piece in enumerate(pieces, start=1):
            intake.take(piece, [], number)
        lookout = Lookout(intake, last_output_at, ClockMap(SystemClock()), 0)
        return lookout.glance(), await lookout.look()

    return asyncio.run(main())


def test_nothing_yet_is_no_output() -> None:
    assert sightings([]) == (Sighting(None, is_last=True), Sighting(None, is_last=True))


def test_a_short_stream_is_seen_whole_at_a_glance() -> None:
    pieces = [CHUNKED_HEAD, chunk(ROLE), chunk(said("a")), chunk(KEEP_ALIVE)]
    assert sightings(pieces) == (Sighting(3, is_last=True), Sighting(3, is_last=True))


def test_output_among_the_last_reads_is_seen_without_the_rest() -> None:
    asked: list[int] = []

    def counting(wire: bytes, reads: Reads) -> int | None:
        asked.append(len(reads.n_bytes))
        return last_output_at_ns(wire, reads)

    pieces = [CHUNKED_HEAD, *[chunk(said("a"))] * MANY, chunk(KEEP_ALIVE), chunk(USAGE), chunk(KEEP_ALIVE)]
    seen, certain = sightings(pieces, counting)
    assert seen == Sighting(1 + MANY, is_last=False)
    assert certain == Sighting(1 + MANY, is_last=True)
    assert asked == [32, len(pieces)]


def test_large_reads_bound_the_glance_too() -> None:
    asked: list[int] = []

    def counting(wire: bytes, _reads: Reads) -> int | None:
        asked.append(len(wire))
        return None

    sightings([CHUNKED_HEAD, *[chunk(said("a" * 30_000))] * 30], counting)
    assert asked[0] < 70_000
    assert asked[1] > 900_000


def test_comments_and_chunks_without_output_show_nothing() -> None:
    for dead in (KEEP_ALIVE, ROLE, USAGE, DONE, b"data:\n\n", b"event: ping\n\n"):
        pieces = [CHUNKED_HEAD, chunk(said("a")), *[chunk(dead)] * MANY]
        assert sightings(pieces) == (Sighting(None, is_last=False), Sighting(2, is_last=True))


def test_an_event_cut_by_chunks_is_seen_by_the_certain_look_only() -> None:
    event = said("a")
    halves = [chunk(event[:20]), chunk(event[20:])]
    assert sightings([CHUNKED_HEAD, *halves * MANY]) == (
        Sighting(None, is_last=False),
        Sighting(1 + 2 * MANY, is_last=True),
    )


def test_a_compressed_stream_is_seen_by_the_certain_look_only() -> None:
    head = CHUNKED_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
    press = zlib.compressobj(wbits=GZIP_WINDOW)
    pieces = [chunk(press.compress(said("a")) + press.flush(zlib.Z_SYNC_FLUSH)) for _ in range(MANY)]
    assert sightings([head, *pieces]) == (Sighting(None, is_last=False), Sighting(1 + MANY, is_last=True))


@pytest.mark.parametrize("step_ns", [30 * S, -30 * S])
def test_a_step_of_the_wall_clock_makes_no_output_look_old(step_ns: int) -> None:
    async def main() -> None:
        kernel = Kernel()
        clock_map = ClockMap(kernel)
        clock_map.pair()
        began_at_ns = kernel.monotonic_ns()
        kernel.let_pass(200 * S)
        kernel.step(step_ns)
        intake = Intake(max_body_bytes=1 << 20)
        for piece in (CHUNKED_HEAD, *[chunk(said("a"))] * MANY):
            intake.take(piece, a_stamp(kernel.realtime_ns()), kernel.monotonic_ns())
        lookout = Lookout(intake, last_output_at_ns, clock_map, began_at_ns)
        for seen in (lookout.glance(), await lookout.look()):
            assert seen.at_ns is not None
            assert abs(seen.at_ns - intake.seen_at_ns[-1]) < 10 * S
        assert len(clock_map.steps) == 1

    asyncio.run(main())


@given(body=bodies(), size=st.integers(20, 200), n_comments=st.integers(0, 40))
def test_a_glance_never_sees_more_than_there_is(body: bytes, size: int, n_comments: int) -> None:
    cut = [chunk(body[at : at + size]) for at in range(0, len(body), size)]
    seen, certain = sightings([CHUNKED_HEAD, *cut, *[chunk(KEEP_ALIVE)] * n_comments])
    assert certain.is_last
    assert seen == certain if seen.is_last else (seen.at_ns or 0) <= (certain.at_ns or 0)
