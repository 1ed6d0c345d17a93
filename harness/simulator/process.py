"""Starts a simulator or a metronome as a process of its own and ends it."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.errors import BenchError
from harness.interpreter import module_environment, module_words
from harness.simulator.__main__ import Ready
from harness.simulator.metronomeshape import Shape
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
    options = {"golden": golden, "truth": truth, "seed": seed, "port": port}
    with _running("harness.simulator", [str(profile), *_words(options)], serving.profile.name, truth) as running:
        yield running


@contextmanager
def running_metronome(
    shape: Shape | None = None, truth: Path | None = None, *, port: int = 0
) -> Iterator[RunningSimulator]:
    """Play a shape from a child process to every request that does not ask for another."""
    options = {**msgspec.structs.asdict(shape or Shape()), "truth": truth, "port": port}
    with _running("harness.simulator.metronome", _words(options), "metronome", truth) as running:
        yield running


@contextmanager
def _running(module: str, words: list[str], name: str, truth: Path | None) -> Iterator[RunningSimulator]:
    """Start a module that says when it listens; end it so that its log is whole."""
    with _start([*module_words(module), *words]) as process:
        try:
            ready = _await_ready(process)
            yield RunningSimulator(name=name, base_url=ready.base_url, port=ready.port, pid=process.pid, truth=truth)
        finally:
            _end(process)


def _words(options: Mapping[str, object]) -> list[str]:
    """Give command-line options; those that are None are left out."""
    given = [(name, value) for name, value in options.items() if value is not None]
    return [word for name, value in given for word in (f"--{name.replace('_', '-')}", str(value))]


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    """Start in a session of its own: Ctrl-C is the parent's to handle."""
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=module_environment(),
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
