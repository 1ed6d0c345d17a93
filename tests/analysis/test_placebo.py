from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.figures import Draws
from harness.analysis.placebo import Placebo, judge_placebo, placebo_faults
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.judgement import Judgement, Verdict
from harness.analysis.results.trial import Trial
from harness.analysis.verdict import judge_case
from harness.model.record import Arm
from harness.model.settings import Gates, RateGate, RatioGate, Settings
from tests.analysis.trialcases import Change, both_instruments, case, known, missing, side, side_trials, timed

FEW = Draws(bootstrap=400, permutation=999)


def with_placebo(settings: Settings | None = None) -> Case:
    return replace(case(settings=settings), placebo=side(Arm.PLACEBO))


def three(reference: Change | None = None, placebo: Change | None = None) -> list[Trial]:
    changes = {Arm.REFERENCE: reference, Arm.CANDIDATE: None, Arm.PLACEBO: placebo}
    return [one for arm, change in changes.items() for one in side_trials(arm, change)]


def judged(reference: Change | None = None, placebo: Change | None = None) -> Placebo:
    found = judge_placebo(with_placebo(), three(reference, placebo), None, FEW)
    assert found is not None
    return found


def wrong(n: int) -> Change:
    """Make the first n of each prompt's seven answers wrong."""
    return lambda one: replace(
        one, task_success=one.task_success and one.key.repeat >= n, json_valid=one.json_valid and one.key.repeat >= n
    )


def whole(reference: Change | None) -> Judgement:
    return judge_case(with_placebo(), three(reference), both_instruments(), FEW)


def test_a_reference_worse_than_its_own_placebo_is_invalid() -> None:
    found = whole(wrong(3))  # 3 of 7: 43 points
    assert found.verdict is Verdict.INVALID
    assert "A vs A' Task success +42.9 points, allowed 5 points" in found.sentence


def test_a_rate_is_judged_in_both_directions() -> None:
    assert any("Task success −42.9" in fault for fault in judged(None, wrong(3)).faults)
    assert any("Task success +42.9" in fault for fault in judged(wrong(3), None).faults)


def test_both_directions_are_one_family() -> None:
    """Sixteen tests of eight required gates that have a direction, not eight."""
    found = judged(None, lambda one: timed(one, ttft=1.9))
    one = next(gate for gate in found.gates if gate.id == "ttft_p50")
    n_tests = sum(gate.is_required and gate.p_value is not None for gate in found.gates)
    assert one.p_value == pytest.approx(2 * n_tests / 1_000)  # the smallest p of 999 draws, Holm's first step


def noisy(seed: int) -> Change:
    """TTFT with so heavy a tail that its p95 is far off in one of a few equal arms."""
    chance = np.random.default_rng(seed)
    return lambda one: timed(one, ttft=float(chance.lognormal(0, 1.6)))


def test_a_tail_that_is_only_noisy_convicts_nobody() -> None:
    """By the bare estimate several of these equal arms were beyond 1.5 times."""
    found = [judged(noisy(1_000 + 2 * number), noisy(1_001 + 2 * number)) for number in range(8)]
    ratios = [gate.effect.value or 0.0 for one in found for gate in one.gates if gate.id == "ttft_p95"]
    assert sum(not 1 / 1.5 < ratio < 1.5 for ratio in ratios) >= 2
    assert [one.faults for one in found] == [()] * 8


def test_a_ratio_inside_a_tight_margin_is_no_fault_whatever_is_detected() -> None:
    found = judged(None, lambda one: timed(one, ttft=1.2))
    gate = next(one for one in found.gates if one.id == "ttft_p50")
    assert gate.p_value is not None
    assert gate.p_value < 0.05
    assert found.faults == ()


def test_a_margin_that_no_noise_fits_into_convicts_nobody() -> None:
    tight = Settings(verdict=Gates(ttft_p50=RatioGate(margin=1.001), task_success=RateGate(margin=0.001)))
    found = judge_placebo(with_placebo(tight), three(), None, FEW)
    assert found is not None
    assert found.faults == ()


def test_a_blind_gate_convicts_nobody() -> None:
    """Half of the placebo's requests have no TTFT, the rest a threefold one: the rest does not speak for all."""

    def half(one: Trial) -> Trial:
        without = replace(one, metrics={**one.metrics, "ttft": missing("no token"), "e2e": known(1.0)})
        return without if one.key.repeat % 2 else timed(one, ttft=3.0)

    assert not any("TTFT" in fault for fault in judged(None, half).faults)


def a_gate(**changes: object) -> Gate:
    given: dict[str, object] = {
        "id": "ttft_p95",
        "title": "TTFT p95",
        "metric": "ttft",
        "kind": GateKind.RATIO,
        "margin": 1.5,
        "higher_is_better": False,
        "is_required": True,
        "outcome": Outcome.FAIL,
        "reason": "",
        "effect": known(1.6),
        "reference": known(0.2),
        "candidate": known(0.2),
        "n_reference": 9,
        "n_candidate": 9,
    }
    return Gate(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "is_fault"),
    [
        ({}, True),
        ({"effect": known(1.49)}, False),
        ({"outcome": Outcome.INCONCLUSIVE}, False),
        ({"is_required": False}, False),
        ({"is_required": False, "demoted_because": "small"}, True),
        ({"effect": missing("none")}, False),
        ({"margin": 0.8, "higher_is_better": True, "effect": known(0.79)}, True),
        ({"margin": 0.8, "higher_is_better": True, "effect": known(0.81)}, False),
        ({"margin": 1.25, "is_two_sided": True, "effect": known(0.79)}, True),
        ({"kind": GateKind.SHARE}, False),
        ({"kind": GateKind.DIFFERENCE, "margin": 0.05, "effect": known(-0.03)}, True),
    ],
)
def test_what_counts_as_a_fault(changes: dict[str, object], is_fault: bool) -> None:
    fine = a_gate(outcome=Outcome.PASS)
    assert bool(placebo_faults([a_gate(**changes)], [fine])) is is_fault
    assert bool(placebo_faults([fine], [a_gate(**changes)])) is is_fault
