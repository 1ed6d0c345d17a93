"""What judging yields: the types that a report renders and that verdict.json holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.decode.sdk_view import SdkView
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Arrival, ClientFacts, Plan, Record, RequestKey
from harness.model.settings import Settings
from harness.model.twin import TwinLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side's evidence: the endpoint as configured and its decoded attempts, of one run."""

    arm: Arm
    name: str
    endpoint: Mapping[str, object]
    run_id: str
    records: tuple[Record, ...]
    sdk_views: Mapping[RequestKey, SdkView] = field(default_factory=dict)  # of the responses that were replayed
    sdk_helper_views: Mapping[RequestKey, SdkView] = field(default_factory=dict)  # the same through its stream helper
    was_recorded_earlier: bool = False  # taken from another run than the candidate's
    unfinished: str | None = None  # why its run ended before its plan did; None when it did not
    plan: Plan | None = None  # of its own run; None: the case's
    client: tuple[ClientFacts, ...] = ()  # of the processes that measured it; empty in runs that did not record it
    clock: Mapping[str, object] = field(default_factory=dict)  # facts of its player: stamps, mapping bound, steps
    twin: TwinLog | None = None  # replays of its streams from a server with a log; None: no twin was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a judgement may look at."""

    golden: GoldenSet
    settings: Settings
    plan: Plan | None
    reference: Side
    candidate: Side | None = None  # None: one endpoint measured, nothing to compare
    placebo: Side | None = None  # the reference's endpoint once more, as a third arm; None: not asked for
    look: int = 1  # which look at the run's data this is
    margins_are_from_plan: bool = True  # False: chosen after the data, or the plan itself is in doubt
    plan_matches_digest: bool = True  # False: it is not the plan that was registered, or a version before this wrote it
    command: str | None = None  # that measured it, as it was typed


class Verdict(StrEnum):
    """The four words."""

    PASS = "PASS"  # noqa: S105  # a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3, Verdict.INVALID: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Bounds of an estimate; a bound is None when unbounded or not estimable, infinite when a failure sets it."""

    low: float | None
    high: float | None
    level: float  # 0.95
    method: str  # "newcombe", "wilson", "cluster bootstrap", "order statistics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number, or the reason why there is none."""

    value: float | None
    reason: str | None = None

    def __post_init__(self) -> None:
        """Refuse a value without a number and without a reason."""
        if (self.value is None) == (self.reason is None):
            message = "exactly one of value and reason is given"
            raise ValueError(message)


def _unmeasured() -> Value:
    return Value(value=None, reason="not measured")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    """One quantile of a tail; `worst` replaces it where n is too small."""

    q: float
    value: Value
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """A metric's distribution on one side."""

    metric: str  # id in the catalogue
    arm: Arm
    n: int  # samples, failures included
    n_failed: int  # of them: failures, which count as +infinity (latencies) or are left out (rates), as the metric says
    undefined: Mapping[str, int] = field(default_factory=dict)  # reason -> how many requests have no value
    values: tuple[float, ...] = ()  # the finite samples, ascending, in the catalogue's unit
    quantiles: tuple[Quantile, ...] = ()
    worst: float | None = None  # slowest (or lowest rate) finite value seen


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
    is_two_sided: bool = False  # a change in either direction is a loss

    @property
    def is_conclusive(self) -> bool:
        """Whether the data settle it either way."""
        return self.outcome in {Outcome.PASS, Outcome.FAIL}


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
    """The group of prompts with the largest regression, of all groups that were looked at."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class DivergenceCurve:
    """How long pairs of answers stay the same: Kaplan-Meier, pairs that never part censored at their end."""

    pair: str  # "reference with itself", "candidate with itself", "reference with candidate"
    n_pairs: int
    n_parting: int
    characters: tuple[float, ...] = ()  # ascending, where the curve falls
    shares: tuple[float, ...] = ()  # still the same just after it
    median: Value = field(default_factory=_unmeasured)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidityCheck:
    """One condition under which the run says something."""

    id: str
    title: str
    is_met: bool
    evidence: str
    consequence: str  # "INVALID", "VOID for timing", "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict with its reasons."""

    verdict: Verdict
    sentence: str  # the plain sentence
    worst_case: tuple[str, ...] = ()  # still compatible with the data, per required gate
    gates: tuple[Gate, ...] = ()
    validity: tuple[ValidityCheck, ...] = ()
    settle: tuple[str, ...] = ()  # what would settle it: requests, money, command
    not_verified: tuple[str, ...] = ()
    read_first: tuple[str, ...] = ()  # prompt ids
    notes: tuple[str, ...] = ()  # margins chosen after the data, side recorded earlier, ...
    identity: Identity | None = None  # None: no two sides to compare
    worst_off: WorstOff | None = None


class Rung(StrEnum):
    """Where a tool trial fell off the ladder; OK when it did not."""

    OK = "ok"
    TRANSPORT = "transport"
    DECISION = "decision"  # called when none was due, or the reverse, or the wrong number
    INVALID_JSON = "InvalidJson"
    UNKNOWN_NAME = "UnknownName"
    SCHEMA_MISMATCH = "SchemaMismatch"
    ARGUMENT_MISMATCH = "ArgumentMismatch"
    PROTOCOL = "protocol"
    LEAKED_MARKUP = "LeakedMarkup"
    LOOP = "loop"  # the calls are right, the answer to what they returned is not
    NOT_RUN = "not run"  # the run ended before the loops did: neither the top nor a fall


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One check on one answer."""

    check: str  # as written: "not-contains: sorry"
    passed: bool
    expected: str
    came: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """The ladder's result of one tool trial."""

    rung: Rung
    tool: str | None = None  # the tool it fell on
    detail: str = ""


class LoopOutcome(StrEnum):
    """How a tool loop ended."""

    ANSWERED = "answered"  # the second answer passes the prompt's final checks
    LACKS_VALUE = "lacks_value"  # it does not
    FAILED = "failed"  # the second request did
    ENDED = "ended"  # no second request: no tool was called, or one without a canned result, or the first one failed
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopResult:
    """What became of one tool loop."""

    outcome: LoopOutcome
    detail: str = ""
    checks: tuple[CheckResult, ...] = ()  # on the second answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One request, judged: its outcomes and metrics."""

    key: RequestKey
    block: int
    run_id: str
    is_judged: bool  # False: warm-up, possibly cold or at another level of load, shown apart
    failure: str | None  # FailureKind of the first attempt, None when it succeeded
    failure_message: str | None = None
    task_success: bool | None  # None: no checks
    tool: ToolResult | None = None  # None: not a tool prompt
    json_valid: bool | None = None  # None: not a JSON prompt
    was_refused: bool | None = None
    was_truncated: bool | None = None  # finish_reason length where the prompt did not ask for it
    checks: tuple[CheckResult, ...] = ()
    metrics: Mapping[str, Value] = field(default_factory=dict)  # by catalogue id, SI units
    canonical: str = ""  # the answer in canonical form, for counting distinct answers
    loop: LoopResult | None = None  # None: no tool loop follows
    cost: Value = field(default_factory=lambda: Value(value=None, reason="no price book"))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGroup:
    """A distinct answer with its count."""

    canonical: str
    count: int
    keys: tuple[RequestKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSide:
    """One prompt on one side."""

    n: int
    n_failed: int
    task_successes: int | None
    tool_successes: int | None
    ttft_p50_s: Value
    decode_p50: Value
    e2e_p50_s: Value
    completion_tokens_p50: Value
    prompt_tokens: Value
    answers: tuple[AnswerGroup, ...]
    self_agreement: Value  # share of pairs of its own repeats with the same canonical answer


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRow:
    """One prompt, both sides."""

    prompt_id: str
    category: str
    tags: tuple[str, ...]
    intent: str
    reference: PromptSide
    candidate: PromptSide | None
    cross_agreement: Value  # share of A-B pairs with the same canonical answer
    ttft_ratio: Value
    decode_ratio: Value
    success_difference: Value
    score: float  # worst first


@dataclass(frozen=True, slots=True, kw_only=True)
class Economics:
    """Tokens and money of one side, attempts of every outcome told apart."""

    arm: Arm
    n_requests: int
    n_successes: int
    n_failed: int
    n_truncated: int
    n_empty: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    cost: Value
    cost_per_success: Value
    currency: str | None
    n_no_usage: int = 0  # answers for which no token count came
    n_zero_usage: int = 0  # answers with output and a count of zero
    cost_per_answer: Value = field(default_factory=_unmeasured)
    chunks_per_token: Value = field(default_factory=_unmeasured)  # output events over tokens, streamed text only
    n_follow_ups: int = 0  # of n_requests: sent after the measured levels


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """One kind of failure on one side."""

    arm: Arm
    kind: str
    n: int
    prompts: tuple[str, ...]
    example: str
    advice: str
    n_other_levels: int = 0  # of n: at a level of load that is not judged
    n_follow_ups: int = 0  # of n: after the measured levels


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One kind of finding on one side."""

    arm: Arm
    kind: str
    n_responses: int
    example: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSource:
    """Where the instants of one side come from."""

    name: str = "not known"
    detail: str = ""
    mapping_bound_s: Value = field(default_factory=_unmeasured)  # of a kernel stamp on the monotonic clock
    steps: tuple[str, ...] = ()  # of the wall clock, each with its size


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLoad:
    """How much of the load that the plan asks for one side got, and how well the harness kept up with the plan."""

    words: str = "not known"  # what was asked: "4 requests in flight"
    is_open_loop: bool = False
    offered_fraction: Value = field(default_factory=_unmeasured)  # free slots filled, or schedule kept: our part
    achieved: Value = field(default_factory=_unmeasured)  # mean number in flight, or requests sent per second
    shortfall: str = ""  # what of the plan kept more than 5 % of the load away; empty: nothing did
    queue_delay_p99_s: Value = field(default_factory=_unmeasured)  # due to sent
    requests_per_minute: int | None = None  # the quota that paces this side; None: none does
    includes_quota: bool = False  # offered_fraction takes its waits for ours: they were not recorded apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What measuring cost the processes that measured one side."""

    n_processes: int = 0
    is_shared: bool = False  # a process measured other sides too: its figures are of all of them
    loop_lag_p50_s: Value = field(default_factory=_unmeasured)  # of the process where it was longest
    loop_lag_p99_s: Value = field(default_factory=_unmeasured)
    loop_lag_max_s: Value = field(default_factory=_unmeasured)
    cpu_fraction: Value = field(default_factory=_unmeasured)  # of one core, in the busiest process
    cpu_per_event_s: Value = field(default_factory=_unmeasured)
    open_connections: Value = field(default_factory=_unmeasured)  # most at once in one process
    files_allowed: Value = field(default_factory=_unmeasured)  # per process


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinBias:
    """What the client made of streams whose truth is known; seconds."""

    n_streams: int
    n_writes: int
    late_p50_s: Value  # arrival - the instant before its write
    late_p99_s: Value
    ttft_error_p50_s: Value  # |first arrival - sent - (first write - request read by the server)|
    ttft_error_max_s: Value  # one per stream: too few for a tail
    gap_error_p99_s: Value  # |gap seen - gap sent|
    shared_fraction: Value  # writes that share a read with another
    notes: tuple[str, ...] = ()  # what kept the twin from replaying, of both sides of its run


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """How far the timings can be trusted, for one side."""

    arm: Arm
    n_reads: int
    kernel_stamp_fraction: Value
    receive_lag_p50_s: Value
    receive_lag_p99_s: Value
    send_lateness_p99_s: Value
    shared_read_fraction: Value  # output events that share a read with another
    late_shared_fraction: Value = field(default_factory=_unmeasured)  # of them: through our own late reading
    arrival_uncertainty_p99_s: Value = field(default_factory=_unmeasured)
    gap_p50_s: Value = field(default_factory=_unmeasured)  # between reads with output
    clock: ClockSource = ClockSource()
    load: OfferedLoad = OfferedLoad()
    client: Client = Client()
    twin: TwinBias | None = None  # None: no twin was asked for


class TimingVerdict(StrEnum):
    """Whether the timings of a run say anything."""

    VALID = "valid for timing"
    VOID = "VOID for timing"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One side's value of a certificate's row, against its own limit."""

    arm: Arm
    value: Value
    limit: float | None = None  # None: this side is only reported
    is_met: bool | None = None  # None: not known, or not gated
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """One thing that the instrument measured of itself, with its limit where there is one."""

    id: str
    title: str  # what is measured
    unit: str  # "s", "fraction", "count", or "load": counted as the plan does
    sides: tuple[Measured, ...]
    condition: str = ""  # what is claimed; empty: reported, not gated
    limit: str = ""  # in words
    is_met: bool | None = None  # None: not known, or not gated
    consequence: str = ""  # what follows where it is not met
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The run's statement on its own timings: limits, measured values, clock source, verdict."""

    verdict: TimingVerdict
    sentence: str
    line: str  # the same, short enough for a terminal
    reasons: tuple[str, ...] = ()  # why it is void, or not known
    notes: tuple[str, ...] = ()
    clock: Mapping[Arm, ClockSource] = field(default_factory=dict)
    rows: tuple[CertificateRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """System throughput and goodput of one side."""

    arm: Arm
    output_tokens_per_s: Value
    requests_per_s: Value
    steady_output_tokens_per_s: Value = field(  # while the load asked for was there
        default_factory=lambda: Value(value=None, reason="not measured")
    )
    steady_requests_per_s: Value = field(default_factory=lambda: Value(value=None, reason="not measured"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    """One side at one level of load: what was asked, what was there, how it fared."""

    arm: Arm
    level: int  # position in its plan's load; level 0 is judged
    arrival: Arrival
    asked: float  # requests in flight, or requests per second in an open loop
    scheduled: Value  # requests per second of the seed's own instants; open loop only
    achieved: Value  # mean number in flight, or requests sent per second, at the full load
    n: int  # requests that count: no warm-ups, none possibly cold, none cancelled
    n_failed: int
    failures: Mapping[str, int]  # kind -> how many
    n_set_aside: int  # sent at this level and not counted
    tails: tuple[Tail, ...]
    throughput: Throughput
    instrument: Instrument
    timing: TimingVerdict  # by the limits of the certificate, which is that of level 0
    notes: tuple[str, ...] = ()  # what makes its figures doubtful

    def tail(self, metric: str) -> Tail | None:
        """Find the tail of a metric."""
        return next((tail for tail in self.tails if tail.metric == metric), None)

    def quantile(self, metric: str, q: float) -> Quantile | None:
        """Find a quantile of a metric."""
        tail = self.tail(metric)
        return None if tail is None else next((found for found in tail.quantiles if found.q == q), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knee:
    """The lowest load from which one side's throughput hardly grows; a reading, not a verdict."""

    arm: Arm
    load: Value
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far the sides' answers agree by one way of comparing, beside each side's agreement with itself."""

    metric: str  # id in the catalogue
    reference_self: Value  # mean over pairs of the reference's own repeats
    candidate_self: Value
    cross: Value  # mean over pairs of one answer of each side
    excess: Value  # (reference_self + candidate_self) / 2 - cross: disagreement beyond the sides' own
    n_prompts: int = 1  # of which each is the mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """How often answers are among the reference's own, where no check says what is right."""

    reference: Value  # each answer against the reference's others, one left out
    candidate: Value  # against as many of them
    difference: Value  # candidate - reference
    traffic_bound: float | None = None  # worst difference for prompts like these, one-sided 95 %
    n_prompts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCount:
    """A value with how many answers hold it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRow:
    """A path of JSON answers or of tool arguments at which the sides differ, most frequent values first."""

    path: str
    reference: tuple[ValueCount, ...]
    candidate: tuple[ValueCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptAnswers:
    """The answers to one prompt, compared."""

    prompt_id: str
    agreements: tuple[Agreement, ...]  # of the ways that apply to the prompt
    acceptance: Acceptance
    paths: tuple[PathRow, ...] = ()  # where the sides differ, most different first
    n_paths: int = 0  # at which both sides could have a value
    n_paths_cut: int = 0  # that differ and are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkRow:
    """What an application on the official SDK would have seen of one side's first response to each prompt."""

    arm: Arm
    way: str  # "create(stream=True)" or "stream()"
    outcomes: Mapping[str, int]  # answer, empty, exception, crash
    n_differing: int  # that differ from what the bytes say


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerComparison:
    """Output parity: in total, by prompt, and as the SDK shows it."""

    agreements: tuple[Agreement, ...] = ()
    acceptance: Acceptance | None = None  # None: every prompt has checks
    prompts: tuple[PromptAnswers, ...] = ()  # most disagreement beyond the sides' own first
    sdk: tuple[SdkRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSide:
    """Tool calls of one side: the ladder's rungs, and calls against their schemas."""

    arm: Arm
    n_trials: int  # requests of prompts that expect a decision about tools, loops that were not run left out
    rungs: Mapping[str, int]  # rung -> how many ended there; "ok" is the top
    n_calling: int  # answers with a call, of all prompts that offer tools
    n_schema_valid: int  # of them: every call names an offered tool and satisfies its schema
    schema_accuracy: Value
    pass_at_k: Value  # chance that at least one of k repeats succeeds, mean over prompts
    pass_all_k: Value  # chance that all k do
    k: int | None = None  # the fewest repeats of any prompt on either side


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolComparison:
    """When tools are called, and how well."""

    triggers: tuple[Agreement, ...]  # F1, the same by finish_reason, share of pairs in which both call
    trigger_share: Value  # pairs in which both sides call, of what the reference achieves with itself
    sides: tuple[ToolSide, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuredSide:
    """Answers of one side to prompts that ask for JSON, each counted once from `n_valid` to `n_failed`."""

    arm: Arm
    n: int
    n_valid: int  # JSON as a whole
    n_fenced: int
    n_wrapped: int  # text before or after the JSON
    n_prose: int  # no JSON in it
    n_cut: int  # ends inside the JSON
    n_empty: int
    n_malformed: int  # anything else that is no JSON
    n_failed: int  # requests without an answer
    n_length: int  # of all: finish_reason length
    n_with_schema: int  # requests of prompts that state a schema
    n_schema_valid: int
    schema_valid: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTokens:
    """How the token counts of one prompt differ between the sides."""

    prompt_id: str
    prompt_ratio: Value  # candidate / reference
    completion_ratio: Value  # of geometric means over the repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenComparison:
    """Token counts of the same prompts on both sides."""

    prompt_ratio: Value  # of the sums over prompts, each counted once
    lowest: PromptTokens | None  # prompt with the smallest prompt-token ratio
    highest: PromptTokens | None
    completion_ratio: Value  # geometric mean over prompts
    completion_interval: Interval | None  # 90 %, prompts as the unit
    is_length_alike: bool | None  # the interval lies within 0.80 to 1.25; None: no interval
    n_completion_prompts: int
    n_cut_prompts: int  # left out of the completion ratio: both sides' answers mostly end by length
    guard: str  # a context-window guard measured on the reference, in the candidate's tokens; empty: not known
    prompts: tuple[PromptTokens, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLoops:
    """What became of one side's tool loops."""

    arm: Arm
    n: int  # judged requests of prompts that say what a tool returns
    outcomes: Mapping[LoopOutcome, int]


class Aspect(StrEnum):
    """What is compared between the streamed and the unstreamed answers of one endpoint."""

    ANSWER = "answer"  # whether there is one
    TOOL_CALLS = "tool_calls"
    JSON = "json"
    FINISH_REASON = "finish_reason"
    PROMPT_TOKENS = "prompt_tokens"
    COMPLETION_TOKENS = "completion_tokens"
    USAGE = "usage"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamDifferences:
    """One aspect: how many unstreamed answers differ in it from every streamed answer to their prompt."""

    aspect: Aspect
    n_compared: int
    n_differing: int
    n_streamed: int = 0  # streamed answers held against the other streamed ones to their prompt
    n_streamed_differing: int = 0  # what varies by itself
    is_beyond_variation: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """How many answers hold, of one form of one side."""

    n: int
    n_valid: int


class Holds(StrEnum):
    """What can hold of an answer in one form and not in the other."""

    TOOL_CALLS = "tool_calls"  # as the checks expect them
    JSON = "json"
    SCHEMA = "schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormValidity:
    """Whether validity held streamed and unstreamed, on the same prompts."""

    of: Holds
    streamed: Validity
    unstreamed: Validity


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamParity:
    """Streamed against unstreamed answers to the same prompts, inside one endpoint."""

    arm: Arm
    n_prompts: int  # with an answer in both forms
    n_unstreamed: int  # unstreamed requests, failed ones included
    n_failed: int
    n_texts_differ: int  # unstreamed answers whose wording no streamed one has: a note, since wording varies by itself
    differences: tuple[StreamDifferences, ...] = ()
    validity: tuple[FormValidity, ...] = ()
    nothing: str = ""  # why there is no unstreamed request


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Everything a page may say about a case."""

    case: Case
    judgement: Judgement | None  # None: one endpoint measured
    trials: tuple[Trial, ...]
    tails: tuple[Tail, ...]
    prompts: tuple[PromptRow, ...]
    economics: tuple[Economics, ...]
    throughput: tuple[Throughput, ...]
    failures: tuple[FailureRow, ...]
    findings: tuple[FindingRow, ...]
    instrument: tuple[Instrument, ...]
    certificate: Certificate
    levels: tuple[LevelRow, ...] = ()  # level by level, a row per side
    knees: tuple[Knee, ...] = ()
    answers: AnswerComparison = AnswerComparison()
    tools: ToolComparison | None = None  # None: no prompt offers tools
    structured: tuple[StructuredSide, ...] = ()  # empty: no prompt asks for JSON
    tokens: TokenComparison | None = None  # None: one endpoint measured
    loops: tuple[ToolLoops, ...] = ()  # empty: no prompt says what a tool returns
    streaming: tuple[StreamParity, ...] = ()
    divergence: tuple[DivergenceCurve, ...] = ()  # empty: fewer than two text answers to any prompt
