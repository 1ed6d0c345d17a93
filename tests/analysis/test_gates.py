import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.gatefigures import Figures
from harness.analysis.gates import Scale, decide
from harness.analysis.gatetable import GATES
from harness.analysis.results.estimates import Interval, Value
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.trial import CheckResult, Rung, ToolResult, Trial
from harness.analysis.verdict import judge_case
from harness.model.record import Arm
from harness.model.settings import Gates, Settings
from tests.analysis.trialcases import (
    Change,
    both_instruments,
    case,
    failed,
    gate,
    judge,
    missing,
    side_trials,
    swapped,
    timed,
)

DIFFERENCE = Scale(kind=GateKind.DIFFERENCE, higher_is_better=True)
LATENCY = Scale(kind=GateKind.RATIO, higher_is_better=False)
RATE = Scale(kind=GateKind.RATIO, higher_is_better=True)
BY_ID = {row.id: row for row in GATES}


def figures(gate_id: str, bounds: tuple[float, float], **fields: object) -> Figures:
    nothing = Value(value=0.5)
    given_fields = {"row": BY_ID[gate_id], "effect": nothing, "reference": nothing, "candidate": nothing, "n": 100}
    return Figures(bounds=bounds, **(given_fields | fields))  # type: ignore[arg-type]


def share(n: int, change: Change) -> Change:
    """Change the first n repeats of each prompt."""
    return lambda one: change(one) if one.key.repeat < n else one


def broken_tool(one: Trial) -> Trial:
    if one.tool is None:
        return one
    return replace(one, tool=ToolResult(rung=Rung.SCHEMA_MISMATCH, tool="book_flight"), task_success=False)


@pytest.mark.parametrize(
    ("bounds", "p_value", "expected"),
    [
        ((-0.03, 0.02), 0.8, Outcome.PASS),
        ((-0.04, -0.01), 0.001, Outcome.PASS),  # measurably worse, inside the margin
        ((-0.05, 0.02), 0.8, Outcome.INCONCLUSIVE),  # a loss of exactly the margin is not excluded
        ((-0.12, 0.02), 0.3, Outcome.INCONCLUSIVE),
        ((-0.12, 0.01), 0.001, Outcome.INCONCLUSIVE),  # these prompts differ, prompts like them need not
        ((-0.12, -0.01), 0.02, Outcome.FAIL),  # detected, and not shown to be inside
        ((-0.20, -0.08), 0.001, Outcome.FAIL),  # beyond the margin for sure
        ((-0.20, -0.08), 0.06, Outcome.INCONCLUSIVE),  # not after Holm: too many gates for this evidence
    ],
)
def test_the_rule_of_a_rate_with_five_points(bounds: tuple[float, float], p_value: float, expected: Outcome) -> None:
    assert decide(figures("tool_success", bounds), DIFFERENCE, 0.05, p_value) is expected


@pytest.mark.parametrize(
    ("gate_id", "scale", "bounds", "margin", "expected"),
    [
        ("ttft_p50", LATENCY, (0.9, 1.2), 1.25, Outcome.PASS),
        ("ttft_p50", LATENCY, (1.3, 1.7), 1.25, Outcome.FAIL),
        ("ttft_p50", LATENCY, (1.1, math.inf), 1.25, Outcome.FAIL),
        ("decode_p50", RATE, (0.85, 1.0), 0.8, Outcome.PASS),
        ("decode_p50", RATE, (0.5, 0.7), 0.8, Outcome.FAIL),
    ],
)
def test_the_rule_of_a_ratio(
    gate_id: str, scale: Scale, bounds: tuple[float, float], margin: float, expected: Outcome
) -> None:
    assert decide(figures(gate_id, bounds), scale, margin, 0.001) is expected


def test_refusals_get_worse_upwards() -> None:
    scale = Scale(kind=GateKind.DIFFERENCE, higher_is_better=False)
    assert decide(figures("refusal", (-0.01, 0.04)), scale, 0.05, 0.5) is Outcome.PASS
    assert decide(figures("refusal", (0.06, 0.2)), scale, 0.05, 0.001) is Outcome.FAIL


def test_few_prompts_cannot_pass_and_fail_only_beyond_the_margin() -> None:
    few = {"cannot_pass": "4 prompts only"}
    assert decide(figures("decode_p50", (0.9, 1.1), **few), RATE, 0.8, 0.9) is Outcome.INCONCLUSIVE
    assert decide(figures("decode_p50", (0.75, 0.95), **few), RATE, 0.8, 0.001) is Outcome.INCONCLUSIVE
    assert decide(figures("decode_p50", (0.4, 0.6), **few), RATE, 0.8, 0.001) is Outcome.FAIL


def test_a_blind_gate_decides_nothing() -> None:
    assert decide(figures("ttft_p50", (5.0, 6.0), is_blind=True), LATENCY, 1.25, 0.0001) is Outcome.INCONCLUSIVE


def test_the_evidence_names_rung_and_tool() -> None:
    found = gate(judge(share(3, broken_tool)), "tool_success")
    assert found.outcome is Outcome.FAIL
    assert found.evidence[0] == "24 of 24 losses are SchemaMismatch in book_flight"
    assert (found.successes_reference, found.successes_candidate, found.n_reference) == (56, 32, 56)
    assert found.effect.value == pytest.approx(-24 / 56)


def test_the_evidence_of_tasks_names_prompts_and_the_check() -> None:
    def wrong(one: Trial) -> Trial:
        if one.key.prompt_id != "text-1":
            return one
        check = CheckResult(check="contains: yes", passed=False, expected="yes", came="no")
        return replace(one, task_success=False, checks=(check,))

    found = gate(judge(wrong), "task_success")
    assert found.evidence[0] == "7 losses on 1 prompt, most in text-1 (7); 7 missed `contains: yes`"
    assert found.evidence[1].startswith("7 of 7 losses come from one prompt, text-1")


def test_losses_by_rate_limit_point_at_the_quota() -> None:
    found = gate(judge(share(2, lambda one: failed(one, "rate_limited"))), "request_success")
    assert found.evidence[:2] == (
        "56 of 56 losses are failed requests (rate_limited)",
        "every loss is a rate limit: this measures the candidate's quota, not its model",
    )


def test_a_clean_sheet_says_what_it_is_worth() -> None:
    found = gate(judge(), "tool_success")
    assert found.evidence == ("0 of 56 went wrong on the candidate, which still allows a true rate of 5.2 %",)


def test_a_granular_gate_warns() -> None:
    one_repeat = [trial for trial in judge_inputs() if trial.key.repeat == 0]
    found = gate(judge_case(case(), one_repeat, both_instruments()), "tool_success")
    assert found.evidence[-1] == "one lost trial of 8 is 12.5 points, no less than the 5 points allowed"
    assert found.outcome is Outcome.INCONCLUSIVE


def judge_inputs() -> list[Trial]:
    return [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE)]


def test_a_failure_is_an_endless_latency_and_no_decode_rate() -> None:
    def fails_once(one: Trial) -> Trial:
        return failed(one) if (one.key.prompt_id, one.key.repeat) == ("speed-0", 0) else one

    found = judge(fails_once)
    assert gate(found, "ttft_p50").n_candidate == 196
    assert gate(found, "decode_p50").n_candidate == 41
    assert gate(found, "ttft_p50").evidence == (
        "1 of 196 requests of the candidate failed: they count as slower than anything",
    )
    assert "have no rate" in gate(found, "decode_p50").evidence[0]


def test_a_tail_among_failures_has_an_infinite_ratio() -> None:
    found = gate(judge(share(1, failed)), "ttft_p95")
    assert found.effect.value == math.inf
    assert found.bound == math.inf
    assert found.outcome is Outcome.FAIL


def test_p95_below_its_least_n_has_no_figure() -> None:
    trials = [trial for trial in judge_inputs() if trial.key.repeat < 2]  # 56 per side
    found = gate(judge_case(case(), trials, both_instruments()), "ttft_p95")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason == "TTFT p95: 56 requests per side; an interval of this quantile needs 72."
    assert found.effect.value is None
    assert found.n_reference == 56


def test_missing_usage_leaves_the_decode_gates_open() -> None:
    def silent(one: Trial) -> Trial:
        return replace(one, metrics={**one.metrics, "decode_rate": missing("usage missing")})

    found = gate(judge(silent), "decode_p50")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason == "Decode rate p50: 42 of 42 requests of the candidate have no value: usage missing."


def test_a_rate_known_for_some_streams_only_speaks_for_none() -> None:
    def sometimes(one: Trial) -> Trial:
        if one.key.repeat > 1:
            return one
        return replace(one, metrics={**one.metrics, "decode_rate": missing("buffered")})

    found = gate(judge(sometimes), "decode_p50")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "12 of 42 requests of the candidate have no value: buffered" in found.reason


@pytest.mark.parametrize(("n_silent", "expected"), [(7, Outcome.PASS), (8, Outcome.INCONCLUSIVE)])
def test_a_slow_tail_that_could_lie_among_the_missing_is_not_judged(n_silent: int, expected: Outcome) -> None:
    def some(one: Trial) -> Trial:  # 6 prompts x 25 repeats: 5 % are 7.5
        if one.key.prompt_id != "speed-0" or one.key.repeat >= n_silent or one.key.arm is Arm.REFERENCE:
            return one
        return replace(one, metrics={**one.metrics, "decode_rate": missing("buffered")})

    trials = [some(one) for arm in (Arm.REFERENCE, Arm.CANDIDATE) for one in side_trials(arm, repeats=25)]
    found = judge_case(case(), trials, both_instruments())
    assert gate(found, "decode_p5").outcome is expected
    assert gate(found, "decode_p50").outcome is Outcome.PASS  # a median may lack a fifth


def test_a_gate_without_a_prompt_is_not_applicable() -> None:
    no_tools = case()
    golden = type(no_tools.golden)(
        name="test", prompts=[one for one in no_tools.golden.prompts if not one.is_tool_prompt]
    )
    found = gate(judge(of=replace(no_tools, golden=golden)), "tool_success")
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert found.reason == "Tool-call success: the set has no tool prompt."


def test_a_gate_whose_prompts_were_never_judged_is_not_waved_through() -> None:
    trials = [trial for trial in judge_inputs() if not trial.key.prompt_id.startswith("tool")]
    assert gate(judge_case(case(), trials, both_instruments()), "tool_success").outcome is Outcome.INCONCLUSIVE


def test_slower_inside_the_margin_passes_with_a_note() -> None:
    found = gate(judge(lambda one: timed(one, ttft=1.1)), "ttft_p50")
    assert found.outcome is Outcome.PASS
    assert found.is_measurably_worse


def test_faster_is_not_worse() -> None:
    found = gate(judge(lambda one: timed(one, ttft=0.5)), "ttft_p50")
    assert found.outcome is Outcome.PASS
    assert not found.is_measurably_worse


def test_voided_timing_decides_no_timing_gate_and_every_rate() -> None:
    trials = [*side_trials(Arm.REFERENCE, repeats=8), *side_trials(Arm.CANDIDATE, repeats=8)]  # 64 of the 59 needed
    late = both_instruments(send_lateness_p99_s=Value(value=0.2))
    found = judge_case(case(), trials, late)
    timing = [one for one in found.gates if one.is_timing]
    assert {one.outcome for one in timing} == {Outcome.INCONCLUSIVE}
    assert all(one.is_void for one in timing)
    assert not any(one.is_void for one in found.gates if not one.is_timing)
    assert not any(line.startswith(("TTFT", "E2E", "decode")) for line in found.worst_case)
    assert any(line.startswith("tool-call success") for line in found.worst_case)
    assert all("sent 200 ms late on both sides (p99, limit ≤ 5 ms)" in one.reason for one in timing)
    assert found.sentence.startswith("Not settled: timings are void: sent 200 ms late on both sides")
    assert [line for line in found.settle if "less other work" in line] == list(found.settle)
    assert gate(found, "tool_success").outcome is Outcome.PASS


def _mirror(one: Gate, other: Gate) -> None:
    sign = -1 if one.kind is GateKind.DIFFERENCE else 1
    forth, back = one.effect.value, other.effect.value
    assert forth is not None
    assert back is not None
    if sign < 0:
        assert back == pytest.approx(-forth)
    else:
        assert back == pytest.approx(1 / forth if forth else math.inf)
    assert _ends(other.interval) == pytest.approx(_turned(one.kind, one.interval))


def _ends(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


def _turned(kind: GateKind, interval: Interval | None) -> tuple[float, float]:
    low, high = _ends(interval)
    if kind is GateKind.DIFFERENCE:
        return -high, -low
    return _inverse(high), _inverse(low)


def _inverse(value: float) -> float:
    return math.inf if value == 0 else 1 / value


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.3), st.floats(0, 0.1))
def test_swapping_the_sides_negates_every_effect(seed: int, wrong: float, lost: float) -> None:
    chance = random.Random(seed)

    def worse(one: Trial) -> Trial:
        if chance.random() < lost:
            return failed(one)
        return broken_tool(one) if chance.random() < wrong else one

    trials = [*side_trials(Arm.REFERENCE, seed=seed), *side_trials(Arm.CANDIDATE, worse, seed=seed)]
    forth = judge_case(case(), trials, both_instruments())
    back = judge_case(case(), swapped(trials), both_instruments())
    compared = 0
    for one, other in zip(forth.gates, back.gates, strict=True):
        if one.effect.value is not None:
            _mirror(one, other)
            compared += 1
    assert compared >= 9


def test_the_same_plan_and_data_give_the_same_judgement() -> None:
    assert judge(share(1, broken_tool)) == judge(share(1, broken_tool))


def test_the_order_of_the_trials_does_not_matter() -> None:
    trials = judge_inputs()
    shuffled = random.Random(5).sample(trials, len(trials))
    assert (
        judge_case(case(), trials, both_instruments()).gates == judge_case(case(), shuffled, both_instruments()).gates
    )


def test_a_margin_from_the_settings_is_used() -> None:
    from harness.model.settings import RatioGate

    strict = case(settings=Settings(verdict=Gates(ttft_p50=RatioGate(margin=1.05))))
    assert gate(judge(lambda one: timed(one, ttft=1.1), of=strict), "ttft_p50").outcome is Outcome.FAIL
