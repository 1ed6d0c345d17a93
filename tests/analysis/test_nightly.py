"""Nights against a baseline period, by hand and by other libraries."""

import math
from dataclasses import replace
from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
from scipy.stats import fisher_exact
from scipy.stats import t as student

from harness.analysis.nightcounts import counts_tail, dispersion_of
from harness.analysis.nightlosses import losses_of
from harness.analysis.nightly import hodges_lehmann, judge_at, judge_night
from harness.analysis.nightlyregression import over_metrics
from harness.analysis.nightmetrics import NIGHT_METRICS, change_text, least_loss, with_thresholds
from harness.analysis.nightnoise import freedom, night_sd
from harness.analysis.results.nights import MetricNight, NightlyRule
from harness.errors import ConfigError
from tests.analysis.nightcases import a_night, nights

DECODE = NIGHT_METRICS["decode_p50"]
ANSWERED = NIGHT_METRICS["request_success"]
TASK = NIGHT_METRICS["task_success"]
RULE = NightlyRule()
USUAL = [100.0, 102, 98, 101, 99, 100.5, 99.5, 103, 97, 100]


def judged(*values: float | None, rule: NightlyRule = RULE) -> MetricNight:
    return judge_night(nights(*values), 0, DECODE, rule)


def test_the_variation_is_the_median_of_near_pairs() -> None:
    near = [abs(one - two) for (i, one), (j, two) in combinations(enumerate(USUAL), 2) if j - i <= 7]
    assert night_sd(USUAL) == pytest.approx(np.median(near) / (math.sqrt(2) * 0.67449), rel=1e-4)


def test_the_variation_has_the_stated_freedom() -> None:
    """Of a scale with d degrees of freedom the squared coefficient of variation is 1 / 2d."""
    rng = np.random.default_rng(1)
    for n in (14, 40):
        found = np.array([night_sd(rng.normal(size=n).tolist()) for _ in range(3000)])
        assert found.mean() == pytest.approx(1, abs=0.05)
        assert found.mean() ** 2 / (2 * found.var()) == pytest.approx(freedom(n), rel=0.12)


def test_a_step_and_a_drift_hardly_touch_the_variation() -> None:
    rng = np.random.default_rng(2)
    still = rng.normal(size=60)
    assert night_sd((still + 10 * (np.arange(60) > 30)).tolist()) == pytest.approx(night_sd(still.tolist()), rel=0.25)
    assert night_sd((still + 0.05 * np.arange(60)).tolist()) == pytest.approx(night_sd(still.tolist()), rel=0.1)


def test_the_baseline_is_the_median_of_means_of_pairs() -> None:
    means = [(one + two) / 2 for one, two in combinations_with_replacement(USUAL, 2)]
    assert hodges_lehmann(USUAL) == pytest.approx(np.median(means))


def test_a_single_night_by_hand() -> None:
    found = judged(*USUAL, 80).shift
    losses = [-math.log(value) for value in USUAL]
    loss = -math.log(80) - hodges_lehmann(losses)
    error = night_sd(losses) * math.sqrt(1 + 1.05 / 10)
    assert found is not None
    assert (found.n_nights, found.n_baseline, found.n_noise) == (1, 10, 10)
    assert found.loss == pytest.approx(loss)
    assert found.error == pytest.approx(error)
    assert found.p_value == pytest.approx(student.sf(loss / error, 0.7 * 9))


def test_two_nights_are_their_mean_and_three_windows_are_paid_for() -> None:
    found = judged(*USUAL, 88, 89)
    losses = [-math.log(value) for value in USUAL]
    loss = -(math.log(88) + math.log(89)) / 2 - hodges_lehmann(losses)
    sd = night_sd([*losses, -math.log(88)])
    p = student.sf(loss / (sd * math.sqrt(1 / 2 + 1.05 / 10)), 0.7 * 10)
    assert found.shift is not None
    assert found.shift.n_nights == 2
    assert found.adjusted_p == pytest.approx(3 * p)


def test_a_night_measured_less_well_counts_for_less() -> None:
    usual = [replace(night, low=night.value * 0.98, high=night.value * 1.02) for night in nights(*USUAL, 90)]  # type: ignore[operator]
    wide = [*usual[:-1], replace(usual[-1], low=60, high=135)]
    exact, loose = judge_night(usual, 0, DECODE, RULE).shift, judge_night(wide, 0, DECODE, RULE).shift
    assert exact is not None
    assert loose is not None
    assert exact.error is not None
    assert loose.error is not None
    within = math.log(135 / 60) / (2 * 1.959964)
    narrow = math.log(1.02 / 0.98) / (2 * 1.959964)
    assert loose.error**2 - exact.error**2 == pytest.approx(within**2 - narrow**2)
    assert loose.p_value > exact.p_value


def test_the_baseline_period_never_moves() -> None:
    """Its nights are the first fourteen, whatever came later: a year of worse nights leaves it."""
    rng = np.random.default_rng(3)
    first = 100 * np.exp(0.02 * rng.normal(size=14))
    later = 90 * np.exp(0.02 * rng.normal(size=60))
    for n in (20, 60):
        found = judged(*first, *later[:n]).shift
        assert found is not None
        assert found.n_baseline == 14
        assert found.baseline == pytest.approx(math.exp(-hodges_lehmann([-math.log(value) for value in first])))


def test_nights_that_are_nearly_always_equal_are_counted() -> None:
    """With a scale of 0 one odd night would be infinitely far: p is the chance that so many fall in the window."""
    steady = [100.0] * 30
    rule = replace(RULE, windows=(1,))
    once = judged(*steady, 80, rule=rule).shift
    twice = judged(*steady, 80, 80, rule=replace(RULE, windows=(2,))).shift
    assert once is not None
    assert twice is not None
    assert once.night_sd == 0.0
    assert once.p_value == pytest.approx(1 / 31)
    assert twice.p_value == pytest.approx(1 / math.comb(32, 2))
    again = judged(*steady[:20], 80, *steady[:9], 80, rule=rule).shift
    assert again is not None
    assert again.p_value == pytest.approx(2 / 31)
    lasting = judged(*steady, *[80.0] * 9, rule=replace(RULE, windows=(2,))).shift
    assert lasting is not None
    assert lasting.p_value == twice.p_value  # the nights of one change are not held against it


def test_small_changes_and_changes_for_the_better_are_no_regression() -> None:
    steady = [100.0, 100.1, 99.9] * 10
    assert judged(*steady, 96).adjusted_p == 1.0  # 4 %: significant, and below the threshold
    assert judged(*steady, 130).adjusted_p == 1.0
    below = judged(*steady, 90).adjusted_p
    assert below is not None
    assert below < 0.001


def test_what_is_over_tonight_is_no_alarm_of_the_week() -> None:
    """An odd night stays in the mean of the week, and speaks no more once tonight is well again."""
    steady = [100.0, 100.5, 99.5] * 10
    assert judged(*steady, 60, 100).adjusted_p == 1.0


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((100.0,), "this is the baseline itself"),
        ((100.0, 99), "1 comparable earlier nights have a value, and the variation needs 6"),
        ((*USUAL, None), "timings are VOID"),
    ],
)
def test_nights_that_cannot_be_judged_say_why(values: tuple[float | None, ...], reason: str) -> None:
    found = judged(*values)
    assert (found.shift, found.reason) == (None, reason)


def test_gaps_are_left_out_and_an_old_night_is_no_part_of_a_window() -> None:
    rule = replace(RULE, windows=(2,))
    near, far = judged(*USUAL, 90, None, 90, rule=rule).shift, judged(*USUAL, 90, None, None, None, 90, rule=rule)
    assert near is not None
    assert near.n_nights == 2
    assert far.shift is None


def test_other_definitions_are_not_compared() -> None:
    series = nights(*USUAL, 50)
    upgraded = [*series[:-1], replace(series[-1], comparable="other")]
    assert judge_night(upgraded, 0, DECODE, RULE).reason == "tonight and the baseline are not comparable"


def test_counts_are_fishers_test() -> None:
    expected = fisher_exact(np.array([[9, 91], [30, 970]]), alternative="greater").pvalue
    assert counts_tail((9, 100), (30, 1000), 1.0) == pytest.approx(expected)
    assert counts_tail((9, 100), (30, 1000), 3.0) == pytest.approx(
        fisher_exact(np.array([[3, 30], [10, 323]]), alternative="greater").pvalue
    )
    assert counts_tail((3, 100), (30, 1000), 1.0) == 1.0


def test_nights_that_vary_like_coins_have_no_dispersion_and_others_have() -> None:
    rng = np.random.default_rng(4)
    coins = [a_night(count / 200, place, n=200) for place, count in enumerate(rng.binomial(200, 0.9, size=400))]
    spread = [
        a_night(count / 200, place, n=200)
        for place, count in enumerate(rng.binomial(200, rng.beta(0.9 * 50, 0.1 * 50, size=400)))
    ]
    assert dispersion_of(losses_of(coins, TASK)) == pytest.approx(1.0, abs=0.25)
    # beta-binomial: 1 + (n - 1) / (weight + 1)
    assert dispersion_of(losses_of(spread, TASK)) == pytest.approx(1 + 199 / 51, rel=0.25)
    clumped = [a_night(1.0 if place % 10 else 0.95, place, n=200) for place in range(400)]
    assert night_sd([night.value or 0 for night in clumped]) == 0.0
    assert dispersion_of(losses_of(clumped, TASK)) > 0.05**2 * 0.1 * 0.9 * 200 / (0.005 * 0.995)  # Pearson's
    outage = [*coins[:50], *(a_night(0.0, place) for place in range(50, 53))]
    assert dispersion_of(losses_of(outage, TASK)) == pytest.approx(dispersion_of(losses_of(coins[:50], TASK)))


def test_a_year_of_nights_that_mostly_lose_nothing_is_quiet() -> None:
    """Shares that vary like those of 50 further requests: seven times a coin's variance, in a few nights."""
    rng = np.random.default_rng(7)
    counts = rng.binomial(300, rng.beta(0.995 * 50, 0.005 * 50, size=365))
    series = [a_night(count / 300, place, n=300) for place, count in enumerate(counts)]
    losses = losses_of(series, ANSWERED)
    assert np.median(counts) == 300
    judged_nights = [judge_at(series, losses, (0, at), ANSWERED, RULE) for at in range(1, 365)]
    assert sum(over_metrics([one], RULE)[0].is_suspicious for one in judged_nights) <= 3


def test_a_rate_that_falls_is_suspicious_and_one_loss_more_is_not() -> None:
    steady = [a_night((196 + place % 3) / 200, place, n=200) for place in range(30)]
    fallen = judge_night([*steady, a_night(0.85, 30, n=200)], 0, TASK, RULE)
    usual = judge_night([*steady, a_night(0.965, 30, n=200)], 0, TASK, RULE)
    assert fallen.adjusted_p is not None
    assert fallen.adjusted_p < 1e-4
    assert usual.adjusted_p == 1.0


def test_many_figures_share_one_chance_of_a_false_suspicion() -> None:
    """Holm: the smallest p is paid for by all figures, and figures without a value by none."""
    found = [
        MetricNight(metric=metric, shift=None, adjusted_p=p)
        for metric, p in zip(NIGHT_METRICS.values(), (0.001, 0.002, 1.0, None), strict=False)
    ]
    told = over_metrics(found, RULE)
    assert [one.adjusted_p for one in told] == pytest.approx([0.003, 0.004, 1.0, None])
    assert [one.is_suspicious for one in told] == [True, True, False, False]


def test_thresholds_are_ratios_and_points() -> None:
    assert math.exp(-least_loss(DECODE)) == pytest.approx(0.95)
    assert math.exp(least_loss(NIGHT_METRICS["ttft_p50"])) == pytest.approx(1.10)
    assert change_text(DECODE, least_loss(DECODE)) == "5.0 % lower"
    assert change_text(NIGHT_METRICS["ttft_p50"], math.log(0.9)) == "10.0 % lower"
    assert change_text(TASK, 0.05) == "5.0 points lower"
    (own,) = with_thresholds({"decode_p50": 0.08}, ("decode_p50",))
    assert own.threshold == 0.08
    with pytest.raises(ConfigError, match="no figure 'decode'"):
        with_thresholds({"decode": 0.08})
