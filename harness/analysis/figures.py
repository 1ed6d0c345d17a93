"""What a gate is judged by, whatever its form."""

from dataclasses import dataclass

from harness.analysis.gatetable import GateRow
from harness.analysis.looks import ALPHA
from harness.analysis.pairs import MetricPairs
from harness.analysis.results.estimates import Interval, Value
from harness.analysis.results.likeness import Disagreement
from harness.analysis.values import missing

# A quantile of the rest would speak for requests that it never saw; a tail could lie wholly among them.
MOST_UNDEFINED_FRACTION = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a gate is judged by; bounds are one-sided at the look's level, on the effect's own scale."""

    row: GateRow
    effect: Value
    reference: Value
    candidate: Value
    n: int
    interval: Interval | None = None
    bounds: tuple[float, float] | None = None  # lower, upper
    traffic_bound: float | None = None
    p_value: float | None = None
    successes: tuple[int, int] | None = None
    evidence: tuple[str, ...] = ()
    slowest: tuple[str, ...] = ()  # of a ratio of quantiles: the prompts that changed most
    is_applicable: bool = True
    cannot_pass: str | None = None  # why PASS is out of reach whatever the bounds say
    is_blind: bool = False  # neither PASS nor FAIL: the figures do not speak for the gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """How often to resample and to permute; fewer only where many comparisons are simulated."""

    bootstrap: int = 4_000
    permutation: int = 9_999


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Under what a gate is judged."""

    alpha: float = ALPHA  # one-sided, of the look
    margin: float | None = None  # None: nothing is decided, the figures are only shown
    is_required: bool = True  # what is not asked for may be left out where there is nothing to judge it by
    disagreement: Disagreement | None = None  # of the sides' answers; None: not compared
    currency: str = ""  # of the price books; empty without one

    @property
    def level(self) -> float:
        """One-sided confidence of the bounds."""
        return 1 - self.alpha


def without(row: GateRow, reason: str, n: int = 0, *, is_applicable: bool = True) -> Figures:
    """Give the figures of a gate that has none, for this reason."""
    nothing = missing(reason)
    return Figures(
        row=row,
        effect=nothing,
        reference=nothing,
        candidate=nothing,
        n=n,
        is_applicable=is_applicable,
        cannot_pass=reason,
        is_blind=True,
    )


def mostly_undefined(found: MetricPairs, q: float) -> str | None:
    """Say how many requests have no value when they are more than a fifth, or than the tail that is judged."""
    if found.n_undefined <= most_undefined(q, found.n_pairs):
        return None
    return f"{why_undefined(found)}; too many for the rest to speak for all"


def most_undefined(q: float, n: int) -> float:
    """How many of n requests may lack a value."""
    return min(MOST_UNDEFINED_FRACTION, round(min(q, 1 - q), 12)) * n


def why_undefined(found: MetricPairs) -> str | None:
    """Say of the worse side how many requests have no value, and the commonest reason."""
    arm = max(found.undefined, key=lambda arm: sum(found.undefined[arm].values()))
    reasons = found.undefined[arm]
    if not reasons:
        return None
    reason, _ = reasons.most_common(1)[0]
    return f"{sum(reasons.values())} of {found.n_pairs} requests of the {arm} have no value: {reason}"
