"""Judges tool loops: the second answer must use what the tools returned.

A loop that was not run says nothing about its endpoint. Judging the other repeats of its prompt alone would count the
wrong calls, which need no second request, and leave right ones out: such a prompt has no outcome on that side at all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from harness.analysis.answers import AnswerJudgement, judge_answer
from harness.analysis.excerpts import excerpt
from harness.analysis.results.tools import ToolLoops
from harness.analysis.results.trial import CheckResult, LoopOutcome, LoopResult, Rung, ToolResult, Trial
from harness.model.golden import Prompt
from harness.model.record import Arm, FailureKind, Record, RequestKey
from harness.model.toolloop import why_no_second_turn

SECOND_TURN = 2
WHERE = "second answer"
_FALLS = {
    LoopOutcome.LACKS_VALUE: "second answer lacks the value",
    LoopOutcome.FAILED: "second request failed",
    LoopOutcome.ENDED: "no second request",
}


def second_turns(records: Sequence[Record]) -> dict[RequestKey, Record]:
    """Find the second answers, by the key of their first request."""
    found = {record.key: record for record in reversed(records) if record.attempt == 1}
    return {replace(key, turn=1): record for key, record in found.items() if key.turn == SECOND_TURN}


def judge_loop(prompt: Prompt, first: Record, second: Record | None) -> LoopResult:
    """Say how the loop of a judged first answer ended."""
    if first.failure is not None:
        return LoopResult(outcome=LoopOutcome.ENDED, detail="the first request failed")
    ended = why_no_second_turn([call.name for call in first.answer.tool_calls], prompt.tool_results)
    if ended is not None:
        return LoopResult(outcome=LoopOutcome.ENDED, detail=ended)
    if second is None or (second.failure is not None and second.failure.kind is FailureKind.CANCELLED):
        return LoopResult(outcome=LoopOutcome.NOT_RUN)
    if second.failure is not None:
        detail = f"{second.failure.kind}: {excerpt(second.failure.message)}"
        return LoopResult(outcome=LoopOutcome.FAILED, detail=detail)
    return _of_second_answer(prompt, second)


def _of_second_answer(prompt: Prompt, second: Record) -> LoopResult:
    judged = judge_answer(msgspec.structs.replace(prompt, checks=prompt.final), second)
    checks = tuple(replace(check, where=_where(check)) for check in judged.checks)
    missed = next((check for check in checks if not check.passed), None)
    if missed is None:
        return LoopResult(outcome=LoopOutcome.ANSWERED, checks=checks)
    again = ", ".join(call.name or "?" for call in second.answer.tool_calls)
    came = f"another call ({again})" if again and not second.answer.text else excerpt(missed.came, 80)
    detail = f"expected {missed.expected}, came {came}"
    return LoopResult(outcome=LoopOutcome.LACKS_VALUE, detail=detail, checks=checks)


def _where(check: CheckResult) -> str:
    return f"{WHERE}: {check.where}" if check.where else WHERE


def with_loop(judgement: AnswerJudgement, loop: LoopResult, *, is_settled: bool) -> AnswerJudgement:
    """Put the loop at the top of the tool ladder; an unsettled prompt has no outcome."""
    tool = judgement.tool
    if not is_settled:
        not_run = ToolResult(rung=Rung.NOT_RUN, detail="the run ended before its tool loops did")
        return replace(judgement, task_success=None, tool=not_run if tool is not None else None)
    if tool is None or tool.rung is not Rung.OK:
        return judgement
    if loop.outcome in _FALLS:
        fallen = ToolResult(rung=Rung.LOOP, tool=tool.tool, detail=_fall(loop))
        return replace(judgement, task_success=False, tool=fallen, checks=(*judgement.checks, *loop.checks))
    return replace(judgement, checks=(*judgement.checks, *loop.checks))


def _fall(loop: LoopResult) -> str:
    return f"{_FALLS[loop.outcome]}: {loop.detail}"


def tool_loops(arm: Arm, trials: Sequence[Trial]) -> ToolLoops | None:
    """Count how one side's judged loops ended; None where no prompt says what a tool returns."""
    ended = Counter(trial.loop.outcome for trial in trials if trial.is_judged and trial.loop is not None)
    if not ended:
        return None
    outcomes: Mapping[LoopOutcome, int] = {outcome: ended[outcome] for outcome in LoopOutcome}
    return ToolLoops(arm=arm, n=ended.total(), outcomes=outcomes)
