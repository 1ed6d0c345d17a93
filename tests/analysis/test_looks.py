import math
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from harness.analysis.allocation import allocate
from harness.analysis.looks import MOST_GROWTH, TWO_ALPHA, boundaries, looks_of, next_repeats, plan_alpha, spent_levels
from harness.analysis.modes import certify, certify_warning, quick, sequential
from harness.model.record import Looks, LookScheme, Plan
from harness.model.settings import Gates, RatioGate, Settings
from tests.analysis.trialcases import golden

PLAN = Plan(seed=1, look_ahead=0, repeats={"a": 5, "b": 9}, blocks=(), settings={}, golden_sha256="", estimators="3")


@pytest.mark.parametrize(
    ("fractions", "published"),
    # O'Brien-Fleming spending of 2.5 % one-sided at equal steps, as tabulated by Reboussin et al., Controlled Clinical
    # Trials 21 (2000) 190, and in R's ldbounds.
    [
        ((1 / 2, 1), (2.963, 1.969)),
        ((1 / 3, 2 / 3, 1), (3.710, 2.511, 1.993)),
        ((0.2, 0.4, 0.6, 0.8, 1), (4.877, 3.357, 2.680, 2.290, 2.031)),
    ],
)
def test_the_boundaries_are_the_published_ones(fractions: tuple[float, ...], published: tuple[float, ...]) -> None:
    assert boundaries(fractions, 0.025) == pytest.approx(published, abs=6e-4)


def test_three_looks_together_spend_five_percent() -> None:
    """Summed a second way: the joint normal of all three looks, by scipy."""
    alphas = looks_of(LookScheme.SEQUENTIAL, 5).alphas
    assert alphas == pytest.approx((0.00035, 0.0055, 0.0482), abs=5e-5)
    bounds, fractions = norm.isf(alphas), (0.3, 0.5, 1.0)
    shared = [[(min(one, two) / max(one, two)) ** 0.5 for two in fractions] for one in fractions]
    stays = multivariate_normal(cov=shared, allow_singular=True).cdf(bounds)
    assert 1 - stays == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(("growth", "together"), [(1.5, 0.046), (2, 0.0495), (4, 0.0545)])
def test_two_looks_at_three_percent_together(growth: float, together: float) -> None:
    bounds = [norm.isf(alpha) for alpha in looks_of(LookScheme.TWO, 5).alphas]
    shared = (1 / growth) ** 0.5
    assert 1 - multivariate_normal(cov=[[1, shared], [shared, 1]]).cdf(bounds) <= together


@pytest.mark.parametrize(("growth", "together"), [(10, 0.0567), (40, 0.0581), (1e9, 0.0591)])
def test_two_looks_at_far_more_data(growth: float, together: float) -> None:
    bounds = [norm.isf(TWO_ALPHA)] * 2
    shared = (1 / growth) ** 0.5
    found = 1 - multivariate_normal(cov=[[1, shared], [shared, 1]]).cdf(bounds)
    assert found == pytest.approx(together, abs=1e-4)


@pytest.mark.parametrize(("most", "together"), [(MOST_GROWTH, 0.0584), (10, 0.0639), (math.inf, 0.0726)])
def test_a_growth_chosen_by_what_the_first_look_showed(most: float, together: float) -> None:
    """Integrated over the first look's statistic z; of all growths allowed, the one that most often passes then."""
    bound, fractions = norm.isf(TWO_ALPHA), np.linspace(1 / most, 1, 4_001)[:-1]

    def passes(z: float) -> float:
        return float(norm.cdf((np.sqrt(fractions) * z - bound) / np.sqrt(1 - fractions)).max() * norm.pdf(z))

    found = TWO_ALPHA + quad(passes, -8, bound, limit=100, epsabs=1e-6)[0]
    assert found == pytest.approx(together, abs=1e-4)
    assert found <= 0.073


def test_a_plan_without_looks_and_looks_beyond_the_plan() -> None:
    two = replace(PLAN, looks=looks_of(LookScheme.TWO, 5))
    assert (plan_alpha(None), plan_alpha(PLAN), PLAN.looks) == (0.05, 0.05, Looks())
    assert [plan_alpha(two, look) for look in (1, 2, 3)] == [0.03, 0.03, 0.03]
    assert spent_levels((1.0,), 0.05) == pytest.approx((0.05,), abs=1e-9)


def test_the_next_look_has_the_plans_repeats_or_more_than_now() -> None:
    steps = replace(PLAN, looks=looks_of(LookScheme.SEQUENTIAL, 5))
    assert [next_repeats(steps, look, 40) for look in (1, 2)] == [5, 10]
    two = replace(PLAN, looks=looks_of(LookScheme.TWO, 5))
    assert (next_repeats(two, 1, 12), next_repeats(two, 1, 2)) == (12, 6)


def test_a_sequence_starts_with_three_repeats_and_demotes_by_its_last_look() -> None:
    found = allocate(golden(), sequential(Settings()))
    assert set(found.repeats.values()) == {3}
    # 8 tool prompts x 10 repeats are 80, enough at 4.8 %; 6 x 10 requests do not show a decode rate's p5.
    assert {demotion.gate for demotion in found.demotions} == {"decode_p5"}


def test_a_screen_asks_little_and_requires_only_rates_and_medians() -> None:
    strict = Gates(ttft_p50=RatioGate(margin=1.1, required=False), slo=["ttft <= 2 s in 99 %"])
    found = quick(Settings(verdict=strict))
    assert (found.plan.repeats, found.plan.looks, found.plan.screen) == (3, LookScheme.SINGLE, True)
    assert found.verdict.request_success.margin == 0.10
    assert (found.verdict.ttft_p50.margin, found.verdict.ttft_p50.required) == (1.1, False)
    assert not found.verdict.ttft_p95.required
    assert not found.verdict.slo[0].required  # type: ignore[union-attr]
    assert msgspec.convert(msgspec.to_builtins(found), Settings) == found


def test_certifying_narrows_the_tail_and_warns_of_few_prompts() -> None:
    found = certify(Settings())
    assert (found.plan.repeats, found.verdict.ttft_p95.margin) == (10, 1.25)
    assert "certifying with 28 prompts" in (certify_warning(golden()) or "")
    own = Settings(verdict=Gates(ttft_p95=RatioGate(margin=1.1)))
    assert certify(own).verdict.ttft_p95.margin == 1.1
