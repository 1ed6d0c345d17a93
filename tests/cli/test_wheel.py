"""The wheel holds all that a command needs, so that `bench` works from an empty directory."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    words = [
        "-m",
        "pip",
        "--quiet",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return next(folder.glob("bench_harness-*.whl"))


def test_the_wheel_holds_golden_set_templates_and_profiles_and_no_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"harness/shipped/golden.yml", "harness/shipped/extended.yml"} <= names
    assert "harness/simulator/profiles/sim-h100.yml" in names
    assert {"harness/report/templates/page.html.j2", "harness/report/templates/style.css"} <= names
    assert "harness/py.typed" in names
    assert not any(name.startswith(("tests/", "prompts/", "results/")) for name in names)


def test_the_demo_runs_from_the_unpacked_wheel_in_an_empty_directory(wheel: Path, tmp_path: Path) -> None:
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    zipfile.ZipFile(wheel).extractall(installed)
    empty.mkdir()
    environ = {**os.environ, "PYTHONPATH": str(installed)}
    words = ["-P", "-m", "harness", "run", "a.yml", "--max-cost", "0"]
    done = subprocess.run([sys.executable, *words], cwd=empty, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a.yml" in done.stderr
    look = (
        "import harness; from harness.model.shipped import shipped_golden_set, shipped_profile;"
        "from harness.cli.options import resolve_golden; from harness.simulator.process import running_simulator\n"
        f"assert harness.__file__.startswith({str(installed)!r})\n"
        "with running_simulator(shipped_profile('sim-h100')) as simulator:\n"
        "    print(len(resolve_golden(None).prompts), simulator.base_url)\n"
    )
    words = ["-P", "-c", look]
    done = subprocess.run([sys.executable, *words], cwd=empty, env=environ, capture_output=True, text=True, check=True)
    n_prompts, base_url = done.stdout.split()
    assert int(n_prompts) >= 24
    assert base_url.startswith("http://127.0.0.1:")
