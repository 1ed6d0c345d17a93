import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats.mstats import hdquantiles

from harness.analysis.quantiles import order_statistic_interval, quantile, rank_of, smallest_n

finite = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
samples = st.lists(finite, min_size=1, max_size=60)
levels = st.floats(min_value=0.05, max_value=0.95)


def test_no_values_have_no_quantile() -> None:
    assert quantile([], 0.5) is None


def test_a_median_of_three_weighs_the_middle_most() -> None:
    # Beta(2, 2) has the CDF 3x² - 2x³: 7/27 at 1/3, 20/27 at 2/3; so the weights are 7, 13 and 7 of 27.
    assert quantile([0.0, 0.0, 27.0], 0.5) == pytest.approx(7)
    assert quantile([0.0, 27.0, 27.0], 0.5) == pytest.approx(20)


@given(samples, st.sampled_from([0.05, 0.25, 0.5, 0.9, 0.95]))
def test_harrell_davis_agrees_with_scipy(values: list[float], q: float) -> None:
    if len(values) > 1:
        assert quantile(values, q) == pytest.approx(float(hdquantiles(values, [q])[0]), rel=1e-9, abs=1e-6)


def test_beyond_p95_it_is_type_7_as_numpy_computes_it() -> None:
    values = list(np.random.default_rng(1).lognormal(size=150))
    assert quantile(values, 0.99) == pytest.approx(float(np.quantile(values, 0.99)))
    assert quantile(values, 0.01) == pytest.approx(float(np.quantile(values, 0.01)))


def test_one_failure_among_many_leaves_the_median_finite() -> None:
    values = [*map(float, range(1, 150)), math.inf]
    assert quantile(values, 0.5) == 75.0  # the 75th of 150, not a weighted mean that would be infinite


@pytest.mark.parametrize(("failures", "expected"), [(7, 193.0), (10, 190.0), (11, math.inf)])
def test_p95_of_200_is_infinite_once_more_than_ten_fail(failures: int, expected: float) -> None:
    values = [*map(float, range(1, 201 - failures)), *[math.inf] * failures]
    assert quantile(values, 0.95) == pytest.approx(190.0 if math.isfinite(expected) else math.inf)


def test_an_undefined_value_is_refused() -> None:
    with pytest.raises(ValueError, match="not a sample"):
        quantile([1.0, math.nan], 0.5)


@pytest.mark.parametrize("q", [0.0, 1.0, -0.1, 95.0])
def test_a_level_outside_0_and_1_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile([1.0], q)
    with pytest.raises(ValueError, match="between 0 and 1"):
        smallest_n(q)


@given(samples, levels)
def test_a_quantile_lies_within_its_samples(values: list[float], q: float) -> None:
    found = quantile(values, q)
    assert found is not None
    assert min(values) <= found <= max(values)


@given(samples, levels, levels)
def test_quantiles_rise_with_their_level(values: list[float], one: float, two: float) -> None:
    low, high = quantile(values, min(one, two)), quantile(values, max(one, two))
    assert low is not None
    assert high is not None
    assert low <= high + 1e-6


@given(samples, levels, st.floats(0.1, 10), st.floats(-100, 100))
def test_quantiles_move_with_shift_and_scale(values: list[float], q: float, scale: float, shift: float) -> None:
    before, after = quantile(values, q), quantile([value * scale + shift for value in values], q)
    assert before is not None
    assert after == pytest.approx(before * scale + shift, rel=1e-6, abs=1e-4)


@given(samples, levels)
def test_low_quantiles_mirror_high_ones(values: list[float], q: float) -> None:
    mirrored = quantile([-value for value in values], 1 - q)
    assert mirrored is not None
    assert quantile(values, q) == pytest.approx(-mirrored, rel=1e-6, abs=1e-4)


@pytest.mark.parametrize(("q", "n"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_the_least_n_of_an_interval_is_the_one_published(q: float, n: int) -> None:
    assert smallest_n(q) == smallest_n(1 - q) == n


@pytest.mark.parametrize("q", [0.5, 0.9, 0.95, 0.99, 0.05, 0.1])
def test_an_interval_exists_from_the_least_n_on(q: float) -> None:
    n = smallest_n(q)
    assert order_statistic_interval([1.0] * (n - 1), q) is None
    assert order_statistic_interval([1.0] * n, q) is not None


def test_the_interval_of_a_median_of_100_runs_from_the_40th_to_the_61st() -> None:
    found = order_statistic_interval([float(value) for value in range(100, 0, -1)], 0.5)
    assert found is not None
    assert (found.low, found.high) == (40.0, 61.0)
    assert found.method == "order statistics"


def test_an_interval_that_reaches_the_failures_is_infinite_there() -> None:
    found = order_statistic_interval([*map(float, range(1, 98)), math.inf, math.inf, math.inf], 0.95)
    assert found is not None
    assert found.high == math.inf
    assert found.low == 90.0


def test_the_interval_covers_the_true_quantile_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    hits = 0
    for _ in range(1_000):
        found = order_statistic_interval(list(rng.random(100)), 0.9)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.9 <= found.high
    assert 930 <= hits <= 985  # 95 % at least, made coarser by ranks; four standard errors below


def test_a_rank_does_not_depend_on_rounding() -> None:
    assert rank_of(0.95, 20) == 19
    assert rank_of(0.05, 100) == 5
    assert rank_of(0.5, 1) == 1
