"""Keeps scheduled commands from overlapping: one at a time holds a lock file, until it ends however it ends."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from harness.cli.screen import say
from harness.clock import SystemClock
from harness.errors import ConfigError, IncompleteRunError
from harness.model.storage import take_lock


@contextmanager
def one_at_a_time(file: Path, words: str) -> Iterator[BinaryIO]:
    """Hold the lock; IncompleteRunError names who holds it. The system lets go for a process that dies."""
    lock = _opened(file)
    with lock:
        is_taken = take_lock(lock, is_shared=False)
        if is_taken is False:
            raise IncompleteRunError(f"{file}: {_holder(file)} is still running; nothing was sent")
        if is_taken is None:
            say(f"WARNING: {file}: this system or its file system has no locks; overlapping runs are not refused")
        _sign(lock, words)
        yield lock


def _opened(file: Path) -> BinaryIO:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open("ab")
    except OSError as error:
        raise ConfigError(
            f"cannot be locked: {error.strerror}", where=str(file), remedy="Give another --lock"
        ) from None


def _sign(lock: BinaryIO, words: str) -> None:
    """Say in the file who holds it, for whoever is refused; what another one wrote there has ended."""
    holder = {"command": words, "pid": os.getpid(), "since": SystemClock().now().isoformat(timespec="seconds")}
    lock.truncate(0)
    lock.write(json.dumps(holder).encode() + b"\n")
    lock.flush()


def _holder(file: Path) -> str:
    try:
        found = json.loads(file.read_bytes())
        return f"`{found['command']}` (process {found['pid']}, since {found['since']})"
    except (OSError, ValueError, KeyError, TypeError):  # it has the lock and has not signed yet
        return "another command"
