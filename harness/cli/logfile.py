"""`--log FILE`: what is said goes to a file, each line with its instant; an error is said beside it as well."""

import io
import threading
from pathlib import Path
from typing import BinaryIO, TextIO

from harness.clock import Clock
from harness.errors import ConfigError

ERROR = "bench: "  # how an error begins, wherever it is said


class LogFile(io.TextIOBase):
    """Takes the place of standard error: whole lines are appended, one write each, as several processes may log."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, file: BinaryIO, beside: TextIO, clock: Clock) -> None:
        """Append to an unbuffered file; errors go to `beside` too."""
        self._file, self.beside, self._clock = file, beside, clock
        self._rest = ""
        self._turn = threading.Lock()  # progress is written by a thread of its own

    def writable(self) -> bool:
        """Say so: click asks."""
        return True

    def fileno(self) -> int:
        """Give the file's descriptor: it is no terminal and has no width."""
        return self._file.fileno()

    def write(self, text: str) -> int:
        """Keep what is no whole line yet."""
        with self._turn:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._append(line)
        return len(text)

    def finish(self) -> None:
        """Write what is left and close."""
        if self._rest:
            self.write("\n")
        self._file.close()

    def _append(self, line: str) -> None:
        at = self._clock.now().isoformat(timespec="seconds")
        if line.startswith(ERROR):
            self._say_beside(line)
        try:
            self._file.write(f"{at} {line}\n".encode(errors="replace"))
        except OSError:  # a log that cannot be written ends no run
            if not line.startswith(ERROR):
                self._say_beside(line)

    def _say_beside(self, line: str) -> None:
        self.beside.write(f"{line}\n")
        self.beside.flush()


def open_log(file: Path, beside: TextIO, clock: Clock) -> LogFile:
    """Open the log to append to; ConfigError where it cannot be."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return LogFile(file.open("ab", buffering=0), beside, clock)
    except OSError as error:
        raise ConfigError(
            f"the log cannot be written: {error.strerror}", where=str(file), remedy="Give another --log"
        ) from None
