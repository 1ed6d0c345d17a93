"""Exchanges recorded from servers that we did not write, as wires."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.decode.record import decode_attempt
from harness.model.record import Reads, Record
from tests.decode.wires import an_attempt, chunked

DATA = Path(__file__).parent / "data"
_OF_FRAMING = ("content-length", "transfer-encoding", "content-encoding")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What was asked and what came: decoded body pieces with their instants, framed anew."""

    asked: dict[str, Any]
    wire: bytes
    reads: Reads

    def decoded(self) -> Record:
        """Decode it as the attempt it was."""
        return decode_attempt(
            an_attempt(self.reads),
            self.wire,
            model_asked=self.asked["model"],
            asked_stream=self.asked["stream"],
            asked_usage=self.asked["include_usage"],
        )


def read_recording(name: str) -> Recording:
    """Read one of our own copies."""
    found = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return a_recording(found, found["asked"])


def a_recording(found: dict[str, Any], asked: dict[str, Any]) -> Recording:
    """Frame a recorded response: its head is a read of its own, each piece of body a chunk."""
    lines = [f"{name}: {value}" for name, value in found["headers"] if name.lower() not in _OF_FRAMING]
    head = "\r\n".join([f"HTTP/1.1 {found['status']} X", *lines, "Transfer-Encoding: chunked", "", ""])
    pieces = [head.encode(), *(chunked(text.encode()) for _, text in found["reads"])]
    pieces[-1] += b"0\r\n\r\n" if found["is_whole"] else b""
    at_ns = tuple(ns(at) for at in (found["head_at_ms"], *(at for at, _ in found["reads"])))
    reads = Reads(at_ns=at_ns, seen_at_ns=at_ns, n_bytes=tuple(map(len, pieces)), source="u" * len(pieces))
    return Recording(asked=asked, wire=b"".join(pieces), reads=reads)


def ns(ms: float) -> int:
    """Give milliseconds with two decimals as whole nanoseconds."""
    return round(ms * 1e6)
