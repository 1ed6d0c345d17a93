"""What a redacted copy keeps of each attempt, since its own bytes no longer say it."""

from dataclasses import dataclass

from harness.analysis.results.trial import CheckResult, LoopResult, ToolResult
from harness.model.record import Failure, Finding, Record, RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptJudgement:
    """A trial's outcomes as the original had them, without words of prompt or answer."""

    task_success: bool | None
    tool: ToolResult | None = None
    json_valid: bool | None = None
    was_refused: bool | None = None
    was_truncated: bool | None = None
    checks: tuple[CheckResult, ...] = ()
    canonical: str = ""  # a digest: answers that were equal still are
    loop: LoopResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A line of kept.jsonl, one per attempt that counts."""

    key: RequestKey
    attempt: int
    failure: Failure | None = None
    findings: tuple[Finding, ...] = ()
    judgement: KeptJudgement | None = None  # None: no trial of its own
    record: Record | None = None  # where the bytes could not be masked in place
