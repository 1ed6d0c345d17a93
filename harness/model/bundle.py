"""A run as one archive: the same files give the same bytes."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

from harness.errors import IncompleteRunError
from harness.model.evidence import file_sha256

FORMAT = "bench-bundle"
# Format history of a bundle. 1: first version.
FORMAT_VERSION = 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
ENDINGS = (".zip", ".tar.gz", ".tgz")
_CHUNK = 1 << 20
_DAWN = (1980, 1, 1, 0, 0, 0)  # the earliest instant that a zip can say
_MODE = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledFile:
    """A file of the archive."""

    path: str  # in the archive, with slashes
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """manifest.json: what is in it, and what it is of."""

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    run_id: str
    runs: tuple[str, ...]  # whose folders it holds, under runs/; the judged one first
    golden_sha256: str
    plan_sha256: str
    definitions: str | None  # version under which verdict.json was made; None: it holds none
    bench: str  # version that bundled
    files: tuple[BundledFile, ...]


def is_archive(file: Path) -> bool:
    """Whether a name is one of a bundle."""
    return file.name.lower().endswith(ENDINGS)


def describe(path: str, content: Path | bytes) -> BundledFile:
    """Measure and digest what goes into an archive."""
    if isinstance(content, bytes):
        return BundledFile(path=path, n_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    return BundledFile(path=path, n_bytes=content.stat().st_size, sha256=file_sha256(content))


def pack(manifest: Manifest, contents: Mapping[str, Path | bytes], out: Path) -> None:
    """Write the archive in one step: the manifest first, then the sums, then the files in the manifest's order."""
    head = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=1) + b"\n"
    sums = "".join(f"{file.sha256}  {file.path}\n" for file in manifest.files).encode()
    everything: dict[str, Path | bytes] = {MANIFEST: head, SUMS: sums}
    everything |= {file.path: contents[file.path] for file in manifest.files}
    temporary = out.with_name(f".{out.name}.part")
    try:
        with temporary.open("wb") as target:
            (_write_zip if out.name.lower().endswith(".zip") else _write_tar)(target, everything)
        temporary.replace(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise IncompleteRunError(f"{out}: cannot be written: {error.strerror}") from error


def _write_zip(target: BinaryIO, contents: Mapping[str, Path | bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, content in contents.items():
            entry = zipfile.ZipInfo(path, _DAWN)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, _MODE << 16
            with _opened(content) as source, archive.open(entry, "w", force_zip64=_size(content) > 1 << 31) as place:
                _copy(source, place)


def _write_tar(target: BinaryIO, contents: Mapping[str, Path | bytes]) -> None:
    with (
        gzip.GzipFile("", "wb", 9, target, mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, content in contents.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = _size(content), _MODE
            with _opened(content) as source:
                archive.addfile(entry, source)


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _opened(content: Path | bytes) -> BinaryIO:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _copy(source: IO[bytes], place: IO[bytes]) -> None:
    while piece := source.read(_CHUNK):
        place.write(piece)
