"""A run that dies leaves all that had ended; the folder still loads and reports."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.cli.judging import decode_run
from harness.cli.sides import RecordedSide
from harness.model.record import RunStatus
from harness.model.storage import ATTEMPTS, load_run, lock_run
from tests.cli.files import endpoint_file, exact_repeats
from tests.cli.recordedrun import write_run
from tests.cli.simulated import Bench

CONCURRENCY = 4


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


def _started(bench: Bench, a: Path, b: Path) -> subprocess.Popen[bytes]:
    words = ["compare", str(a), str(b), "--golden", str(bench.golden), "--repeats", "400", "--quiet"]
    folders = ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
    return subprocess.Popen([sys.executable, "-m", "harness", *words, *folders])


def _wait_for_attempts(process: subprocess.Popen[bytes], folder: Path, count: int) -> Path:
    """Give the run folder as soon as its journal holds so many attempts."""
    while process.poll() is None:
        for journal in folder.glob(f"results/*/{ATTEMPTS}"):
            if journal.read_bytes().count(b"\n") >= count:
                return journal.parent
    raise AssertionError("the run ended before it was to be killed")


def _arrived(folder: Path, name: str) -> int:
    """Count the requests that a simulator has answered by its own log."""
    return (folder / f"truth-{name}.jsonl").read_bytes().count(b"\n")


@pytest.mark.parametrize("killed_by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_dies_loses_at_most_what_was_in_flight(killed_by: signal.Signals, bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        process = _started(bench, a, b)
        folder = _wait_for_attempts(process, bench.folder, 60)
        os.kill(process.pid, killed_by)
        code = process.wait(30)
        answered = {"reference": _arrived(bench.folder, "a"), "candidate": _arrived(bench.folder, "b")}
    assert code == (-signal.SIGKILL if killed_by is signal.SIGKILL else 130)
    run = load_run(folder)
    for header in run.header.arms:
        records = decode_run(RecordedSide(run=run, header=header))
        assert answered[header.arm] - CONCURRENCY <= len(records)
        assert all(record.failure is None for record in records)
    assert run.header.status == (RunStatus.RUNNING if killed_by is signal.SIGKILL else RunStatus.INTERRUPTED)
    outcome = bench.bench("report", str(folder))
    assert outcome.gate("request_success")["n_reference"] >= 20
    finished = next(check for check in outcome.summary["validity"] if check["id"] == "finished")
    assert not finished["is_met"]
    assert outcome.exit_code != 0


def test_a_run_that_goes_on_gets_no_verdict_and_no_look_is_spent(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    words = ["report", str(folder), "--reports", str(tmp_path / "reports")]
    lock = lock_run(folder)
    told = CliRunner().invoke(main, words)
    lock.close()
    assert told.exit_code == 75
    assert "another process is still writing this run" in told.output
    assert not any((folder / file).exists() for file in ("looks.jsonl", "verdict.json"))
    assert not list((tmp_path / "reports").glob("*"))
    assert CliRunner().invoke(main, words).exit_code != 75
    assert (folder / "looks.jsonl").exists()


def test_a_torn_last_line_and_lost_bytes_are_named_and_the_rest_is_judged(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        run = bench.compare(a, b, "--repeats", "3", "--settings", str(exact_repeats(bench.folder))).run
    journal = run / ATTEMPTS
    journal.write_bytes(journal.read_bytes()[:-40])
    outcome = bench.bench("report", str(run))
    assert "torn off by the end of the process" in outcome.output
    gate = outcome.gate("request_success")
    assert gate["n_reference"] + gate["n_candidate"] == 2 * 23  # the pair of the torn one is left out


def test_ctrl_c_says_what_there_is_and_how_to_go_on_without_a_look_at_it(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        words = ["compare", str(a), str(b), "--golden", str(bench.golden), "--repeats", "400"]
        folders = ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", *words, *folders], stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        folder = _wait_for_attempts(process, bench.folder, 60)
        os.kill(process.pid, signal.SIGINT)
        output, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output == b""
    text = told.decode()
    counts = {arm: int(n) for arm, n in re.findall(r"(reference|candidate) +(\d+) of \d+", text)}
    assert counts.keys() == {"reference", "candidate"}
    assert sum(counts.values()) >= 50
    assert f"to go on with it: bench compare {a} {b} --resume {folder}" in text
    assert f"bench report {folder}; a verdict on it counts as a look at the data" in text
    assert text.endswith("bench: interrupted\n")
    assert not (folder / "looks.jsonl").exists()
    assert not list((bench.folder / "reports").glob("*.html"))


def test_ctrl_c_reports_one_endpoints_own_figures(bench: Bench) -> None:
    with bench.serving("a") as one:
        a = endpoint_file(bench.folder, "a", one.base_url)
        words = ["run", str(a), "--golden", str(bench.golden), "--repeats", "400"]
        folders = ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", *words, *folders], stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        folder = _wait_for_attempts(process, bench.folder, 40)
        os.kill(process.pid, signal.SIGINT)
        output, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "MEASURED IN PART" in output.decode()
    assert f"bench run {a} --resume {folder}" in told.decode()
    assert list((bench.folder / "reports").glob(f"{folder.name}.html"))
