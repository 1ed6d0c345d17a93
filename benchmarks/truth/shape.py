"""What is asked of the truth server and of the clients in one measurement."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """So many streams at once, each a beat of one token per event, again and again."""

    streams: int
    rounds: int  # requests of each stream, one after the other
    ttft_ms: float
    itl_ms: float
    tokens: int
    is_blast: bool = False  # as fast as the sockets take it

    @property
    def name(self) -> str:
        """Say it in a table."""
        if self.is_blast:
            return f"blast, {self.streams} streams"
        return f"{self.streams} x {1000 / self.itl_ms:.0f} tok/s"

    @property
    def requests(self) -> int:
        """All requests of the measurement."""
        return self.streams * self.rounds

    def text(self) -> str:
        """Write it for a child process."""
        return json.dumps(asdict(self))


def from_text(text: str) -> Shape:
    """Read what `text` wrote."""
    return Shape(**json.loads(text))


SHAPES = {
    1: Shape(streams=1, rounds=5, ttft_ms=100, itl_ms=10, tokens=128),
    16: Shape(streams=16, rounds=5, ttft_ms=100, itl_ms=10, tokens=128),
    64: Shape(streams=64, rounds=5, ttft_ms=100, itl_ms=10, tokens=128),
    256: Shape(streams=256, rounds=4, ttft_ms=100, itl_ms=20, tokens=128),
}
BLAST = Shape(streams=64, rounds=40, ttft_ms=0, itl_ms=0, tokens=1000, is_blast=True)
