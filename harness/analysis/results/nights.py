"""Nights of a ledger as the regression rule reads them, and what it says of tonight."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class NightMetric:
    """A headline figure that is followed from night to night."""

    id: str  # of the ledger's figure
    title: str
    is_rate: bool  # a share of requests: compared by difference; else a positive number, by ratio
    is_higher_better: bool
    threshold: float  # least change for the worse that is a regression: a share of the level, or of all requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One figure of one run; a night that is not valid is a gap."""

    run_id: str
    at: str  # ISO 8601, when the run started
    value: float | None
    low: float | None = None  # two-sided 95 % interval within the run
    high: float | None = None
    n: int = 0
    comparable: str = ""  # digest of what must be alike
    is_valid: bool = True
    reason: str | None = None  # why it is a gap


@dataclass(frozen=True, slots=True, kw_only=True)
class NightlyRule:
    """What decides whether tonight is suspicious."""

    n_baseline: int = 14  # nights of the baseline period: two weeks hold each day of the week as often
    least_nights: int = 6  # earlier nights that the variation can be estimated from
    n_noise: int = 90  # of them that it is estimated from at most, the latest
    windows: tuple[int, ...] = (1, 2, 7)  # tonight alone, two nights, a week
    alpha: float = 0.005  # chance of any false suspicion a night, over all metrics and windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far the last nights are from the baseline; positive is worse, on the logarithm or in shares of requests."""

    n_nights: int  # of the window that ends tonight
    n_baseline: int  # nights of the baseline period that it is compared with
    n_noise: int  # earlier nights that the variation was estimated from
    baseline: float  # level of the baseline period, in the metric's own unit
    level: float  # of the window, in the metric's own unit
    loss: float
    tonight_loss: float
    loss_high: float  # its upper one-sided 95 % bound
    error: float | None  # standard error of the loss; None: counts were compared exactly
    night_sd: float | None  # of a single night, 0 where most are equal and nights were counted; None for counts
    dispersion: float | None  # variance of counts over the binomial's, a bound of it; None elsewhere
    p_value: float  # one-sided


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricNight:
    """What is said of one metric tonight."""

    metric: NightMetric
    shift: Shift | None  # of the window that speaks most for a regression
    reason: str | None = None  # why there is none
    adjusted_p: float | None = None  # over windows, then over metrics (Holm)
    is_suspicious: bool = False
    is_missing: bool = False  # it would be judged, had it a value tonight
    baseline: float | None = None  # value of the baseline run itself, where there is no shift
    tonight: float | None = None


class Mover(StrEnum):
    """Who moved, where both sides were measured in the same nights."""

    CANDIDATE = "candidate"
    REFERENCE = "reference"
    BOTH = "both"
    UNSETTLED = "unsettled"
    ONE_SIDE = "one side"  # a run of one endpoint: nothing tells it from its surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The difference in differences of one metric: the candidate's change less the reference's."""

    mover: Mover
    candidate: Shift | None
    reference: Shift | None
    difference: Shift | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlamedPrompt:
    """A prompt's own change between its baseline nights and the window."""

    prompt_id: str
    figure: str  # TTFT, decode rate, answered, passed, tool calls right, valid JSON
    baseline: float
    level: float
    loss: float
    p_value: float
    adjusted_p: float
    is_flagged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """Which prompts moved, to be read and not to be believed one by one."""

    metric_id: str
    prompts: tuple[BlamedPrompt, ...] = ()  # worst first
    n_worse: int = 0
    reason: str | None = None  # why there are none

    @property
    def flagged(self) -> tuple[str, ...]:
        """Ids of the prompts that Benjamini and Hochberg's rule flags."""
        return tuple(prompt.prompt_id for prompt in self.prompts if prompt.is_flagged)


class RerunWord(StrEnum):
    """What a rerun said of a suspicion."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    OPEN = "open"
    NOT_RUN = "not rerun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """A suspicion measured once more, on the suspicious prompts alone."""

    word: RerunWord
    sentence: str
    run_id: str | None = None
    prompts: tuple[str, ...] | None = None  # None: the whole set
    shift: Shift | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """A metric that looks worse tonight, with who moved, which prompts, and what a rerun said."""

    night: MetricNight
    drift: Drift
    blame: Blame
    rerun: Rerun


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """A step in a series."""

    index: int  # of the first value after the step, in the series as given
    before: float  # mean of the segment before it
    after: float
    n_before: int
    n_after: int


class RegressionWord(StrEnum):
    """How a check ends."""

    NOTHING = "NOTHING"
    REGRESSION = "REGRESSION"
    SUSPICION = "SUSPICION"
    NOT_JUDGED = "NOT JUDGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class NightlyCheck:
    """What a check of one night against the baseline says."""

    word: RegressionWord
    sentence: str
    run_id: str
    baseline_run_id: str
    side: str
    rule: NightlyRule
    metrics: tuple[MetricNight, ...] = ()
    suspicions: tuple[Suspicion, ...] = ()
    common: tuple[Suspicion, ...] = ()  # of the candidate, and the reference moved alike
    of_reference: tuple[Suspicion, ...] = ()  # of the reference, and not of the candidate
    notes: tuple[str, ...] = ()
    currency: str = ""  # of the costs among the metrics
    refused: tuple[str, ...] = ()  # parts in which tonight and the baseline differ


EXIT_CODES = {
    RegressionWord.NOTHING: 0,
    RegressionWord.REGRESSION: 1,
    RegressionWord.SUSPICION: 3,
    RegressionWord.NOT_JUDGED: 3,
}
