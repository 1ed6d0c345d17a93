"""Time limits sized from what was measured, and what each would have cut off."""

from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.results.estimates import Value
from harness.model.record import Arm


class LimitKind(StrEnum):
    """The four limits of a request, as an endpoint file names them without `_s`."""

    CONNECT = "connect"
    FIRST_OUTPUT = "first_output"
    IDLE = "idle"
    TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedLimit:
    """One limit to paste, with what it rests on."""

    kind: LimitKind
    value: Value  # seconds
    basis: str  # which rule gave the value
    n: int  # successes that have this time
    longest: Value  # seconds, of them
    bound: Value  # upper 95 % bound of their p99
    n_killed: int  # measured requests that it would have ended
    n_measured: int
    killed_at_most: Value  # largest share of such requests still compatible with that, one-sided 95 %
    n_cut: int  # ended by the run's own limit of this kind: nobody knows what they would have taken


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherLimits:
    """A set of limits that somebody might have, held against the same requests."""

    name: str
    n_killed: int
    n_measured: int
    n_wakes_killed: int
    n_wakes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutSizing:
    """One side's limits."""

    arm: Arm
    limits: tuple[SizedLimit, ...]
    warm_first_output: Value  # the first-output limit without the cold path
    n_wakes: int  # confirmed on record
    longest_wake: Value
    has_cold_path: bool  # whether first_output allows for a wake, measured or stated
    slow_rate: Value  # tokens per second that the total limit assumes
    slow_rate_basis: str
    n_rates: int
    max_tokens: int | None  # the largest that the set pins; None: nothing does
    n_unpinned: int  # prompts without a bound
    others: tuple[OtherLimits, ...]

    def limit(self, kind: LimitKind) -> SizedLimit:
        """Find a limit."""
        return next(limit for limit in self.limits if limit.kind is kind)
