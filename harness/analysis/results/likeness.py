"""How alike the two sides' answers are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.analysis.results.estimates import Interval, Value, unmeasured
from harness.analysis.results.gate import SelfNoise


class Likeness(StrEnum):
    """Whether two sides answer alike; different is not worse."""

    INDISTINGUISHABLE = "indistinguishable"  # no shift is detected, and one beyond the margin is excluded
    SHIFTED = "shifted"
    NOT_SETTLED = "not settled"  # neither
    NOT_MEASURABLE = "not measurable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """How far two sides disagree beyond their own repeats: half the squared mean discrepancy, as a fraction."""

    effect: Value
    reference_self: Value  # mean over prompts of how far two repeats agree
    candidate_self: Value
    cross: Value
    bounds: tuple[float, float] | None = None  # one-sided at `level`, lower and upper
    interval: Interval | None = None
    p_value: float | None = None  # of "nothing differs", labels permuted inside each prompt
    level: float = 0.95
    n_prompts: int = 0
    n_answers: int = 0  # of the side with fewer
    reason: str | None = None  # why it cannot be measured

    @property
    def is_measurable(self) -> bool:
        """Whether a difference could have shown."""
        return self.reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whether the candidate answers as the reference does, apart from the verdict."""

    likeness: Likeness
    sentence: str  # "IDENTITY: shifted (...)"
    disagreement: Disagreement
    noise: SelfNoise | None = None  # the same between the reference and itself
    modalities: Mapping[str, int] = field(default_factory=dict)  # how answers are compared -> on how many prompts


@dataclass(frozen=True, slots=True, kw_only=True)
class DivergenceCurve:
    """How long pairs of answers stay the same: Kaplan-Meier, pairs that never part censored at their end."""

    pair: str  # "reference with itself", "candidate with itself", "reference with candidate"
    n_pairs: int
    n_parting: int
    characters: tuple[float, ...] = ()  # ascending, where the curve falls
    shares: tuple[float, ...] = ()  # still the same just after it
    median: Value = field(default_factory=unmeasured)
