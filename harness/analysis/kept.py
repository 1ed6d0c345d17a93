"""Strikes the words of an answer out of what was found about it, for a copy that is shared."""

import re
from dataclasses import replace

from harness.analysis.checks import as_written
from harness.analysis.ratelimited import LIMIT_WORDS
from harness.analysis.results.kept import KeptJudgement
from harness.analysis.results.trial import CheckResult, LoopResult, ToolResult, Trial
from harness.decode.maskedjson import REASON
from harness.decode.waking import LOADING_WORDS
from harness.model.golden import Prompt
from harness.model.record import Answer, Failure, Finding, FindingKind, Record, ToolCall
from harness.model.redaction import STRUCK, Striker

_FIELD = re.compile(r"[A-Za-z_.\[\]]{1,48}")
_TOLD = frozenset({FindingKind.REASONING_FIELD, FindingKind.COMPRESSED})  # their detail is a field's name


def kept_judgement(trial: Trial, prompt: Prompt, struck: Prompt, striker: Striker) -> KeptJudgement:
    """Give a trial's outcomes; `struck` is its prompt without texts."""
    checks = [*prompt.checks, *prompt.final]
    names = {
        as_written(one): as_written(other) for one, other in zip(checks, (*struck.checks, *struck.final), strict=True)
    }
    return KeptJudgement(
        task_success=trial.task_success,
        tool=_tool(trial.tool, striker),
        json_valid=trial.json_valid,
        was_refused=trial.was_refused,
        was_truncated=trial.was_truncated,
        checks=tuple(_check(check, names) for check in trial.checks),
        canonical=f"[digest {striker.digests.of(trial.canonical)}]" if trial.canonical else "",
        loop=None if trial.loop is None else _loop(trial.loop, names),
    )


def _check(check: CheckResult, names: dict[str, str]) -> CheckResult:
    word = names.get(check.check, STRUCK)
    return CheckResult(check=word, passed=check.passed, expected=STRUCK, came=STRUCK)


def _tool(tool: ToolResult | None, striker: Striker) -> ToolResult | None:
    if tool is None:
        return None
    name = tool.tool if tool.tool in striker.tool_names else None
    return ToolResult(rung=tool.rung, tool=name, detail=STRUCK if tool.detail else "")


def _loop(loop: LoopResult, names: dict[str, str]) -> LoopResult:
    return LoopResult(
        outcome=loop.outcome,
        detail=STRUCK if loop.detail else "",
        checks=tuple(_check(check, names) for check in loop.checks),
    )


def struck_findings(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Give findings with their kinds and counts; a detail stays where it can only name a field."""
    return tuple(
        finding if finding.kind in _TOLD and _FIELD.fullmatch(finding.detail) else replace(finding, detail="")
        for finding in findings
    )


def struck_record(record: Record, striker: Striker, headers: dict[str, str]) -> Record:
    """Give a decoded record with as many characters in every text, and none of its words."""
    answer = record.answer
    reported = record.model_reported
    hidden = reported is not None and (striker.hides_endpoints or len(reported.split()) > 1)
    return replace(
        record,
        connection=striker.connection(record.connection),
        headers=headers,
        response_id=None if record.response_id is None else striker.digests.as_long_as(record.response_id),
        model_reported=striker.digests.as_long_as(reported or "") if hidden else reported,
        system_fingerprint=None
        if record.system_fingerprint is None
        else striker.digests.as_long_as(record.system_fingerprint),
        answer=Answer(
            text=_filled(answer.text),
            reasoning=_filled(answer.reasoning),
            refusal=_filled(answer.refusal),
            tool_calls=tuple(_call(call, striker) for call in answer.tool_calls),
            finish_reason=None if answer.finish_reason is None else _reason(answer.finish_reason),
        ),
        findings=struck_findings(record.findings),
        failure=None if record.failure is None else _struck_failure(record.failure),
    )


def _struck_failure(failure: Failure) -> Failure:
    """Leave of a server's words only those that a cause is read from: whose limit it was, whether it was loading."""
    said = _telling(failure.message)
    return Failure(
        kind=failure.kind,
        message=f"{STRUCK}: {said}" if said else STRUCK,
        code=_telling(failure.code) or None,
        error_type=_telling(failure.error_type) or None,
        shape=failure.shape,
    )


def _telling(text: str | None) -> str:
    plain = "".join(filter(str.isalnum, (text or "").lower()))
    return ", ".join(word for word in (*LOADING_WORDS, *LIMIT_WORDS) if word in plain)


def _reason(reason: str) -> str:
    return reason if REASON.fullmatch(reason) else _filled(reason)


def _filled(text: str) -> str:
    return "x" * len(text)


def _call(call: ToolCall, striker: Striker) -> ToolCall:
    name = call.name if call.name is None or call.name in striker.tool_names else _filled(call.name)
    found = None if call.id is None else striker.digests.as_long_as(call.id)
    return ToolCall(name=name, arguments=_filled(call.arguments), id=found, index=call.index)


def decodes_alike(masked: Record, struck: Record) -> bool:
    """Whether masked bytes say what the original's said, words aside: instants, counts, lengths."""
    return _bare(masked) == _bare(struck)


def _bare(record: Record) -> Record:
    """Leave out what is taken over, and keep of each text how long it is."""
    answer = record.answer
    lengths = Answer(
        text=str(len(answer.text)),
        reasoning=str(len(answer.reasoning)),
        refusal=str(len(answer.refusal)),
        tool_calls=tuple(
            ToolCall(name=None, arguments=str(len(call.arguments)), index=call.index) for call in answer.tool_calls
        ),
        finish_reason=answer.finish_reason,
    )
    return replace(record, answer=lengths, findings=(), failure=None, headers={})
