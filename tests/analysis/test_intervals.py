import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from harness.analysis.exactlevel import difference_z, share_z
from harness.analysis.intervals import (
    Z_ONE_SIDED,
    newcombe,
    newcombe_bound,
    prompts_like_these_bound,
    rate_without_event,
    wilson,
    wilson_ends,
)
from harness.analysis.samplesizes import (
    chance_to_pass,
    n_for_power,
    smallest_n_for_rate,
    smallest_n_for_share,
    smallest_prompts,
)


@st.composite
def two_rates(draw: st.DrawFn) -> tuple[int, int, int, int]:
    one, two = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    return draw(st.integers(0, one)), one, draw(st.integers(0, two)), two


@pytest.mark.parametrize(("k", "n"), [(0, 30), (7, 20), (146, 150), (150, 150)])
def test_wilson_agrees_with_scipy(k: int, n: int) -> None:
    expected = binomtest(k, n).proportion_ci(0.95, method="wilson")
    found = wilson(k, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.level == 0.95


def test_no_failure_in_150_still_allows_two_percent() -> None:
    one_sided = wilson(0, 150, Z_ONE_SIDED)
    assert one_sided.high is not None
    assert one_sided.high <= 0.02
    assert rate_without_event(150) == pytest.approx(0.0198, abs=5e-5)


def test_no_failure_in_30_still_allows_nine_and_a_half_percent() -> None:
    assert rate_without_event(30) == pytest.approx(0.095, abs=5e-5)


@pytest.mark.parametrize("n", [0, 3])
def test_a_rate_outside_0_and_1_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        wilson(4, n)


@pytest.mark.parametrize(("n", "points"), [(50, -5.1), (20, -11.9)])
def test_perfect_trials_leave_the_published_bound(n: int, points: float) -> None:
    assert newcombe_bound(n, n, n, n) * 100 == pytest.approx(points, abs=0.05)


def test_newcombes_own_example() -> None:
    # Newcombe 1998, table II, case (a): 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    found = newcombe(48, 80, 56, 70)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("margin", "n"), [(0.05, 59), (0.02, 150), (0.10, 29)])
def test_the_least_n_for_a_margin_is_exact(margin: float, n: int) -> None:
    assert smallest_n_for_rate(margin) == n
    z, before = difference_z(n, margin, 0.05), difference_z(n - 1, margin, 0.05)
    assert newcombe_bound(n, n, n, n, z) > -margin >= newcombe_bound(n - 1, n - 1, n - 1, n - 1, before)
    assert (1 - margin) ** n <= 0.05  # a candidate at the margin that lost nothing by luck


@pytest.mark.parametrize("alpha", [0.05, 0.03])
@pytest.mark.parametrize(
    ("n", "margin"), [(52, 0.05), (59, 0.05), (87, 0.05), (133, 0.02), (136, 0.02), (25, 0.1), (300, 0.1)]
)
def test_at_its_margin_a_candidate_passes_no_more_often_than_its_level_says(
    n: int, margin: float, alpha: float
) -> None:
    """Summed over all tables with scipy's binomials, at true rates between those that the bound was made for."""
    z, counts = difference_z(n, margin, alpha), range(n + 1)
    least = np.array(
        [next((b for b in range(n + 1) if newcombe_bound(a, n, b, n, z) > -margin), n + 1) for a in counts]
    )
    for rate in np.concatenate([np.linspace(0.5, 0.9, 17), np.linspace(0.9, 1.0, 41)]):
        passes = binom.pmf(counts, n, rate) @ binom.sf(least - 1, n, rate - margin)
        assert passes <= alpha


@pytest.mark.parametrize(
    ("n", "budget", "alpha"), [(299, 0.01, 0.05), (298, 0.01, 0.05), (150, 0.02, 0.03), (80, 0.05, 0.05)]
)
def test_a_share_at_its_budget_passes_no_more_often_than_its_level_says(n: int, budget: float, alpha: float) -> None:
    z = share_z(n, budget, alpha)
    passing = [count for count in range(n + 1) if wilson_ends(count, n, z)[1] < budget]
    assert np.sum(binom.pmf(passing, n, budget)) <= alpha
    assert (smallest_n_for_share(0.01, 0.05), smallest_n_for_share(0.05, 0.05)) == (299, 59)  # the ranks of p99 and p95


@pytest.mark.parametrize(
    ("rate", "margin", "n"),
    # 12.37 p (1 - p) / d² gives 144, 400, 900, 446 and 112: too few where errors are few.
    [(0.97, 0.05, 178), (0.97, 0.03, 438), (0.95, 0.05, 262), (0.90, 0.05, 460), (0.9, 0.1, 127)],
)
def test_sizes_for_80_percent_power_reach_it_by_exact_sums(rate: float, margin: float, n: int) -> None:
    assert n_for_power(rate, margin) == n
    assert chance_to_pass(rate, n, margin) >= 0.8
    assert chance_to_pass(rate, n - 1, margin) < 0.8


def test_a_look_at_three_percent_asks_for_more() -> None:
    assert [smallest_n_for_rate(margin, 0.03) for margin in (0.05, 0.02, 0.1)] == [73, 179, 34]
    assert n_for_power(0.95, 0.05, 0.03) == 312


def test_many_errors_are_sized_by_the_normal_approximation() -> None:
    assert n_for_power(0.8, 0.02) == 4947  # 12.365 x 0.16 / 0.0004, rounded up


def test_the_chance_to_pass_of_perfect_sides_is_all_or_nothing() -> None:
    assert (chance_to_pass(1.0, 59, 0.05), chance_to_pass(1.0, 58, 0.05)) == (1.0, 0.0)


@pytest.mark.parametrize(("rate", "n"), [(0.97, 60), (0.5, 40), (0.02, 30)])
def test_the_chance_to_pass_is_the_sum_over_all_tables(rate: float, n: int) -> None:
    every = [
        binom.pmf(one, n, rate) * binom.pmf(two, n, rate)
        for one in range(n + 1)
        for two in range(n + 1)
        if newcombe_bound(one, n, two, n, difference_z(n, 0.1, 0.05)) > -0.1
    ]
    assert chance_to_pass(rate, n, 0.1) == pytest.approx(sum(every), abs=1e-9)


def test_power_never_asks_less_than_a_perfect_run_needs() -> None:
    assert n_for_power(1.0, 0.05) == 59


@given(two_rates())
def test_swapping_the_sides_negates_the_interval(rates: tuple[int, int, int, int]) -> None:
    one, n_one, two, n_two = rates
    forth, back = newcombe(one, n_one, two, n_two), newcombe(two, n_two, one, n_one)
    assert forth.low is not None
    assert forth.high is not None
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low))


@given(two_rates())
def test_the_interval_holds_the_difference_and_stays_within_the_possible(rates: tuple[int, int, int, int]) -> None:
    one, n_one, two, n_two = rates
    found = newcombe(one, n_one, two, n_two)
    assert found.low is not None
    assert found.high is not None
    assert -1 - 1e-9 <= found.low <= two / n_two - one / n_one <= found.high <= 1 + 1e-9


@given(two_rates())
def test_more_successes_raise_the_bound(rates: tuple[int, int, int, int]) -> None:
    one, n_one, two, n_two = rates
    if two < n_two:
        assert newcombe_bound(one, n_one, two + 1, n_two) > newcombe_bound(one, n_one, two, n_two)


@given(two_rates(), st.integers(2, 5))
def test_more_of_the_same_narrows_the_interval(rates: tuple[int, int, int, int], times: int) -> None:
    one, n_one, two, n_two = rates
    more = newcombe_bound(one * times, n_one * times, two * times, n_two * times)
    assert more >= newcombe_bound(one, n_one, two, n_two) - 1e-12


@pytest.mark.parametrize(
    ("margin", "alpha", "prompts"),
    [(0.05, 0.05, 45), (0.10, 0.05, 22), (0.02, 0.05, 115), (0.05, 0.03, 52), (0.10, 0.03, 25), (0.02, 0.03, 131)],
)
def test_a_set_without_disagreement_needs_so_many_prompts(margin: float, alpha: float, prompts: int) -> None:
    assert smallest_prompts(margin, alpha) == prompts
    z = {0.05: 1.644854, 0.03: 1.880794}[alpha]
    bounds = [prompts_like_these_bound([0.0] * count, z) for count in (prompts - 1, prompts)]
    assert bounds[0] is not None
    assert bounds[1] is not None
    assert bounds[0] < -margin <= bounds[1]


def test_thirty_prompts_can_never_support_five_points_for_traffic() -> None:
    best = prompts_like_these_bound([0.0] * 30)
    assert best is not None
    assert best < -0.05


def test_the_bound_for_prompts_like_these_by_hand() -> None:
    # d = 0, -1 with the pseudo-prompts +1, -1: mean -1/4, mean square 3/4, s² = 3/4 - 1/16 = 11/16, over 4.
    expected = -0.25 - Z_ONE_SIDED * math.sqrt(11 / 16 / 4)
    assert prompts_like_these_bound([0.0, -1.0]) == pytest.approx(expected)
    assert prompts_like_these_bound([]) is None


def test_the_one_sided_bound_is_wrong_at_the_margin_in_at_most_five_percent() -> None:
    rng = np.random.default_rng(11)
    n, true_drop = 150, 0.05
    reference = rng.binomial(n, 0.97, 4_000)
    candidate = rng.binomial(n, 0.97 - true_drop, 4_000)
    passes = sum(
        newcombe_bound(int(one), n, int(two), n) > -true_drop for one, two in zip(reference, candidate, strict=True)
    )
    assert passes / 4_000 <= 0.064  # 5 % and four standard errors


def test_prompts_like_these_do_not_pass_a_drop_on_a_fifth_of_the_prompts() -> None:
    # Traffic loses 5 points because a fifth of prompts loses a quarter; 30 of them are sampled, five repeats each.
    rng = np.random.default_rng(12)
    passes = 0
    for _ in range(2_000):
        is_hit = rng.random(30) < 0.2
        lost = rng.binomial(5, np.where(is_hit, 0.25, 0.0)) / 5
        bound = prompts_like_these_bound([-float(loss) for loss in lost])
        assert bound is not None
        passes += bound > -0.05
    assert passes == 0  # simulation gave 0 %; the plain t bound passes every ninth
