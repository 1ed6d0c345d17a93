"""A file that only grows, by pieces that are there as a whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from harness.errors import IncompleteRunError


class GrowingFile:
    """The end of one file; without a buffer of ours, so that nothing is left to be written when the process dies."""

    def __init__(self, file: Path, *, is_new: bool = False) -> None:
        """Open it, or create it; IncompleteRunError where that is impossible."""
        self._descriptor = _open(file, is_new=is_new)

    def append(self, content: bytes) -> int:
        """Write it all and give the byte that it begins at; OSError where the disk refuses, with nothing of it left.

        One writer at a time: the caller sees to that.
        """
        start = self.size
        try:
            self._write_all(content)
        except BaseException:
            with suppress(OSError):  # a device without a length
                os.ftruncate(self._descriptor, start)  # needs no room, so it works on a full disk
            raise
        return start

    def end_line(self) -> bytes:
        """Give the line end that a process left out when it died in the middle of a line."""
        size = self.size
        return b"" if size == 0 or os.pread(self._descriptor, 1, size - 1) == b"\n" else b"\n"

    def sync(self) -> None:
        """Have the disk hold what was written, whatever happens to the machine; OSError where it cannot."""
        os.fsync(self._descriptor)

    @property
    def size(self) -> int:
        """Give its length in bytes."""
        return os.fstat(self._descriptor).st_size

    def fileno(self) -> int:
        """Give the descriptor, for a lock."""
        return self._descriptor

    def close(self) -> None:
        """Close it, once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Give the file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close whatever happened."""
        self.close()

    def _write_all(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def _open(file: Path, *, is_new: bool) -> int:
    flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)  # Windows would translate line ends
    try:
        return os.open(file, flags | (os.O_CREAT if is_new else 0), 0o666)
    except OSError as error:
        raise IncompleteRunError(f"{file}: cannot be written: {error.strerror}") from error
