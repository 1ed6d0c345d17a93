"""The processes that a command has started, as Linux lists them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's list of processes")


def workers_of(pid: int) -> list[int]:
    """Give the measuring processes that this one has started."""
    return sorted(child for child in _children(pid) if b"harness.measure.worker" in _read(child, "cmdline"))


def is_running(pid: int) -> bool:
    """Whether it still does anything; one that has ended and was not waited for does not."""
    stat = _read(pid, "stat")
    return bool(stat) and stat.rpartition(b") ")[2][:1] not in {b"Z", b"X"}


def _children(pid: int) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _read(int(folder.name), "stat").rpartition(b") ")[2].split()
            if len(fields) > 1 and int(fields[1]) == pid:
                yield int(folder.name)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended
        return b""
