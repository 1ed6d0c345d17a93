"""Shows how a run goes: bars on a terminal, plain lines elsewhere."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.cli.budget import money_words
from harness.cli.pacing import Leg, Pacing, Sample
from harness.cli.screen import UNKNOWN_WIDTH, columns_of, folded, is_coloured
from harness.clock import Clock, SystemClock
from harness.measure.tally import Tally
from harness.model.record import Arm, Attempt
from harness.units import seconds

if TYPE_CHECKING:
    from rich.console import RenderableType

LINE_EVERY_S = 10.0
LINE_EVERY_FRACTION = 0.1
_LEAST_BETWEEN_LINES_S = 1.0
_TICK_S = 0.25
_NAME = 24  # characters of an endpoint's name
_APART = " | "
_MINUTE_S, _HOUR_S = 60, 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What the requests of both sides may cost, for each of them: answers are read for their usage after the run."""

    each: Mapping[Arm, float]
    currency: str
    is_bounded: bool  # False: some prompts pin no length, so it is a guess

    def so_far(self, done: Mapping[Arm, int]) -> str:
        """Say the money of what was done."""
        amount = sum(self.each[arm] * n for arm, n in done.items())
        return f"{'at most' if self.is_bounded else 'about'} {money_words(amount)} {self.currency}"


@dataclass(slots=True, kw_only=True)
class Progress:
    """Counters that the measuring loop raises; whoever draws reads them on another thread."""

    names: Mapping[Arm, str]
    legs: Sequence[Leg]  # at most: not every answer is followed up
    spending: Spending | None = None
    waking: Mapping[Arm, float] = field(default_factory=dict)  # those that may sleep, with their cap in seconds
    is_over: bool = False  # whether it ended well: then what was done is all
    tallies: dict[Arm, Tally] = field(init=False)
    pacing: Pacing = field(init=False)

    def __post_init__(self) -> None:
        """Start every arm at nothing."""
        self.tallies = {arm: Tally() for arm in self.names}
        self.pacing = Pacing(legs=self.legs)

    def observe(self, attempt: Attempt) -> None:
        """Count an attempt of this process."""
        self.tallies[attempt.key.arm].observe(attempt)

    def set(self, arm: Arm, tally: Tally) -> None:
        """Take an arm's count from the processes that measure it."""
        self.tallies[arm] = tally

    def tick(self, elapsed_s: float) -> None:
        """Note how far it has come at an instant."""
        self.pacing.observe(Sample(elapsed_s=elapsed_s, done=self.done))

    @property
    def done(self) -> dict[Arm, int]:
        """Give what each side has behind it."""
        return {arm: tally.done for arm, tally in self.tallies.items()}

    def waking_words(self, arm: Arm) -> str:
        """Say that everything waits for an endpoint that may be waking; empty once it has answered."""
        tally = self.tallies[arm]
        if self.is_over or arm not in self.waking or tally.done > tally.failed:
            return ""
        return f"may be waking: up to {self.waking[arm]:.0f} s"

    @property
    def share(self) -> float:
        """Give the part that the slowest side has behind it."""
        if self.is_over:
            return 1.0
        return min(1.0, min(self.done.values(), default=0) / max(1, self.pacing.n_requests))

    def side(self, arm: Arm) -> str:
        """Say a side in words: done of all, rate, failures."""
        tally = self.tallies[arm]
        rate = None if self.is_over else self.pacing.rate(arm)
        parts = [
            f"{self.name(arm)} {self.counted(arm)}",
            *([] if rate is None else [f"{rate:.1f}/s"]),
            *_trouble(tally),
            *([waking] if (waking := self.waking_words(arm)) else []),
        ]
        return ", ".join(parts)

    def name(self, arm: Arm) -> str:
        """Give an endpoint's name, cut where it is long."""
        name = self.names[arm]
        return name if len(name) <= _NAME else f"{name[: _NAME - 1]}\N{HORIZONTAL ELLIPSIS}"

    def counted(self, arm: Arm) -> str:
        """Give an arm's count; one that ended well is complete."""
        done = self.tallies[arm].done
        return f"{done}/{done if self.is_over else max(done, self.pacing.n_requests)}"

    def whole(self, elapsed_s: float) -> str:
        """Say what holds for both sides: under which load, how long it will take, what it has cost."""
        leg = None if self.is_over else self.pacing.leg(self.done)
        parts = [
            *([leg.name] if leg else []),
            f"done in {span(elapsed_s)}" if self.is_over else time_left(self.pacing.left_s()),
            *([self.spending.so_far(self.done)] if self.spending else []),
        ]
        return _APART.join(parts)

    def lines(self, elapsed_s: float, width: int) -> list[str]:
        """Give everything in words: in one line where it fits, else the sides and what holds for both."""
        sides, whole = _APART.join(map(self.side, self.names)), self.whole(elapsed_s)
        line = f"{sides}{_APART}{whole}"
        return [line] if len(line) <= width else [*folded(sides, width, indent="  "), f"  {whole}"]


def span(time_s: float) -> str:
    """Write a time as a person says it."""
    if time_s < 2 * _MINUTE_S:
        return f"{time_s:.0f} s"
    if time_s < 2 * _HOUR_S:
        return f"{time_s / _MINUTE_S:.0f} min"
    return f"{time_s / _HOUR_S:.1f} h"


def time_left(left_s: float | None) -> str:
    """Say the time left, or that it is too early to tell."""
    return "time left not known yet" if left_s is None else f"about {span(left_s)} left"


def _trouble(tally: Tally) -> list[str]:
    return [f"{count} {word}" for count, word in ((tally.failed, "failed"), (tally.retried, "retried")) if count]


@contextmanager
def show_progress(
    names: Mapping[Arm, str],
    legs: Sequence[Leg],
    *,
    spending: Spending | None = None,
    waking: Mapping[Arm, float] | None = None,
    is_shown: bool,
) -> Iterator[Progress]:
    """Count and draw while the body runs; drawing never holds the loop up."""
    progress = Progress(names=names, legs=legs, spending=spending, waking=waking or {})
    if not is_shown:
        yield progress
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bars(progress, SystemClock()):
            yield progress
    else:
        with _plain_lines(progress, SystemClock()):
            yield progress


@contextmanager
def _bars(progress: Progress, clock: Clock) -> Iterator[None]:
    from rich.console import Console  # noqa: PLC0415  # only where a terminal shows it
    from rich.live import Live  # noqa: PLC0415

    started = clock.monotonic_ns()

    def draw() -> "RenderableType":
        elapsed_s = seconds(clock.monotonic_ns() - started)
        progress.tick(elapsed_s)
        return _picture(progress, elapsed_s)

    console = Console(stderr=True, no_color=not is_coloured(), highlight=False)
    with Live(get_renderable=draw, console=console, refresh_per_second=1 / _TICK_S, transient=True):
        yield
    progress.is_over = True
    _write(progress, seconds(clock.monotonic_ns() - started))


def _picture(progress: Progress, elapsed_s: float) -> "RenderableType":
    """Draw a bar for each side and a line for both."""
    from rich.console import Group  # noqa: PLC0415
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(width=24)
    for _ in range(3):
        grid.add_column(justify="right", no_wrap=True)
    n_requests = max(1, progress.pacing.n_requests)
    for arm, tally in progress.tallies.items():
        rate = progress.pacing.rate(arm)
        cells: list[Any] = [
            Text(progress.name(arm)),
            ProgressBar(total=n_requests, completed=tally.done),
            progress.counted(arm),
            "" if rate is None else f"{rate:.1f}/s",
            Text(progress.waking_words(arm) or ", ".join(_trouble(tally)), style="red"),
        ]
        grid.add_row(*cells)
    return Group(grid, Text(progress.whole(elapsed_s), style="dim"))


@contextmanager
def _plain_lines(progress: Progress, clock: Clock) -> Iterator[None]:
    started = clock.monotonic_ns()
    rhythm = Rhythm()

    def draw() -> None:
        elapsed_s = seconds(clock.monotonic_ns() - started)
        progress.tick(elapsed_s)
        if rhythm.is_due(elapsed_s, progress.share):
            _write(progress, elapsed_s)

    with ticking(draw, _TICK_S):
        yield
    progress.is_over = True
    _write(progress, seconds(clock.monotonic_ns() - started))


@dataclass(slots=True, kw_only=True)
class Rhythm:
    """When a plain line is due: after 10 s, or after a tenth of the run where that is sooner."""

    last_s: float = 0.0
    last_share: float = 0.0

    def is_due(self, elapsed_s: float, share: float) -> bool:
        """Say whether a line is due, and take it as written."""
        waited_s = elapsed_s - self.last_s
        has_moved = share - self.last_share >= LINE_EVERY_FRACTION and share < 1
        if waited_s < LINE_EVERY_S and not (has_moved and waited_s >= _LEAST_BETWEEN_LINES_S):
            return False
        self.last_s, self.last_share = elapsed_s, share
        return True


def _write(progress: Progress, elapsed_s: float) -> None:
    _write_lines(progress.lines(elapsed_s, columns_of(sys.stderr) or UNKNOWN_WIDTH))


def _write_lines(lines: Sequence[str]) -> None:
    with suppress(BrokenPipeError):  # nobody reads it any more; the run goes on
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()


@contextmanager
def ticking(draw: Callable[[], None], interval_s: float) -> Iterator[None]:
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


@contextmanager
def stage(text: str, *, is_shown: bool) -> Iterator[None]:
    """Say what is being done while nothing is sent; on a terminal the line goes when it is done."""
    if not is_shown:
        yield
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from rich.console import Console  # noqa: PLC0415

        console = Console(stderr=True, no_color=not is_coloured(), highlight=False)
        with console.status(text, spinner="line"):
            yield
    else:
        _write_lines([text])
        yield
