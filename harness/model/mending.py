"""Makes the journal of a process that died fit to be appended to."""

from io import BytesIO
from pathlib import Path

import msgspec

from harness.model.record import Attempt
from harness.model.storage import ATTEMPTS, HEADER, STREAMS, UNREADABLE, write_atomically


def mend_journal(folder: Path) -> tuple[str, ...]:
    """Take out a torn last line and lines whose bytes are missing, or new ones would be glued to them; say so.

    The caller holds the run's lock. Bytes to which no line points stay where they are: new ones come after them. A
    damaged line in the middle stays, too: it is named whenever the run is read, and its request counts as not sent.
    """
    _remove_leftovers(folder)
    file, streams = folder / ATTEMPTS, folder / STREAMS
    content = file.read_bytes() if file.exists() else b""
    n_bytes = streams.stat().st_size if streams.exists() else 0
    kept, notes = [], []
    for number, line in enumerate(BytesIO(content), 1):  # at LF only: a damaged line may hold any other byte
        fault = _fault(line, n_bytes)
        if fault is None:
            kept.append(line if line.endswith(b"\n") else line + b"\n")
        else:
            notes.append(f"{ATTEMPTS}: line {number} {fault}; it was taken out, and its request is sent again")
    mended = b"".join(kept)
    if mended != content:
        write_atomically(file, mended, is_durable=True)  # all that a finished part had synced stands in it
    return tuple(notes)


def _remove_leftovers(folder: Path) -> None:
    """Remove what a process left that died while it replaced a file of which only the lock's holder is the writer."""
    for name in (HEADER, ATTEMPTS):
        for leftover in folder.glob(f".{name}.*"):
            leftover.unlink(missing_ok=True)


def _fault(line: bytes, n_bytes: int) -> str | None:
    """Say why a line cannot stay; None when it can."""
    try:
        attempt = msgspec.json.decode(line, type=Attempt)
    except UNREADABLE:
        return None if line.endswith(b"\n") else "was torn off by the end of the process"
    is_whole = attempt.offset + attempt.length <= n_bytes
    return None if is_whole else f"points at bytes that {STREAMS} has lost"
