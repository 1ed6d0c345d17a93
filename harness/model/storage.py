"""The run folder: written as the run goes, readable after any death."""

import os
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from harness.errors import ConfigError, DamagedFileError, IncompleteRunError
from harness.model.appending import GrowingFile
from harness.model.record import FORMAT_VERSION, Attempt, Record, RunHeader, RunStatus

HEADER = "run.json"
ATTEMPTS = "attempts.jsonl"
STREAMS = "streams.bin"
RECORDS = "records.jsonl"
LOOKS = "looks.jsonl"
LOCK = "run.lock"
_LOCK_TRIES = 40
_LOCK_PAUSE_S = 0.005  # a reader's look at the lock takes microseconds
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class RunWriter:
    """The journal of one run: appends and flushes each attempt as it ends."""

    def __init__(self, folder: Path, header: RunHeader, *, lock: BinaryIO | None = None) -> None:
        """Create the folder and its header; the outputs exist before anything is sent. With a lock: go on in it."""
        self.folder = folder
        self.header = header
        self._lock = _create_and_lock(folder) if lock is None else lock
        self._attempts = GrowingFile(folder / ATTEMPTS, is_new=True)
        self._streams = GrowingFile(folder / STREAMS, is_new=True)
        write_atomically(folder / HEADER, encode_header(header), is_durable=True)

    @property
    def lock(self) -> int:
        """The lock's file descriptor; a process that inherits it keeps the folder locked until it has ended, too."""
        return self._lock.fileno()

    def append(self, attempt: Attempt, wire: bytes) -> Attempt:
        """Store an attempt with its response's bytes: bytes first, so that a line never points at nothing."""
        with writing_journal(self.folder):
            placed = place(attempt, wire, self._streams.append(wire))
            self._attempts.append(msgspec.json.encode(placed) + b"\n")
        return placed

    def wire(self, attempt: Attempt) -> bytes:
        """Read back the bytes of an attempt that was stored."""
        return read_wire(self.folder, attempt)

    def finish(self, status: RunStatus, ended_at: str, reason: str | None = None, **facts: object) -> RunHeader:
        """Write how the run ended into its header, once the disk holds all that it speaks of."""
        with writing_journal(self.folder):
            self._streams.sync()
            self._attempts.sync()
        header = replace(self.header, status=status, status_reason=reason, ended_at=ended_at, **facts)  # type: ignore[arg-type]  # facts are header fields
        if header.parts:
            last = replace(header.parts[-1], status=status, status_reason=reason, ended_at=ended_at)
            header = replace(header, parts=(*header.parts[:-1], last))
        self.header = header
        write_atomically(self.folder / HEADER, encode_header(self.header), is_durable=True)
        return self.header

    def close(self) -> None:
        """Close the files and release the lock."""
        self._attempts.close()
        self._streams.close()
        self._lock.close()

    def __enter__(self) -> Self:
        """Give the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close whatever happened."""
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """A run as read back: what is whole, with notes on what is not."""

    folder: Path
    header: RunHeader
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...] = ()
    is_being_written: bool | None = None  # None where no lock can tell

    def wire(self, attempt: Attempt) -> bytes:
        """Read the raw bytes of one attempt's response."""
        return read_wire(self.folder, attempt)


def place(attempt: Attempt, wire: bytes, offset: int) -> Attempt:
    """Say in an attempt's line where its bytes lie and what they add up to."""
    return replace(attempt, offset=offset, length=len(wire), crc32=zlib.crc32(wire))


@contextmanager
def writing_journal(folder: Path) -> Iterator[None]:
    """IncompleteRunError where the disk refuses."""
    try:
        yield
    except OSError as error:
        raise IncompleteRunError(f"{folder}: cannot write the journal: {error.strerror}") from error


def read_wire(folder: Path, attempt: Attempt) -> bytes:
    """Read the raw bytes of one attempt's response from its run folder."""
    with (folder / STREAMS).open("rb") as streams:
        streams.seek(attempt.offset)
        return streams.read(attempt.length)


def load_run(folder: Path) -> StoredRun:
    """Read a run folder; ConfigError when it is none, DamagedFileError when its header is broken."""
    is_being_written = _is_locked(folder / LOCK)
    header = load_header(folder)
    lines = _lines(folder / ATTEMPTS)
    attempts: list[Attempt] = []
    notes = [f"{LOCK}: another process is still writing this run; only what it holds so far is judged"]
    notes = notes if is_being_written else []
    with Streams(folder / STREAMS) as streams:  # after the lines: an attempt's bytes are written before its line
        for line in lines:
            fault = line if isinstance(line, str) else streams.fault(line)
            if fault is not None:
                notes.append(f"{fault}; that attempt is left out")
            elif isinstance(line, Attempt):
                attempts.append(line)
    notes += damaged_lines(folder / LOOKS)
    return StoredRun(
        folder=folder,
        header=header,
        attempts=tuple(attempts),
        notes=tuple(notes),
        is_being_written=is_being_written,
    )


class Streams:
    """The flight recorder, read to see whether what its lines speak of is there."""

    def __init__(self, file: Path) -> None:
        """Open it; where it is missing, every attempt with bytes is."""
        self._name = file.name
        self._file: BinaryIO = file.open("rb") if file.exists() else BytesIO()
        self._n_bytes = _size(file)

    def fault(self, attempt: Attempt) -> str | None:
        """Say what an attempt's bytes lack; None where they are whole, as far as their line tells."""
        end = attempt.offset + attempt.length
        where = f"{self._name}: the bytes of {attempt.key.id} ({attempt.offset} to {end})"
        if min(attempt.offset, attempt.length) < 0:
            return f"{where} are no part of it"
        if end > self._n_bytes:
            return f"{where} are missing"
        if attempt.crc32 is None:
            return None
        self._file.seek(attempt.offset)
        return None if zlib.crc32(self._file.read(attempt.length)) == attempt.crc32 else f"{where} are damaged"

    def __enter__(self) -> Self:
        """Give it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._file.close()


def damaged_lines(file: Path) -> list[str]:
    """Name the lines of a list of objects that are none; an empty line ends one that was torn."""
    notes, at_byte = [], 0
    for number, line in enumerate(BytesIO(file.read_bytes() if file.exists() else b""), 1):
        try:
            msgspec.json.decode(line.strip() or b"{}", type=dict[str, object])
        except UNREADABLE as error:
            notes.append(f"{file.name}: line {number} (byte {at_byte}) is damaged ({error}); it counts as absent")
        at_byte += len(line)
    return notes


def write_records(folder: Path, records: tuple[Record, ...]) -> None:
    """Write records.jsonl: derived, can be deleted and made again."""
    write_atomically(folder / RECORDS, b"".join(msgspec.json.encode(record) + b"\n" for record in records))


def write_atomically(file: Path, content: bytes, *, is_durable: bool = False) -> None:
    """Replace a file in one step, even if power is lost where durable; IncompleteRunError when the disk refuses."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as new:
            new.write(content)
            new.flush()
            if is_durable:
                os.fsync(new.fileno())
        temporary.replace(file)
        if is_durable:
            _sync_folder(file.parent)
    except OSError as error:
        with suppress(OSError):  # a read-only file system refuses even to look
            temporary.unlink(missing_ok=True)
        raise IncompleteRunError(f"{file}: cannot be written: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    """Have the disk hold the folder's names; where a folder cannot be opened (Windows), the system sees to it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def encode_header(header: RunHeader) -> bytes:
    """Give run.json's text, indented for readers."""
    return msgspec.json.format(msgspec.json.encode(header), indent=1) + b"\n"


def lock_run(folder: Path) -> BinaryIO:
    """Lock a run folder for writing until the file is closed; IncompleteRunError where another process writes it."""
    lock = _open_for_appending(folder / LOCK)
    if _is_excluded(lock):
        lock.close()
        raise IncompleteRunError(f"{folder}: another process is writing this run")
    return lock


def _is_excluded(lock: BinaryIO) -> bool:
    """Whether another process keeps it, and not only for the instant of a reader's look."""
    for _ in range(_LOCK_TRIES):
        if take_lock(lock, is_shared=False) is not False:
            return False
        time.sleep(_LOCK_PAUSE_S)
    return True


def _create_and_lock(folder: Path) -> BinaryIO:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise ConfigError("the run folder exists already", where=str(folder), remedy="Choose another --out") from None
    except OSError as error:
        raise ConfigError(
            f"cannot create the run folder: {error.strerror}", where=str(folder), remedy="Choose another --out"
        ) from None
    return lock_run(folder)


def take_lock(file: BinaryIO, *, is_shared: bool) -> bool | None:
    """Take the file's lock until it is closed; False when another holder excludes it, None where there are no locks."""
    try:
        import fcntl  # noqa: PLC0415  # Windows has none: the module must be importable there
    except ImportError:
        return None
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def _is_locked(file: Path) -> bool | None:
    """Whether a process is writing the run; None where no lock can tell."""
    try:
        with file.open("rb") as lock:
            is_free = take_lock(lock, is_shared=True)
    except OSError:
        return None
    return None if is_free is None else not is_free


class _Version(msgspec.Struct, frozen=True):
    """All that is read of a header before its version is known."""

    format_version: int = FORMAT_VERSION


def _open_for_appending(file: Path) -> BinaryIO:
    try:
        return file.open("ab")
    except OSError as error:
        raise IncompleteRunError(f"{file}: cannot be written: {error.strerror}") from error


def load_header(folder: Path) -> RunHeader:
    """Read run.json alone; ConfigError where there is none, DamagedFileError when it is broken."""
    file = folder / HEADER
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        why = f"it has no {HEADER}" if folder.is_dir() else "it is a file" if folder.exists() else "there is none"
        raise ConfigError(
            f"not a run folder: {why}", where=str(folder), remedy="Give a folder below results/"
        ) from None
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(file), remedy="Check the path and its permissions"
        ) from None
    try:
        version = msgspec.json.decode(content, type=_Version).format_version
        if version > FORMAT_VERSION:
            raise ConfigError(
                f"format {version} is newer than this bench reads ({FORMAT_VERSION})",
                where=str(file),
                remedy="Upgrade bench-harness",
            )
        return msgspec.json.decode(content, type=RunHeader)
    except UNREADABLE as error:
        raise DamagedFileError(f"damaged: {error}", where=str(file)) from None


def _lines(file: Path) -> list[Attempt | str]:
    """Decode each line, or say which one is not whole."""
    found: list[Attempt | str] = []
    at_byte = 0
    content = BytesIO(file.read_bytes() if file.exists() else b"")
    for number, line in enumerate(content, 1):  # at LF only: a damaged line may hold any other byte
        try:
            found.append(msgspec.json.decode(line, type=Attempt))
        except UNREADABLE as error:
            is_torn = not line.endswith(b"\n")
            word = "torn off by the end of the process" if is_torn else f"damaged ({error})"
            found.append(f"{file.name}: line {number} (byte {at_byte}) is {word}")
        at_byte += len(line)
    return found


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
