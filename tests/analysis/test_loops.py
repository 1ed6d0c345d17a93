"""Tool loops judged: the top rung, what was not run, what the gates make of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from harness.analysis.analyse import analyse
from harness.analysis.examplechecks import example_problems
from harness.analysis.gatetable import GATES
from harness.analysis.loops import tool_loops
from harness.analysis.pairs import pair_trials, rate_pairs
from harness.analysis.prompts import prompt_rows
from harness.analysis.results.trial import LoopOutcome, Rung, Trial
from harness.analysis.trials import JudgedRecord, first_attempts, judge_side
from harness.model.golden import Example, ExampleCall, GoldenSet, Prompt
from harness.model.record import Answer, Arm, Failure, FailureKind, Record
from harness.model.settings import Settings
from tests.analysis.cases import BOTH, a_case, a_key, a_record, a_side, failed
from tests.analysis.replies import a_call, a_check
from tests.analysis.replies import a_prompt as a_tool_prompt

if TYPE_CHECKING:
    from harness.analysis.results.case import Case

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
LOOP = msgspec.structs.replace(
    a_tool_prompt(a_check("tool_called", {"name": "f", "arguments": {"city": "Oslo"}}), tools={"f": SCHEMA, "g": None}),
    tool_results={"f": {"canary": "heron-42"}},
    final=[a_check("no_tool"), a_check("contains", "heron-42")],
)
CALLS = Answer(tool_calls=(a_call("f", {"city": "Oslo"}, "c1"),), finish_reason="tool_calls")
WRONG_CALLS = Answer(tool_calls=(a_call("f", {"city": "Bergen"}, "c1"),), finish_reason="tool_calls")
TALKS = Answer(text="It is cold there.", finish_reason="stop")
USES = Answer(text="The bird is heron-42.", finish_reason="stop")
BROKEN = Failure(kind=FailureKind.BAD_REQUEST, message="reasoning_content is missing")
TOOLS, TASKS = (next(row for row in GATES if row.id == name) for name in ("tool_success", "task_success"))


def first(repeat: int = 0, answer: Answer = CALLS, arm: Arm = Arm.REFERENCE, **changes: Any) -> Record:
    return a_record(key=a_key(repeat, arm=arm), block=repeat + 1, answer=answer, **changes)


def second(repeat: int = 0, answer: Answer = USES, arm: Arm = Arm.REFERENCE, **changes: Any) -> Record:
    return a_record(key=replace(a_key(repeat, arm=arm), turn=2), block=repeat + 1, answer=answer, **changes)


def judged(*records: Record, prompt: Prompt = LOOP, arm: Arm = Arm.REFERENCE) -> tuple[JudgedRecord, ...]:
    return judge_side(a_side(records, arm), GoldenSet(name="g", prompts=[prompt]))


def trial(*records: Record) -> Trial:
    (item,) = judged(*records)
    return item.trial


def test_a_valid_call_and_an_answer_that_uses_the_value_are_a_success() -> None:
    found = trial(first(), second())
    assert found.tool is not None
    assert found.loop is not None
    assert (found.tool.rung, found.task_success, found.loop.outcome) == (Rung.OK, True, LoopOutcome.ANSWERED)
    assert [check.where for check in found.checks][1:] == ["second answer: tool calls", "second answer: answer text"]
    assert found.key == a_key()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (TALKS, "second answer lacks the value: expected contains heron-42, came It is cold there."),
        (CALLS, "second answer lacks the value: expected no call, came another call (f)"),
        (Answer(text="heron-42", tool_calls=CALLS.tool_calls), "second answer lacks the value: expected no call"),
    ],
)
def test_an_answer_without_the_value_falls_at_the_top_of_the_ladder(answer: Answer, told: str) -> None:
    found = trial(first(), second(answer=answer))
    assert found.tool is not None
    assert (found.tool.rung, found.tool.tool, found.task_success) == (Rung.LOOP, "f", False)
    assert told in found.tool.detail
    assert found.failure is None
    assert any(not check.passed and check.where.startswith("second answer") for check in found.checks)


def test_a_second_request_that_fails_falls_with_its_reason() -> None:
    found = trial(first(), second(answer=Answer(), failure=BROKEN))
    assert found.tool is not None
    assert (found.tool.rung, found.task_success, found.failure) == (Rung.LOOP, False, None)
    assert found.tool.detail == "second request failed: bad_request: reasoning_content is missing"


def test_wrong_calls_fall_where_they_fell_whatever_the_second_answer_says() -> None:
    found = trial(first(answer=WRONG_CALLS), second())
    assert found.tool is not None
    assert found.tool.rung is Rung.ARGUMENT_MISMATCH
    assert found.task_success is False


@pytest.mark.parametrize(
    ("answer", "rung", "detail"),
    [
        (TALKS, Rung.DECISION, "no tool was called"),
        (Answer(tool_calls=(a_call("g", {}),)), Rung.DECISION, "no canned result for g"),
    ],
)
def test_without_an_answerable_call_there_is_no_second_request_to_miss(answer: Answer, rung: Rung, detail: str) -> None:
    found = trial(first(answer=answer))
    assert found.tool is not None
    assert found.loop is not None
    assert (found.tool.rung, found.task_success) == (rung, False)
    assert (found.loop.outcome, found.loop.detail) == (LoopOutcome.ENDED, detail)


def test_a_valid_call_of_a_tool_without_a_result_ends_the_loop_below_its_top() -> None:
    counted = msgspec.structs.replace(LOOP, checks=[a_check("tool_count", 1)])
    (item,) = judged(first(answer=Answer(tool_calls=(a_call("g", {}),))), prompt=counted)
    assert item.trial.tool is not None
    assert item.trial.tool.rung is Rung.LOOP
    assert item.trial.tool.detail == "no second request: no canned result for g"


def test_a_failed_first_request_is_a_failure_as_ever() -> None:
    found = trial(failed(key=a_key(), block=1))
    assert found.tool is not None
    assert (found.failure, found.tool.rung, found.task_success) == ("server_error", Rung.TRANSPORT, False)


CANCELLED = second(answer=Answer(), failure=Failure(kind=FailureKind.CANCELLED, message="stopped"))


@pytest.mark.parametrize("rest", [(), (CANCELLED,)])
def test_a_loop_that_was_not_run_is_neither_success_nor_failure(rest: Sequence[Record]) -> None:
    found = trial(first(), *rest)
    assert found.tool is not None
    assert found.loop is not None
    assert (found.tool.rung, found.task_success, found.loop.outcome) == (Rung.NOT_RUN, None, LoopOutcome.NOT_RUN)
    assert TOOLS.outcome is not None
    assert TOOLS.outcome(found) is None


def test_one_loop_that_was_not_run_leaves_its_prompt_without_outcome_on_that_side() -> None:
    """Else the wrong calls would count, which need no second request, and right ones would not."""
    reference = [record for repeat in range(4) for record in (first(repeat), second(repeat))]
    candidate = [first(0, arm=Arm.CANDIDATE), second(0, arm=Arm.CANDIDATE), first(1, arm=Arm.CANDIDATE)]
    candidate += [first(2, WRONG_CALLS, Arm.CANDIDATE), failed(key=a_key(3, arm=Arm.CANDIDATE), block=4)]
    trials = [item.trial for item in (*judged(*reference), *judged(*candidate, arm=Arm.CANDIDATE))]
    golden = GoldenSet(name="g", prompts=[LOOP])
    pairs = pair_trials(trials)
    assert len(pairs) == 4
    assert [len(rate_pairs(row, pairs, golden).pairs) for row in (TOOLS, TASKS)] == [0, 0]
    (row,) = prompt_rows([*judged(*reference), *judged(*candidate, arm=Arm.CANDIDATE)], golden, BOTH)
    assert row.candidate is not None
    assert (row.reference.tool_successes, row.reference.task_successes) == (4, 4)
    assert (row.candidate.tool_successes, row.candidate.task_successes) == (None, None)


def test_a_prompt_without_final_checks_is_judged_by_its_calls_alone() -> None:
    """As runs were that were recorded before loops went on."""
    (item,) = judged(first(), prompt=msgspec.structs.replace(LOOP, final=[]))
    assert item.trial.loop is None
    assert item.trial.task_success is True


def test_warm_ups_other_levels_and_cold_requests_await_no_loop() -> None:
    keys = (a_key(is_warmup=True), a_key(level=1))
    items = judged(*(a_record(key=key, answer=CALLS) for key in keys), first(9, is_possibly_cold=True))
    assert [item.trial.loop for item in items] == [None] * 3
    assert all(item.trial.tool is not None and item.trial.tool.rung is Rung.OK for item in items)


def test_what_follows_is_no_trial_and_enters_no_statistic() -> None:
    whole = a_record(key=replace(a_key(), is_streamed=False), block=1, answer=CALLS, was_streamed=False)
    records = [first(), second(), whole]
    assert [record.key for record in first_attempts(records)] == [a_key()]
    with_more, alone = (
        analyse(a_case(found, None, GoldenSet(name="g", prompts=[LOOP]))) for found in (records, records[:2])
    )
    assert with_more.tails == alone.tails
    assert with_more.instrument == alone.instrument
    assert with_more.throughput == alone.throughput
    assert with_more.prompts == alone.prompts
    assert with_more.trials == alone.trials


def test_a_bill_counts_all_that_was_sent_and_a_task_its_second_request() -> None:
    prices = {"currency": "USD", "input_per_mtok": 0, "output_per_mtok": 1_000_000}
    whole = a_record(key=replace(a_key(), is_streamed=False), tokens=7)
    lost = failed(FailureKind.RATE_LIMITED, status=429, key=replace(a_key(1), turn=2), block=2)
    records = [first(tokens=10), second(tokens=5), whole, first(1, tokens=10), lost]
    found = analyse(a_case(records, None, GoldenSet(name="g", prompts=[LOOP]), prices=prices))
    (money,) = found.economics
    assert (money.n_requests, money.n_failed, money.n_follow_ups) == (5, 1, 3)
    assert (money.completion_tokens, money.cost.value) == (32, 32)
    assert money.cost_per_success.value == 25  # one task of two, at what both took; the unstreamed repeat is of none
    (row,) = found.failures
    assert (row.kind, row.n, row.n_follow_ups) == ("rate_limited", 1, 1)


def test_loops_are_counted_by_how_they_ended() -> None:
    seconds = [second(0), second(1, TALKS), second(2, Answer(), failure=BROKEN)]
    items = judged(*map(first, range(3)), *seconds, first(3, TALKS))
    found = tool_loops(Arm.REFERENCE, [item.trial for item in items])
    assert found is not None
    assert found.n == 4
    assert found.outcomes == {
        LoopOutcome.ANSWERED: 1,
        LoopOutcome.LACKS_VALUE: 1,
        LoopOutcome.FAILED: 1,
        LoopOutcome.ENDED: 1,
        LoopOutcome.NOT_RUN: 0,
    }
    assert tool_loops(Arm.REFERENCE, []) is None


def test_a_lost_loop_is_named_beside_the_gate() -> None:
    golden = GoldenSet(name="g", prompts=[LOOP])
    reference = [record for repeat in range(6) for record in (first(repeat), second(repeat))]
    candidate = [
        record
        for repeat in range(6)
        for record in (first(repeat, arm=Arm.CANDIDATE), second(repeat, TALKS, Arm.CANDIDATE))
    ]
    case: Case = a_case(reference, candidate, golden)
    judgement = analyse(replace(case, settings=Settings())).judgement
    assert judgement is not None
    gate = next(gate for gate in judgement.gates if gate.id == "tool_success")
    assert (gate.n_reference, gate.successes_candidate) == (6, 0)
    assert "6 of 6 losses are a broken tool loop in f" in gate.evidence


def test_an_example_of_a_loop_is_judged_in_two_halves() -> None:
    calls = [ExampleCall(name="f", arguments={"city": "Oslo"})]
    right = msgspec.structs.replace(LOOP, example=Example(text="It is heron-42.", tool_calls=calls))
    wrong = msgspec.structs.replace(LOOP, example=Example(text="It is cold.", tool_calls=calls))
    assert example_problems(right) == ()
    (problem,) = example_problems(wrong)
    assert "its example fails contains: heron-42" in problem
