"""Keeps which states of a run's data a verdict was given on: each is a look at it."""

from datetime import datetime
from pathlib import Path

import msgspec

from harness.errors import IncompleteRunError
from harness.model.record import Attempt, FailureKind
from harness.model.storage import LOOKS, UNREADABLE

VERDICT = "verdict.json"


class OtherRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run of the other side, where a comparison joined two."""

    run_id: str
    n_attempts: int


class Looked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A verdict was given on so many requests: a line of looks.jsonl."""

    at: str  # ISO 8601, UTC
    n_attempts: int  # of this folder that could be judged: with `other`, the state of the data
    verdict: str
    other: OtherRun | None = None
    endpoints: tuple[str, ...] = ()  # that were compared, in their alphabet's order; empty: all that the run has

    def was_before(self, since: datetime | None) -> bool:
        """Whether it was given before an instant; one whose instant is not known was not."""
        try:
            return since is not None and datetime.fromisoformat(self.at) < since
        except (ValueError, TypeError):
            return False

    def is_about(self, endpoints: tuple[str, ...]) -> bool:
        """Whether these endpoints were compared; another pair is another question."""
        return not self.endpoints or not endpoints or self.endpoints == endpoints


def n_judgeable(attempts: tuple[Attempt, ...]) -> int:
    """Count what a verdict may stand on; it grows with every part, so it says which state of the data this is."""
    trials = (attempt for attempt in attempts if attempt.attempt == 1 and not attempt.key.is_warmup)
    return sum(not was_cancelled(attempt) for attempt in trials)


def was_cancelled(attempt: Attempt) -> bool:
    """Whether our user ended it: it says nothing, and the request may be sent again."""
    return attempt.failure is not None and attempt.failure.kind is FailureKind.CANCELLED


def read_looks(folder: Path) -> tuple[Looked, ...]:
    """Give the looks on record; a line that is not whole is none."""
    file = folder / LOOKS
    found = []
    for line in file.read_bytes().split(b"\n") if file.exists() else ():
        try:
            found.append(msgspec.json.decode(line, type=Looked))
        except UNREADABLE:
            continue
    return tuple(found)


def which_look(
    folder: Path,
    n_attempts: int,
    other: OtherRun | None = None,
    endpoints: tuple[str, ...] = (),
    since: datetime | None = None,
) -> int:
    """Say which look at the run a verdict on so many requests is: one more than states looked at before it.

    Looks before `since` were at another question: that of an earlier measurement of the other side.
    """
    counted = [one for one in read_looks(folder) if one.is_about(endpoints) and not one.was_before(since)]
    found = [(one.n_attempts, one.other) for one in counted]
    states = list(dict.fromkeys([*found, (n_attempts, other)]))
    return 1 + states.index((n_attempts, other))


def n_looks_before(folder: Path, endpoints: tuple[str, ...], since: datetime | None) -> int:
    """Count the states of the data, with whatever other run, that verdicts were given on before an instant."""
    looks = [one for one in read_looks(folder) if one.is_about(endpoints) and one.was_before(since)]
    return len({(one.n_attempts, one.other) for one in looks})


def note_look(folder: Path, looked: Looked) -> None:
    """Put a look on record, once for each state; IncompleteRunError where that is impossible."""
    state = (looked.n_attempts, looked.other)
    if any((one.n_attempts, one.other) == state and one.is_about(looked.endpoints) for one in read_looks(folder)):
        return
    try:
        with (folder / LOOKS).open("ab") as file:
            file.write(b"\n" + msgspec.json.encode(looked) + b"\n")  # a line that a dead process tore ends before it
    except OSError as error:
        raise IncompleteRunError(f"{folder / LOOKS}: cannot be written: {error.strerror}") from error


def note_unrecorded_look(folder: Path, attempts: tuple[Attempt, ...]) -> None:
    """Put on record, before a run goes on, the look of a version that wrote a verdict and kept no list."""
    if (folder / VERDICT).exists() and not read_looks(folder):
        note_look(folder, Looked(at="unknown", n_attempts=n_judgeable(attempts), verdict="unknown"))
