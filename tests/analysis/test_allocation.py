import subprocess
import sys

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.allocation import (
    LEAST_PROMPTS,
    allocate,
    demotions_at,
    find_demotions,
    smallest_prompts_without_disagreement,
)
from harness.analysis.disagreement import LEAST_ANSWERS, Block, excess_disagreement
from harness.analysis.kernels import Modality
from harness.model.golden import GoldenSet
from harness.model.record import Demotion
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


def test_ten_tool_prompts_get_more_repeats_because_fifty_trials_cannot_pass() -> None:
    found = allocate(a_set(tools=10, plain=20), Settings())
    assert found.repeats["tool-0"] == 8  # 80 of the 73 that a look at 3 % needs; 7 would give 70
    assert found.repeats["plain-0"] == 5


def test_every_gate_of_the_test_set_reaches_its_n() -> None:
    found = allocate(golden(), Settings())
    assert total(found.repeats, "tool") >= 73
    assert total(found.repeats, "json") >= 73
    assert total(found.repeats, "speed") >= 72  # the slow tail of the decode rate
    assert total(found.repeats) >= 179  # a loss of 2 points of requests
    assert found.demotions == ()


def test_request_success_alone_raises_all_prompts_evenly() -> None:
    found = allocate(a_set(plain=20), Settings(plan=PlanSettings(repeats=3)))
    assert set(found.repeats.values()) == {9}  # 180 of the 179 needed; 8 would give 160


def test_a_gate_out_of_reach_is_demoted_and_costs_no_repeats() -> None:
    found = allocate(a_set(tools=2, plain=26), Settings())
    assert found.repeats["tool-0"] == 7  # as all prompts, for request success
    by_gate = {demotion.gate: demotion for demotion in found.demotions}
    assert set(by_gate) == {"tool_success", "task_success"}
    assert (by_gate["tool_success"].n, by_gate["tool_success"].needed) == (14, 73)
    assert by_gate["tool_success"].reason == (
        "Tool-call success has 14 trials per side; excluding a loss of 5 points needs 73 even if none fails"
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
    assert total(found.repeats, "tool") >= 73


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


def asked_identity(margin: float, repeats: int, n_prompts: int, alpha: float = 0.05) -> tuple[Demotion, ...]:
    golden = a_set(plain=n_prompts)
    found = demotions_at(
        golden,
        Gates(identity=RateGate(margin=margin)),
        dict.fromkeys((one.id for one in golden.prompts), repeats),
        alpha,
    )
    return tuple(one for one in found if one.gate == "identity")


def test_few_prompts_cannot_show_that_answers_are_alike() -> None:
    """Of 30 prompts without any excess 9.5 points stay open at 5 %, 11.0 at 3 %."""
    (demotion,) = asked_identity(0.1, 5, 30, alpha=0.03)
    assert (demotion.n, demotion.needed) == (30, 34)
    assert demotion.reason == (
        "Excess disagreement has 30 prompts with 3 answers or more of each side; excluding an excess of 10 points "
        "needs 34 even if no answer differs"
    )
    assert asked_identity(0.1, 5, 30) == ()


def test_prompts_with_two_answers_show_nothing_of_their_own_agreement() -> None:
    assert [(one.n, one.needed) for one in asked_identity(0.1, 2, 40)] == [(0, 29)]
    assert asked_identity(0.1, LEAST_ANSWERS, 40) == ()


def test_no_excess_at_all_cannot_be_shown_and_any_excess_needs_five_prompts() -> None:
    assert "no excess at all" in asked_identity(0.0, 9, 40)[0].reason
    assert smallest_prompts_without_disagreement(1.0, 0.05) == LEAST_PROMPTS


@pytest.mark.parametrize("alpha", [0.05, 0.03, 0.00035])
@pytest.mark.parametrize("margin", [0.02, 0.05, 0.1, 0.3])
def test_the_fewest_prompts_are_those_at_which_the_bound_falls_below_the_margin(margin: float, alpha: float) -> None:
    def bound(n: int) -> float:
        block = np.ones((6, 6))
        blocks = [Block(prompt_id=str(i), modality=Modality.TEXT, alike=block, n_first=3) for i in range(n)]
        found = excess_disagreement(blocks, np.random.default_rng(1), level=1 - alpha, draws=0)
        assert found.bounds is not None
        return found.bounds[1]

    n = smallest_prompts_without_disagreement(margin, alpha)
    assert bound(n) < margin <= bound(n - 1)


def test_identity_raises_no_repeats() -> None:
    """Its n is a number of prompts: 174 of them would be needed, and 18 repeats of 10 are none the more."""
    gates = Gates(
        identity=RateGate(margin=0.02),
        request_success=RateGate(margin=0.5),
        ttft_p95=RatioGate(margin=1.5, required=False),
    )
    found = allocate(a_set(plain=10), Settings(verdict=gates, plan=PlanSettings(repeats=3)))
    assert set(found.repeats.values()) == {3}
    assert [(one.gate, one.n, one.needed) for one in found.demotions] == [("identity", 10, 174)]


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
