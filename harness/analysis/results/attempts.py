"""Attempts beyond the first, and what rate limits say of themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.model.record import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class RetriedKind:
    """One kind of failure: what followed its attempts."""

    kind: str
    n: int  # attempts that failed so
    n_retried: int = 0  # of them: another attempt followed
    n_recovered: int = 0  # of those: the request succeeded in the end
    not_retried: Mapping[str, int] = field(default_factory=dict)  # why none followed -> how many


class LimitCause(StrEnum):
    """Whose limit a 429 met."""

    OWN_QUOTA = "own quota"
    CAPACITY = "provider capacity"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """The 429 answers of one cause, with what shows it."""

    cause: LimitCause
    n: int
    evidence: str  # of the first of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """One side's measured requests at every level: the first attempt is the trial, the others stand beside it."""

    arm: Arm
    n_requests: int
    n_first: int  # succeeded at the first attempt
    n_eventually: int  # succeeded at the first or a later one
    n_attempts: int
    most_attempts: int  # of one request
    allowed: int  # attempts of one request, by the plan
    n_cut_with_output: int = 0  # failed after output had come: kept, and probably billed
    kinds: tuple[RetriedKind, ...] = ()
    limits: tuple[LimitRow, ...] = ()

    @property
    def per_request(self) -> float:
        """Attempts per request; a side without requests has no such row."""
        return self.n_attempts / self.n_requests
