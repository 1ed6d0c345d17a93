"""Steps in a series, against an exhaustive search."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import pytest

from harness.analysis.changepoints import LEAST_SEGMENT, PENALTY, _best_starts, find_change_points


def cheapest(values: Sequence[float]) -> list[int]:
    """Try every segmentation."""
    n = len(values)
    found: dict[float, list[int]] = {}
    for count in range(n // LEAST_SEGMENT):
        for inner in combinations(range(1, n), count):
            bounds = [0, *inner, n]
            parts = [values[one:two] for one, two in pairwise(bounds)]
            if min(map(len, parts)) < LEAST_SEGMENT:
                continue
            error = sum(sum((value - sum(part) / len(part)) ** 2 for value in part) for part in parts)
            found[error + PENALTY * np.log(n) * count] = bounds[:-1]
    return found[min(found)]


@pytest.mark.parametrize("seed", range(8))
def test_the_segmentation_is_the_cheapest_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=12) + 5.0 * np.repeat(rng.permutation(3), 4)
    assert _best_starts(values) == cheapest(values.tolist())


def test_a_step_is_found_where_it_is_with_its_means() -> None:
    values = [100, 101, 99, 100.5, 99.5, 100, 90, 91, 89, 90.5, 89.5, 90]
    (found,) = find_change_points(values)
    assert (found.index, found.n_before, found.n_after) == (6, 6, 6)
    assert (found.before, found.after) == pytest.approx((100, 90))


def test_gaps_keep_their_places() -> None:
    values = [100, 101, None, 99, 100.5, 99.5, 100, None, None, 90, 91, 89, 90.5, 89.5, 90]
    assert [found.index for found in find_change_points(values)] == [9]


def test_nine_values_have_no_step() -> None:
    values = [100.0, 101, 99, 100, 101, 50, 51, 49, 50]
    assert find_change_points(values) == ()
    assert len(find_change_points([*values, 51])) == 1


def test_one_odd_night_is_no_step_and_neither_are_equal_values() -> None:
    values = [100, 101, 99, 100.5, 99.5, 60, 101, 99, 100.5, 99.5, 100, 101]
    assert find_change_points(values) == ()
    assert find_change_points([1.0] * 20) == ()


def test_what_is_nearly_always_equal_steps_too() -> None:
    assert [found.index for found in find_change_points([1.0] * 10 + [0.9] * 5)] == [10]
    assert [found.index for found in find_change_points([1.0] * 10 + [0.9] * 5, [100] * 15)] == [10]
    assert find_change_points([1.0] * 10 + [0.9] * 5, [10] * 15) == ()  # half a request


@pytest.mark.parametrize(("share", "n"), [(0.999, 300), (0.995, 90)])
def test_rates_that_lose_seldom_have_seldom_a_step(share: float, n: int) -> None:
    rng = np.random.default_rng(6)
    series = [(rng.binomial(n, share, size=90) / n).tolist() for _ in range(60)]
    assert sum(bool(find_change_points(values, [n] * 90)) for values in series) <= 3


def test_a_year_without_a_change_has_seldom_a_step() -> None:
    rng = np.random.default_rng(5)
    n_with = sum(bool(find_change_points(rng.normal(size=60).tolist())) for _ in range(200))
    assert n_with <= 8  # measured: 0.4 %
