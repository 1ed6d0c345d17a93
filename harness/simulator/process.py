"""Starts a simulator as a process of its own and ends it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

import harness
from harness.errors import BenchError
from harness.simulator.__main__ import Ready
from harness.simulator.serving import read_serving

_GRACE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSimulator:
    """A simulator that listens."""

    name: str
    base_url: str
    port: int
    pid: int
    truth: Path | None  # whole once the simulator has ended


@contextmanager
def running_simulator(
    profile: Path, golden: Path | None = None, truth: Path | None = None, *, port: int = 0, seed: int | None = None
) -> Iterator[RunningSimulator]:
    """Serve a profile from a child process; ConfigError for a wrong file, before anything is started.

    `seed` replaces the profile's: two simulators of one profile and seed draw the same for the same requests.
    """
    serving = read_serving(profile, golden=golden, truth=truth, seed=seed)
    process = _start(_words(profile, golden, truth, port, seed))
    with process:
        try:
            ready = _await_ready(process)
            yield RunningSimulator(
                name=serving.profile.name, base_url=ready.base_url, port=ready.port, pid=process.pid, truth=truth
            )
        finally:
            _end(process)


def _words(profile: Path, golden: Path | None, truth: Path | None, port: int, seed: int | None) -> list[str]:
    words = [sys.executable, "-P", "-m", "harness.simulator", str(profile), "--port", str(port)]
    for name, value in (("--golden", golden), ("--truth", truth), ("--seed", seed)):
        words += [name, str(value)] if value is not None else []
    return words


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    """Start with our own package importable, in a session of its own: Ctrl-C is the parent's to handle."""
    package = str(Path(harness.__file__).resolve().parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
    )


def _await_ready(process: subprocess.Popen[bytes]) -> Ready:
    assert process.stdout is not None  # noqa: S101  # asked for as a pipe
    line = process.stdout.readline()
    if not line:
        raise BenchError(f"the simulator ended before it listened (exit code {process.wait(_GRACE_S)})")
    return msgspec.json.decode(line, type=Ready)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it by SIGTERM, so that its log is whole; kill it if it does not follow."""
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
