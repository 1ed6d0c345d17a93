"""What a full disk, a second Ctrl-C and a second process leave of a run: all that had landed, and a way to go on."""

import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.model.looks import was_cancelled
from harness.model.record import RunStatus
from harness.model.storage import HEADER, STREAMS, load_run
from tests.cli.files import write_yaml
from tests.cli.processes import is_running, needs_proc, workers_of
from tests.cli.simulated import Bench
from tests.cli.test_interruption import _wait_for_attempts

ROOM = 60_000  # bytes that a file may have


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


def _words(bench: Bench, a: Path, b: Path, *more: str) -> list[str]:
    settings = write_yaml(bench.folder / "exact.yml", {"plan": {"allocate": False, "unstreamed": 0}})
    given = ["--golden", str(bench.golden), "--settings", str(settings), "--quiet", *more]
    folders = ["--out", str(bench.folder / "results"), "--reports", str(bench.folder / "reports")]
    return ["compare", str(a), str(b), *given, *folders]


def _child(words: list[str], before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    # a limit on the size of files is the process's own, so it is set between fork and exec
    return subprocess.Popen([sys.executable, "-m", "harness", *words], stderr=subprocess.PIPE, preexec_fn=before)  # noqa: PLW1509


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))


def test_a_disk_that_fills_up_ends_the_run_with_75_and_it_goes_on_once_there_is_room(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        process = _child(_words(bench, a, b, "--repeats", "4"), _limit_files)
        said = process.communicate(timeout=60)[1].decode()
        (folder,) = (bench.folder / "results").iterdir()
        run = load_run(folder)
        before = {attempt.key: run.wire(attempt) for attempt in run.attempts}
        assert process.returncode == 75, said
        assert "cannot write the journal: File too large" in said
        assert f"--resume {folder}" in said
        assert run.header.status is RunStatus.STOPPED
        assert run.notes == ()
        assert 0 < (folder / STREAMS).stat().st_size <= ROOM
        bench.bench("compare", str(a), str(b), "--resume", str(folder))
    run = load_run(folder)
    assert len(before) > 2
    assert {attempt.key: run.wire(attempt) for attempt in run.attempts if attempt.part == 0} == before
    whole = [attempt for attempt in run.attempts if not was_cancelled(attempt)]  # what was cut may have found room
    measured = Counter(attempt.key for attempt in whole if not attempt.key.is_warmup)
    assert set(measured.values()) == {1}
    assert len(measured) == 2 * 8 * 4
    assert run.header.status is RunStatus.FINISHED


def test_a_header_that_finds_no_room_does_not_hide_what_ended_the_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.errors import IncompleteRunError
    from harness.model.storage import RunWriter

    def full(*_: object, **__: object) -> None:
        raise IncompleteRunError("no room")

    kept, landed = RunWriter.append, []

    def append(writer: RunWriter, *given: Any, **named: Any) -> Any:
        landed.append(given)
        return kept(writer, *given, **named) if len(landed) <= 6 else full()

    monkeypatch.setattr(RunWriter, "append", append)
    monkeypatch.setattr(RunWriter, "finish", lambda *_, **__: full())
    with bench.pair({}, {}) as (a, b):
        shown = CliRunner().invoke(main, _words(bench, a, b))
    (folder,) = (bench.folder / "results").iterdir()
    assert shown.exit_code == 75, shown.output
    assert "the run is on record as one whose process died" in shown.output
    assert f"--resume {folder}" in shown.output
    assert load_run(folder).header.status is RunStatus.RUNNING


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_sent(bench: Bench) -> None:
    (bench.folder / "results").write_bytes(b"a file")
    with bench.pair({}, {}) as (a, b):
        shown = CliRunner().invoke(main, _words(bench, a, b))
    assert shown.exit_code == 2
    assert "cannot create the run folder: " in shown.output
    assert [(bench.folder / f"truth-{name}.jsonl").read_bytes() for name in "ab"] == [b"", b""]


def test_a_second_process_cannot_go_on_with_a_run_that_is_measured(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        process = _child(_words(bench, a, b, "--repeats", "400"))
        folder = _wait_for_attempts(process, bench.folder, 20)
        header = (folder / HEADER).read_bytes()
        shown = CliRunner().invoke(main, ["compare", str(a), str(b), "--resume", str(folder), "--quiet"])
        assert shown.exit_code == 75
        assert "another process is writing this run" in shown.output
        assert (folder / HEADER).read_bytes() == header
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130


@needs_proc
def test_the_second_ctrl_c_ends_a_process_that_does_not_follow(bench: Bench) -> None:
    with bench.pair({}, {}) as (a, b):
        process = _child(_words(bench, a, b, "--repeats", "400", "--isolate"))
        folder = _wait_for_attempts(process, bench.folder, 20)
        stuck, _ = workers_of(process.pid)
        os.kill(stuck, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.communicate(timeout=0.2)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1].decode()
        assert "Traceback" not in said
        assert process.returncode == 130
        assert not is_running(stuck)
    run = load_run(folder)
    assert (run.header.status, run.is_being_written) == (RunStatus.INTERRUPTED, False)
