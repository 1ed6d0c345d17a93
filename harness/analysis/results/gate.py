"""One gate: what was measured, what was allowed, what came of it."""

from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.results.estimates import Interval, Value


class GateKind(StrEnum):
    """How a gate's effect is expressed."""

    DIFFERENCE = "difference"  # of two rates, candidate - reference, as a fraction
    RATIO = "ratio"  # candidate / reference: of two quantiles, of means, of costs
    SHARE = "share"  # of the candidate's own requests beyond a limit, as a fraction
    DISAGREEMENT = "disagreement"  # of answers beyond the sides' own, as a fraction


class Outcome(StrEnum):
    """What one gate says."""

    PASS = "PASS"  # noqa: S105  # a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT APPLICABLE"  # the set has no trial for it


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfNoise:
    """What a gate shows between the reference and itself: what no candidate could do better than."""

    source: str  # "placebo": a third arm; "split": the reference's own repeats in two halves
    effect: Value
    interval: Interval | None = None
    outcome: Outcome | None = None  # of a placebo, judged as a candidate would be
    n: int = 0  # requests on either side of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate, judged: effect, bounds, margin, denominators, words."""

    id: str  # field name in model.settings.Gates, or `slo: ` and its words
    title: str
    metric: str
    kind: GateKind
    margin: float  # as configured: a loss (difference) or a ratio limit
    higher_is_better: bool
    is_required: bool
    demoted_because: str | None = None
    outcome: Outcome
    reason: str  # one sentence, numbers included
    effect: Value  # candidate - reference, or candidate / reference
    interval: Interval | None = None  # two-sided 95 %, for display
    bound: float | None = None  # the one-sided bound on the bad side, at `level`: the worst case still compatible
    traffic_bound: float | None = None  # the same for "prompts like these", rates only
    p_value: float | None = None  # of detection, Holm-adjusted among required gates
    reference: Value
    candidate: Value
    n_reference: int
    n_candidate: int
    successes_reference: int | None = None
    successes_candidate: int | None = None
    is_measurably_worse: bool = False
    is_beyond_margin: bool = False  # even the better bound is a loss beyond the margin: more data will not mend it
    evidence: tuple[str, ...] = ()  # "11 of 13 losses are SchemaMismatch in book_flight"
    level: float = 0.95  # one-sided confidence of bound, 1 - the look's share of the error rate
    noise: SelfNoise | None = None  # None: not measurable
    is_timing: bool = False  # judges instants, which a busy client may spoil
    is_void: bool = False  # it does, and the run's timings are VOID: none of its figures is told or built upon
    is_two_sided: bool = False  # a change in either direction is a loss
    currency: str = ""  # of the sides' values, where these are money

    @property
    def is_conclusive(self) -> bool:
        """Whether the data settle it either way."""
        return self.outcome in {Outcome.PASS, Outcome.FAIL}
