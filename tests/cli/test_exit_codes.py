"""How every end of a command becomes an exit code."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from harness.cli.group import BenchGroup
from harness.errors import BenchError, ConfigError, IncompleteRunError, InterruptedRunError


@pytest.fixture(autouse=True)
def own_folder_for_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def ending_in(outcome: object) -> click.Group:
    @click.group(cls=BenchGroup)
    def group() -> None:
        pass

    @group.command()
    def go() -> object:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return group


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (None, 0),
        (0, 0),
        (1, 1),
        (3, 3),
        (4, 4),
        (ConfigError("a wrong file"), 2),
        (click.UsageError("a wrong option"), 2),
        (click.BadParameter("a wrong value"), 2),
        (BenchError("a bug"), 70),
        (RuntimeError("a bug"), 70),
        (ExceptionGroup("two", [ValueError("a bug"), KeyError("another")]), 70),
        (MemoryError(), 70),
        (IncompleteRunError("disk full"), 75),
        (InterruptedRunError("stopped"), 130),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
    ],
    ids=repr,
)
def test_an_end_has_its_code(outcome: object, code: int) -> None:
    assert CliRunner().invoke(ending_in(outcome), ["go"]).exit_code == code


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pipe that nobody reads")
def test_a_reader_that_has_gone_is_no_verdict_and_is_not_spoken_to() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "harness", "schema", "endpoint"]
    done = subprocess.run(command, cwd=root, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.returncode == 75
    assert done.stderr == b""


@pytest.mark.parametrize("words", [["nonsense"], ["go", "--nonsense"], ["go", "more"]])
def test_a_wrong_command_line_is_2(words: list[str]) -> None:
    assert CliRunner().invoke(ending_in(0), words).exit_code == 2


def test_a_crash_names_its_kind_and_shows_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCH_DEBUG", raising=False)
    shown = CliRunner().invoke(ending_in(RuntimeError("odd")), ["go"])
    assert "internal error: RuntimeError: odd" in shown.output
    assert "Traceback" not in shown.output


def test_a_configuration_error_says_thing_value_place_and_remedy() -> None:
    error = ConfigError("unknown key 'modle'", where="a.yml:3 (modle)", remedy="Did you mean 'model'?")
    shown = CliRunner().invoke(ending_in(error), ["go"])
    assert shown.output == "bench: a.yml:3 (modle): unknown key 'modle'. Did you mean 'model'?\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
@pytest.mark.parametrize("words", [["--help"], ["schema", "endpoint"], ["compare", "absent.yml", "absent.yml"]])
def test_a_pipe_that_nobody_reads_never_looks_like_a_verdict(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "harness", *words]
    done = subprocess.run(command, stdout=writing, stderr=writing, stdin=subprocess.DEVNULL, check=False)
    os.close(writing)
    assert done.returncode == 75
