"""The sample turned into the cases that a page must survive."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from harness.analysis.certificate import certify
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Quantile, Tail
from harness.analysis.results.evidence import FailureRow
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.judgement import Judgement, ValidityCheck, Verdict
from harness.analysis.results.prompts import AnswerGroup, PromptRow, PromptSide
from harness.analysis.results.tokens import Economics
from harness.analysis.results.trial import Rung, ToolResult, Trial
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Answer, Arm, Record, RequestKey, Stamps, ToolCall
from harness.model.settings import Settings
from tests.report.leveled import leveled, open_loop, single_rate
from tests.report.sample import compared, gates, interval, known, missing, sample, single

HOSTILE = (
    "<script>alert(1)</script></style><img src=x onerror=alert(2)>"  # markup
    "\u202egnp.exe\u202c"  # right-to-left override
    "\x1b[31mred\x1b[0m\x07"  # terminal colours and the bell
    "\x00end \ud800 `code` | pipe | {{ 7 * 7 }} @everyone"
)


def passed() -> Analysis:
    """Give a PASS."""
    kept = tuple(replace(gate, outcome=Outcome.PASS) for gate in gates() if gate.outcome is not Outcome.NOT_APPLICABLE)
    judgement = Judgement(
        verdict=Verdict.PASS,
        sentence="On these 28 prompts a100-serverless can replace h100-gateway within your margins.",
        worst_case=("tool success −3.9 points (allowed −5)",),
        gates=kept,
        not_verified=("Traffic unlike these 28 prompts",),
    )
    return replace(sample(), judgement=judgement, failures=())


def invalid() -> Analysis:
    """Give a reference that does not answer its own set."""
    judgement = Judgement(
        verdict=Verdict.INVALID,
        sentence="No verdict: the reference does not answer this set (3 of 35 checkable trials, floor 50 %).",
        gates=tuple(replace(gate, outcome=Outcome.INCONCLUSIVE) for gate in gates()),
        validity=(
            ValidityCheck(
                id="reference_answers",
                title="The reference answers this set",
                is_met=False,
                evidence="3 of 35 checkable trials (floor 50 %)",
                consequence="INVALID",
            ),
        ),
        settle=("Correct the reference's endpoint file, then run again.",),
        not_verified=("Everything: nothing can be said about the candidate",),
    )
    return replace(sample(), judgement=judgement)


def unfinished() -> Analysis:
    """Give a run that was stopped by hand: nothing is wrong with it, and it may not pass."""
    both = passed()
    if both.judgement is None:
        raise LookupError("passed")
    stopped = ValidityCheck(
        id="finished",
        title="The run went to the end of its plan",
        is_met=False,
        evidence="candidate: stopped by Ctrl-C after 96 of 140 requests",
        consequence="no PASS",
    )
    judgement = replace(
        both.judgement,
        verdict=Verdict.INCONCLUSIVE,
        sentence=f"Not settled: the run did not go to the end of its plan ({stopped.evidence}).",
        validity=(stopped,),
    )
    return replace(both, judgement=judgement)


def all_failed() -> Analysis:
    """Give a candidate that fails every request."""
    return _failing(sample(), Arm.CANDIDATE)


def both_failed() -> Analysis:
    """Give two endpoints that fail every request."""
    return _failing(all_failed(), Arm.REFERENCE)


def single_failed() -> Analysis:
    """Give one endpoint, measured alone, that fails every request."""
    return _failing(single(), Arm.REFERENCE)


def nothing() -> Analysis:
    """Give a run that was stopped before its first request."""
    both = sample()
    empty = Judgement(verdict=Verdict.INCONCLUSIVE, sentence="Not settled: nothing was measured.")
    unsent = replace(
        both,
        judgement=empty,
        trials=(),
        tails=(),
        prompts=(),
        economics=(),
        throughput=(),
        failures=(),
        findings=(),
        instrument=(),
        certificate=certify(()),
    )
    return compared(unsent)


TIMES = frozenset({"ttft", "e2e", "decode_rate"})


def void() -> Analysis:
    """Give a run whose candidate was sent late and at three fifths of the load asked."""
    both = sample()
    reference, candidate = both.instrument
    late = replace(
        candidate, send_lateness_p99_s=known(0.0123), load=replace(candidate.load, offered_fraction=known(0.61))
    )
    judgement = both.judgement
    assert judgement is not None
    gates = tuple(
        replace(gate, is_timing=True, is_void=True, outcome=Outcome.INCONCLUSIVE) if gate.metric in TIMES else gate
        for gate in judgement.gates
    )
    return replace(
        both,
        judgement=replace(judgement, gates=gates),
        instrument=(reference, late),
        certificate=certify((reference, late)),
    )


CASES: Mapping[str, Callable[[], Analysis]] = {
    "sample": sample,
    "single": single,
    "passed": passed,
    "invalid": invalid,
    "unfinished": unfinished,
    "all_failed": all_failed,
    "both_failed": both_failed,
    "single_failed": single_failed,
    "nothing": nothing,
    "void": void,
    "leveled": leveled,
    "open_loop": open_loop,
    "single_rate": single_rate,
}


def _failing(analysis: Analysis, arm: Arm) -> Analysis:
    judgement = analysis.judgement
    failed = replace(
        analysis,
        trials=tuple(_failed_trial(trial) if trial.key.arm is arm else trial for trial in analysis.trials),
        tails=tuple(_failed_tail(tail) if tail.arm is arm else tail for tail in analysis.tails),
        prompts=tuple(_failed_row(row, arm) for row in analysis.prompts),
        economics=tuple(_failed_economics(side) if side.arm is arm else side for side in analysis.economics),
        failures=(
            FailureRow(
                arm=arm,
                kind="server_error",
                n=140,
                prompts=tuple(row.prompt_id for row in analysis.prompts),
                example="HTTP 500: internal error",
                advice="Read the server's log.",
            ),
        ),
        judgement=replace(judgement, gates=tuple(map(_failed_gate, judgement.gates))) if judgement else None,
    )
    return compared(failed)


def _failed_trial(trial: Trial) -> Trial:
    return replace(
        trial,
        failure="server_error",
        failure_message="HTTP 500: internal error",
        task_success=None if trial.task_success is None else False,
        tool=None if trial.tool is None else ToolResult(rung=Rung.TRANSPORT),
        checks=(),
        metrics={name: missing("the request failed") for name in trial.metrics},
        canonical="",
    )


def _failed_tail(tail: Tail) -> Tail:
    is_latency = tail.metric != "decode_rate"
    lost = known(math.inf) if is_latency else missing("no request has a value")
    return replace(
        tail,
        n=140 if is_latency else 0,
        n_failed=140 if is_latency else 0,
        values=(),
        quantiles=tuple(Quantile(q=quantile.q, value=lost) for quantile in tail.quantiles),
        worst=None,
    )


def _failed_side(side: PromptSide) -> PromptSide:
    nothing_came = missing("every request failed")
    return replace(
        side,
        n_failed=side.n,
        task_successes=None if side.task_successes is None else 0,
        tool_successes=None if side.tool_successes is None else 0,
        ttft_p50_s=nothing_came,
        decode_p50=nothing_came,
        e2e_p50_s=nothing_came,
        completion_tokens_p50=nothing_came,
        answers=(),
        self_agreement=nothing_came,
    )


def _failed_row(row: PromptRow, arm: Arm) -> PromptRow:
    nothing_came = missing("a side has no answer")
    is_reference = arm is Arm.REFERENCE
    return replace(
        row,
        reference=_failed_side(row.reference) if is_reference else row.reference,
        candidate=_failed_side(row.candidate) if row.candidate and not is_reference else row.candidate,
        cross_agreement=nothing_came,
        ttft_ratio=known(math.inf) if row.candidate and not is_reference else nothing_came,
        decode_ratio=nothing_came,
    )


def _failed_economics(side: Economics) -> Economics:
    return replace(
        side,
        n_successes=0,
        n_failed=side.n_requests,
        completion_tokens=None,
        cost=known(0.0),
        cost_per_success=missing("no request succeeded"),
    )


def _failed_gate(gate: Gate) -> Gate:
    if gate.kind is GateKind.DIFFERENCE:
        return gate
    if gate.higher_is_better:
        return replace(
            gate,
            outcome=Outcome.INCONCLUSIVE,
            effect=missing("no request of the candidate has a value"),
            interval=None,
            bound=None,
        )
    return replace(
        gate,
        outcome=Outcome.FAIL,
        effect=known(math.inf),
        candidate=known(math.inf),
        interval=interval(math.inf, math.inf),
        bound=math.inf,
    )


def hostile() -> Analysis:
    """Give an endpoint whose every word is an attack, in names, answers, messages, tool calls."""
    both = sample()
    call = ToolCall(name=HOSTILE, arguments=HOSTILE, id=HOSTILE)
    judged = both.judgement
    candidate = both.case.candidate
    if judged is None or candidate is None:
        raise LookupError("sample")
    return replace(
        both,
        case=replace(
            both.case,
            reference=replace(
                both.case.reference, name=HOSTILE, endpoint={"model": HOSTILE, "labels": {HOSTILE: HOSTILE}}
            ),
            candidate=replace(
                candidate,
                records=tuple(
                    replace(record, answer=Answer(text=HOSTILE, tool_calls=(call,))) for record in candidate.records
                ),
            ),
        ),
        judgement=replace(
            judged,
            sentence=HOSTILE,
            worst_case=(HOSTILE,),
            settle=(HOSTILE,),
            not_verified=(HOSTILE,),
            notes=(HOSTILE,),
            gates=tuple(replace(gate, reason=HOSTILE, evidence=(HOSTILE,)) for gate in judged.gates),
            validity=tuple(replace(check, evidence=HOSTILE) for check in judged.validity),
        ),
        trials=tuple(
            replace(trial, failure="server_error", failure_message=HOSTILE, tool=ToolResult(rung=Rung.OK, tool=HOSTILE))
            for trial in both.trials
        ),
        failures=tuple(replace(row, example=HOSTILE, advice=HOSTILE) for row in both.failures),
        findings=tuple(replace(row, example=HOSTILE, advice=HOSTILE) for row in both.findings),
    )


def large(n_prompts: int = 50, repeats: int = 10, length: int = 3_000) -> Analysis:
    """Give the largest usual run: every answer different, long, and dear to escape."""
    both = sample()
    prompts = [
        Prompt(id=f"prompt-{index:02}", category="text", intent="A long answer.", request={"messages": []})
        for index in range(n_prompts)
    ]
    golden = GoldenSet(name="large", prompts=prompts)
    records = {arm: _long_records(golden, arm, repeats, length) for arm in (Arm.REFERENCE, Arm.CANDIDATE)}
    template = both.prompts[0]
    rows = tuple(
        replace(
            template,
            prompt_id=prompt.id,
            reference=_grouped(template.reference, records[Arm.REFERENCE], prompt.id),
            candidate=_grouped(template.reference, records[Arm.CANDIDATE], prompt.id),
        )
        for prompt in prompts
    )
    candidate = both.case.candidate
    if candidate is None:
        raise LookupError("sample")
    return replace(
        both,
        case=replace(
            both.case,
            golden=golden,
            settings=Settings(),
            reference=replace(both.case.reference, records=records[Arm.REFERENCE]),
            candidate=replace(candidate, records=records[Arm.CANDIDATE]),
        ),
        trials=(),
        prompts=rows,
        tails=tuple(
            replace(
                tail, n=n_prompts * repeats, values=tuple(0.2 + 0.001 * rank for rank in range(n_prompts * repeats))
            )
            for tail in both.tails
        ),
    )


def _long_records(golden: GoldenSet, arm: Arm, repeats: int, length: int) -> tuple[Record, ...]:
    return tuple(
        Record(
            key=RequestKey(arm=arm, prompt_id=prompt.id, repeat=repeat),
            attempt=1,
            block=0,
            stamps=Stamps(intended_at_ns=0),
            answer=Answer(text=(f'{{"{arm}": "{repeat}", "語": "日本語のテキスト"}}\n' * length)[:length]),
        )
        for prompt in golden.prompts
        for repeat in range(repeats)
    )


def _grouped(side: PromptSide, records: tuple[Record, ...], prompt_id: str) -> PromptSide:
    mine = [record for record in records if record.key.prompt_id == prompt_id]
    return replace(
        side,
        answers=tuple(AnswerGroup(canonical=record.answer.text, count=1, keys=(record.key,)) for record in mine),
    )
