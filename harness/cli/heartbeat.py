"""`--heartbeat FILE`: a small JSON file, rewritten while a command runs, that says how far it is and how it ended."""

import json
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.clock import Clock
from harness.errors import ConfigError, IncompleteRunError
from harness.model.storage import write_atomically

if TYPE_CHECKING:
    from harness.cli.progress import Progress

EVERY_S = 5.0  # a watcher that waits for 10 s sees one beat lost
_OF_CONTEXT = "bench.heartbeat"
Counts = Callable[[], Mapping[str, Any]]


@dataclass(slots=True, kw_only=True)
class Heartbeat:
    """A command's sign of life, written by a thread of its own."""

    file: Path
    words: str
    clock: Clock
    counts: Counts | None = None
    started_at: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """Write the first beat, or refuse a file that cannot be written; then beat on."""
        self.started_at = self.clock.now().isoformat()
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.beat()
        except (OSError, IncompleteRunError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"the heartbeat cannot be written: {reason}", where=str(self.file), remedy="Give another --heartbeat"
            ) from None
        self._thread = threading.Thread(target=self._go_on, daemon=True, name="heartbeat")
        self._thread.start()

    def beat(self, exit_code: int | None = None) -> None:
        """Replace the file in one step."""
        counted = dict(self.counts()) if self.counts else {"done": 0, "total": None}
        said = {
            "at": self.clock.now().isoformat(),
            "command": self.words,
            "pid": os.getpid(),
            "started_at": self.started_at,
            "state": "running" if exit_code is None else "ended",
            "exit_code": exit_code,
            **counted,
        }
        write_atomically(self.file, json.dumps(said).encode() + b"\n")

    def end(self, exit_code: int) -> None:
        """Write how the command ended: the last beat."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with suppress(IncompleteRunError):  # as below
            self.beat(exit_code)

    def _go_on(self) -> None:
        while not self._stop.wait(EVERY_S):
            with suppress(IncompleteRunError):  # a sign of life that cannot be given ends no run
                self.beat()


def keep_for_context(heartbeat: Heartbeat) -> None:
    """Let what runs below this command find its heartbeat."""
    click.get_current_context().meta[_OF_CONTEXT] = heartbeat


def follow(counts: Counts) -> None:
    """Let this command's heartbeat, where it has one, say these counts."""
    context = click.get_current_context(silent=True)
    heartbeat = context.meta.get(_OF_CONTEXT) if context else None
    if heartbeat is not None:
        heartbeat.counts = counts


def follow_progress(progress: "Progress") -> None:
    """Say how many requests are done, of how many at most, on each side."""

    def counts() -> Mapping[str, Any]:
        done = {str(arm): n for arm, n in progress.done.items()}
        n_done = sum(done.values())
        total = n_done if progress.is_over else max(n_done, progress.pacing.n_requests * len(done))
        return {"done": n_done, "total": total, "sides": done}

    follow(counts)
