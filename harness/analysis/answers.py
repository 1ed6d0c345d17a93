"""Judges one answer: its checks, its tool calls, its JSON, whether it was refused or cut off."""

from dataclasses import dataclass

from harness.analysis.canonical import canonical_answer
from harness.analysis.checkoutcome import Evidence
from harness.analysis.checks import judge_check
from harness.analysis.finishwords import contract_word
from harness.analysis.jsontext import read_json
from harness.analysis.refusals import REFUSAL_IS_RIGHT, is_refusal
from harness.analysis.results.trial import CheckResult, ToolResult
from harness.analysis.tools import judge_tools
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import Record

_LENGTH = "length"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerJudgement:
    """What one record's answer is worth."""

    task_success: bool | None  # None: the prompt has no checks
    checks: tuple[CheckResult, ...]  # empty when the request failed: nothing to look at
    tool: ToolResult | None  # None: not a tool prompt
    json_valid: bool | None  # None: not a JSON prompt
    was_refused: bool | None  # None: the request failed, or declining is right
    was_truncated: bool | None  # None: the request failed, or the prompt asks to be cut off
    canonical: str  # empty when the request failed


def judge_answer(prompt: Prompt, record: Record) -> AnswerJudgement:
    """Judge a record's answer by its prompt; a failed request is no success of any kind."""
    tool = judge_tools(prompt, record)
    if record.failure is not None:
        return AnswerJudgement(
            task_success=False if prompt.checks else None,
            checks=(),
            tool=tool,
            json_valid=False if prompt.is_json_prompt else None,
            was_refused=None,
            was_truncated=None,
            canonical="",
        )
    evidence = Evidence(record=record, tool=tool)
    checks = tuple(judge_check(check, evidence) for check in prompt.checks)
    return AnswerJudgement(
        task_success=all(result.passed for result in checks) if checks else None,
        checks=checks,
        tool=tool,
        json_valid=read_json(record.answer.text).problem is None if prompt.is_json_prompt else None,
        was_refused=None if REFUSAL_IS_RIGHT in prompt.tags else is_refusal(record.answer),
        was_truncated=None if _asks_to_be_cut(prompt) else contract_word(record.answer.finish_reason) == _LENGTH,
        canonical=canonical_answer(record.answer),
    )


def _asks_to_be_cut(prompt: Prompt) -> bool:
    return any(map(_expects_length, prompt.checks))


def _expects_length(check: Check) -> bool:
    if check.kind is not CheckKind.FINISH_REASON or check.negated:
        return False
    allowed = check.argument if isinstance(check.argument, list) else [check.argument]
    return _LENGTH in map(contract_word, allowed)
