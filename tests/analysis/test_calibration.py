"""A short form of benchmarks/calibration: fewer sets and fewer draws, bounds that chance does not break.

Each comment says how likely a sound harness is to fail the test, were its seed drawn anew.
"""

import numpy as np
import pytest

from benchmarks.calibration import coverage, disagreement, exact, looks, size
from benchmarks.calibration.__main__ import PARTS
from benchmarks.calibration.tables import Share, share_of, upper_bound
from benchmarks.calibration.verdicts import AT_MARGIN, EQUAL, Scenario, count, judge_gate, judgements
from benchmarks.calibration.verdicts import comparisons as drawn
from benchmarks.synthetic import Defect
from harness.analysis.figures import Draws
from harness.analysis.gatetable import GATES
from harness.analysis.results.gate import GateKind, Outcome
from harness.analysis.samplesizes import smallest_n_for_rate
from harness.model.settings import Gates

FEW = Draws(bootstrap=500, permutation=999)


def test_equal_endpoints_rarely_fail() -> None:
    found = count(judgements(EQUAL[0], 25, 1, FEW))
    # Were the true rate as high as 5 %, more than 7 of 25 would have a chance of 3 in 100,000.
    assert found.verdicts["FAIL"] <= 7
    assert found.verdicts["INVALID"] == 0


def test_equal_endpoints_that_make_no_mistake_mostly_pass() -> None:
    found = count(judgements(EQUAL[1], 12, 2, FEW))
    # At the 98 % that the calibration found, fewer than 9 of 12 have a chance of 7 in 100,000.
    assert found.verdicts["PASS"] >= 9


def test_a_ttft_of_1_6_times_is_found() -> None:
    slow = Scenario(name="slow", defect=Defect(ttft_factor=1.6))
    assert count(judgements(slow, 5, 3, FEW)).verdicts["FAIL"] == 5


def test_failures_of_the_candidate_are_found() -> None:
    lossy = Scenario(name="lossy", defect=Defect(failure=0.3))
    assert count(judgements(lossy, 4, 4, FEW)).verdicts["FAIL"] == 4


@pytest.mark.parametrize("scenario", AT_MARGIN, ids=lambda scenario: scenario.name)
def test_a_candidate_at_a_margin_rarely_passes_that_gate(scenario: Scenario) -> None:
    found = [judge_gate(case, trials, scenario.gate or "")[1] for case, trials in drawn(scenario, 12, 5)]
    # At 5 %, more than 5 of 12 have a chance of 1 in 100,000; the bound of the other side would pass nearly all.
    assert found.count(Outcome.PASS) <= 5


def test_there_is_a_scenario_at_the_margin_of_every_required_gate() -> None:
    required = {row.id for row in GATES if row.settings(Gates()).required}
    assert {scenario.gate for scenario in AT_MARGIN} >= required


def test_the_scenarios_lie_exactly_at_the_shipped_margins() -> None:
    rows = {row.id: row for row in GATES}
    for scenario in AT_MARGIN:
        row, defect = rows[scenario.gate or ""], scenario.defect
        margin = row.settings(Gates()).margin
        if row.kind is GateKind.RATIO:
            factors = {defect.ttft_factor, defect.rate_factor, defect.e2e_factor, defect.token_factor}
            assert factors & {margin, 1 / margin}
        else:
            assert margin in {defect.tool_drop, defect.json_drop, defect.failure}


@pytest.mark.parametrize(("margin", "alpha"), [(0.05, 0.05), (0.05, 0.03), (0.10, 0.03), (0.02, 0.03)])
def test_summed_over_all_tables_a_rate_at_its_margin_passes_as_seldom_as_stated(margin: float, alpha: float) -> None:
    n = smallest_n_for_rate(margin, alpha)
    for trials in (n, 2 * n):
        chance, _ = exact.worst(trials, margin, alpha)
        assert chance <= alpha + 0.0015  # on a finer grid of true rates than the bound is tuned on


def test_the_exact_sum_agrees_with_simulation() -> None:
    rng = np.random.default_rng(6)
    one, two = rng.binomial(120, 0.95, 20_000), rng.binomial(120, 0.9, 20_000)
    simulated = share_of(two >= exact.least_to_pass(120, 0.05, 0.05)[one])
    expected = exact.chance_to_pass(120, 0.05, 0.05, 0.95, 0.9)
    assert simulated.rate == pytest.approx(expected, abs=0.007)  # 4.5 standard errors: 1 in 100,000


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_intervals_of_ratios_cover(q: float) -> None:
    found = share_of(coverage.covered((30, 5), 0.15, q, 120, 7))
    # At 95 %, fewer than 102 of 120 have a chance of 1 in 100,000.
    assert found.events >= 102


def test_two_planned_looks_keep_the_error_that_they_state() -> None:
    plan = next(plan for plan in looks.plans() if "shipped" in plan.name)
    found = looks.rate_passes(plan, 40_000, np.random.default_rng(8))
    assert share_of(looks.at_any(found)).rate <= 0.05 + 0.0045  # four standard errors: 3 in 100,000
    assert share_of(found[:, 0]).rate <= 0.03 + 0.0035


def test_two_looks_at_the_full_level_would_not() -> None:
    plan = next(plan for plan in looks.plans() if plan.alphas == (0.05, 0.05))
    assert share_of(looks.at_any(looks.rate_passes(plan, 40_000, np.random.default_rng(8)))).lower > 0.055


def test_equal_sides_are_called_shifted_as_seldom_as_stated() -> None:
    found = [disagreement.p_value(np.random.default_rng([9, number]), 5) for number in range(120)]
    # At 5 %, more than 17 of 120 have a chance of 3 in 100,000.
    assert sum(p <= 0.05 for p in found) <= 17


@pytest.mark.parametrize("name", [name for name in disagreement.SHIFTS if name.startswith("false PASS")])
def test_sides_that_differ_by_the_margin_are_seldom_alike_enough(name: str) -> None:
    found = list(disagreement.passes((30, 5), disagreement.SHIFTS[name], 150, 11, 0.05))
    # At 6 %, more than 22 of 150 have a chance of 3 in 100,000; a bound on the other side would pass nearly all.
    assert len(found) == 150
    assert sum(found) <= 22


def test_prompts_that_differ_wholly_and_were_not_drawn_make_nobody_alike() -> None:
    # A tenth of prompts is missed by 20 draws in 12 % of sets: such sets show no excess at all.
    found = [
        any(disagreement.passes((20, 3), shift, 100, 12, 0.05))
        for name, shift in disagreement.SHIFTS.items()
        if "differ wholly" in name
    ]
    assert found == [False]


def test_equal_sides_that_repeat_themselves_are_alike_enough() -> None:
    greedy = next(shift for name, shift in disagreement.SHIFTS.items() if "every repeat says the same" in name)
    assert all(disagreement.passes((30, 5), greedy, 3, 13, 0.05))


@pytest.mark.parametrize("name", size.STATISTICS)
def test_the_permutation_test_holds_its_size(name: str) -> None:
    found = [size.STATISTICS[name](np.random.default_rng([10, number])) for number in range(80)]
    # At 5 %, more than 13 of 80 have a chance of 4 in 100,000.
    assert sum(p <= 0.05 for p in found) <= 13


def test_the_upper_bound_of_no_event_is_the_rule_of_three() -> None:
    assert round(upper_bound(0, 1_000), 4) == 0.0030


def test_both_bounds_mirror_each_other() -> None:
    few, many = Share(events=3, sets=50), Share(events=47, sets=50)
    assert few.lower == pytest.approx(1 - many.upper)
    assert few.lower < few.rate < few.upper


def test_every_part_of_the_suite_can_be_asked_for() -> None:
    assert {"equal", "margins", "exact", "coverage", "power", "size", "looks", "placebo"} <= PARTS.keys()
