"""The journal of a run whose requests several processes make: each append is whole among the others'."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from harness.errors import IncompleteRunError
from harness.model.record import Attempt
from harness.model.storage import ATTEMPTS, STREAMS, read_wire


class SharedJournal:
    """One process's hand on it: `RunWriter` has made the files and writes the header."""

    def __init__(self, folder: Path) -> None:
        """Open both files."""
        self._folder = folder
        self._attempts = _open_for_appending(folder / ATTEMPTS)
        self._streams = _open_for_appending(folder / STREAMS)

    def append(self, attempt: Attempt, wire: bytes) -> Attempt:
        """Store an attempt with its response's bytes, bytes first; a line that a dead process tore ends before it."""
        try:
            with self._turn():
                placed = replace(attempt, offset=os.fstat(self._streams).st_size, length=len(wire))
                _write_all(self._streams, wire)
                _write_all(self._attempts, _missing_end(self._attempts) + msgspec.json.encode(placed) + b"\n")
        except OSError as error:
            raise IncompleteRunError(f"{self._folder}: cannot write the journal: {error.strerror}") from error
        return placed

    def wire(self, attempt: Attempt) -> bytes:
        """Read back the bytes of an attempt that was stored."""
        return read_wire(self._folder, attempt)

    def close(self) -> None:
        """Close the files."""
        os.close(self._attempts)
        os.close(self._streams)

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


def _open_for_appending(file: Path) -> int:
    try:
        return os.open(file, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        raise IncompleteRunError(f"{file}: cannot be written: {error.strerror}") from error


def _write_all(file: int, content: bytes) -> None:
    """Write without a buffer of ours: nothing is left to be written when the process dies."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def _missing_end(file: int) -> bytes:
    """The line end that a process left out when it died in the middle of a line."""
    size = os.fstat(file).st_size
    return b"" if size == 0 or os.pread(file, 1, size - 1) == b"\n" else b"\n"
