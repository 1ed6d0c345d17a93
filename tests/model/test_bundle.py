"""An archive gives back what went in, by the same bytes each time; a hostile one gets nothing done."""

import gzip
import hashlib
import io
import subprocess
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from harness.errors import ConfigError, DamagedFileError
from harness.model.bundle import MANIFEST, BundledFile, Manifest, describe, is_archive, pack
from harness.model.unbundle import Limits, unpack

CONTENTS: dict[str, Path | bytes] = {
    "runs/r/run.json": b"{}",
    "runs/r/streams.bin": bytes(range(256)) * 40,
    "golden.yml": b"x",
}
Entries = Sequence[tuple[str, bytes]]
Writer = Callable[[Path, Entries], Path]


def a_manifest(**changes: object) -> Manifest:
    files = tuple(describe(path, CONTENTS[path]) for path in sorted(CONTENTS))
    manifest = Manifest(
        run_id="r", runs=("r",), golden_sha256="g", plan_sha256="p", definitions="3", bench="1", files=files
    )
    return replace(manifest, **changes)  # type: ignore[arg-type]  # its own fields


def head(manifest: Manifest) -> bytes:
    return msgspec.json.encode(manifest)


def test_a_zip_that_was_cut_short_is_said_to_be_one(tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    pack(a_manifest(), CONTENTS, file)
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DamagedFileError, match="begins as a zip file and has no end"):
        unpack(file, tmp_path / "out")


def as_zip(file: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in entries:
            archive.writestr(zipfile.ZipInfo(path), content)
    return file


def as_tar(file: Path, entries: Entries) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for path, content in entries:
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file


WRITERS = {"x.zip": as_zip, "x.tar.gz": as_tar}
both = pytest.mark.parametrize("name", WRITERS)


def hostile(folder: Path, name: str, *more: tuple[str, bytes], manifest: Manifest | None = None) -> Path:
    good = [(path, content) for path, content in CONTENTS.items() if isinstance(content, bytes)]
    return WRITERS[name](folder / name, [(MANIFEST, head(manifest or a_manifest())), *good, *more])


def written(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@both
def test_an_archive_gives_back_what_went_in(tmp_path: Path, name: str) -> None:
    pack(a_manifest(), CONTENTS, tmp_path / name)
    unpacked = unpack(tmp_path / name, tmp_path / "out")
    assert (unpacked.manifest, unpacked.problems) == (a_manifest(), ())
    assert written(tmp_path / "out") == CONTENTS


@both
def test_the_same_files_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "later").mkdir()
    pack(a_manifest(), CONTENTS, tmp_path / name)
    pack(a_manifest(), dict(reversed(CONTENTS.items())), tmp_path / "later" / name)
    assert (tmp_path / name).read_bytes() == (tmp_path / "later" / name).read_bytes()
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == [name]


def test_sha256sum_checks_an_unpacked_archive_without_us(tmp_path: Path) -> None:
    pack(a_manifest(), CONTENTS, tmp_path / "x.tar.gz")
    with tarfile.open(tmp_path / "x.tar.gz") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path / "out", check=False).returncode == 0
    (tmp_path / "out" / "golden.yml").write_bytes(b"y")
    assert subprocess.run(check, cwd=tmp_path / "out", check=False, capture_output=True).returncode == 1


@both
def test_one_byte_that_is_not_as_the_manifest_says_is_named(tmp_path: Path, name: str) -> None:
    other = a_manifest(
        files=tuple(replace(one, sha256="0" * 64) if one.path == "golden.yml" else one for one in a_manifest().files)
    )
    (problem,) = unpack(hostile(tmp_path, name, manifest=other), tmp_path / "out").problems
    assert problem == f"golden.yml: its SHA-256 is {hashlib.sha256(b'x').hexdigest()}"


@both
def test_what_lacks_and_what_is_too_many_are_named(tmp_path: Path, name: str) -> None:
    lacking = BundledFile(path="gone", n_bytes=1, sha256="0")
    manifest = a_manifest(files=(*a_manifest().files, lacking))
    found = unpack(hostile(tmp_path, name, ("more.txt", b"m"), manifest=manifest), tmp_path / "out").problems
    assert found == ("more.txt: not in the manifest", "gone: in the manifest, not in the archive")
    assert "more.txt" not in written(tmp_path / "out")


@both
@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/etc/evil",
        "runs/../../evil",
        "runs//evil",
        "./evil",
        "C:/evil",
        "runs\\..\\evil",
        "evil\n",
        "a/.. /b",
        "NUL.",
        "x:y",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, name: str, path: str) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(ConfigError, match="leave its folder"):
        unpack(hostile(tmp_path / "in", name, (path, b"e")), tmp_path / "out")
    evil = BundledFile(path=path, n_bytes=1, sha256=hashlib.sha256(b"e").hexdigest())
    named = a_manifest(files=(*a_manifest().files, evil))
    with pytest.raises(ConfigError, match="leave its folder"):
        unpack(hostile(tmp_path / "in", name, (path, b"e"), manifest=named), tmp_path / "out2")
    assert list(tmp_path.rglob("*evil*")) == []


@both
def test_a_run_id_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="leave its folder"):
        unpack(hostile(tmp_path, name, manifest=a_manifest(run_id="../../x")), tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_a_tar_entry_that_is_no_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as archive:
        content = head(a_manifest())
        first = tarfile.TarInfo(MANIFEST)
        first.size = len(content)
        archive.addfile(first, io.BytesIO(content))
        entry = tarfile.TarInfo("golden.yml")
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry)
    with pytest.raises(ConfigError, match="no plain file"):
        unpack(tmp_path / "x.tar.gz", tmp_path / "out")
    assert written(tmp_path / "out") == {}


def test_a_zip_entry_that_is_a_link_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(MANIFEST, head(a_manifest()))
        link = zipfile.ZipInfo("golden.yml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ConfigError, match="no plain file"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


@both
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_comes_twice_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="twice"):
        unpack(hostile(tmp_path, name, ("golden.yml", b"x")), tmp_path / "out")


@both
def test_a_bomb_is_not_unpacked(tmp_path: Path, name: str) -> None:
    """Five megabytes of nothing under a manifest of one byte: one byte more than that is read."""
    bomb = BundledFile(path="bomb", n_bytes=1, sha256="0")
    manifest = a_manifest(files=(*a_manifest().files, bomb))
    file = hostile(tmp_path, name, ("bomb", bytes(5_000_000)), manifest=manifest)
    assert unpack(file, tmp_path / "out").problems == ("bomb: more than 1 bytes",)
    assert (tmp_path / "out" / "bomb").stat().st_size == 2


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_way_of_packing_that_is_unpacked_whole_is_refused(tmp_path: Path, method: int, place: str) -> None:
    """Python asks these two for all that a kilobyte holds, though a manifest states one byte of it."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as archive:
        if place == "last":
            archive.writestr(MANIFEST, head(a_manifest()), zipfile.ZIP_DEFLATED)
        archive.writestr(MANIFEST if place == "first" else "golden.yml", bytes(20_000_000))
    tracemalloc.start()
    with pytest.raises(DamagedFileError, match="packed otherwise"):
        unpack(tmp_path / "x.zip", tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
    assert written(tmp_path / "out") == {}


def test_a_name_that_is_no_text_is_damage(tmp_path: Path) -> None:
    file = as_zip(tmp_path / "x.zip", [("manifest.jso\u00e9", b"x")])
    file.write_bytes(file.read_bytes().replace("\u00e9".encode(), b"\xff\xfe"))
    with pytest.raises(DamagedFileError):
        unpack(file, tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_headers_of_headers_are_damage(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("p")
    header.type, header.size = kind, 1
    content = b"\0" if kind == tarfile.XHDTYPE else b"a"
    block = header.tobuf(tarfile.USTAR_FORMAT) + content.ljust(512, b"\0")
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(block * 3000 + bytes(1024)))
    with pytest.raises(DamagedFileError):
        unpack(tmp_path / "x.tar.gz", tmp_path / "out")


@both
@pytest.mark.parametrize("limits", [Limits(n_bytes=100), Limits(n_files=2), Limits(n_manifest_bytes=10)])
def test_more_than_the_limits_allow_is_refused(tmp_path: Path, name: str, limits: Limits) -> None:
    with pytest.raises(ConfigError):
        unpack(hostile(tmp_path, name), tmp_path / "out", limits)
    assert written(tmp_path / "out") == {}


def test_a_tar_that_is_long_behind_its_files_is_refused(tmp_path: Path) -> None:
    file = hostile(tmp_path, "x.tar.gz", ("more", bytes(3_000_000)), ("last", b"l"))
    with pytest.raises(ConfigError, match="unpacks to more"):
        unpack(file, tmp_path / "out", Limits(n_bytes=20_000, n_files=20, n_manifest_bytes=2_000))


def test_a_tar_header_without_end_is_not_read(tmp_path: Path) -> None:
    long = tarfile.TarInfo("././@PaxHeader")
    long.type, long.size = tarfile.XHDTYPE, 1 << 30
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(long.tobuf() + bytes(4096)))
    with pytest.raises(ConfigError, match="header is too long"):
        unpack(tmp_path / "x.tar.gz", tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"\x1f\x8b\x08\x00 nothing", b"plain text"])
@both
def test_what_is_no_archive_is_said_so(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError):
        unpack(tmp_path / name, tmp_path / "out")


@both
def test_an_archive_of_something_else_is_no_bundle(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, [("readme", b"r")])
    with pytest.raises(ConfigError, match="no manifest"):
        unpack(tmp_path / name, tmp_path / "out")
    WRITERS[name](tmp_path / name, [(MANIFEST, head(a_manifest(format_version=99)))])
    with pytest.raises(ConfigError, match="Upgrade"):
        unpack(tmp_path / name, tmp_path / "out")


def test_an_archive_is_known_by_its_name() -> None:
    assert [is_archive(Path(name)) for name in ("a.ZIP", "a.tar.gz", "a.tgz", "a.md", "zip")] == [
        True,
        True,
        True,
        False,
        False,
    ]
