"""Runs a server until it is told to end: by a signal, or by the end of its standard input."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.errors import ConfigError
from harness.model.golden import GoldenSet
from harness.model.goldenfile import load_golden_set
from harness.model.shipped import golden_set_file
from harness.simulator.endpoint import SimulatedEndpoint
from harness.simulator.profile import Profile
from harness.simulator.profilefile import expected_key, load_profile
from harness.simulator.secureconnection import server_context
from harness.simulator.server import Server
from harness.simulator.truth import TruthLog

_BACKLOG = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Everything that is needed to serve, read and checked."""

    profile: Profile
    golden: GoldenSet
    key: str | None
    truth: Path | None

    def __repr__(self) -> str:
        """Show no key."""
        return f"Serving({self.profile.name}, {self.golden.name})"


def read_serving(file: Path, *, golden: Path | None, truth: Path | None, seed: int | None = None) -> Serving:
    """Read profile and golden set; ConfigError for what is wrong in them."""
    profile = load_profile(file)
    if seed is not None:
        profile = msgspec.structs.replace(profile, seed=seed)
    _check_certificate(profile, file)
    return Serving(
        profile=profile,
        golden=load_golden_set(golden_set_file(golden)),
        key=expected_key(profile),
        truth=truth,
    )


def _check_certificate(profile: Profile, file: Path) -> None:
    if profile.tls is None:
        return
    try:
        server_context(profile.tls)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"{profile.tls.certificate} cannot be used: {error.strerror or error}",
            where=f"{file} (tls.certificate)",
            remedy="Give a PEM file with the private key and the chain",
        ) from None


def serve(serving: Serving, *, port: int, ready: Callable[[int], None], until_stdin_ends: bool = False) -> None:
    """Serve until SIGINT or SIGTERM (or the end of standard input); `ready` gets the port."""
    with listen_on(port) as listener, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(serving, listener, ready, until_stdin_ends=until_stdin_ends))


async def _serve(
    serving: Serving, listener: socket.socket, ready: Callable[[int], None], *, until_stdin_ends: bool
) -> None:
    ended = asyncio.Event()
    _end_on_signals(ended)
    if until_stdin_ends:
        _end_with_stdin(ended)
    log = open_log(serving.truth)
    server = Server(SimulatedEndpoint(serving.profile, serving.golden, key=serving.key), log)
    accepting = asyncio.ensure_future(server.accept(listener))
    ending = asyncio.ensure_future(ended.wait())
    ready(listener.getsockname()[1])
    try:
        done, _ = await asyncio.wait({accepting, ending}, return_when=asyncio.FIRST_COMPLETED)
        if accepting in done:
            accepting.result()  # it ends only by an error
    finally:
        accepting.cancel()
        ending.cancel()
        await server.close()
        log.close()


def open_log(file: Path | None) -> TruthLog:
    """Open the truth log; ConfigError where it cannot be written."""
    try:
        return TruthLog(file)
    except OSError as error:
        raise ConfigError(
            f"the truth log cannot be written: {error.strerror}", where=str(file), remedy="Choose another --truth"
        ) from None


def listen_on(port: int) -> socket.socket:
    """Listen on this machine; ConfigError where the port is taken."""
    try:
        return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on 127.0.0.1:{port}: {error.strerror}", remedy="Give another --port, or 0 for a free one"
        ) from None


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Prefer uvloop; where it is not installed the standard loop serves as well, with fewer streams."""
    try:
        import uvloop  # noqa: PLC0415  # absent on some platforms
    except ImportError:
        return None
    return uvloop.new_event_loop


def _end_on_signals(ended: asyncio.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)


def _end_with_stdin(ended: asyncio.Event) -> None:
    """End when the other end of standard input is closed, as it is when the parent dies."""
    loop, stdin = asyncio.get_running_loop(), sys.stdin.fileno()
    os.set_blocking(stdin, False)  # the os module's own signature

    def read() -> None:
        if not os.read(stdin, 1024):
            loop.remove_reader(stdin)
            ended.set()

    loop.add_reader(stdin, read)
