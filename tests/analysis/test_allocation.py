import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.allocation import allocate, find_demotions
from harness.model.golden import GoldenSet
from harness.model.settings import Gates, PlanSettings, RateGate, RatioGate, Settings
from tests.analysis.trialcases import golden, json_prompt, prompt, text_prompt, tool_prompt


def a_set(*, tools: int = 0, json: int = 0, texts: int = 0, speed: int = 0, plain: int = 0) -> GoldenSet:
    prompts = [
        *(tool_prompt(f"tool-{i}") for i in range(tools)),
        *(json_prompt(f"json-{i}") for i in range(json)),
        *(text_prompt(f"text-{i}") for i in range(texts)),
        *(prompt(f"speed-{i}", decode=True) for i in range(speed)),
        *(prompt(f"plain-{i}") for i in range(plain)),
    ]
    return GoldenSet(name="test", prompts=prompts)


def total(repeats: dict[str, int], kind: str = "") -> int:
    return sum(count for prompt_id, count in repeats.items() if prompt_id.startswith(kind))


def test_ten_tool_prompts_get_a_sixth_repeat_because_fifty_trials_cannot_pass() -> None:
    found = allocate(a_set(tools=10, plain=20), Settings())
    assert found.repeats["tool-0"] == 6
    assert total(found.repeats, "tool") == 60
    assert found.repeats["plain-0"] == 5


def test_every_gate_of_the_test_set_reaches_its_n() -> None:
    found = allocate(golden(), Settings())
    assert total(found.repeats, "tool") >= 52
    assert total(found.repeats, "json") >= 52
    assert total(found.repeats, "speed") >= 72  # the slow tail of the decode rate
    assert total(found.repeats) >= 133  # a loss of 2 points of requests
    assert found.demotions == ()


def test_request_success_alone_raises_all_prompts_evenly() -> None:
    found = allocate(a_set(plain=20), Settings(plan=PlanSettings(repeats=3)))
    assert set(found.repeats.values()) == {7}  # 140 of the 133 needed; 6 would give 120


def test_a_gate_out_of_reach_is_demoted_and_costs_no_repeats() -> None:
    found = allocate(a_set(tools=2, plain=26), Settings())
    assert found.repeats["tool-0"] == 5
    by_gate = {demotion.gate: demotion for demotion in found.demotions}
    assert set(by_gate) == {"tool_success", "task_success"}
    assert (by_gate["tool_success"].n, by_gate["tool_success"].needed) == (10, 52)
    assert by_gate["tool_success"].reason == (
        "Tool-call success has 10 trials per side; excluding a loss of 5 points needs 52 even if none fails"
    )


def test_a_gate_without_prompts_is_no_demotion() -> None:
    found = allocate(a_set(plain=30), Settings())
    assert found.demotions == ()


def test_few_decode_prompts_cannot_be_resampled() -> None:
    found = allocate(a_set(speed=4, plain=26), Settings())
    by_gate = {demotion.gate: demotion for demotion in found.demotions}
    assert set(by_gate) == {"decode_p50", "decode_p5"}
    assert (by_gate["decode_p50"].n, by_gate["decode_p50"].needed) == (4, 5)


def test_a_prompts_own_repeats_stand() -> None:
    dear = msgspec.structs.replace(tool_prompt("tool-dear"), repeats=1)
    prompts = [dear, *(tool_prompt(f"tool-{i}") for i in range(9)), *(prompt(f"plain-{i}") for i in range(20))]
    found = allocate(GoldenSet(name="test", prompts=prompts), Settings())
    assert found.repeats["tool-dear"] == 1
    assert total(found.repeats, "tool") >= 52


def test_without_allocation_the_plans_repeats_stand_and_gates_are_demoted_aloud() -> None:
    settings = Settings(plan=PlanSettings(repeats=1, allocate=False))
    found = allocate(golden(), settings)
    assert set(found.repeats.values()) == {1}
    assert {demotion.gate for demotion in found.demotions} == {
        "task_success",
        "tool_success",
        "request_success",
        "json_validity",
        "ttft_p95",
        "decode_p5",
    }


def test_a_margin_of_nothing_cannot_be_shown() -> None:
    gates = Gates(tool_success=RateGate(margin=0.0))
    found = find_demotions(golden(), gates, dict.fromkeys((p.id for p in golden().prompts), 20))
    assert [demotion.gate for demotion in found] == ["tool_success"]
    assert "no loss at all" in found[0].reason


def test_informative_gates_ask_for_nothing() -> None:
    gates = Gates(
        task_success=RateGate(margin=0.05, required=False),
        tool_success=RateGate(margin=0.001, required=False),
        request_success=RateGate(margin=0.5),
        json_validity=RateGate(margin=0.05, required=False),
        ttft_p95=RatioGate(margin=1.5, required=False),
        decode_p5=RatioGate(margin=0.67, required=False),
    )
    found = allocate(golden(), Settings(verdict=gates, plan=PlanSettings(repeats=1)))
    assert set(found.repeats.values()) == {1}
    assert found.demotions == ()


@given(
    tools=st.integers(0, 12),
    json=st.integers(0, 12),
    speed=st.integers(0, 12),
    plain=st.integers(1, 30),
    repeats=st.integers(1, 8),
)
def test_repeats_stay_between_the_plans_number_and_its_ceiling(
    tools: int, json: int, speed: int, plain: int, repeats: int
) -> None:
    settings = Settings(plan=PlanSettings(repeats=repeats, max_repeats=12))
    found = allocate(a_set(tools=tools, json=json, speed=speed, plain=plain), settings)
    assert all(repeats <= count <= 12 for count in found.repeats.values())
    assert all(demotion.n < demotion.needed for demotion in found.demotions)


@pytest.mark.parametrize("module", ["allocation", "estimators"])
def test_planning_loads_no_arrays(module: str) -> None:
    code = (
        f"import sys, harness.analysis.{module}; print([m for m in ('numpy', 'scipy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
