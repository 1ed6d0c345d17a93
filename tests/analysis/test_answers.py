"""What one answer is worth: tasks, JSON, refusals, truncation."""

from harness.analysis.answers import judge_answer
from harness.analysis.refusals import REFUSAL_IS_RIGHT
from harness.analysis.results.trial import Rung
from harness.model.record import Answer
from tests.analysis.replies import TIMED_OUT, a_call, a_check, a_prompt, a_record, an_answer


def test_a_task_succeeds_when_all_its_checks_pass() -> None:
    prompt = a_prompt(a_check("contains", "a"), a_check("not-contains", "b"))
    assert judge_answer(prompt, a_record(an_answer("a"))).task_success is True
    judgement = judge_answer(prompt, a_record(an_answer("ab")))
    assert judgement.task_success is False
    assert [check.passed for check in judgement.checks] == [True, False]


def test_a_prompt_without_checks_is_neither_right_nor_wrong() -> None:
    assert judge_answer(a_prompt(), a_record(an_answer("a"))).task_success is None
    assert judge_answer(a_prompt(), a_record(Answer(), failure=TIMED_OUT)).task_success is None


def test_a_failed_request_is_no_success_of_any_kind() -> None:
    prompt = a_prompt(
        a_check("not-contains", "x"), a_check("json_valid"), a_check("tool_called", "f"), tools={"f": None}
    )
    judgement = judge_answer(prompt, a_record(Answer(), failure=TIMED_OUT))
    assert judgement.task_success is False
    assert judgement.json_valid is False
    assert judgement.tool is not None
    assert judgement.tool.rung is Rung.TRANSPORT
    assert (judgement.checks, judgement.was_refused, judgement.was_truncated) == ((), None, None)
    assert judgement.canonical == ""


def test_tools_and_json_are_judged_only_where_the_prompt_asks_for_them() -> None:
    judgement = judge_answer(a_prompt(a_check("contains", "a")), a_record(an_answer("a", a_call("f"))))
    assert (judgement.tool, judgement.json_valid) == (None, None)
    negated = a_prompt(a_check("not-json_valid"))
    assert judge_answer(negated, a_record(an_answer("a"))).json_valid is None
    asked = a_prompt(a_check("json_path", {"path": "$.a", "equals": 1}))
    assert judge_answer(asked, a_record(an_answer('{"a": 2}'))).json_valid is True
    assert judge_answer(asked, a_record(an_answer("a"))).json_valid is False


def test_a_refusal_is_not_counted_where_declining_is_right() -> None:
    refusal = a_record(an_answer("I'm sorry, but I can't help with that."))
    assert judge_answer(a_prompt(), refusal).was_refused is True
    assert judge_answer(a_prompt(tags=[REFUSAL_IS_RIGHT]), refusal).was_refused is None
    assert judge_answer(a_prompt(), a_record(an_answer("Paris"))).was_refused is False


def test_a_truncation_is_not_counted_where_the_prompt_asks_for_it() -> None:
    cut = a_record(an_answer("a", finish_reason="length"))
    assert judge_answer(a_prompt(), cut).was_truncated is True
    assert judge_answer(a_prompt(a_check("finish_reason", "length")), cut).was_truncated is None
    assert judge_answer(a_prompt(a_check("finish_reason", ["stop", "length"])), cut).was_truncated is None
    assert judge_answer(a_prompt(a_check("not-finish_reason", "length")), cut).was_truncated is True
    assert judge_answer(a_prompt(), a_record(an_answer("a"))).was_truncated is False
    full = a_record(an_answer("a", finish_reason="model_length"))
    assert judge_answer(a_prompt(), full).was_truncated is True
    assert judge_answer(a_prompt(a_check("finish_reason", "length")), full).was_truncated is None
    assert judge_answer(a_prompt(a_check("finish_reason", ["stop", "model_length"])), cut).was_truncated is None
