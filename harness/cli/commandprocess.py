"""Runs one command of ours in a process of its own: heard line by line, ended when its time is over."""

import codecs
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from harness.interpreter import module_environment, module_words

GRACE_S = 60.0  # from a polite end to a hard one: what was in flight is cut, the files are closed
_STRAY_S = 1.0  # from the end of a process to that of what it left behind with our pipe in hand
_LOOK_S = 0.1  # between two looks at whether a silent process has ended
_CHUNK = 65536
_Process = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended and what it printed."""

    returncode: int
    printed: str
    was_stopped: bool = False  # by us, since its time was over


def run_command(
    words: Sequence[str], *, folder: Path, limit_s: float | None, hear: Callable[[str], None], keep: Sequence[int] = ()
) -> Ended:
    """Run `bench` with these words in a folder; it inherits the descriptors to `keep`, such as a lock's."""
    with (
        tempfile.TemporaryFile() as printed,
        subprocess.Popen(  # noqa: S603  # our own module
            [*module_words("harness"), *words],
            cwd=folder,
            env=_unfolded(module_environment()),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            pass_fds=() if sys.platform == "win32" else keep,
            start_new_session=True,  # Ctrl-C is told to us, and we tell it once; a group that can be ended as a whole
            bufsize=0,  # a pipe that somebody still reads can be closed
        ) as process,
    ):
        try:
            with _limited(process, limit_s) as limit:
                _listen(process, hear)
        except BaseException:  # whatever ends us, a measurement does not go on alone
            _end(process)
            raise
        printed.seek(0)
        return Ended(
            returncode=process.returncode, printed=printed.read().decode(errors="replace"), was_stopped=limit.is_over()
        )


def _unfolded(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out the width of a terminal that is not the process's: what it says is read by lines."""
    return {name: value for name, value in environ.items() if name != "COLUMNS"}


class _Limit:
    """A limit of time on a process: first it is asked to end, then it is killed."""

    def __init__(self, process: _Process, limit_s: float | None) -> None:
        self._process = process
        self._was_over = threading.Event()
        self._ends = [] if limit_s is None else [threading.Timer(limit_s, self._ask), _killer(process, limit_s)]

    def start(self) -> None:
        for end in self._ends:
            end.daemon = True
            end.start()

    def cancel(self) -> None:
        for end in self._ends:
            end.cancel()
            end.join()

    def is_over(self) -> bool:
        return self._was_over.is_set()

    def _ask(self) -> None:
        if self._process.poll() is None:
            self._was_over.set()
            self._process.terminate()


def _killer(process: _Process, limit_s: float) -> threading.Timer:
    return threading.Timer(limit_s + GRACE_S, _kill_all, [process])


def _kill_all(process: _Process) -> None:
    """Kill a process and its descendants, but for those that left its group."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError, PermissionError):  # all have ended
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _limited(process: _Process, limit_s: float | None) -> Iterator[_Limit]:
    limit = _Limit(process, limit_s)
    limit.start()
    try:
        yield limit
    finally:
        limit.cancel()


def _listen(process: _Process, hear: Callable[[str], None]) -> None:
    """Hear a process until it has ended, whoever else holds its pipe; what is left of its group is killed then."""
    lines: SimpleQueue[str | None] = SimpleQueue()
    threading.Thread(target=_read, args=(process.stderr, lines), daemon=True).start()
    n_silent = 0
    while n_silent * _LOOK_S < _STRAY_S:
        try:
            line = lines.get(timeout=_LOOK_S)
        except Empty:
            n_silent = n_silent + 1 if process.poll() is not None else 0
            continue
        if line is None:
            process.wait()
            return
        hear(line)
    _kill_all(process)


def _read(errors: IO[bytes] | None, lines: "SimpleQueue[str | None]") -> None:
    """Put lines into a queue as they come, and None at the end."""
    decoder, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
    with suppress(OSError, ValueError):  # closed under us
        while errors is not None and (chunk := errors.read(_CHUNK)):
            *whole, rest = (rest + decoder.decode(chunk)).split("\n")
            for line in whole:
                lines.put(line.removesuffix("\r"))
    if rest := rest + decoder.decode(b"", final=True):
        lines.put(rest)
    lines.put(None)


def _end(process: _Process) -> None:
    """End a measurement with its suite."""
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        _kill_all(process)
