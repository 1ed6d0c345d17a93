"""Puts a verdict on record as a look at the runs that it stands on, and says which look at them it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.cli.sides import RecordedSide
from harness.clock import SystemClock
from harness.model.looks import Looked, OtherRun, n_judgeable, n_looks_before, note_look, which_look
from harness.model.storage import StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The data that a verdict stands on, as one of its run folders has them."""

    folder: Path
    n_attempts: int
    other: OtherRun | None
    endpoints: tuple[str, ...]
    since: datetime | None = None  # when the question began that the verdict answers; None: with the first look


ONE_QUESTION = timedelta(hours=12)  # before a run began: who measures again sooner looks again at the same question


def look_of(reference: RecordedSide, candidate: RecordedSide | None) -> int:
    """Say which look a verdict on these sides is: at the run that was looked at more often, where there are two."""
    states = _states(reference, candidate)
    return max(which_look(one.folder, one.n_attempts, one.other, one.endpoints, one.since) for one in states)


def n_earlier_verdicts(reference: RecordedSide, candidate: RecordedSide | None) -> int:
    """Count the verdicts that stood on a recorded side before the question of this comparison was asked."""
    states = _states(reference, candidate)
    return max(n_looks_before(one.folder, one.endpoints, one.since) for one in states)


def record_look(reference: RecordedSide, candidate: RecordedSide | None, verdict: str) -> None:
    """Put the look on record in the folder of each side; where no request has ended there was nothing to look at."""
    at = SystemClock().now().isoformat()
    states = list(_states(reference, candidate))
    for one in states if any(one.n_attempts for one in states) else ():
        looked = Looked(at=at, n_attempts=one.n_attempts, verdict=verdict, other=one.other, endpoints=one.endpoints)
        note_look(one.folder, looked)


def _states(reference: RecordedSide, candidate: RecordedSide | None) -> Iterator[State]:
    main = candidate or reference
    is_one = main.run.header.run_id == reference.run.header.run_id
    sides = (reference,) if candidate is None else (reference, candidate)
    endpoints = tuple(sorted(f"{side.endpoint.model} at {side.endpoint.base_url}" for side in sides))
    since = None if is_one else max(_started(side.run) for side in sides) - ONE_QUESTION
    for run, other in ((main.run, reference.run), (reference.run, main.run))[: 1 if is_one else 2]:
        yield State(
            folder=run.folder,
            n_attempts=n_judgeable(run.attempts),
            other=None if is_one else _other(other),
            endpoints=endpoints,
            since=since,
        )


def _started(run: StoredRun) -> datetime:
    at = datetime.fromisoformat(run.header.started_at)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _other(run: StoredRun) -> OtherRun:
    return OtherRun(run_id=run.header.run_id, n_attempts=n_judgeable(run.attempts))
