"""All that a report renders and that verdict.json holds."""

from dataclasses import dataclass, field

from harness.analysis.results.answers import AnswerComparison
from harness.analysis.results.attempts import Attempts
from harness.analysis.results.case import Case
from harness.analysis.results.cold import ColdPath
from harness.analysis.results.estimates import Tail, Throughput
from harness.analysis.results.evidence import FailureRow, FindingRow
from harness.analysis.results.instrument import Certificate, Instrument
from harness.analysis.results.judgement import Judgement
from harness.analysis.results.levels import Knee, LevelRow
from harness.analysis.results.likeness import DivergenceCurve
from harness.analysis.results.prompts import PromptRow
from harness.analysis.results.streams import StreamParity
from harness.analysis.results.timeouts import TimeoutSizing
from harness.analysis.results.tokens import Economics, TokenComparison
from harness.analysis.results.tools import StructuredSide, ToolComparison, ToolLoops
from harness.analysis.results.trial import Trial


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
    answers: AnswerComparison = field(default_factory=AnswerComparison)
    tools: ToolComparison | None = None  # None: no prompt offers tools
    structured: tuple[StructuredSide, ...] = ()  # empty: no prompt asks for JSON
    tokens: TokenComparison | None = None  # None: one endpoint measured
    loops: tuple[ToolLoops, ...] = ()  # empty: no prompt says what a tool returns
    streaming: tuple[StreamParity, ...] = ()
    divergence: tuple[DivergenceCurve, ...] = ()  # empty: fewer than two text answers to any prompt
    attempts: tuple[Attempts, ...] = ()  # per side, where something measured was sent
    cold: tuple[ColdPath, ...] = ()  # empty: nothing slept, and nobody said that it could
    timeouts: tuple[TimeoutSizing, ...] = ()  # empty: nothing succeeded
