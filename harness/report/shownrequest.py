"""One request in full, as plain values: `bench show --json`, and what the text of `bench show` is made from."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.analysis.results.trial import Trial
from harness.analysis.sdkrows import HELPER, PLAIN
from harness.decode.http import split_wire
from harness.decode.sdk_view import SdkView, both_views
from harness.model.record import Answer, Attempt, Connection, Failure, Finding, Record, Usage
from harness.report.readrows import ReadRow, read_rows
from harness.report.requestcolumns import METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSent:
    """What was sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str
    is_as_sent: bool | None  # the recorded digest is that of this; None: it could not be composed again
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCame:
    """What came back."""

    status: int | None
    reason: str
    headers: tuple[tuple[str, str], ...]  # as recorded: names outside the allow-list are struck out
    n_bytes: int
    is_complete: bool  # the framing saw the end


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCheck:
    """One check on the answer."""

    check: str
    passed: bool
    expected: str
    came: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMetric:
    """One metric in its catalogue unit, or why it has no value."""

    value: float | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRequest:
    """Everything that a run folder has of one attempt."""

    run_id: str
    request: str
    attempt: int
    arm: str
    endpoint: str
    prompt_id: str
    marks: tuple[str, ...]
    sent: ShownSent
    came: ShownCame
    connection: Connection | None
    failure: Failure | None
    timeline: tuple[ReadRow, ...]
    answer: Answer
    usage: Usage | None
    model_reported: str | None
    metrics: Mapping[str, ShownMetric]
    checks: tuple[ShownCheck, ...]
    tool_rung: str | None
    tool_detail: str
    findings: tuple[Finding, ...]
    sdk: Mapping[str, SdkView]  # way of reading -> what the official SDK makes of the bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvidence:
    """What a shown request is made from."""

    run_id: str
    endpoint: str
    attempt: Attempt
    record: Record
    trial: Trial | None
    wire: bytes
    sent: ShownSent


def shown_request(given: RequestEvidence) -> ShownRequest:
    """Gather one request."""
    record, trial = given.record, given.trial
    return ShownRequest(
        run_id=given.run_id,
        request=record.key.id,
        attempt=record.attempt,
        arm=record.key.arm.value,
        endpoint=given.endpoint,
        prompt_id=record.key.prompt_id,
        marks=marks_of(record),
        sent=given.sent,
        came=_came(given),
        connection=record.connection,
        failure=record.failure,
        timeline=read_rows(record, given.wire),
        answer=record.answer,
        usage=record.usage,
        model_reported=record.model_reported,
        metrics=_metrics(trial),
        checks=_checks(trial),
        tool_rung=trial.tool.rung.value if trial and trial.tool else None,
        tool_detail=trial.tool.detail if trial and trial.tool else "",
        findings=record.findings,
        sdk=_sdk(given),
    )


def marks_of(record: Record) -> tuple[str, ...]:
    """Say what sets a request apart from those that are judged."""
    key = record.key
    found = {
        "warm-up": key.is_warmup,
        "possibly cold": record.is_possibly_cold,
        f"level {key.level}": key.level > 0,
        "second turn": key.turn > 1,
        "unstreamed": not key.is_streamed,
        f"attempt {record.attempt}": record.attempt > 1,
    }
    return tuple(words for words, is_so in found.items() if is_so)


def _came(given: RequestEvidence) -> ShownCame:
    response = split_wire(given.wire, given.record.reads)
    return ShownCame(
        status=response.status,
        reason=response.reason,
        headers=response.headers,
        n_bytes=len(given.wire),
        is_complete=response.is_complete,
    )


def _metrics(trial: Trial | None) -> dict[str, ShownMetric]:
    if trial is None:
        return {}
    values = {**trial.metrics, "cost": trial.cost}
    return {
        name: ShownMetric(value=values[name].value, reason=values[name].reason) for name in METRICS if name in values
    }


def _checks(trial: Trial | None) -> tuple[ShownCheck, ...]:
    return tuple(
        ShownCheck(check=one.check, passed=one.passed, expected=one.expected, came=one.came, where=one.where)
        for one in (trial.checks if trial else ())
    )


def _sdk(given: RequestEvidence) -> dict[str, SdkView]:
    """Replay a streamed response through the SDK; an unstreamed one is not read by either way."""
    if not given.wire or not given.record.key.is_streamed:
        return {}
    plain, helper = both_views(given.wire, given.record.reads)
    return {PLAIN: plain, HELPER: helper}
