"""Streams as a server would log them and a client would see them; instants in ms."""

from collections.abc import Sequence

from benchmarks.truth.seen import SeenStream, Sighting
from benchmarks.truth.shape import Shape
from benchmarks.truth.streams import TrueStream

MS = 1_000_000


def a_shape(streams: int = 1, rounds: int = 1) -> Shape:
    return Shape(streams=streams, rounds=rounds, ttft_ms=100, itl_ms=10, tokens=3)


def sent(number: int, arrived: float = 10, output: Sequence[float] = (110, 120, 130), ended: float = 131) -> TrueStream:
    return TrueStream(
        id=f"{number:04x}",
        arrived_at_ns=round(arrived * MS),
        output_at_ns=tuple(round(at * MS) for at in output),
        ended_at_ns=round(ended * MS),
    )


def seen(
    number: int,
    sent_at: float = 9,
    output: Sequence[float] = (110, 120, 130),
    ended: float = 132,
    read: Sequence[int] = (),
) -> SeenStream:
    return SeenStream(
        id=f"chatcmpl-{number:04x}",
        sent_at_ns=round(sent_at * MS),
        ended_at_ns=round(ended * MS),
        output_at_ns=[round(at * MS) for at in output],
        read=list(read),
    )


def sighting(*streams: SeenStream, cpu_ns: int = 0, decode_ns: int = 0, n_failed: int = 0) -> Sighting:
    return Sighting(streams=list(streams), loop="uvloop", cpu_ns=cpu_ns, decode_ns=decode_ns, n_failed=n_failed)
