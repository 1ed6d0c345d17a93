"""Serves streams at known instants, as fast as one core can: a truth server for checking a client under load."""

import argparse
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.errors import ConfigError
from harness.simulator.__main__ import announce_ready
from harness.simulator.apierror import RefusedRequest
from harness.simulator.metronomeloop import Metronome
from harness.simulator.metronomeshape import Shape, checked
from harness.simulator.serving import listen_on, open_log

_DEFAULT = Shape()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m harness.simulator.metronome`: a child that says when it listens and ends with its parent."""
    given = _parser().parse_args(arguments)
    try:
        shape = _shape(given)
        serve_metronome(shape, port=given.port, truth=given.truth)
    except ConfigError as error:
        sys.stderr.write(f"metronome: {error}\n")
        return error.exit_code
    except BrokenPipeError:  # nobody hears where we listen
        return 0
    return 0


def serve_metronome(shape: Shape, *, port: int, truth: Path | None) -> None:
    """Serve until SIGINT, SIGTERM or the end of standard input; the log is written at the end, and whole."""
    log = open_log(truth)
    with listen_on(port) as listener:
        metronome = Metronome(listener, shape)
        _end_on_signals(metronome)
        _end_with_stdin(metronome)
        _keep_time()
        announce_ready(listener.getsockname()[1])
        try:
            metronome.run()
        finally:
            metronome.close()
            for line in metronome.log():
                log.write(line)
            log.close()


def _keep_time() -> None:
    """Let timers be exact and no collection come between: this process makes no cycles."""
    gc.freeze()
    gc.disable()
    with contextlib.suppress(OSError):  # Linux only
        Path("/proc/self/timerslack_ns").write_text("1", encoding="ascii")


def _end_on_signals(metronome: Metronome) -> None:
    """Wake the loop by a socket: a handler that raised could part a send from its line in the log."""
    reading, writing = socket.socketpair()
    writing.setblocking(False)  # noqa: FBT003  # the socket module's own signature
    signal.set_wakeup_fd(writing.detach())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    metronome.end_with(reading, lambda: True)


def _end_with_stdin(metronome: Metronome) -> None:
    """End when the other end of standard input is closed, as it is when the parent dies; a file never ends it."""
    stdin = sys.stdin.fileno()
    with contextlib.suppress(PermissionError):  # epoll watches no files
        metronome.end_with(stdin, lambda: not os.read(stdin, 1024))


def _shape(given: argparse.Namespace) -> Shape:
    try:
        return checked(Shape(**{name: getattr(given, name) for name in Shape.__struct_fields__}))
    except RefusedRequest as refused:
        raise ConfigError(f"no such stream can be played: {refused.error.message}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.simulator.metronome", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--ttft-ms", type=float, default=_DEFAULT.ttft_ms)
    parser.add_argument("--itl-ms", type=float, default=_DEFAULT.itl_ms, help="0: as fast as the sockets take it")
    parser.add_argument("--tokens", type=int, default=_DEFAULT.tokens)
    parser.add_argument("--events-per-write", type=int, default=_DEFAULT.events_per_write)
    return parser


if __name__ == "__main__":
    sys.exit(main())
