"""A mistake is said by its place, with a remedy, before anything else is said."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.model.looks import read_looks
from harness.model.storage import load_run
from tests.cli.files import endpoint_file, golden_file
from tests.cli.recordedrun import write_run


def bench(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.parametrize("command", ["report", "show", "memo", "checklist"])
def test_a_folder_that_is_no_run_is_said_by_its_own_name_and_first(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    remedy = "Give a folder below results/\n"
    assert bench(command, ".").stderr == f"bench: .: not a run folder: it has no run.json. {remedy}"
    assert bench(command, "nowhere").stderr == f"bench: nowhere: not a run folder: there is none. {remedy}"


def test_a_side_that_nobody_has_is_said_as_that(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    shown = bench("compare", f"{run}:nope", str(run)).stderr
    assert shown.startswith(f"bench: {run}: no side is called 'nope'. It is one of: reference, candidate")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "not UTF-8 at byte 0. Is it the right file?"),
        (b"name: [x\n", "not valid YAML"),
        (b"- name: x\n", "b.yml:1: expected a mapping"),
        (b"", "the file is empty. `bench init` writes files to start from"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_with_a_remedy(content: bytes, words: str, tmp_path: Path) -> None:
    a, b = endpoint_file(tmp_path, "a", "http://127.0.0.1:9/v1"), tmp_path / "b.yml"
    b.write_bytes(content)
    shown = bench("compare", str(a), str(b))
    assert shown.exit_code == 2
    assert words in shown.stderr
    assert ". " in shown.stderr  # a remedy follows
    assert "$" not in shown.stderr


@pytest.mark.parametrize("command", ["compare", "probe"])
def test_a_key_that_is_not_there_is_said_by_file_and_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BENCH_TEST_ABSENT", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yml").write_text("name: a\nbase_url: http://127.0.0.1:9/v1\nmodel: m\n")
    (tmp_path / "b.yml").write_text(
        "name: b\nbase_url: http://127.0.0.1:9/v1\nmodel: m\n\napi_key: ${BENCH_TEST_ABSENT}\n"
    )
    shown = bench(command, "a.yml", "b.yml")
    assert shown.exit_code == 2, shown.output
    said = shown.stderr.splitlines()[-1]
    assert said.startswith("bench: b.yml:5 (api_key): environment variable BENCH_TEST_ABSENT is not set. Set it: ")


def test_a_golden_set_of_torn_json_has_a_remedy(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text('{"id": "a"\n')
    shown = bench("golden", "check", str(file))
    assert shown.exit_code == 2
    assert shown.stderr.startswith(f"bench: {file}:")
    assert "one whole JSON value on each line" in shown.stderr


def test_a_verdict_on_no_data_is_no_look_at_it(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    (run / "attempts.jsonl").write_bytes(b"")
    bench("report", str(run), "--reports", str(tmp_path / "reports"))
    assert not read_looks(run)


def test_a_run_in_which_nothing_was_answered_offers_nothing_to_go_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    a, b = (endpoint_file(tmp_path, name, "http://127.0.0.1:9/v1") for name in "ab")
    shown = bench("compare", str(a), str(b), "--golden", str(golden_file(tmp_path)))
    assert shown.exit_code == 75, shown.output
    assert "cannot be reached" in shown.stderr.splitlines()[-1]
    assert "--resume" not in shown.stderr
    assert "bench report" not in shown.stderr
    (run,) = (tmp_path / "results").iterdir()
    assert not any(attempt.status for attempt in load_run(run).attempts)


def test_a_truth_log_that_cannot_be_written_has_a_remedy(tmp_path: Path) -> None:
    shown = bench("simulate", "sim-h100", "--truth", str(tmp_path / "none" / "t.jsonl"))
    assert shown.exit_code == 2
    assert "Choose another --truth" in shown.stderr
