"""Unpacks a stranger's archive: bounded, inside its folder, and believed only as far as its digests are right."""

import gzip
import hashlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

import msgspec

from harness.errors import ConfigError, DamagedFileError
from harness.model.bundle import FORMAT, FORMAT_VERSION, MANIFEST, SUMS, BundledFile, Manifest
from harness.model.storage import UNREADABLE

MOST_FILES = 200
MOST_BYTES = 4 << 30  # of all files, unpacked
MOST_MANIFEST_BYTES = 1 << 20
_CHUNK = 1 << 20
_ZIP = b"PK\x03\x04"  # a zip file's first entry
_TAR_FRAME = 4096  # bytes of headers and filling around an entry
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # Python's others are unpacked whole, whatever is asked for
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    gzip.BadGzipFile,
    EOFError,
    NotImplementedError,
    OSError,
    UnicodeDecodeError,  # a name that is none
    RecursionError,  # headers of headers
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much an archive may hold: it is a stranger's."""

    n_files: int = MOST_FILES
    n_bytes: int = MOST_BYTES
    n_manifest_bytes: int = MOST_MANIFEST_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What came out of an archive, and what of it is not as its manifest says."""

    manifest: Manifest
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One entry of an archive, of either kind."""

    path: str
    n_bytes: int  # as it says itself
    is_file: bool
    open: Callable[[], IO[bytes] | None]


def unpack(file: Path, into: Path, limits: Limits | None = None) -> Unpacked:
    """Unpack a bundle into an empty folder; ConfigError for what is none, or is not safe to unpack.

    Only what the manifest names is written, by as many bytes as it states. A wrong digest, a file too many and one that
    lacks are problems of the bundle, and all of them are named.
    """
    limits = limits or Limits()
    try:
        with _entries(file, limits) as entries:
            return _unpacked(file, entries, into, limits)
    except _BROKEN as error:
        raise DamagedFileError(f"no bundle, or a damaged one: {error}", where=str(file)) from None


@contextmanager
def _entries(file: Path, limits: Limits) -> Iterator[Iterator[_Entry]]:
    if _begins_as_zip(file) and not zipfile.is_zipfile(file):
        raise zipfile.BadZipFile("it begins as a zip file and has no end: was it copied whole?")
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            yield _of_zip(archive)
    else:
        most = limits.n_bytes + limits.n_manifest_bytes + limits.n_files * _TAR_FRAME
        with (
            gzip.open(file) as squeezed,
            tarfile.open(fileobj=cast("IO[bytes]", _Guarded(squeezed, most)), mode="r:") as archive,
        ):
            yield _of_tar(archive)


def _begins_as_zip(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(_ZIP)) == _ZIP


class _Guarded:
    """A tar's unpacked bytes: not endlessly many, and no more of them at once than a file is copied by."""

    def __init__(self, source: gzip.GzipFile, most: int) -> None:
        self._source, self._most = source, most

    def read(self, n_bytes: int = -1) -> bytes:
        if not 0 <= n_bytes <= _CHUNK:  # tarfile reads a header of any length at once
            raise tarfile.ReadError("a header is too long")
        return self._source.read(n_bytes)

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset > self._most:
            raise tarfile.ReadError(f"it unpacks to more than {self._most:,} bytes")
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def close(self) -> None:
        self._source.close()


def _of_zip(archive: zipfile.ZipFile) -> Iterator[_Entry]:
    for info in archive.infolist():
        if info.compress_type not in _BOUNDED:
            raise zipfile.BadZipFile(f"{info.orig_filename!r:.80} is packed otherwise than by deflate")
        kind = info.external_attr >> 28  # 8: a file, 0: not said
        is_file = not info.is_dir() and kind in (0, 8) and not info.flag_bits & 1
        yield _Entry(
            path=info.orig_filename,
            n_bytes=info.file_size,
            is_file=is_file,
            open=lambda info=info: archive.open(info),  # type: ignore[misc]  # mypy sees no default in a lambda
        )


def _of_tar(archive: tarfile.TarFile) -> Iterator[_Entry]:
    for info in archive:
        yield _Entry(
            path=info.name,
            n_bytes=info.size,
            is_file=info.isreg(),
            open=lambda info=info: archive.extractfile(info),  # type: ignore[misc]  # as above
        )


def _unpacked(file: Path, entries: Iterator[_Entry], into: Path, limits: Limits) -> Unpacked:
    manifest = _manifest(file, next(entries, None), limits)
    named = {one.path: one for one in manifest.files}
    seen: set[str] = set()
    problems: list[str] = []
    for number, entry in enumerate(entries, 2):
        if number > limits.n_files:
            raise _unsafe(file, f"it has more than {limits.n_files:,} entries")
        _refuse_unsafe(file, entry)
        if entry.path in seen:
            raise _unsafe(file, f"it has {entry.path!r} twice")
        seen.add(entry.path)
        if entry.path in named:
            problems += _extract(entry, named[entry.path], into)
        elif entry.path != SUMS:
            problems.append(f"{entry.path}: not in the manifest")
    problems += [f"{path}: in the manifest, not in the archive" for path in named if path not in seen]
    return Unpacked(manifest=manifest, problems=tuple(problems))


def _manifest(file: Path, entry: _Entry | None, limits: Limits) -> Manifest:
    """Read the first entry: all else is measured by it."""
    if entry is None or entry.path != MANIFEST or not entry.is_file or entry.n_bytes > limits.n_manifest_bytes:
        raise ConfigError("its first entry is no manifest", where=str(file), remedy="Give what bench bundle wrote")
    source = entry.open()
    content = b"" if source is None else source.read(limits.n_manifest_bytes + 1)
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except UNREADABLE as error:
        raise DamagedFileError(f"damaged: {error} in {MANIFEST}", where=str(file)) from None
    if manifest.format != FORMAT or manifest.format_version > FORMAT_VERSION:
        raise ConfigError(
            f"format {manifest.format} {manifest.format_version}, and this bench reads {FORMAT} {FORMAT_VERSION}",
            where=str(file),
            remedy="Upgrade bench-harness",
        )
    _refuse_unbounded(file, manifest, limits)
    return manifest


def _refuse_unbounded(file: Path, manifest: Manifest, limits: Limits) -> None:
    paths = [one.path for one in manifest.files]
    total = sum(one.n_bytes for one in manifest.files)
    if len(set(paths)) < len(paths) or any(one.n_bytes < 0 for one in manifest.files):
        raise _unsafe(file, "its manifest names a file twice, or one of less than no bytes")
    if len(paths) > limits.n_files or total > limits.n_bytes:
        raise _unsafe(
            file, f"it holds {len(paths):,} files of {total:,} bytes; at most {limits.n_files:,} of {limits.n_bytes:,}"
        )
    for path in (*paths, *manifest.runs, manifest.run_id):
        _refuse_path(file, path)


def _refuse_unsafe(file: Path, entry: _Entry) -> None:
    _refuse_path(file, entry.path)
    if not entry.is_file:
        raise _unsafe(file, f"{entry.path!r:.80} is no plain file")


def _refuse_path(file: Path, path: str) -> None:
    """Only relative paths of plain parts, on every system."""
    parts = path.split("/")
    is_plain = all(part not in ("", ".", "..") and part == part.strip(" .") for part in parts)
    if (
        not is_plain
        or not path.isprintable()
        or any(sign in path for sign in '\\:<>"|?*')
        or PurePosixPath(path).is_absolute()
    ):
        raise _unsafe(file, f"{path!r:.80} would leave its folder, or is no plain path")


def _unsafe(file: Path, problem: str) -> ConfigError:
    return ConfigError(f"refused: {problem}", where=str(file), remedy="Give what bench bundle wrote")


def _extract(entry: _Entry, expected: BundledFile, into: Path) -> Sequence[str]:
    """Write a file and digest it; not a byte more than the manifest says is read."""
    target = into / expected.path
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, n_bytes = hashlib.sha256(), 0
    source = entry.open()
    with target.open("xb") as place:
        while source is not None and n_bytes <= expected.n_bytes:
            piece = source.read(min(_CHUNK, expected.n_bytes + 1 - n_bytes))
            if not piece:
                break
            n_bytes += len(piece)
            digest.update(piece)
            place.write(piece)
    if n_bytes != expected.n_bytes:
        word = "more than" if n_bytes > expected.n_bytes else f"{n_bytes:,} instead of"
        return (f"{expected.path}: {word} {expected.n_bytes:,} bytes",)
    return () if digest.hexdigest() == expected.sha256 else (f"{expected.path}: its SHA-256 is {digest.hexdigest()}",)
