"""A command that nobody watches: its log, its heartbeat, its lock, and how they tell its end."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from harness.cli import heartbeat as heartbeats
from harness.cli import overlap
from harness.cli.group import BenchGroup
from harness.cli.heartbeat import Heartbeat, follow, follow_progress
from harness.cli.logfile import LogFile, open_log
from harness.cli.overlap import one_at_a_time
from harness.cli.pacing import Leg
from harness.cli.progress import Progress
from harness.cli.unattended import is_logged, unattended_options
from harness.clock import ManualClock
from harness.errors import ConfigError, IncompleteRunError, InterruptedRunError
from harness.model.record import Arm

INSTANT = "2026-01-01T00:00:00+00:00"  # of a manual clock


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "file"


def command(body: Callable[[], Any]) -> click.Group:
    @click.group(cls=BenchGroup)
    def group() -> None:
        pass

    @group.command()
    @click.argument("endpoint")
    @unattended_options
    def go(endpoint: str) -> Any:
        assert endpoint == "a.yml"
        return body()

    return group


def go(body: Callable[[], Any], *options: str | Path) -> Result:
    return CliRunner().invoke(command(body), ["go", "a.yml", *map(str, options)])


def raising(error: BaseException) -> Callable[[], Any]:
    def body() -> Any:
        click.echo("a remark", err=True)
        raise error

    return body


def read(file: Path) -> dict[str, Any]:
    found = json.loads(file.read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (lambda: 0, 0),
        (lambda: 1, 1),
        (lambda: 3, 3),
        (lambda: None, 0),
        (raising(ConfigError("a wrong file")), 2),
        (raising(click.UsageError("a wrong option")), 2),
        (raising(IncompleteRunError("disk full")), 75),
        (raising(InterruptedRunError("stopped")), 130),
        (raising(KeyboardInterrupt()), 130),
    ],
)
def test_log_and_heartbeat_tell_the_exit_code_of_every_end(body: Callable[[], Any], code: int, file: Path) -> None:
    before = sys.stderr
    shown = go(body, "--log", f"{file}.log", "--heartbeat", f"{file}.json")
    assert shown.exit_code == code
    lines = Path(f"{file}.log").read_text().splitlines()
    assert lines[0].endswith(" bench go a.yml")
    assert lines[-1].endswith(f" ended with exit code {code}")
    beat = read(Path(f"{file}.json"))
    assert (beat["state"], beat["exit_code"], beat["command"]) == ("ended", code, "bench go a.yml")
    assert sys.stderr is before


def test_what_is_said_goes_to_the_log_and_only_errors_beside_it(file: Path) -> None:
    shown = go(raising(ConfigError("a wrong file")), "--log", file)
    assert shown.stderr == "bench: a wrong file\n"
    assert [line.partition(" ")[2] for line in file.read_text().splitlines()] == [
        "bench go a.yml",
        "a remark",
        "bench: a wrong file",
        "ended with exit code 2",
    ]


def test_a_log_goes_on_where_the_last_one_ended(file: Path) -> None:
    for _ in range(2):
        go(lambda: 0, "--log", file)
    assert file.read_text().count("ended with exit code 0\n") == 2


def test_without_a_log_all_is_said_as_ever() -> None:
    assert go(raising(ConfigError("a wrong file"))).stderr == "a remark\nbench: a wrong file\n"


def test_a_command_knows_that_it_is_logged(file: Path) -> None:
    assert [go(lambda: 3 if is_logged() else 0, *words).exit_code for words in ((), ("--log", file))] == [0, 3]


@pytest.mark.parametrize("option", ["--log", "--heartbeat", "--lock"])
def test_a_file_that_cannot_be_written_is_refused_before_the_command_begins(option: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    shown = go(raising(RuntimeError("it began")), option, tmp_path / "file" / "below")
    assert shown.exit_code == 2
    assert f"Give another {option}" in shown.stderr


def log_of(write: Callable[[bytes], int]) -> tuple[LogFile, io.StringIO]:
    class Raw(io.RawIOBase):
        def write(self, content: Any) -> int:
            return write(bytes(content))

    beside = io.StringIO()
    return LogFile(Raw(), beside, ManualClock()), beside  # type: ignore[arg-type]  # as much of a file as it needs


def test_lines_are_whole_and_have_their_instant(file: Path) -> None:
    log = open_log(file, io.StringIO(), ManualClock())
    log.write("one\ntw")
    assert file.read_text() == f"{INSTANT} one\n"
    log.write("o\nthe rest")
    log.finish()
    assert file.read_text() == f"{INSTANT} one\n{INSTANT} two\n{INSTANT} the rest\n"


def test_each_line_is_one_write_so_that_two_processes_do_not_mix() -> None:
    written: list[bytes] = []

    def keep(content: bytes) -> int:
        written.append(content)
        return len(content)

    log, _ = log_of(keep)
    log.write("one\n\N{SNOWMAN}\n")
    assert written == [f"{INSTANT} one\n".encode(), f"{INSTANT} \N{SNOWMAN}\n".encode()]


def test_a_full_disk_ends_no_run_and_what_was_said_is_still_heard() -> None:
    def fail(_: bytes) -> int:
        raise OSError(28, "No space left on device")

    log, beside = log_of(fail)
    log.write("a remark\nbench: an error\n")
    assert beside.getvalue() == "a remark\nbench: an error\n"


def test_a_heartbeat_says_how_far_it_is(file: Path) -> None:
    clock = ManualClock()
    heartbeat = Heartbeat(file=file, words="bench run a.yml", clock=clock)
    heartbeat.begin()
    assert read(file) == {
        "at": INSTANT,
        "command": "bench run a.yml",
        "pid": os.getpid(),
        "started_at": INSTANT,
        "state": "running",
        "exit_code": None,
        "done": 0,
        "total": None,
    }
    heartbeat.counts = lambda: {"done": 3, "total": 8}
    heartbeat.beat()
    assert {name: read(file)[name] for name in ("state", "done", "total")} == {
        "state": "running",
        "done": 3,
        "total": 8,
    }
    heartbeat.end(4)
    assert (read(file)["state"], read(file)["exit_code"], read(file)["done"]) == ("ended", 4, 3)
    assert list(file.parent.iterdir()) == [file]  # nothing beside it is left


def test_it_beats_by_itself_and_more_often_than_every_ten_seconds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert heartbeats.EVERY_S <= 10 / 2
    monkeypatch.setattr(heartbeats, "EVERY_S", 0.001)
    beats = threading.Semaphore(0)

    def counts() -> Mapping[str, Any]:
        beats.release()
        return {"done": 1, "total": 2}

    heartbeat = Heartbeat(file=file, words="bench", clock=ManualClock(), counts=counts)
    heartbeat.begin()
    assert all(beats.acquire(timeout=30) for _ in range(4))
    heartbeat.end(0)
    assert read(file)["state"] == "ended"  # and no later beat undoes it


def test_a_heartbeat_that_fails_later_ends_no_run(file: Path) -> None:
    heartbeat = Heartbeat(file=file, words="bench", clock=ManualClock())
    heartbeat.begin()
    file.unlink()
    file.parent.rmdir()
    heartbeat.end(0)


def test_what_a_command_counts_is_in_its_heartbeat(file: Path) -> None:
    def body() -> int:
        follow(lambda: {"done": 5, "total": 7})
        return 0

    go(body, "--heartbeat", file)
    assert (read(file)["done"], read(file)["total"]) == (5, 7)
    assert go(body).exit_code == 0  # without a heartbeat nobody asks


def test_requests_are_counted_on_each_side(file: Path) -> None:
    progress = Progress(
        names={Arm.REFERENCE: "a", Arm.CANDIDATE: "b"}, legs=[Leg(name="4 in flight", n=10, load=4)], spending=None
    )

    def body() -> int:
        progress.tallies[Arm.REFERENCE].done = 4
        progress.tallies[Arm.CANDIDATE].done = 3
        follow_progress(progress)
        return 0

    go(body, "--heartbeat", file)
    beat = read(file)
    assert (beat["done"], beat["total"], beat["sides"]) == (7, 20, {"reference": 4, "candidate": 3})
    progress.is_over = True
    go(body, "--heartbeat", file)
    assert read(file)["total"] == 7


def test_a_second_command_is_refused_and_told_who_runs(file: Path) -> None:
    with one_at_a_time(file, "bench suite nightly.yml"):
        shown = go(raising(RuntimeError("it began")), "--lock", file)
    assert shown.exit_code == 75
    assert f"`bench suite nightly.yml` (process {os.getpid()}, since 20" in shown.stderr
    assert "nothing was sent" in shown.stderr
    assert go(lambda: 0, "--lock", file).exit_code == 0
    assert read(file)["command"] == "bench go a.yml"  # the last one signed over the first


def test_a_lock_ends_with_its_process(file: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from harness.cli.overlap import one_at_a_time\n"
        f"with one_at_a_time(Path({str(file)!r}), 'bench'): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert go(lambda: 0, "--lock", file).exit_code == 75
        holder.kill()
        holder.wait()
    assert go(lambda: 0, "--lock", file).exit_code == 0


def test_a_holder_that_has_not_signed_is_another_command(file: Path) -> None:
    with one_at_a_time(file, "bench"):
        file.write_bytes(b"")
        assert "another command is still running" in go(lambda: 0, "--lock", file).stderr


def test_where_there_are_no_locks_that_is_said(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "take_lock", lambda *_, **__: None)
    shown = go(lambda: 0, "--lock", file)
    assert shown.exit_code == 0
    assert "overlapping runs are not refused" in shown.stderr
