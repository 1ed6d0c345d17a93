"""What a truth server says that it sent, whichever server it was."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.simulator.truth import TruthLine, read_truth

_TRUTHD_HEAD = struct.Struct("<QQQQQQIIIIII")
_TRUTHD_EVENT = struct.Struct("<QQIIQ")
_TRUTHD_CONTENT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueStream:
    """One response as its server logged it; instants are ns of the machine's monotonic clock."""

    id: str  # the response's id ends in it
    arrived_at_ns: int  # the server had read the request
    output_at_ns: tuple[int, ...]  # right before each write that carries output
    ended_at_ns: int


TruthReader = Callable[[Path], list[TrueStream]]


def read_own_log(file: Path) -> list[TrueStream]:
    """Read the log of the package's own servers."""
    return [_own(line) for line in read_truth(file) if line.is_stream and line.outcome == "complete"]


def _own(line: TruthLine) -> TrueStream:
    output = tuple(at_ns for at_ns, n in zip(line.at_ns, line.n_tokens, strict=True) if n)
    return TrueStream(id=line.id, arrived_at_ns=line.arrived_at_ns, output_at_ns=output, ended_at_ns=line.ended_at_ns)


def read_truthd_log(file: Path) -> list[TrueStream]:
    """Read truthd's binary log: per request a head and its events; flag bit 1 says that the client left."""
    data, at, found = file.read_bytes(), 0, []
    while at + _TRUTHD_HEAD.size <= len(data):
        _, number, _, arrived, _, ended, n_events, _, flags, *_ = _TRUTHD_HEAD.unpack_from(data, at)
        at += _TRUTHD_HEAD.size
        events = [_TRUTHD_EVENT.unpack_from(data, at + i * _TRUTHD_EVENT.size) for i in range(n_events)]
        at += n_events * _TRUTHD_EVENT.size
        output = tuple(before for before, _, kind, _, _ in events if kind == _TRUTHD_CONTENT)
        if not flags & 2:
            found.append(TrueStream(id=f"{number:032x}", arrived_at_ns=arrived, output_at_ns=output, ended_at_ns=ended))
    return found
