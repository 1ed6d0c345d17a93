import math
from itertools import combinations

import numpy as np
import pytest

from harness.analysis.multiplicity import holm
from harness.analysis.permutation import PromptCounts, rate_p_value, ratio_p_value
from harness.analysis.resampling import PairedValues, log_ratio
from tests.analysis.test_resampling import pairs, synthetic


def counts(n: int, *rows: tuple[int, int]) -> dict[str, PromptCounts]:
    return {
        f"p{index}": PromptCounts(n=n, reference=reference, candidate=candidate)
        for index, (reference, candidate) in enumerate(rows)
    }


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_with_one_repeat_it_is_mcnemars_test() -> None:
    five_one_way = counts(1, *[(1, 0)] * 5, *[(1, 1)] * 20)
    assert rate_p_value(five_one_way, chance(), is_loss_low=True) == pytest.approx(1 / 32, abs=0.006)


def test_prompts_without_disagreement_say_nothing() -> None:
    assert rate_p_value(counts(5, (5, 5), (0, 0)), chance(), is_loss_low=True) == 1.0


def test_p_is_that_of_all_labellings_of_a_small_case() -> None:
    # One prompt, 4 + 4 trials, 4 against 1 successes: the candidate holds at most 1 of the 5 in 16 + 0 of 70 ways.
    ways = math.comb(5, 1) * math.comb(3, 3) / math.comb(8, 4)
    found = rate_p_value(counts(4, (4, 1)), chance(), is_loss_low=True)
    assert found == pytest.approx(ways, abs=0.01)


def test_a_gain_is_no_loss_and_a_rate_of_refusals_loses_upwards() -> None:
    better = counts(5, *[(2, 5)] * 6)
    assert rate_p_value(better, chance(), is_loss_low=True) > 0.9
    assert rate_p_value(better, chance(), is_loss_low=False) < 0.01


def test_p_is_never_zero() -> None:
    assert rate_p_value(counts(5, *[(5, 0)] * 30), chance(), is_loss_low=True, draws=999) == 1 / 1000


def test_a_ratios_p_is_that_of_all_labellings_of_a_small_case() -> None:
    # Two prompts of two repeats: 6 x 6 labellings; only the observed one puts all the slow ones on the candidate.
    found = pairs([1.0, 2.0, 10.0, 11.0], [3.0, 4.0, 12.0, 13.0], repeats=2)
    observed = log_ratio(found, 0.5)
    pooled = np.concatenate([found.reference, found.candidate])
    places = [[0, 1, 4, 5], [2, 3, 6, 7]]
    extreme = total = 0
    for one in combinations(places[0], 2):
        for two in combinations(places[1], 2):
            is_candidate = np.isin(range(8), [*one, *two])
            split = PairedValues(prompts=found.prompts, reference=pooled[~is_candidate], candidate=pooled[is_candidate])
            total += 1
            extreme += log_ratio(split, 0.5) >= observed - 1e-9
    assert total == 36
    assert ratio_p_value(found, 0.5, chance(), is_loss_low=False) == pytest.approx(extreme / total, abs=0.02)


def test_a_candidate_that_never_answers_is_found() -> None:
    found = pairs([1.0] * 20, [math.inf] * 20, repeats=4)
    assert ratio_p_value(found, 0.5, chance(), is_loss_low=False, draws=999) == 1 / 1000


def test_two_sides_that_both_fail_show_no_loss() -> None:
    found = pairs([math.inf] * 20, [math.inf] * 20, repeats=4)
    assert ratio_p_value(found, 0.5, chance(), is_loss_low=False) == 1.0


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_equal_sides_are_called_different_as_often_as_stated(q: float) -> None:
    found = [
        ratio_p_value(synthetic(seed, repeats=3), q, chance(seed), is_loss_low=False, draws=399) for seed in range(300)
    ]
    rejected = sum(p <= 0.05 for p in found)
    assert rejected <= 32  # 15 expected; more than 32 of 300 has a chance of 4 in 100,000
    assert sum(p <= 0.5 for p in found) >= 110  # and p is not merely always large: 150 expected


def test_equal_rates_are_called_different_as_often_as_stated() -> None:
    rng = chance(3)
    rejected = 0
    for seed in range(400):
        success = 1 - rng.beta(0.3, 2.0, 30)
        drawn = rng.binomial(5, success, (2, 30))
        rows = counts(5, *[(int(one), int(two)) for one, two in drawn.T])
        rejected += rate_p_value(rows, chance(seed), is_loss_low=True, draws=999) <= 0.05
    assert rejected <= 38  # 20 expected at most; more than 38 of 400 has a chance of 5 in 100,000


def test_holm_by_hand() -> None:
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03})
    assert adjusted == pytest.approx({"a": 0.03, "c": 0.06, "b": 0.06})


def test_holm_never_exceeds_one_and_needs_no_gates() -> None:
    assert holm({"a": 0.9, "b": 0.8}) == {"b": 1.0, "a": 1.0}
    assert holm({}) == {}
