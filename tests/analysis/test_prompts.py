"""Prompts on both sides: agreement by pairs, ratios of medians, worst first."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.agreement import answer_groups, cross_agreement, self_agreement
from harness.analysis.prompts import ONE_ENDPOINT, prompt_rows, prompt_token_ratio
from harness.analysis.results.prompts import AnswerGroup, PromptRow
from harness.model.golden import Check, CheckKind, Prompt
from harness.model.record import Answer, Arm, FailureKind, Record, ToolCall, Usage
from tests.analysis.cases import BOTH, STEADY, a_golden, a_key, a_prompt, a_record, failed, judged


def saying(*texts: str, arm: Arm = Arm.REFERENCE, prompt_id: str = "p", **changes: Any) -> list[Record]:
    return [
        a_record(
            key=a_key(repeat, arm=arm, prompt_id=prompt_id), answer=Answer(text=text, finish_reason="stop"), **changes
        )
        for repeat, text in enumerate(texts)
    ]


def groups(*counts: tuple[str, int]) -> tuple[AnswerGroup, ...]:
    return tuple(
        AnswerGroup(canonical=text, count=count, keys=tuple(a_key(i, prompt_id=f"k{text}") for i in range(count)))
        for text, count in counts
    )


def rows(
    reference: Sequence[Record], candidate: Sequence[Record] | None, *prompts: Prompt, is_void: bool = False
) -> dict[str, PromptRow]:
    items = list(judged(reference, *prompts))
    if candidate is not None:
        items += judged(candidate, *prompts, arm=Arm.CANDIDATE)
    arms = BOTH if candidate is not None else BOTH[:1]
    return {row.prompt_id: row for row in prompt_rows(items, a_golden(*prompts), arms, is_void=is_void)}


def test_answers_group_by_canonical_form_most_frequent_first() -> None:
    items = judged([*saying("no", "yes", " yes ", "yes\n"), failed(key=a_key(9))], a_prompt())
    found = answer_groups([item.trial for item in items])
    assert [(group.canonical, group.count) for group in found] == [("yes", 3), ("no", 1)]
    assert [key.repeat for key in found[0].keys] == [1, 2, 3]


def test_self_agreement_is_the_share_of_pairs() -> None:
    assert self_agreement(groups(("a", 4), ("b", 1))).value == pytest.approx(12 / 20)
    assert self_agreement(groups(("a", 5))).value == 1.0
    assert self_agreement(groups(("a", 1), ("b", 1))).value == 0.0
    assert self_agreement(groups(("a", 1))).reason == "fewer than two answers"


def test_cross_agreement_is_the_share_of_pairs_of_both_sides() -> None:
    assert cross_agreement(groups(("a", 4), ("b", 1)), groups(("b", 5))).value == pytest.approx(5 / 25)
    assert cross_agreement(groups(("a", 2)), groups(("a", 3))).value == 1.0
    assert cross_agreement(groups(("a", 2)), ()).reason == "a side has no answer"


counted = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 6), min_size=1)


@given(one=counted, two=counted)
def test_agreement_lies_between_0_and_1_and_is_the_same_from_both_sides(
    one: dict[str, int], two: dict[str, int]
) -> None:
    left, right = groups(*one.items()), groups(*two.items())
    found = cross_agreement(left, right).value
    assert found is not None
    assert 0 <= found <= 1
    assert found == cross_agreement(right, left).value


def test_a_row_compares_medians_and_counts() -> None:
    slow = [round(at * 1.5) for at in STEADY]
    prompt = a_prompt(says="yes")
    reference = saying("yes", "yes", "yes", "yes")
    candidate = [
        a_record(
            slow,
            key=a_key(i, arm=Arm.CANDIDATE),
            answer=Answer(text=text),
            usage=Usage(prompt_tokens=110, completion_tokens=46),
        )
        for i, text in enumerate(("yes", "no", "yes", "no"))
    ]
    row = rows(reference, candidate, prompt)["p"]
    assert row.candidate is not None
    assert (row.reference.n, row.reference.task_successes, row.candidate.task_successes) == (4, 4, 2)
    assert row.reference.ttft_p50_s.value == pytest.approx(0.1)
    assert row.ttft_ratio.value == pytest.approx(1.5)
    void = rows(reference, candidate, prompt, is_void=True)["p"]
    assert (void.ttft_ratio.reason, void.decode_ratio.reason) == ("timings do not count", "timings do not count")
    assert void.success_difference == row.success_difference
    assert void.score < row.score  # being slower puts nobody first
    assert row.decode_ratio.value == pytest.approx(1 / 1.5)
    assert row.success_difference.value == pytest.approx(-0.5)
    assert (row.reference.self_agreement.value, row.cross_agreement.value) == (1.0, 0.5)
    assert row.reference.tool_successes is None
    assert prompt_token_ratio(row).value == pytest.approx(1.1)


def test_failures_are_slow_requests_of_their_prompt() -> None:
    half = [*saying("a", "a"), *(failed(key=a_key(i)) for i in (5, 6))]
    side = rows(half, None, a_prompt())["p"].reference
    assert (side.n, side.n_failed) == (4, 2)
    assert side.ttft_p50_s.value == pytest.approx(0.1)
    most = [*saying("a"), *(failed(key=a_key(i)) for i in (5, 6))]
    side = rows(most, None, a_prompt())["p"].reference
    assert side.ttft_p50_s.reason == "unattainable (2 of 3 failed)"
    assert side.decode_p50.value == pytest.approx(50)
    assert side.completion_tokens_p50.value == 46


def test_what_a_side_lacks_makes_the_ratio_undefined_with_its_reason() -> None:
    row = rows(saying("a", tokens=None), saying("a", arm=Arm.CANDIDATE), a_prompt())["p"]
    assert row.decode_ratio.reason == "usage missing"
    assert row.success_difference.reason == "no checks, or no request"
    assert prompt_token_ratio(row).reason == "usage missing"


def test_a_prompt_without_a_request_has_a_row_that_says_so() -> None:
    row = rows(saying("a"), [], a_prompt(), a_prompt("unsent"))["unsent"]
    assert (row.reference.n, row.reference.answers) == (0, ())
    assert row.reference.e2e_p50_s.reason == "no request"
    assert row.cross_agreement.reason == "a side has no answer"
    assert row.score == 0


def test_one_endpoint_alone_has_nothing_to_compare() -> None:
    row = rows(saying("a", "b"), None, a_prompt())["p"]
    assert row.candidate is None
    effects = (row.cross_agreement, row.ttft_ratio, row.decode_ratio, row.success_difference)
    assert {effect.reason for effect in effects} == {ONE_ENDPOINT}
    assert prompt_token_ratio(row).reason == ONE_ENDPOINT


def test_a_tool_prompt_counts_the_trials_at_the_top_of_the_ladder() -> None:
    tools = [{"type": "function", "function": {"name": "go", "parameters": {"type": "object"}}}]
    prompt = Prompt(
        id="p",
        category="tools",
        intent="i",
        request={"messages": [], "tools": tools},
        checks=[Check(kind=CheckKind.TOOL_CALLED, argument={"name": "go"})],
    )
    call = Answer(tool_calls=(ToolCall(name="go", arguments="{}", id="1"),), finish_reason="tool_calls")
    made = a_record(key=a_key(0), answer=call)
    side = rows([made, a_record(key=a_key(2))], None, prompt)["p"].reference
    assert (side.n, side.tool_successes, side.task_successes) == (2, 1, 1)


def test_the_worst_prompt_comes_first() -> None:
    prompts = [a_prompt(name, says="yes") for name in ("same", "lost", "slow", "failed", "other")]
    ids = [prompt.id for prompt in prompts]
    reference = [record for name in ids for record in saying("yes", "yes", prompt_id=name)]

    def on_candidate(name: str, *texts: str, at_ms: Sequence[float] = STEADY) -> list[Record]:
        return [
            a_record(at_ms, key=a_key(i, arm=Arm.CANDIDATE, prompt_id=name), answer=Answer(text=text))
            for i, text in enumerate(texts)
        ]

    candidate = [
        *on_candidate("same", "yes", "yes"),
        *on_candidate("lost", "no", "no"),
        *on_candidate("slow", "yes", "yes", at_ms=[at * 3 for at in STEADY]),
        *on_candidate("other", "yes!", "yes!"),
        *on_candidate("failed", "yes"),
        failed(FailureKind.RATE_LIMITED, key=a_key(1, arm=Arm.CANDIDATE, prompt_id="failed"), status=429),
    ]
    found = rows(reference, candidate, *prompts)
    assert list(found) == ["lost", "failed", "slow", "other", "same"]
    assert found["same"].score == 0
