"""Power before a run: sums written out by hand, other libraries, and the gates themselves."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import fisher_exact

from harness.analysis import samplesizes
from harness.analysis.exactlevel import difference_z
from harness.analysis.gatetable import GATES, GateRow
from harness.analysis.intervals import newcombe_bound
from harness.analysis.power import (
    POWER,
    Rule,
    chance_to_fail,
    chance_to_pass,
    fisher_p,
    smallest_loss_found,
    traffic_margin,
)
from harness.analysis.powerratios import assumed_error, halves, ratio_power, recorded_error
from harness.analysis.results.trial import Trial
from harness.model.record import Arm
from tests.analysis.trialcases import golden, side_trials

N = 30
Z = NormalDist().inv_cdf(0.95)


def _binomial(k: int, n: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


def _row(gate: str) -> GateRow:
    return next(row for row in GATES if row.id == gate)


@pytest.mark.parametrize(("reference", "candidate"), [(1.0, 1.0), (0.97, 0.97), (0.9, 0.8)])
def test_the_chance_to_pass_is_the_sum_over_all_tables(reference: float, candidate: float) -> None:
    expected = math.fsum(
        _binomial(one, N, reference) * _binomial(two, N, candidate)
        for one in range(N + 1)
        for two in range(N + 1)
        if newcombe_bound(one, N, two, N, difference_z(N, 0.15, 0.05)) > -0.15
    )
    assert chance_to_pass(Rule(n=N, margin=0.15, alpha=0.05), reference, candidate) == pytest.approx(expected)


def test_equal_sides_pass_as_often_as_the_sample_sizes_say() -> None:
    rule = Rule(n=174, margin=0.05, alpha=0.03)
    assert chance_to_pass(rule, 0.97, 0.97) == pytest.approx(samplesizes.chance_to_pass(0.97, 174, 0.05, 0.03))


def test_the_chance_to_fail_is_the_sum_over_all_tables() -> None:
    def fails(one: int, two: int) -> bool:
        z = difference_z(N, 0.05, 0.05)
        bounds = newcombe_bound(one, N, two, N, z), -newcombe_bound(two, N, one, N, z)
        table = np.array([[two, N - two], [one, N - one]])
        return bounds[0] <= -0.05 and bounds[1] < 0 and fisher_exact(table, alternative="less").pvalue <= 0.05 / 4

    expected = math.fsum(
        _binomial(one, N, 0.95) * _binomial(two, N, 0.6)
        for one in range(N + 1)
        for two in range(N + 1)
        if fails(one, two)
    )
    assert chance_to_fail(Rule(n=N, margin=0.05, alpha=0.05, n_gates=4), 0.95, 0.6) == pytest.approx(expected)


def test_the_detection_is_fishers_exact_test() -> None:
    assert fisher_p(28, 20, 30) == pytest.approx(fisher_exact(np.array([[20, 10], [28, 2]]), alternative="less").pvalue)


def test_the_smallest_loss_is_found_with_the_power_and_nothing_smaller_is() -> None:
    rule = Rule(n=100, margin=0.05, alpha=0.05)
    loss = smallest_loss_found(rule, 0.97)
    assert loss is not None
    assert chance_to_fail(rule, 0.97, 0.97 - loss) >= POWER > chance_to_fail(rule, 0.97, 0.97 - loss + 0.001)


def test_three_trials_find_no_loss_at_all() -> None:
    assert smallest_loss_found(Rule(n=3, margin=0.05, alpha=0.05), 1.0) is None


def test_fewer_errors_allowed_find_less_and_pass_less() -> None:
    lenient, strict = Rule(n=150, margin=0.05, alpha=0.05), Rule(n=150, margin=0.05, alpha=0.03)
    assert chance_to_pass(strict, 0.97, 0.97) < chance_to_pass(lenient, 0.97, 0.97)
    assert chance_to_fail(strict, 0.97, 0.85) < chance_to_fail(lenient, 0.97, 0.85)


@pytest.mark.parametrize(("prompts", "points"), [(45, 5), (22, 10), (115, 2)])
def test_a_claim_about_traffic_needs_the_prompts_that_the_statistics_page_names(prompts: int, points: int) -> None:
    assert traffic_margin(prompts, 0.05) <= points / 100 < traffic_margin(prompts - 1, 0.05)


def test_a_ratio_passes_where_its_error_leaves_room() -> None:
    row = _row("ttft_p50")
    found = ratio_power(0.1, row, 1.25, n_prompts=10_000, alphas=(0.05, 0.05), is_assumed=True)
    assert found.chance_to_pass == pytest.approx(NormalDist().cdf(math.log(1.25) / 0.1 - Z), abs=1e-3)
    assert found.smallest_ratio == pytest.approx(math.exp((Z + NormalDist().inv_cdf(0.8)) * 0.1), abs=1e-3)


def test_a_rate_that_must_not_fall_is_found_below_one() -> None:
    row = _row("decode_p50")
    found = ratio_power(0.02, row, 0.8, n_prompts=20, alphas=(0.05, 0.01), is_assumed=True)
    assert found.smallest_ratio < 1
    assert found.chance_to_pass > 0.999


def test_without_any_spread_the_margin_itself_is_found() -> None:
    found = ratio_power(0.0, _row("ttft_p50"), 1.25, n_prompts=9, alphas=(0.05, 0.05), is_assumed=False)
    assert (found.chance_to_pass, found.smallest_ratio) == (1.0, 1.25)


def test_four_times_the_repeats_halve_the_assumed_error_of_a_median() -> None:
    row, few = _row("decode_p50"), {prompt.id: 5 for prompt in golden().prompts}
    many = {prompt_id: 4 * count for prompt_id, count in few.items()}
    ratio = assumed_error(row, few, golden(), 1) / assumed_error(row, many, golden(), 1)
    assert ratio == pytest.approx(2.0, rel=0.25)


def test_the_recorded_error_is_that_of_a_log_ratio_of_medians() -> None:
    trials = side_trials(Arm.REFERENCE, repeats=40)
    repeats = dict.fromkeys((prompt.id for prompt in golden().prompts), 20)
    found = recorded_error(_row("ttft_p50"), trials, golden(), repeats, golden())
    # A median of n lognormal values of spread s varies by 1.2533 s / sqrt(n); two sides, by sqrt(2) more.
    expected = 0.05 * math.sqrt(math.pi / 2) * math.sqrt(2) / math.sqrt(28 * 20)
    assert found == pytest.approx(expected, rel=0.35)


def test_more_planned_repeats_shrink_the_recorded_error() -> None:
    trials = side_trials(Arm.REFERENCE, repeats=10)
    errors = [
        recorded_error(_row("ttft_p50"), trials, golden(), dict.fromkeys((p.id for p in golden().prompts), n), golden())
        for n in (5, 20)
    ]
    assert errors[1] < errors[0]  # type: ignore[operator]


def test_halves_use_each_repeat_once() -> None:
    trials = side_trials(Arm.REFERENCE, repeats=6)
    made = halves(trials)
    assert len({one.key for one in made}) == len(trials)
    assert sorted(map(_ttft, made)) == sorted(map(_ttft, trials))
    assert np.bincount([one.key.arm is Arm.CANDIDATE for one in made]).tolist() == [84, 84]


def _ttft(trial: Trial) -> float:
    return trial.metrics["ttft"].value or 0.0
