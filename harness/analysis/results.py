"""What judging yields: the types that a report renders and that verdict.json holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.decode.sdk_view import SdkView
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Plan, Record, RequestKey
from harness.model.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side's evidence: the endpoint as configured and its decoded attempts, of one run."""

    arm: Arm
    name: str
    endpoint: Mapping[str, object]
    run_id: str
    records: tuple[Record, ...]
    sdk_views: Mapping[RequestKey, SdkView] = field(default_factory=dict)  # of the responses that were replayed
    was_recorded_earlier: bool = False  # taken from another run than the candidate's
    unfinished: str | None = None  # why its run ended before its plan did; None when it did not


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a judgement may look at."""

    golden: GoldenSet
    settings: Settings
    plan: Plan | None
    reference: Side
    candidate: Side | None = None  # None: one endpoint measured, nothing to compare
    margins_are_from_plan: bool = True  # False: chosen after the data


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
    RATIO = "ratio"  # of two quantiles, candidate / reference


class Outcome(StrEnum):
    """What one gate says."""

    PASS = "PASS"  # noqa: S105  # a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT APPLICABLE"  # the set has no trial for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate, judged: effect, bounds, margin, denominators, words."""

    id: str  # field name in model.settings.Gates
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
    bound: float | None = None  # the one-sided 95 % bound on the bad side: the worst case compatible with the data
    traffic_bound: float | None = None  # the same for "prompts like these", rates only
    p_value: float | None = None  # of detection, Holm-adjusted among required gates
    reference: Value
    candidate: Value
    n_reference: int
    n_candidate: int
    successes_reference: int | None = None
    successes_candidate: int | None = None
    is_measurably_worse: bool = False
    evidence: tuple[str, ...] = ()  # "11 of 13 losses are SchemaMismatch in book_flight"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One request, judged: its outcomes and metrics."""

    key: RequestKey
    block: int
    run_id: str
    is_judged: bool  # False: warm-up or possibly cold, shown apart
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
    similarity: Value  # mean text similarity of A-B pairs, 0-1, information only
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """One kind of failure on one side."""

    arm: Arm
    kind: str
    n: int
    prompts: tuple[str, ...]
    example: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One kind of finding on one side."""

    arm: Arm
    kind: str
    n_responses: int
    example: str
    advice: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """System throughput and goodput of one side."""

    arm: Arm
    output_tokens_per_s: Value
    requests_per_s: Value
    steady_output_tokens_per_s: Value = field(  # while the concurrency asked for was in flight
        default_factory=lambda: Value(value=None, reason="not measured")
    )


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
