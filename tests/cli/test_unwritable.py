"""A place that cannot be written is said as that, never as an internal error."""

import errno
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.model.digest import plan_sha256
from harness.model.storage import HEADER, encode_header, load_header
from tests.cli.recordedrun import write_run


def read_only(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> None:
    """Let a folder refuse as a read-only file system does: to write, and to remove even what is not there."""
    for method in ("open", "unlink"):
        kept = getattr(Path, method)

        def refusing(path: Path, *given: object, kept: object = kept, **named: object) -> object:
            is_read = bool(given) and "r" in str(given[0])
            if path.parent == folder and any(name in path.name for name in names) and not is_read:
                raise OSError(errno.EROFS, "Read-only file system", str(path))
            return kept(path, *given, **named)  # type: ignore[operator]  # one of the two above

        monkeypatch.setattr(Path, method, refusing)


def test_a_run_on_a_read_only_disk_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "run")
    header = load_header(run)
    (run / HEADER).write_bytes(encode_header(replace(header, plan_sha256=plan_sha256(header.plan))))
    read_only(monkeypatch, run, "verdict.json")
    ended = CliRunner().invoke(main, ["report", str(run), "--reports", str(tmp_path / "reports")])
    assert ended.exit_code == 3, ended.output
    assert f"note: {run / 'verdict.json'}: cannot be written: Read-only file system" in ended.output
    assert list((tmp_path / "reports").glob("run.html"))


@pytest.mark.parametrize("place", ["file/c.md", "folder"])
def test_a_checklist_that_could_not_be_written_is_refused_with_a_remedy(tmp_path: Path, place: str) -> None:
    run = write_run(tmp_path / "run")
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    ended = CliRunner().invoke(main, ["checklist", str(run), "-o", str(tmp_path / place)])
    assert ended.exit_code == 2, ended.output
    assert "--output cannot be written" in ended.output
    assert "Choose another file" in ended.output


def test_a_checklist_in_a_read_only_folder_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "run")
    read_only(monkeypatch, tmp_path, "c.md")
    ended = CliRunner().invoke(main, ["checklist", str(run), "-o", str(tmp_path / "c.md")])
    assert ended.exit_code == 75, ended.output
    assert f"{tmp_path / 'c.md'}: cannot be written: Read-only file system" in ended.output
