"""The journal of a run whose requests several processes make: each append is whole among the others'."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from harness.model.appending import GrowingFile
from harness.model.record import Attempt
from harness.model.storage import ATTEMPTS, STREAMS, place, read_wire, writing_journal


class SharedJournal:
    """One process's hand on it: `RunWriter` has made the files and writes the header."""

    def __init__(self, folder: Path) -> None:
        """Open both files."""
        self._folder = folder
        self._attempts = GrowingFile(folder / ATTEMPTS)
        self._streams = GrowingFile(folder / STREAMS)

    def append(self, attempt: Attempt, wire: bytes) -> Attempt:
        """Store an attempt with its response's bytes, bytes first; a line that a dead process tore ends before it."""
        with writing_journal(self._folder), self._turn():
            placed = place(attempt, wire, self._streams.append(wire))
            self._attempts.append(self._attempts.end_line() + msgspec.json.encode(placed) + b"\n")
        return placed

    def wire(self, attempt: Attempt) -> bytes:
        """Read back the bytes of an attempt that was stored."""
        return read_wire(self._folder, attempt)

    def close(self) -> None:
        """Close the files."""
        self._attempts.close()
        self._streams.close()

    def __enter__(self) -> Self:
        """Give the journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close whatever happened."""
        self.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Keep the other processes out; the system lets go for a process that dies."""
        import fcntl  # noqa: PLC0415  # Windows has none: the module must be importable there

        fcntl.flock(self._streams, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._streams, fcntl.LOCK_UN)
