import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import skew
from scipy.stats import t as student

from harness.analysis.skewedmean import skewed_mean_bounds

LEVEL = 0.95


def transformed(values: NDArray[np.float64], mean: float) -> float:
    """Hall's g(T), as printed."""
    n = values.size
    t = n**0.5 * (values.mean() - mean) / values.std(ddof=1)
    gamma = skew(values)
    return float(t + gamma * (t**2 / 3 + 1 / 6) / n**0.5 + gamma**2 * t**3 / (27 * n))


@pytest.mark.parametrize(
    "values", [[0.0, 0.0, 0.1, 0.4, 1.2], [-3.0, 0.0, 0.1, 0.1, 0.2, 0.2], [0.0] * 29 + [1.0], [1.0, 2.0, 3.0, 4.0]]
)
def test_the_bounds_are_the_roots_of_halls_cubic(values: list[float]) -> None:
    array = np.array(values)
    low, high = skewed_mean_bounds(array, LEVEL)
    quantile = student.ppf(LEVEL, array.size - 1)
    assert low == pytest.approx(brentq(lambda mean: transformed(array, mean) - quantile, -99, 99))
    assert high == pytest.approx(brentq(lambda mean: transformed(array, mean) + quantile, -99, 99))


def test_symmetric_values_have_students_bounds() -> None:
    # Mean 0, sd sqrt(5 / 2) of -2 .. 2, t(.95, 4) = 2.131847: 2.131847 sqrt(.5).
    assert skewed_mean_bounds(np.arange(-2.0, 3.0), LEVEL) == pytest.approx((-1.507443, 1.507443), abs=1e-6)


def test_mirrored_values_have_mirrored_bounds() -> None:
    values = np.array([0.0, 0.0, 0.1, 0.4, 1.2])
    low, high = skewed_mean_bounds(values, LEVEL)
    assert skewed_mean_bounds(-values, LEVEL) == pytest.approx((-high, -low))


def test_a_longer_tail_above_moves_both_bounds_up() -> None:
    values = np.array([0.0] * 24 + [0.5] * 6)
    reach = student.ppf(LEVEL, 29) * values.std(ddof=1) / 30**0.5
    low, high = skewed_mean_bounds(values, LEVEL)
    assert low > values.mean() - reach
    assert high > values.mean() + reach


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3])
def test_without_spread_both_bounds_are_the_mean(value: float) -> None:
    assert skewed_mean_bounds(np.full(30, value), LEVEL) == pytest.approx((value, value))


def test_bounds_of_skewed_values_miss_about_as_often_as_stated() -> None:
    rng = np.random.default_rng(12)
    found = rng.exponential(size=(4_000, 30))
    bounds = np.array([skewed_mean_bounds(values, LEVEL) for values in found])
    missed_above, missed_below = np.mean(bounds[:, 1] < 1), np.mean(bounds[:, 0] > 1)
    plain = found.mean(axis=1) + student.ppf(LEVEL, 29) * found.std(axis=1, ddof=1) / 30**0.5
    # 40,000 sets gave 6.2 % and 4.3 % here, 9.7 % and 2.3 % for Student's bounds. Over 7.7 %, or outside 3.0 to 5.7 %,
    # or a plain bound under 7.7 %, has a chance of 1 in 10,000 at most.
    assert missed_above < 0.077
    assert 0.03 < missed_below < 0.057
    assert np.mean(plain < 1) > 0.077
