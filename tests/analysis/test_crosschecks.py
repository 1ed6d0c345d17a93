"""The estimators against statsmodels, scipy and published tables: the same numbers, computed by others."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.stats.mstats import hdquantiles
from statsmodels.stats.contingency_tables import mcnemar  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]
from statsmodels.stats.proportion import (  # type: ignore[import-untyped]
    confint_proportions_2indep,
    proportion_confint,
)

from harness.analysis.intervals import Z_ONE_SIDED, Z_TWO_SIDED, newcombe, newcombe_bound, wilson
from harness.analysis.multiplicity import holm
from harness.analysis.permutation import PromptCounts, rate_p_value, ratio_p_value
from harness.analysis.quantiles import order_statistic_interval
from harness.analysis.resampling import PairedValues, RatioBounds, log_ratios, prompt_draws, weighted_quantiles

EVERY = 10_000  # resamples: more than there are, so that scipy counts them all
TABLES = [(0, 30, 0, 30), (29, 30, 25, 30), (146, 150, 150, 150), (7, 20, 12, 25), (1, 8, 7, 9), (60, 150, 90, 150)]


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 20), (19, 20), (50, 100), (997, 1_000)])
@pytest.mark.parametrize("z", [Z_ONE_SIDED, Z_TWO_SIDED, 1.8808])
def test_wilson_is_that_of_statsmodels(k: int, n: int, z: float) -> None:
    expected = proportion_confint(k, n, alpha=2 * stats.norm.sf(z), method="wilson")
    found = wilson(k, n, z)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("table", TABLES)
def test_newcombe_is_that_of_statsmodels(table: tuple[int, int, int, int]) -> None:
    one, n_one, two, n_two = table
    expected = confint_proportions_2indep(two, n_two, one, n_one, method="newcomb", compare="diff", alpha=0.05)
    found = newcombe(*table)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("alpha", [0.05, 0.03])
def test_the_one_sided_bound_is_the_lower_end_of_twice_the_error(table: tuple[int, ...], alpha: float) -> None:
    one, n_one, two, n_two = table
    low, _ = confint_proportions_2indep(two, n_two, one, n_one, method="newcomb", compare="diff", alpha=2 * alpha)
    found = newcombe_bound(one, n_one, two, n_two, float(stats.norm.isf(alpha)))
    assert found == pytest.approx(low, abs=1e-9)


@pytest.mark.parametrize(
    ("table", "expected"),
    # Newcombe 1998, table II, method 10, cases (a) to (h): first proportion - second.
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0000)),
        ((10, 10, 0, 10), (0.6075, 1.0000)),
    ],
)
def test_newcombes_published_table(table: tuple[int, int, int, int], expected: tuple[float, float]) -> None:
    first, n_first, second, n_second = table
    found = newcombe(second, n_second, first, n_first)
    assert (found.low, found.high) == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize("q", [0.05, 0.5, 0.95])
def test_a_draws_quantile_is_scipys_of_the_drawn_sample(q: float) -> None:
    rng = np.random.default_rng(2)
    values = rng.lognormal(size=12)
    counts = rng.multinomial(12, np.full(12, 1 / 12), size=5)
    counts[0] += 2  # a draw of another size
    found = weighted_quantiles(values, counts, q, by_rank=False)
    expected = [float(hdquantiles(np.repeat(values, row), [q])[0]) for row in counts]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("n", "q"), [(40, 0.5), (90, 0.9), (150, 0.95), (150, 0.05)])
def test_ranks_give_an_interval_no_wider_than_scipys_quantile_test(n: int, q: float) -> None:
    values = np.random.default_rng(3).lognormal(size=n)
    found = order_statistic_interval(values.tolist(), q)
    theirs: Any = stats.quantile_test(values, p=q).confidence_interval(0.95)  # its stub says float
    ordered = sorted(values)
    assert found is not None
    # scipy inverts its test and may stop a rank earlier or later; both hold 95 % by the binomial distribution.
    for ours, other in ((found.low, theirs.low), (found.high, theirs.high)):
        assert ours is not None
        assert abs(ordered.index(ours) - ordered.index(other)) <= 1


def test_holm_is_that_of_statsmodels() -> None:
    p_values = dict(zip("abcdefghi", np.random.default_rng(4).beta(0.5, 4.0, 9).tolist(), strict=True))
    _, expected, _, _ = multipletests(list(p_values.values()), method="holm")
    assert holm(p_values) == pytest.approx(dict(zip(p_values, expected, strict=True)))


@pytest.mark.parametrize(("lost", "gained"), [(6, 0), (5, 1), (9, 2), (3, 3)])
def test_with_one_repeat_detection_is_mcnemars_exact_test(lost: int, gained: int) -> None:
    outcomes = [(1, 0)] * lost + [(0, 1)] * gained + [(1, 1)] * 20
    prompts = {f"p{i}": PromptCounts(n=1, reference=one, candidate=two) for i, (one, two) in enumerate(outcomes)}
    two_sided = mcnemar([[20, lost], [gained, 0]], exact=True).pvalue
    # Half of the two-sided p, and where wins and losses are as many the middle table counts on either side.
    expected = two_sided / 2 if lost != gained else float(stats.binom.cdf(gained, lost + gained, 0.5))
    found = rate_p_value(prompts, np.random.default_rng(5), is_loss_low=True)
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected / 9_999) + 0.3 * expected)


@pytest.mark.parametrize("counts", [(10, 4), (9, 7), (10, 9)])
def test_on_one_prompt_detection_is_fishers_exact_test(counts: tuple[int, int]) -> None:
    one, two = counts
    table = np.array([[two, 10 - two], [one, 10 - one]])
    expected = float(stats.fisher_exact(table, alternative="less").pvalue)
    prompts = {"p": PromptCounts(n=10, reference=one, candidate=two)}
    found = rate_p_value(prompts, np.random.default_rng(6), is_loss_low=True)
    assert found == pytest.approx(expected, abs=4 * math.sqrt(expected / 9_999) + 0.3 * expected)


Floats = NDArray[np.float64]


def log_ratio_of_medians(one: Floats, two: Floats, axis: int = -1) -> Floats:
    """Harrell and Davis' medians, computed a second way for many samples at once."""
    ratio: Floats = np.log(harrell_davis(one, axis)) - np.log(harrell_davis(two, axis))
    return ratio


def harrell_davis(values: Floats, axis: int) -> Floats:
    n = values.shape[axis]
    weights = np.diff(stats.beta.cdf(np.arange(n + 1) / n, (n + 1) / 2, (n + 1) / 2))
    median: Floats = np.sort(np.moveaxis(values, axis, -1), axis=-1) @ weights
    return median


def test_with_one_repeat_the_cluster_bootstrap_is_scipys_paired_one() -> None:
    rng = np.random.default_rng(7)
    one, two = rng.lognormal(size=30), rng.lognormal(0.3, size=30)
    pairs = PairedValues(prompts=tuple(f"p{i:02d}" for i in range(30)), reference=one, candidate=two)
    draws = log_ratios(pairs, 0.5, prompt_draws(pairs, rng, 20_000))
    tail = stats.norm.sf(math.sqrt(30 / 29) * stats.t.ppf(0.975, 29))  # Hesterberg's expanded percentiles
    theirs = stats.bootstrap(
        (two, one),
        log_ratio_of_medians,
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=20_000,
        confidence_level=1 - 2 * tail,
        rng=rng,
    ).confidence_interval
    bounds = RatioBounds(draws=draws, n_prompts=30)
    # The standard deviation of a draw is about 0.2; a percentile of 20,000 draws is off by about 0.006.
    assert (bounds.lower(0.975), bounds.upper(0.975)) == pytest.approx((theirs.low, theirs.high), abs=0.03)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0])
def test_on_one_prompt_a_ratios_detection_is_scipys_permutation_test(shift: float) -> None:
    rng = np.random.default_rng(8)
    one, two = rng.lognormal(size=6), rng.lognormal(shift, size=6)
    exact = stats.permutation_test(
        (two, one),
        log_ratio_of_medians,
        permutation_type="independent",
        vectorized=True,
        alternative="greater",
        n_resamples=EVERY,
    ).pvalue
    pairs = PairedValues(prompts=("p",) * 6, reference=one, candidate=two)
    found = ratio_p_value(pairs, 0.5, rng, is_loss_low=False)
    assert found == pytest.approx(exact, abs=float(4 * math.sqrt(exact / 9_999) + 0.3 * exact))


def test_with_one_repeat_a_ratios_detection_swaps_sides_as_scipys_does() -> None:
    rng = np.random.default_rng(9)
    one, two = rng.lognormal(size=10), rng.lognormal(0.8, size=10)
    exact = stats.permutation_test(
        (two, one),
        log_ratio_of_medians,
        permutation_type="samples",
        vectorized=True,
        alternative="greater",
        n_resamples=EVERY,
    ).pvalue
    pairs = PairedValues(prompts=tuple(f"p{i}" for i in range(10)), reference=one, candidate=two)
    found = ratio_p_value(pairs, 0.5, rng, is_loss_low=False)
    assert found == pytest.approx(exact, abs=float(4 * math.sqrt(exact / 9_999) + 0.3 * exact))
