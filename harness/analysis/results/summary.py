"""The summary as a type: what verdict.json holds, and what its published schema is made from."""

from dataclasses import dataclass

from harness.analysis.results.answers import AnswerComparison
from harness.analysis.results.attempts import Attempts
from harness.analysis.results.cold import ColdPath
from harness.analysis.results.estimates import Tail, Throughput, Value
from harness.analysis.results.evidence import FailureRow, FindingRow
from harness.analysis.results.gate import Gate
from harness.analysis.results.instrument import Certificate, Instrument
from harness.analysis.results.judgement import ValidityCheck, Verdict
from harness.analysis.results.levels import Knee, LevelRow
from harness.analysis.results.likeness import DivergenceCurve, Identity
from harness.analysis.results.streams import StreamParity
from harness.analysis.results.timeouts import TimeoutSizing
from harness.analysis.results.tokens import Economics, TokenComparison
from harness.analysis.results.tools import StructuredSide, ToolComparison, ToolLoops
from harness.analysis.results.worstoff import WorstOff
from harness.model.record import Arm, Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSummary:
    """How requests arrived on one side: an open and a closed loop give figures that are not to be compared."""

    arrival: Arrival
    levels: tuple[float, ...]
    ramp_s: float
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSummary:
    """Who stands on one side."""

    arm: Arm
    name: str
    base_url: str | None
    model: str | None
    tls_verified: bool
    run_id: str
    was_recorded_earlier: bool
    load: LoadSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenSummary:
    """Which golden set was replayed."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThroughputSummary(Throughput):
    """System throughput of one side, with its goodput."""

    goodput: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptsSummary(Attempts):
    """Attempts of one side, with their mean."""

    attempts_per_request: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSideSummary:
    """One prompt on one side; its distinct answers are counted."""

    n: int
    n_failed: int
    task_successes: int | None
    tool_successes: int | None
    ttft_p50_s: Value
    decode_p50: Value
    e2e_p50_s: Value
    completion_tokens_p50: Value
    prompt_tokens: Value
    answers: tuple[int, ...]
    self_agreement: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSummary:
    """One prompt, both sides."""

    prompt_id: str
    category: str
    score: float
    reference: PromptSideSummary
    candidate: PromptSideSummary | None
    cross_agreement: Value
    ttft_ratio: Value
    decode_ratio: Value
    success_difference: Value
    prompt_token_ratio: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the page says, without samples, whole answers and trials: the run folder holds those."""

    format_version: int
    certificate: Certificate
    verdict: Verdict | None
    exit_code: int
    sentence: str | None
    worst_case: tuple[str, ...]
    gates: tuple[Gate, ...]
    validity: tuple[ValidityCheck, ...]
    settle: tuple[str, ...]
    not_verified: tuple[str, ...]
    read_first: tuple[str, ...]
    notes: tuple[str, ...]
    identity: Identity | None
    worst_off: WorstOff | None
    sides: tuple[SideSummary, ...]
    golden: GoldenSummary
    plan_sha256: str | None
    margins_are_from_plan: bool
    estimators: str
    tails: tuple[Tail, ...]
    throughput: tuple[ThroughputSummary, ...]
    levels: tuple[LevelRow, ...]
    knees: tuple[Knee, ...]
    answers: AnswerComparison
    tools: ToolComparison | None
    structured: tuple[StructuredSide, ...]
    tokens: TokenComparison | None
    loops: tuple[ToolLoops, ...]
    streaming: tuple[StreamParity, ...]
    divergence: tuple[DivergenceCurve, ...]
    economics: tuple[Economics, ...]
    failures: tuple[FailureRow, ...]
    attempts: tuple[AttemptsSummary, ...]
    findings: tuple[FindingRow, ...]
    cold: tuple[ColdPath, ...]
    timeouts: tuple[TimeoutSizing, ...]
    instrument: tuple[Instrument, ...]
    prompts: tuple[PromptSummary, ...]
