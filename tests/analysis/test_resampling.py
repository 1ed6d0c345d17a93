import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.analysis.quantiles import quantile
from harness.analysis.resampling import (
    PairedValues,
    RatioBounds,
    log_ratio,
    log_ratios,
    prompt_draws,
    repeat_draws,
    weighted_quantiles,
)


def pairs(reference: list[float], candidate: list[float], repeats: int = 1) -> PairedValues:
    names = tuple(f"p{index // repeats:03d}" for index in range(len(reference)))
    return PairedValues(prompts=names, reference=np.array(reference), candidate=np.array(candidate))


def synthetic(
    seed: int, *, prompts: int = 30, repeats: int = 5, ratio: float = 1.0, between: float = 0.0
) -> PairedValues:
    """Prompts of different length whose repeats are lognormal; `between` is the sd of the prompts' own log ratios."""
    rng = np.random.default_rng(seed)
    place = np.repeat(rng.normal(0, 0.6, prompts), repeats)
    own = np.repeat(rng.normal(0, between, prompts), repeats)
    noise = rng.normal(0, 0.2, (2, prompts * repeats))
    return pairs(list(np.exp(place + noise[0])), list(ratio * np.exp(place + own + noise[1])), repeats=repeats)


values = st.lists(st.floats(0.01, 100), min_size=2, max_size=20)


@given(values, st.data(), st.sampled_from([0.05, 0.5, 0.95]), st.booleans())
def test_a_weighted_quantile_is_that_of_the_values_written_out(
    given_values: list[float], data: st.DataObject, q: float, by_rank: bool
) -> None:
    sizes = st.lists(st.integers(0, 4), min_size=len(given_values), max_size=len(given_values))
    counts = [data.draw(sizes) for _ in range(3)]
    counts = [row if any(row) else [1] * len(row) for row in counts]
    found = weighted_quantiles(np.array(given_values), np.array(counts), q, by_rank=by_rank)
    for row, one in zip(counts, found, strict=True):
        written = [value for value, count in zip(given_values, row, strict=True) for _ in range(count)]
        if by_rank:
            expected = sorted(written)[max(math.ceil(q * len(written) - 1e-9), 1) - 1]
        else:
            expected = quantile(written, q) or 0.0
        assert one == pytest.approx(expected, rel=1e-9)


def test_a_draw_holds_all_repeats_of_a_prompt_or_none() -> None:
    drawn = prompt_draws(synthetic(1, prompts=4, repeats=3), np.random.default_rng(1), 50)
    by_prompt = drawn.reshape(50, 4, 3)
    assert (by_prompt == by_prompt[:, :, :1]).all()
    assert (by_prompt[:, :, 0].sum(axis=1) == 4).all()


def test_repeats_are_drawn_within_their_prompt() -> None:
    drawn = repeat_draws(synthetic(1, prompts=4, repeats=3), np.random.default_rng(1), 50)
    assert (drawn.reshape(50, 4, 3).sum(axis=2) == 3).all()


@pytest.mark.parametrize("q", [0.05, 0.5, 0.95])
def test_swapping_the_sides_mirrors_every_bound(q: float) -> None:
    forth = synthetic(3, ratio=1.2)
    back = PairedValues(prompts=forth.prompts, reference=forth.candidate, candidate=forth.reference)
    one, two = (
        RatioBounds(draws=log_ratios(found, q, prompt_draws(found, np.random.default_rng(5))), n_prompts=30)
        for found in (forth, back)
    )
    assert log_ratio(forth, q) == pytest.approx(-log_ratio(back, q))
    assert one.lower(0.95) == pytest.approx(-two.upper(0.95))
    assert one.upper(0.975) == pytest.approx(-two.lower(0.975))


@settings(max_examples=25)
@given(st.floats(0.2, 5.0), st.integers(0, 1_000))
def test_scaling_the_candidate_scales_the_bounds(factor: float, seed: int) -> None:
    plain = synthetic(seed, prompts=8, repeats=2)
    scaled = PairedValues(prompts=plain.prompts, reference=plain.reference, candidate=plain.candidate * factor)
    one, two = (
        RatioBounds(draws=log_ratios(found, 0.5, prompt_draws(found, np.random.default_rng(5), 200)), n_prompts=8)
        for found in (plain, scaled)
    )
    assert two.upper(0.95) == pytest.approx(one.upper(0.95) + math.log(factor))


def test_failures_on_one_side_make_the_ratio_infinite_and_not_undefined() -> None:
    found = pairs([1.0] * 10, [1.0] * 4 + [math.inf] * 6)
    assert log_ratio(found, 0.5) == math.inf
    assert log_ratio(pairs([1.0] * 4 + [math.inf] * 6, [1.0] * 10), 0.5) == -math.inf


def test_one_failure_leaves_the_ratio_of_medians_finite_on_both_sides() -> None:
    found = pairs([float(value) for value in range(1, 12)], [*map(float, range(2, 12)), math.inf])
    assert log_ratio(found, 0.5) == pytest.approx(math.log(7 / 6))  # sixth of eleven on both sides


def test_failures_on_both_sides_count_against_either_claim() -> None:
    found = pairs([math.inf] * 10, [math.inf] * 10)
    assert math.isnan(log_ratio(found, 0.5))
    bounds = RatioBounds(draws=log_ratios(found, 0.5, prompt_draws(found, np.random.default_rng(1), 50)), n_prompts=10)
    assert bounds.lower(0.95) == -math.inf
    assert bounds.upper(0.95) == math.inf


def test_few_prompts_widen_the_bounds() -> None:
    found = synthetic(4, prompts=30)
    draws = log_ratios(found, 0.5, prompt_draws(found, np.random.default_rng(1)))
    wide, narrow = (RatioBounds(draws=draws, n_prompts=count) for count in (5, 30))
    assert wide.upper(0.95) > narrow.upper(0.95)
    assert wide.lower(0.95) < narrow.lower(0.95)


@pytest.mark.parametrize(("q", "between"), [(0.5, 0.0), (0.5, 0.15), (0.95, 0.0)])
def test_the_interval_covers_the_true_ratio_as_often_as_it_says(q: float, between: float) -> None:
    hits = 0
    for seed in range(300):
        found = synthetic(seed, between=between)
        draws = log_ratios(found, q, prompt_draws(found, np.random.default_rng(seed), 600))
        bounds = RatioBounds(draws=draws, n_prompts=30)
        hits += bounds.lower(0.975) <= 0.0 <= bounds.upper(0.975)
    # 95 % wanted; 300 sets have a standard error of 1.3 points, so three of them stand on each side.
    assert 0.91 * 300 <= hits <= 0.99 * 300


def test_resampling_single_requests_would_be_too_narrow() -> None:
    found = synthetic(6, between=0.3)
    whole = log_ratios(found, 0.5, prompt_draws(found, np.random.default_rng(1), 1_000))
    within = log_ratios(found, 0.5, repeat_draws(found, np.random.default_rng(1), 1_000))
    assert whole.std() > 1.5 * within.std()


@pytest.mark.parametrize(("prompts", "repeats", "q"), [(5, 15, 0.5), (5, 15, 0.05), (30, 5, 0.95)])
def test_the_one_sided_bound_is_wrong_in_about_five_percent_with_few_prompts_too(
    prompts: int, repeats: int, q: float
) -> None:
    wrong = 0
    for seed in range(500):
        found = synthetic(seed + 5_000, prompts=prompts, repeats=repeats)
        draws = log_ratios(found, q, prompt_draws(found, np.random.default_rng(seed), 400))
        wrong += RatioBounds(draws=draws, n_prompts=prompts).upper(0.95) < 0.0
    assert wrong <= 44  # 25 expected at 5 %; four standard errors above


def test_many_repeats_of_one_prompt_add_no_prompt() -> None:
    found = synthetic(8, prompts=3, repeats=40, between=0.3)
    draws = log_ratios(found, 0.5, prompt_draws(found, np.random.default_rng(1)))
    bounds = RatioBounds(draws=draws, n_prompts=3)
    assert bounds.upper(0.95) - bounds.lower(0.95) > 0.3  # the prompts' own spread, whatever the repeats
