"""The loopback twin's file: what a server with a log sent beside the run, and what our client made of it."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.model.record import Arm, Reads
from harness.model.storage import UNREADABLE, write_atomically

TWIN = "twin.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinStream:
    """One replayed response; all instants on the machine's monotonic clock."""

    id: str  # the server's number of the request
    arm: Arm  # whose stream lent its pattern of reads
    sent_at_ns: int
    reads: Reads  # as our client stamped them
    arrived_at_ns: int  # the server had read the request
    written_at_ns: tuple[int, ...]  # right before each of the server's writes
    written_bytes: tuple[int, ...]  # of each write; they add up to those of the reads


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinLog:
    """What came of a twin; empty where one was asked for and nothing came of it."""

    streams: tuple[TwinStream, ...] = ()
    notes: tuple[str, ...] = ()  # what kept it from replaying, or us from knowing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """Either of the two."""

    stream: TwinStream | None = None
    note: str | None = None


def write_twin(folder: Path, log: TwinLog) -> None:
    """Write twin.jsonl beside the journal; IncompleteRunError when the disk refuses."""
    lines = [*(_Line(note=note) for note in log.notes), *(_Line(stream=stream) for stream in log.streams)]
    write_atomically(folder / TWIN, b"".join(_encoded(line) + b"\n" for line in lines))


def read_twin(folder: Path) -> TwinLog | None:
    """Read it, with a note for each line that is damaged; None where no twin was asked for."""
    file = folder / TWIN
    if not file.exists():
        return None
    lines = [_decoded(number, line) for number, line in enumerate(file.read_bytes().split(b"\n"), 1) if line]
    return TwinLog(
        streams=tuple(line.stream for line in lines if line.stream is not None),
        notes=tuple(line.note for line in lines if line.note is not None),
    )


def _encoded(line: _Line) -> bytes:
    return msgspec.json.encode({"note": line.note} if line.stream is None else {"stream": line.stream})


def _decoded(number: int, text: bytes) -> _Line:
    try:
        line = msgspec.json.decode(text, type=_Line)
    except UNREADABLE as error:
        return _Line(note=f"{TWIN}: line {number} is damaged ({error})")
    return line if _is_whole(line) else _Line(note=f"{TWIN}: line {number} is damaged")


def _is_whole(line: _Line) -> bool:
    """Say whether it holds something, with as many entries in each column."""
    if line.stream is None:
        return line.note is not None
    stream, reads = line.stream, line.stream.reads
    return len(reads.at_ns) == len(reads.n_bytes) and len(stream.written_at_ns) == len(stream.written_bytes)
