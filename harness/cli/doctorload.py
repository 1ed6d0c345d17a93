"""Runs the doctor's loads: a metronome as a process beside this one, and the client that every run uses."""

import tempfile
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from harness.cli.doctorstep import Short, Step
from harness.cli.doctortruth import step_of
from harness.measure.filelimit import OTHER_FILES, allow_files
from harness.measure.loop import run_measuring
from harness.measure.streamload import StreamLoad, loop_at_rest, take_streams
from harness.model.record import ClientFacts
from harness.simulator.metronomeshape import Shape
from harness.simulator.process import running_metronome
from harness.simulator.truth import read_truth
from harness.units import seconds

_SPREAD_NS = 200_000  # between the first requests of two streams: what a server takes to begin one

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Regimen:
    """What the doctor tries."""

    rest_s: float
    shape: Shape
    n_rounds: int
    steps: tuple[int, ...]
    n_spare: int  # tries in all: a moment in which something else ran is not the machine's measure


FULL = Regimen(
    rest_s=2.0,
    shape=Shape(ttft_ms=40, itl_ms=20, tokens=45),
    n_rounds=2,
    steps=(1, 4, 16, 64, 256, 512),
    n_spare=2,
)
QUICK = Regimen(rest_s=0.5, shape=Shape(ttft_ms=40, itl_ms=20, tokens=20), n_rounds=2, steps=(1, 16, 128), n_spare=1)


def rest(regimen: Regimen) -> ClientFacts:
    """Watch the loop while nothing is asked of it."""
    return _run(lambda: loop_at_rest(regimen.rest_s))


def climb(regimen: Regimen, *, n_files: int | None) -> Iterator[Step]:
    """Try ever more streams until a number falls short, and falls short again."""
    n_spare = regimen.n_spare
    for n_streams in regimen.steps:
        if n_files is not None and n_streams + OTHER_FILES > n_files:
            yield Step(n_streams=n_streams, short=(Short.FILES,))
            return
        allow_files(n_streams + OTHER_FILES)  # the server inherits it
        step = _step(regimen, n_streams)
        if step.short and n_spare:
            n_spare -= 1
            step = _step(regimen, n_streams)
        yield step
        if step.short:
            return


def _step(regimen: Regimen, n_streams: int) -> Step:
    load = StreamLoad(n_streams=n_streams, n_rounds=regimen.n_rounds, spread_s=seconds(_SPREAD_NS * n_streams))
    with tempfile.TemporaryDirectory(prefix="bench-doctor-") as folder:
        truth = Path(folder) / "truth.jsonl"
        with running_metronome(regimen.shape, truth) as metronome:
            taken = _run(lambda: take_streams(metronome.base_url, load))
        return step_of(n_streams, regimen.shape, taken, read_truth(truth))


def _run(main: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run on a loop as a run's, and give what comes of it."""
    results: list[_T] = []

    async def keep() -> None:
        results.append(await main())

    run_measuring(keep)
    return results[0]
