"""Runs of the first version and of the present one, as they lie in a folder: read without loss, judged again."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.cli.judging import decode_run
from harness.cli.sides import RecordedSide
from harness.model.digest import matches_digest
from harness.model.looks import read_looks
from harness.model.record import FORMAT_VERSION, RunStatus
from harness.model.storage import ATTEMPTS, HEADER, LOOKS, load_run

RUNS = Path(__file__).resolve().parents[1] / "model" / "data" / "runs"
FIRST, PRESENT = RUNS / "first", RUNS / "present"
BOTH = pytest.mark.parametrize("folder", [FIRST, PRESENT], ids=lambda folder: folder.name)


def lost(stored: Any, read: Any, path: str = "$") -> list[str]:
    """Name what is stored and was not read, or was read as something else."""
    if isinstance(stored, dict) and isinstance(read, dict):
        gone = [f"{path}.{name}" for name in stored if name not in read]
        return gone + [
            part for name in stored if name in read for part in lost(stored[name], read[name], f"{path}.{name}")
        ]
    if isinstance(stored, list) and isinstance(read, list) and len(stored) == len(read):
        return [part for i, pair in enumerate(zip(stored, read, strict=True)) for part in lost(*pair, f"{path}[{i}]")]
    return [] if stored == read else [path]


@BOTH
def test_every_field_that_was_written_is_read(folder: Path) -> None:
    run = load_run(folder)
    assert run.notes == ()
    assert (
        lost(msgspec.json.decode((folder / HEADER).read_bytes()), msgspec.json.decode(msgspec.json.encode(run.header)))
        == []
    )
    lines = (folder / ATTEMPTS).read_bytes().splitlines()
    assert len(lines) == len(run.attempts) > 10
    for line, attempt in zip(lines, run.attempts, strict=True):
        assert lost(msgspec.json.decode(line), msgspec.json.decode(msgspec.json.encode(attempt))) == []


def test_a_field_that_is_no_longer_read_is_found() -> None:
    assert lost({"a": [{"b": 1, "c": 2}], "d": 3}, {"a": [{"b": 1, "x": 2}], "d": 4}) == ["$.a[0].c", "$.d"]


@BOTH
def test_the_answers_are_what_they_were(folder: Path) -> None:
    run = load_run(folder)
    for header in run.header.arms:
        records = decode_run(RecordedSide(run=run, header=header))
        said = {record.key.prompt_id: (record.answer.text, record.answer.tool_calls) for record in records}
        assert all(record.failure is None for record in records)
        assert said["capital"] == ("It is Prague.", ())
        text, (call,) = said["weather"]
        assert (text, call.name, msgspec.json.decode(call.arguments)) == ("", "get_weather", {"city": "Oslo"})


@BOTH
def test_it_is_judged_again_from_its_first_three_files(folder: Path, tmp_path: Path) -> None:
    run = shutil.copytree(folder, tmp_path / "run")
    (run / LOOKS).unlink(missing_ok=True)
    shown = CliRunner().invoke(main, ["report", str(run), "--reports", str(tmp_path / "reports")])
    assert shown.exit_code == 3, shown.output  # two prompts settle nothing
    assert "prompts 2, requests" in shown.output


def test_the_present_run_is_what_its_plan_registered_and_says_which_looks_it_had() -> None:
    run = load_run(PRESENT)
    assert (run.header.format_version, run.header.status) == (FORMAT_VERSION, RunStatus.FINISHED)
    assert matches_digest(run.header)
    assert [looked.verdict for looked in read_looks(PRESENT)] == ["INCONCLUSIVE"]
    assert all(attempt.crc32 is not None for attempt in run.attempts)


def test_the_plan_of_the_first_version_counts_as_another_than_the_registered_one() -> None:
    """Its digest is of a text without the fields that a plan has got since."""
    run = load_run(FIRST)
    assert not matches_digest(run.header)
    assert [part.status for part in run.header.all_parts] == [RunStatus.FINISHED]
