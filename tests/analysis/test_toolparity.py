"""When tools are called and how the calls hold up: every share by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.parity import NO_CANDIDATE_ANSWER, ONE_ENDPOINT, ONE_REFERENCE_ANSWER
from harness.analysis.results.answers import Agreement
from harness.analysis.results.tools import ToolComparison, ToolSide
from harness.analysis.results.trial import Rung, ToolResult
from harness.analysis.toolparity import NO_TRIAL, compare_tools, has_valid_calls, pass_all_k, pass_at_k
from harness.analysis.trials import judge_side
from harness.analysis.triggers import NO_CALL, ONE_REPEAT
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import Answer, Arm, Record
from tests.analysis.cases import BOTH, a_golden, a_key, a_prompt, a_record, a_side, failed
from tests.analysis.replies import a_call, an_answer

SCHEMA = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
CALL = an_answer("", a_call("weather", {"city": "Oslo"}))
TALK = an_answer("It is cold.")
LEAK = an_answer('<tool_call>{"name": "weather"}</tool_call>')
BAD = an_answer("", a_call("weather", {"town": "Oslo"}))


def tool_prompt(prompt_id: str = "p", *, checked: bool = True, schema: Any = SCHEMA) -> Prompt:
    functions = [{"type": "function", "function": {"name": "weather", "parameters": schema}}]
    checks = [Check(kind=CheckKind.TOOL_CALLED, argument="weather")] if checked else []
    return Prompt(id=prompt_id, category="c", intent="i", request={"messages": [], "tools": functions}, checks=checks)


Told = Mapping[str, Sequence[Answer | None]]


def records(told: Told, arm: Arm) -> list[Record]:
    """Give a record per answer; None: a failed request."""
    return [
        failed(key=key) if answer is None else a_record(key=key, answer=answer)
        for prompt_id, answers in told.items()
        for key, answer in ((a_key(i, arm=arm, prompt_id=prompt_id), answer) for i, answer in enumerate(answers))
    ]


def compared(reference: Told, candidate: Told | None, *prompts: Prompt) -> ToolComparison:
    golden = a_golden(*(prompts or map(tool_prompt, reference)))
    told = dict(zip(BOTH, (reference, candidate), strict=True))
    judged = {arm: judge_side(a_side(records(one, arm), arm), golden) for arm, one in told.items() if one is not None}
    found = compare_tools(judged, golden)
    assert found is not None
    return found


def trigger(found: ToolComparison, metric: str = "tool_trigger_f1") -> Agreement:
    return next(row for row in found.triggers if row.metric == metric)


def side(found: ToolComparison, arm: Arm = Arm.CANDIDATE) -> ToolSide:
    return next(one for one in found.sides if one.arm is arm)


def test_trigger_agreement_is_the_f1_over_every_pair_of_answers() -> None:
    """First prompt p = 1, q = 1/2; second p = 1/2, q = 0: TP = 1/2 of 1.5 + 0.5 calls, so F1 = 2 x 0.5 / 2."""
    found = compared({"a": [CALL] * 4, "b": [CALL, CALL, TALK, TALK]}, {"a": [CALL, TALK], "b": [TALK, TALK]})
    f1 = trigger(found)
    assert f1.cross.value == pytest.approx(2 * (1 * 0.5 + 0.5 * 0) / ((1 + 0.5) + (0.5 + 0)))
    assert f1.n_prompts == 2
    # The ceiling: over pairs of different repeats, 1 for the first prompt and 2 x 1 / (4 x 3) for the second.
    assert f1.reference_self.value == pytest.approx(2 * (1 + 1 / 6) / (2 * (1 + 0.5)))
    assert f1.candidate_self.value == pytest.approx(0.0)  # of its two calling repeats, one of two: no pair calls


def test_trigger_agreement_of_one_repeat_each_is_the_usual_f1() -> None:
    """TP 2, FP 1, FN 1 among prompts that the reference repeats with the same decision."""
    reference = {"a": [CALL] * 2, "b": [CALL] * 2, "c": [CALL] * 2, "d": [TALK] * 2, "e": [TALK] * 2}
    candidate: Told = {"a": [CALL], "b": [CALL], "c": [TALK], "d": [CALL], "e": [TALK]}
    f1 = trigger(compared(reference, candidate))
    precision = recall = 2 / 3
    assert f1.cross.value == pytest.approx(2 * precision * recall / (precision + recall))
    assert f1.reference_self.value == 1
    assert f1.candidate_self.reason == f1.excess.reason == ONE_REPEAT


def test_pairs_that_both_call_stand_beside_what_the_reference_achieves() -> None:
    """Mean p q = (1 x 1/2 + 1/2 x 1/2) / 2, mean p squared over pairs = (1 + 2 / 12) / 2."""
    found = compared({"a": [CALL] * 4, "b": [CALL, CALL, TALK, TALK]}, {"a": [CALL, TALK], "b": [CALL, TALK]})
    together = trigger(found, "tool_trigger_pairs")
    assert together.cross.value == pytest.approx((0.5 + 0.25) / 2)
    assert together.reference_self.value == pytest.approx((1 + 1 / 6) / 2)
    assert found.trigger_share.value == pytest.approx(0.375 / (7 / 12))


def test_a_call_counts_whatever_its_finish_reason_and_a_failed_request_calls_nothing() -> None:
    stopped = an_answer("", a_call("weather", {"city": "Oslo"}), finish_reason="stop")
    empty = an_answer("", finish_reason="tool_calls")
    found = compared({"a": [CALL, CALL]}, {"a": [stopped, stopped, empty, None]})
    assert trigger(found).cross.value == pytest.approx(2 * 0.5 / 1.5)
    assert trigger(found, "tool_trigger_f1_by_finish").cross.value == pytest.approx(2 * 0.25 / 1.25)


def test_what_has_no_value_says_why() -> None:
    once = trigger(compared({"a": [CALL]}, {"a": [CALL, CALL]}))
    assert (once.n_prompts, once.reference_self.reason, once.cross.reason) == (
        0,
        ONE_REFERENCE_ANSWER,
        ONE_REFERENCE_ANSWER,
    )
    assert trigger(compared({"a": [CALL, CALL]}, {"a": []})).cross.reason == NO_CANDIDATE_ANSWER
    silent = compared({"a": [TALK, TALK]}, {"a": [TALK, TALK]})
    assert trigger(silent).cross.reason == NO_CALL
    assert trigger(silent, "tool_trigger_pairs").cross.value == 0
    assert silent.trigger_share.reason == "the divisor is zero"
    alone = compared({"a": [CALL, TALK]}, None)
    assert trigger(alone).reference_self.value == 0  # one of two calls: no pair calls together
    assert {trigger(alone).cross.reason, trigger(alone).candidate_self.reason} == {ONE_ENDPOINT}


def test_schema_accuracy_is_that_of_the_answers_that_call() -> None:
    """Of four answers three call; two of them satisfy the schema."""
    found = side(compared({"a": [CALL] * 2}, {"a": [CALL, CALL, BAD, TALK]}))
    assert (found.n_calling, found.n_schema_valid) == (3, 2)
    assert found.schema_accuracy.value == pytest.approx(2 / 3)
    assert side(compared({"a": [CALL] * 2}, {"a": [TALK, None]})).schema_accuracy.reason == NO_CALL


@pytest.mark.parametrize(
    ("answer", "is_valid"),
    [
        (CALL, True),
        (BAD, False),
        (an_answer("", a_call("weather", {"city": "Oslo"}), a_call("weather", {"city": 5})), False),
        (an_answer("", a_call("tide", {"city": "Oslo"})), False),
        (an_answer("", a_call("weather", '{"city": "Oslo"')), False),
        (an_answer("", a_call("weather", "[]")), False),
    ],
)
def test_every_call_of_an_answer_must_hold(answer: Answer, *, is_valid: bool) -> None:
    assert has_valid_calls(tool_prompt(), answer) is is_valid


@pytest.mark.parametrize("schema", [{}, None])
def test_an_empty_schema_allows_any_object(schema: Any) -> None:
    assert has_valid_calls(tool_prompt(schema=schema), an_answer("", a_call("weather", {"x": 1})))
    assert not has_valid_calls(tool_prompt(schema=schema), an_answer("", a_call("weather", "5")))


def test_the_ladder_is_counted_by_rung_with_leaked_markup_apart() -> None:
    found = side(compared({"a": [CALL] * 2}, {"a": [CALL, LEAK, BAD, TALK, None]}))
    assert found.rungs == {"ok": 1, "LeakedMarkup": 1, "SchemaMismatch": 1, "decision": 1, "transport": 1}
    assert found.n_trials == 5


def test_a_loop_that_was_not_run_is_no_trial() -> None:
    golden = a_golden(tool_prompt("a"))
    judged = judge_side(a_side(records({"a": [CALL] * 4}, Arm.REFERENCE)), golden)
    unrun = replace(judged[0], trial=replace(judged[0].trial, tool=ToolResult(rung=Rung.NOT_RUN)))
    found = compare_tools({Arm.REFERENCE: (unrun, *judged[1:])}, golden)
    assert found is not None
    assert (found.sides[0].n_trials, found.sides[0].k) == (3, 3)
    assert found.sides[0].rungs == {"ok": 3, "not run": 1}
    assert found.sides[0].pass_all_k.value == 1


def test_prompts_without_an_expectation_have_triggers_and_no_ladder() -> None:
    found = compared({"a": [CALL, CALL]}, {"a": [CALL, CALL]}, tool_prompt("a", checked=False))
    assert trigger(found).cross.value == 1
    assert side(found).n_trials == 0
    assert side(found).pass_at_k.reason == NO_TRIAL
    assert compare_tools({Arm.REFERENCE: ()}, a_golden(a_prompt())) is None


@pytest.mark.parametrize(
    ("n", "passed", "k", "any_passes", "all_pass"),
    [(5, 5, 3, 1, 1), (5, 0, 3, 0, 0), (4, 2, 2, 1 - 1 / 6, 1 / 6), (5, 4, 2, 1, 6 / 10), (3, 1, 3, 1, 0)],
)
def test_pass_at_k_and_pass_hat_k_count_draws_without_replacement(
    n: int, passed: int, k: int, any_passes: float, all_pass: float
) -> None:
    assert pass_at_k(n, passed, k) == pytest.approx(any_passes)
    assert pass_all_k(n, passed, k) == pytest.approx(all_pass)


def test_k_is_the_fewest_repeats_of_any_prompt_on_either_side() -> None:
    """k = 2: the first prompt passes 2 of 4, the second 2 of 2."""
    found = compared({"a": [CALL] * 5, "b": [CALL] * 3}, {"a": [CALL, CALL, TALK, TALK], "b": [CALL, CALL]})
    assert side(found).k == side(found, Arm.REFERENCE).k == 2
    assert side(found).pass_at_k.value == pytest.approx((5 / 6 + 1) / 2)
    assert side(found).pass_all_k.value == pytest.approx((1 / 6 + 1) / 2)
    once = side(compared({"a": [CALL] * 2}, {"a": [CALL]}))
    assert (once.k, once.pass_at_k.reason) == (None, ONE_REPEAT)
