"""Which prompts and cohorts lost most."""

from dataclasses import dataclass

from harness.analysis.results.estimates import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """One prompt that got worse, by the exact permutation of its own requests; exploratory."""

    prompt_id: str
    metric: str  # id in the catalogue
    reference: Value
    candidate: Value
    n_reference: int
    n_candidate: int
    p_value: float
    adjusted_p: float  # Benjamini-Hochberg among the prompts of the metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The group of prompts that lost most against the others, of all groups that were looked at."""

    kind: str  # "category", "tag", "prompt length", "tool"
    name: str
    metric: str
    effect: Value  # difference of rates, or geometric mean over prompts of the ratio of medians
    elsewhere: Value  # the same over the other prompts
    p_value: float  # of the largest of all groups and metrics
    n_prompts: int
    n_cohorts: int  # groups that were looked at
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstOff:
    """Where it got worse: single prompts and a group of them; exploratory."""

    regressions: tuple[Regression, ...] = ()  # flagged ones, smallest p first
    n_tests: int = 0  # tests that could have been flagged
    smallest_p: float | None = None  # that any test of this size can reach
    cohort: Cohort | None = None  # None: fewer than two groups
    sentence: str = ""
