"""Lets a process die at one write of its journal: before it, or in the middle of it."""

import os

from harness.model.appending import GrowingFile


def arm(number: int, at_write: int, written_fraction: float | None) -> None:
    """Send this process a signal at its n-th write, after a part of what was to be written; None: before any of it."""
    original, left = GrowingFile._write_all, at_write  # noqa: SLF001  # the one place where the journal is written

    def write_all(file: GrowingFile, content: bytes) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            if written_fraction is not None:
                os.write(file.fileno(), content[: int(written_fraction * len(content))])
            os.kill(os.getpid(), number)
        original(file, content)

    GrowingFile._write_all = write_all  # type: ignore[method-assign,assignment]  # noqa: SLF001
