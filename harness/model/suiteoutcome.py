"""How the measurements of a suite ended, and the one exit code that stands for all of them."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

FORMAT_VERSION = 1
INTERNAL_ERROR = 70
INCOMPLETE = 75
WORST_FIRST = (1, INTERNAL_ERROR, 2, 130, INCOMPLETE, 4, 3, 0)


class MeasurementState(StrEnum):
    """Whether a measurement came to its own end."""

    ENDED = "ended"
    STOPPED = "stopped"  # by us: its time was over, or the suite was interrupted
    NOT_STARTED = "not started"


class CheckOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What `bench regress` said of a measurement."""

    command: str
    exit_code: int
    word: str | None = None  # None where it came to no result
    sentence: str | None = None
    error: str | None = None


class MeasurementOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one measurement ended."""

    name: str
    kind: str
    command: str
    state: MeasurementState
    exit_code: int
    duration_s: float
    verdict: str | None = None  # None where there is none to give
    sentence: str | None = None
    error: str | None = None
    run: str | None = None  # run folder
    report: str | None = None
    regression: CheckOutcome | None = None  # None where no check was asked for, or there was no run to check

    @property
    def codes(self) -> tuple[int, ...]:
        """Give the exit codes of the measurement and of its check."""
        return (self.exit_code,) if self.regression is None else (self.exit_code, self.regression.exit_code)


class SuiteOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The summary of a suite: what `--json` prints in one line."""

    suite: str
    started_at: str
    ended_at: str
    duration_s: float
    exit_code: int
    measurements: tuple[MeasurementOutcome, ...]
    ledger: str | None = None
    host: str = ""
    bench: str = ""
    format_version: int = FORMAT_VERSION


def worst_exit_code(codes: Iterable[int]) -> int:
    """Give the code that stands for all: FAIL first, which a repetition must not hide; then what a person must mend."""
    return min(codes, key=WORST_FIRST.index, default=0)


def plain_exit_code(code: int) -> int:
    """Give a process's end as one of our exit codes: one that a signal ended did not complete."""
    if code in WORST_FIRST:
        return code
    return INCOMPLETE if code < 0 else INTERNAL_ERROR
