"""Puts a verdict on record as a look at the runs that it stands on, and says which look at them it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.cli.sides import RecordedSide
from harness.clock import SystemClock
from harness.model.looks import Looked, OtherRun, n_judgeable, note_look, which_look
from harness.model.storage import StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The data that a verdict stands on, as one of its run folders has them."""

    folder: Path
    n_attempts: int
    other: OtherRun | None
    endpoints: tuple[str, ...]


def look_of(reference: RecordedSide, candidate: RecordedSide | None) -> int:
    """Say which look a verdict on these sides is: at the run that was looked at more often, where there are two."""
    states = _states(reference, candidate)
    return max(which_look(one.folder, one.n_attempts, one.other, one.endpoints) for one in states)


def record_look(reference: RecordedSide, candidate: RecordedSide | None, verdict: str) -> None:
    """Put the look on record in the folder of each side."""
    at = SystemClock().now().isoformat()
    for one in _states(reference, candidate):
        looked = Looked(at=at, n_attempts=one.n_attempts, verdict=verdict, other=one.other, endpoints=one.endpoints)
        note_look(one.folder, looked)


def _states(reference: RecordedSide, candidate: RecordedSide | None) -> Iterator[State]:
    main = candidate or reference
    is_one = main.run.header.run_id == reference.run.header.run_id
    sides = (reference,) if candidate is None else (reference, candidate)
    endpoints = tuple(sorted(f"{side.endpoint.model} at {side.endpoint.base_url}" for side in sides))
    for run, other in ((main.run, reference.run), (reference.run, main.run))[: 1 if is_one else 2]:
        yield State(
            folder=run.folder,
            n_attempts=n_judgeable(run.attempts),
            other=None if is_one else _other(other),
            endpoints=endpoints,
        )


def _other(run: StoredRun) -> OtherRun:
    return OtherRun(run_id=run.header.run_id, n_attempts=n_judgeable(run.attempts))
