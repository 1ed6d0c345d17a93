"""Shows how a run goes: bars on a terminal, plain lines elsewhere."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from harness.clock import Clock, SystemClock
from harness.measure.tally import Tally
from harness.model.record import Arm, Attempt
from harness.units import seconds

PLAIN_INTERVAL_S = 5.0


@dataclass(slots=True, kw_only=True)
class Progress:
    """Counters that the measuring loop raises; whoever draws reads them on another thread."""

    names: Mapping[Arm, str]
    n_requests: int  # per arm, at most: not every answer is followed up
    is_over: bool = False  # whether it ended well: then what was done is all
    tallies: dict[Arm, Tally] = field(init=False)

    def __post_init__(self) -> None:
        """Start every arm at nothing."""
        self.tallies = {arm: Tally() for arm in self.names}

    def observe(self, attempt: Attempt) -> None:
        """Count an attempt of this process."""
        self.tallies[attempt.key.arm].observe(attempt)

    def set(self, arm: Arm, tally: Tally) -> None:
        """Take an arm's count from the processes that measure it."""
        self.tallies[arm] = tally

    def line(self, elapsed_s: float) -> str:
        """Give one plain line: per endpoint done/total and failures, then the time left."""
        parts = [
            f"{name} {tally.done}/{self._total(tally)}" + (f" ({tally.failed} failed)" if tally.failed else "")
            for name, tally in zip(self.names.values(), self.tallies.values(), strict=True)
        ]
        return f"{'  '.join(parts)}  {_time_left(self._share(), elapsed_s)}"

    def _total(self, tally: Tally) -> int:
        return tally.done if self.is_over else self.n_requests

    def _share(self) -> float:
        if self.is_over:
            return 1.0
        return min((tally.done for tally in self.tallies.values()), default=0) / max(1, self.n_requests)


@contextmanager
def show_progress(names: Mapping[Arm, str], n_requests: int, *, is_shown: bool) -> Iterator[Progress]:
    """Count and draw while the body runs; drawing never holds the loop up."""
    progress = Progress(names=names, n_requests=n_requests)
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
        tasks = {arm: bars.add_task(name, total=progress.n_requests, failed="") for arm, name in progress.names.items()}

        def draw() -> None:
            for arm, task in tasks.items():
                tally = progress.tallies[arm]
                failed = f"{tally.failed} failed" if tally.failed else ""
                bars.update(task, completed=tally.done, failed=failed)

        with _ticking(draw, 0.25):
            yield


@contextmanager
def _plain_lines(progress: Progress, clock: Clock) -> Iterator[None]:
    started = clock.monotonic_ns()

    def draw() -> None:
        with suppress(BrokenPipeError):  # nobody reads it any more; the run goes on
            sys.stderr.write(progress.line(seconds(clock.monotonic_ns() - started)) + "\n")
            sys.stderr.flush()

    with _ticking(draw, PLAIN_INTERVAL_S):
        yield
    progress.is_over = True
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
