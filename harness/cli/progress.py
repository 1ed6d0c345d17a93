"""Shows how a run goes: bars on a terminal, plain lines elsewhere."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.clock import Clock, SystemClock
from harness.model.record import Arm, Attempt
from harness.units import seconds

PLAIN_INTERVAL_S = 5.0


@dataclass(slots=True, kw_only=True)
class Progress:
    """Counters that the measuring loop raises; whoever draws reads them on another thread."""

    names: Mapping[Arm, str]
    n_blocks: int
    done: dict[Arm, int] = field(default_factory=dict)
    failed: dict[Arm, int] = field(default_factory=dict)

    def observe(self, attempt: Attempt) -> None:
        """Count an attempt; no more than that happens on the measuring loop."""
        arm = attempt.key.arm
        self.done[arm] = self.done.get(arm, 0) + 1
        is_failure = attempt.failure is not None or (attempt.status or 0) >= 400  # noqa: PLR2004  # HTTP
        self.failed[arm] = self.failed.get(arm, 0) + is_failure

    def line(self, elapsed_s: float) -> str:
        """Give one plain line: per endpoint done/total and failures, then the time left."""
        parts = [
            f"{name} {self.done.get(arm, 0)}/{self.n_blocks}"
            + (f" ({self.failed[arm]} failed)" if self.failed.get(arm) else "")
            for arm, name in self.names.items()
        ]
        return f"{'  '.join(parts)}  {_time_left(self._share(), elapsed_s)}"

    def _share(self) -> float:
        return min((self.done.get(arm, 0) for arm in self.names), default=0) / max(1, self.n_blocks)


@contextmanager
def show_progress(names: Mapping[Arm, str], n_blocks: int, *, is_shown: bool) -> Iterator[Progress]:
    """Count and draw while the body runs; drawing never holds the loop up."""
    progress = Progress(names=names, n_blocks=n_blocks)
    if not is_shown:
        yield progress
    elif sys.stderr.isatty():
        with _bars(progress):
            yield progress
    else:
        with _plain_lines(progress, SystemClock()):
            yield progress


@contextmanager
def _bars(progress: Progress) -> Iterator[None]:
    from rich.console import Console  # noqa: PLC0415  # only where a terminal shows it
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]}", style="red"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), refresh_per_second=4, transient=True) as bars:
        tasks = {arm: bars.add_task(name, total=progress.n_blocks, failed="") for arm, name in progress.names.items()}

        def draw() -> None:
            for arm, task in tasks.items():
                failed = progress.failed.get(arm, 0)
                bars.update(task, completed=progress.done.get(arm, 0), failed=f"{failed} failed" if failed else "")

        with _ticking(draw, 0.25):
            yield


@contextmanager
def _plain_lines(progress: Progress, clock: Clock) -> Iterator[None]:
    started = clock.monotonic_ns()

    def draw() -> None:
        sys.stderr.write(progress.line(seconds(clock.monotonic_ns() - started)) + "\n")
        sys.stderr.flush()

    with _ticking(draw, PLAIN_INTERVAL_S):
        yield
    draw()


@contextmanager
def _ticking(draw: Callable[[], None], interval_s: float) -> Iterator[None]:
    """Call `draw` on a thread of its own until the body ends."""
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(interval_s):
            draw()

    thread = threading.Thread(target=tick, daemon=True, name="progress")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _time_left(share: float, elapsed_s: float) -> str:
    if share >= 1:
        return f"done in {elapsed_s:.0f} s"
    if share <= 0:
        return "time left unknown"
    return f"about {elapsed_s * (1 - share) / share:.0f} s left"
