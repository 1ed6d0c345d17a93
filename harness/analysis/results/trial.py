"""One request as judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harness.analysis.results.estimates import Value
from harness.model.record import RequestKey


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
