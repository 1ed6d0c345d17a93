"""Token counts of the same prompts on both sides: ratios, their interval, and what a context guard becomes."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

import pytest

from harness.analysis.results.estimates import Value
from harness.analysis.results.tokens import PromptTokens, TokenComparison
from harness.analysis.tokenparity import CUT_ON_BOTH, REPORTED_AS_ZERO, compare_tokens, guard_words, log_mean_interval
from harness.analysis.tokens import NO_USAGE
from harness.analysis.trials import judge_side
from harness.model.record import Answer, Arm, Record, Usage
from tests.analysis.cases import BOTH, a_golden, a_key, a_prompt, a_record, a_side, failed

Counts = tuple[int, int] | tuple[int, int, str] | None  # prompt and completion tokens, finish reason; None: no usage


def told(counts: Mapping[str, Sequence[Counts]], arm: Arm) -> list[Record]:
    return [
        a_record(
            key=a_key(i, arm=arm, prompt_id=prompt_id),
            answer=Answer(text="4", finish_reason="stop" if one is None or len(one) == 2 else one[2]),
            usage=None if one is None else Usage(prompt_tokens=one[0], completion_tokens=one[1]),
        )
        for prompt_id, found in counts.items()
        for i, one in enumerate(found)
    ]


def compared(reference: Mapping[str, Sequence[Counts]], candidate: Mapping[str, Sequence[Counts]]) -> TokenComparison:
    golden = a_golden(*map(a_prompt, reference))
    sides = {
        arm: judge_side(a_side(told(counts, arm), arm), golden)
        for arm, counts in zip(BOTH, (reference, candidate), strict=True)
    }
    found = compare_tokens(sides, golden)
    assert found is not None
    return found


def test_prompt_tokens_are_compared_by_prompt_and_in_total() -> None:
    """900 against 1,100 and 100 against 110: each prompt once, though the first was repeated thrice."""
    found = compared({"a": [(900, 10)] * 3, "b": [(100, 10)]}, {"a": [(1_100, 10)] * 3, "b": [(110, 10)]})
    assert found.prompt_ratio.value == pytest.approx(1_210 / 1_000)
    assert found.lowest is not None
    assert found.highest is not None
    assert (found.lowest.prompt_id, found.highest.prompt_id) == ("b", "a")
    assert found.lowest.prompt_ratio.value == pytest.approx(1.1)
    assert found.highest.prompt_ratio.value == pytest.approx(1_100 / 900)


def test_a_guard_is_worked_out_for_the_candidate() -> None:
    found = compared({"a": [(900, 10)], "b": [(100, 10)]}, {"a": [(1_100, 10)], "b": [(110, 10)]})
    assert found.guard == (
        "A text of 900 tokens on the reference is 1,089 on the candidate (990 to 1,100 by prompt). A context guard of "
        "900 tokens, measured on the reference, lets texts of up to 1,100 through to the candidate: to keep to 900 "
        "there, refuse above 736 as the reference counts."
    )
    assert 736 * 1_100 / 900 < 900 < 737 * 1_100 / 900  # 736 still fits and 737 does not


def test_a_guard_of_sides_that_count_alike_holds() -> None:
    found = compared({"a": [(900, 10)]}, {"a": [(900, 10)]})
    assert found.guard.endswith("a context guard measured on the reference holds on the candidate.")
    nothing = Value(value=None, reason=NO_USAGE)
    assert guard_words(nothing, None, None) == ""


def test_completion_tokens_are_compared_by_geometric_means() -> None:
    """Prompt a: √(100·400) = 200 against 100; prompt b: 50 against 100: the mean ratio is √(½·2) = 1."""
    found = compared({"a": [(9, 100), (9, 400)], "b": [(9, 50)] * 2}, {"a": [(9, 100)] * 2, "b": [(9, 100)] * 2})
    ratios = {row.prompt_id: row.completion_ratio.value for row in found.prompts}
    assert ratios == {"a": pytest.approx(0.5), "b": pytest.approx(2.0)}
    assert found.completion_ratio.value == pytest.approx(1.0)
    assert found.n_completion_prompts == 2


def test_the_interval_has_prompts_as_its_unit() -> None:
    """Student's t with 3 degrees of freedom at 95 % one-sided is 2.3534 (any table)."""
    logs = [math.log(ratio) for ratio in (0.9, 1.0, 1.1, 1.2)]
    found = log_mean_interval(logs)
    half = 2.3534 * stdev(logs) / 2
    assert found is not None
    assert found.low == pytest.approx(math.exp(fmean(logs) - half), rel=1e-4)
    assert found.high == pytest.approx(math.exp(fmean(logs) + half), rel=1e-4)
    assert found.level == 0.90
    assert log_mean_interval([0.1]) is None


@pytest.mark.parametrize(
    ("candidate", "is_alike"), [((100, 101, 99), True), ((126, 125, 127), False), ((60, 100, 170), False)]
)
def test_lengths_are_alike_where_the_whole_interval_says_so(candidate: tuple[int, int, int], *, is_alike: bool) -> None:
    ids = ("a", "b", "c")
    found = compared(
        {name: [(9, 100)] for name in ids}, {name: [(9, n)] for name, n in zip(ids, candidate, strict=True)}
    )
    assert found.is_length_alike is is_alike


def test_missing_and_zero_usage_are_named_and_leave_the_prompt_out() -> None:
    found = compared({"a": [None], "b": [(10, 10)], "c": [(10, 10)]}, {"a": [(5, 5)], "b": [(0, 0)], "c": [(12, 20)]})
    reasons = {row.prompt_id: (row.prompt_ratio.reason, row.completion_ratio.reason) for row in found.prompts}
    assert reasons == {"a": (NO_USAGE, NO_USAGE), "b": (REPORTED_AS_ZERO, REPORTED_AS_ZERO), "c": (None, None)}
    assert found.prompt_ratio.value == pytest.approx(1.2)
    assert found.completion_ratio.value == pytest.approx(2.0)
    assert (found.completion_interval, found.is_length_alike) == (None, None)


CUT = (9, 100, "length")


@pytest.mark.parametrize(
    ("reference", "candidate", "is_counted"),
    [
        ([CUT] * 3, [CUT] * 3, False),
        ([CUT, CUT, (9, 80)], [(9, 90), CUT, CUT], False),
        ([CUT, (9, 80), (9, 80)], [CUT] * 3, True),
        ([(9, 80)] * 3, [CUT] * 3, True),
        ([CUT, None], [CUT, None], False),
        ([CUT], [(9, 120, "model_length")], False),
    ],
)
def test_prompts_that_both_sides_answer_up_to_the_limit_say_nothing_of_lengths(
    reference: Sequence[Counts], candidate: Sequence[Counts], *, is_counted: bool
) -> None:
    """Both stop where max_tokens stops them: a ratio of 1 would be the limit's, not the answers'."""
    found = compared({"a": reference, "b": [(9, 100)] * 2}, {"a": candidate, "b": [(9, 200)] * 2})
    assert (found.n_completion_prompts, found.n_cut_prompts) == ((2, 0) if is_counted else (1, 1))
    if not is_counted:
        assert found.completion_ratio.value == pytest.approx(2.0)
        assert {row.prompt_id: row.completion_ratio.reason for row in found.prompts} == {"a": CUT_ON_BOTH, "b": None}
    assert found.prompt_ratio.value == pytest.approx(1.0)


def test_a_set_of_nothing_but_cut_answers_has_that_reason() -> None:
    found = compared({"a": [CUT]}, {"a": [CUT]})
    assert (found.completion_ratio.reason, found.completion_interval, found.n_cut_prompts) == (CUT_ON_BOTH, None, 1)


def test_without_usage_on_a_side_nothing_is_compared() -> None:
    found = compared({"a": [(10, 10)]}, {"a": [None]})
    assert (found.prompt_ratio.reason, found.completion_ratio.reason, found.guard) == (NO_USAGE, NO_USAGE, "")
    assert (found.lowest, found.highest, found.n_completion_prompts) == (None, None, 0)


def test_failed_requests_count_no_tokens_and_one_endpoint_has_no_comparison() -> None:
    golden = a_golden(a_prompt())
    lost = judge_side(a_side([failed(key=a_key(0, arm=Arm.CANDIDATE))], Arm.CANDIDATE), golden)
    kept = judge_side(a_side([a_record()]), golden)
    found = compare_tokens({Arm.REFERENCE: kept, Arm.CANDIDATE: lost}, golden)
    assert found is not None
    assert found.prompts == (
        PromptTokens(
            prompt_id="p",
            prompt_ratio=Value(value=None, reason=NO_USAGE),
            completion_ratio=Value(value=None, reason=NO_USAGE),
        ),
    )
    assert compare_tokens({Arm.REFERENCE: kept}, golden) is None
