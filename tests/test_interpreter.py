"""Our own modules as processes."""

import os
import subprocess
from pathlib import Path

import pytest

import harness
from harness.interpreter import module_environment, module_words


def test_a_module_of_ours_runs_wherever_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('taken from the working directory')")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    done = subprocess.run(
        [*module_words("harness"), "--version"],
        env=module_environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert harness.__version__ in done.stdout


def test_the_paths_that_were_given_stay_behind_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/given")
    monkeypatch.setenv("A_KEY", "secret")
    own = str(Path(harness.__file__).parents[1])
    assert module_environment()["PYTHONPATH"].split(os.pathsep) == [own, "/given"]
    assert module_environment()["A_KEY"] == "secret"
