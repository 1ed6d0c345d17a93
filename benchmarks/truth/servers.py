"""Starts a truth server on a core of its own."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.truth.shape import Shape
from benchmarks.truth.streams import TrueStream, read_own_log, read_truthd_log
from harness.simulator.metronomeshape import Shape as Beat
from harness.simulator.process import running_metronome


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthServer:
    """A server that listens, and how to end it and read its log."""

    base_url: str
    truth: Callable[[], list[TrueStream]]  # ends it


def on_core(core: int | None, words: list[str]) -> list[str]:
    """Pin a command to a core where the system can."""
    is_possible = core is not None and hasattr(os, "sched_getaffinity") and core in os.sched_getaffinity(0)
    return ["taskset", "-c", str(core), *words] if is_possible else words


@contextmanager
def truthd(binary: str, shape: Shape, core: int | None) -> Iterator[TruthServer]:
    """Serve with truthd, a server in C."""
    with tempfile.TemporaryDirectory() as folder:
        log, port = Path(folder) / "truth.bin", _free_port()
        words = [binary, "--port", port, "--ttft-ms", shape.ttft_ms, "--itl-ms", shape.itl_ms]
        words += ["--tokens", shape.tokens, "--log", log, *(["--blast"] if shape.is_blast else [])]
        with subprocess.Popen(on_core(core, list(map(str, words))), stderr=subprocess.DEVNULL) as process:
            _await_port(port)

            def truth() -> list[TrueStream]:
                process.terminate()
                process.wait(30)
                return read_truthd_log(log)

            try:
                yield TruthServer(base_url=f"http://127.0.0.1:{port}/v1", truth=truth)
            finally:
                process.terminate()


@contextmanager
def metronome(shape: Shape, core: int | None) -> Iterator[TruthServer]:
    """Serve with the package's own truth server."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        log = Path(folder) / "truth.jsonl"
        played = Beat(ttft_ms=shape.ttft_ms, itl_ms=shape.itl_ms, tokens=shape.tokens)
        running = stack.enter_context(running_metronome(played, log))
        if core is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(running.pid, {core})

        def truth() -> list[TrueStream]:
            stack.close()
            return read_own_log(log)

        yield TruthServer(base_url=running.base_url, truth=truth)


@contextmanager
def given(base_url: str, log: Path) -> Iterator[TruthServer]:
    """Use a server that somebody else runs and whose log we can read while it runs."""
    yield TruthServer(base_url=base_url, truth=lambda: read_own_log(log))


@contextmanager
def behind_tls(server: TruthServer, core: int | None) -> Iterator[TruthServer]:
    """Give the same server over TLS."""
    port = str(urlsplit(server.base_url).port)
    words = [sys.executable, "-m", "benchmarks.truth.tlsfront", port]
    with subprocess.Popen(on_core(core, words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101  # asked for as a pipe
        try:
            yield replace(server, base_url=f"https://127.0.0.1:{process.stdout.readline().strip()}/v1")
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _await_port(port: int) -> None:
    for _ in range(200):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on port {port}")
