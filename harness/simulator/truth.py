"""The truth log: what was really sent and when, one JSON line per request, written when its response has ended."""

from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec

from harness.errors import DamagedFileError

Outcome = Literal["complete", "client_left", "interrupted"]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The answer behind a response, as drawn; a fault may have kept parts of it from being sent."""

    prompt_id: str | None  # of the golden prompt, where one matched
    nth: int  # how often the same was asked before
    prompt_tokens: int  # by the simulator's own tokenizer
    n_tokens: int  # of the answer, by the simulator's own tokenizer
    ttft_ns: int
    tokens_per_s: float
    text: str
    tool_calls: list[dict[str, str]]
    finish_reason: str
    usage: dict[str, Any]  # as the whole answer's usage reads without a fault
    degradations: list[str]


class TruthLine(msgspec.Struct, frozen=True, kw_only=True):
    """One request; instants are ns of the monotonic clock, columns have one entry per write."""

    id: str  # the response's id ends in it
    connection: int
    method: str | None = None  # None: reset at accept, no request was read
    path: str | None = None
    is_stream: bool = False
    status: int | None = None  # None: no response head was sent
    fault: str | None = None
    outcome: Outcome = "complete"
    arrived_at_ns: int  # the read that brought the request's last byte
    started_at_ns: int  # from which the schedule counts: arrival, or the end of a queue or a wake
    ended_at_ns: int
    at_ns: list[int] = []  # right before each send call
    n_bytes: list[int] = []
    n_tokens: list[int] = []
    said: Said | None = None


class TruthLog:
    """Appends lines to a file, each flushed, or to nothing where no log is wanted."""

    def __init__(self, file: Path | None) -> None:
        """Open the file anew."""
        self._stream: TextIO | None = file.open("w", encoding="utf-8") if file else None

    def write(self, line: TruthLine) -> None:
        """Append one line."""
        if self._stream:
            self._stream.write(msgspec.json.encode(line).decode() + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        if self._stream:
            self._stream.close()


def read_truth(file: Path) -> list[TruthLine]:
    """Read a truth log; DamagedFileError names the line."""
    lines = []
    for number, text in enumerate(file.read_bytes().splitlines(), 1):
        try:
            lines.append(msgspec.json.decode(text, type=TruthLine))
        except msgspec.DecodeError as error:
            raise DamagedFileError(f"not a line of a truth log: {error}", where=f"{file}:{number}") from None
    return lines
