import itertools
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import fisher_exact, mannwhitneyu, permutation_test

from harness.analysis.cohorts import prompt_groups, worst_cohort
from harness.analysis.pairs import Pair, pair_trials
from harness.analysis.readfirst import prompts_to_read
from harness.analysis.regressions import Losses, rank_test, screen_prompts, success_test
from harness.analysis.results.trial import Trial
from harness.analysis.results.worstoff import Cohort
from harness.analysis.values import known
from harness.analysis.worstoff import _cohort_words, find_worst_off
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Arm
from tests.analysis.trialcases import Change, case, failed, garbage, golden, prompt, side_trials, timed

RNG = np.random.default_rng


def losses(reference: list[float], candidate: list[float], metric: str = "ttft") -> Losses:
    return Losses(prompt_id="p", metric=metric, reference=np.array(reference), candidate=np.array(candidate))


def paired(candidate: Change | None = None, of: GoldenSet | None = None, seed: int = 1) -> tuple[Pair, ...]:
    sides = (side_trials(Arm.REFERENCE, of=of, seed=seed), side_trials(Arm.CANDIDATE, candidate, of=of, seed=seed))
    return pair_trials([*sides[0], *sides[1]])


def slow(*prompts: str, by: float = 1.5) -> Change:
    def change(one: Trial) -> Trial:
        return timed(one, ttft=by, e2e=by) if one.key.prompt_id in prompts else one

    return change


@pytest.mark.parametrize(("ours", "theirs"), [(0, 5), (1, 4), (2, 2), (3, 0), (0, 1)])
def test_success_is_fishers_exact_test(ours: int, theirs: int) -> None:
    found = success_test(losses([1.0] * ours + [0.0] * (5 - ours), [1.0] * theirs + [0.0] * (5 - theirs)))
    expected = fisher_exact(np.array([[theirs, 5 - theirs], [ours, 5 - ours]]), alternative="greater").pvalue
    assert found.p_value == pytest.approx(expected)


def test_times_are_ranked_exactly_without_ties() -> None:
    one, two = [1.0, 2.5, 3.0, 4.5], [2.0, 5.0, 6.0, 7.0]
    expected = mannwhitneyu(two, one, alternative="greater", method="exact").pvalue
    assert rank_test(losses(one, two)).p_value == pytest.approx(expected)
    assert rank_test(losses(one, two)).smallest == pytest.approx(1 / math.comb(8, 4))


def test_ties_and_failures_are_ranked_exactly_too() -> None:
    one, two = [1.0, 1.0, 2.0, 3.0], [1.0, 3.0, math.inf, math.inf]
    ranks = [2.0, 2.0, 4.0, 5.5, 2.0, 5.5, 7.5, 7.5]  # by hand
    theirs = permutation_test(
        (ranks[:4], ranks[4:]),
        lambda x, y: sum(y) - sum(x),
        permutation_type="independent",
        alternative="greater",
    )
    assert rank_test(losses(one, two)).p_value == pytest.approx(theirs.pvalue)


def test_many_repeats_are_ranked_by_the_normal_limit() -> None:
    chance = random.Random(2)
    one, two = [[chance.gauss(0, 1) for _ in range(26)] for _ in range(2)]
    expected = mannwhitneyu(two, one, alternative="greater", method="asymptotic").pvalue
    assert rank_test(losses(one, two)).p_value == pytest.approx(expected)
    short = rank_test(losses(one[:25], two[:25])).p_value
    assert short == pytest.approx(
        mannwhitneyu(two[:25], one[:25], alternative="greater", method="exact").pvalue, rel=1e-6
    )


def test_equal_sides_flag_no_prompt_and_name_none_to_read() -> None:
    found = screen_prompts(paired())
    assert found.flagged == ()
    assert found.n_tests == 28 + 6  # TTFT of every prompt, decode of the speed prompts; no success was lost
    assert found.smallest_p == pytest.approx(1 / math.comb(14, 7))
    assert prompts_to_read(golden(), paired(), found.flagged) == ()


def test_the_slow_prompts_are_flagged_and_read_first() -> None:
    pairs = paired(slow("text-1", "json-2"))
    found = screen_prompts(pairs)
    assert {one.prompt_id for one in found.flagged} == {"text-1", "json-2"}
    first = found.flagged[0]
    assert (first.metric, first.n_reference, first.n_candidate) == ("ttft", 7, 7)
    assert first.candidate.value is not None
    assert first.candidate.value > 1.3 * (first.reference.value or math.inf)
    assert set(prompts_to_read(golden(), pairs, found.flagged)) == {"text-1", "json-2"}


def test_adjusted_ps_are_those_of_benjamini_and_hochberg() -> None:
    found = screen_prompts(paired(slow("text-1", "json-2")), metrics=("ttft",))
    # Both are the extreme labelling: p = 1 / C(14, 7), the two smallest of 28, so p x 28 / 2.
    assert [one.adjusted_p for one in found.flagged] == pytest.approx([28 / 2 / math.comb(14, 7)] * 2)


def test_losses_come_before_slow_prompts() -> None:
    def change(one: Trial) -> Trial:
        return garbage(one) if one.key.prompt_id == "tool-3" else slow("text-1")(one)

    pairs = paired(change)
    assert prompts_to_read(golden(), pairs, screen_prompts(pairs).flagged) == ("tool-3", "text-1")


def test_failures_are_losses_of_success_and_slower_than_anything() -> None:
    found = screen_prompts(paired(lambda one: failed(one) if one.key.prompt_id == "speed-0" else one))
    assert {(one.prompt_id, one.metric) for one in found.flagged} == {("speed-0", "task_success"), ("speed-0", "ttft")}
    assert {one.metric: one.candidate.reason for one in found.flagged}["ttft"] == "falls among failures"


def grouped() -> GoldenSet:
    """12 prompts: categories of 6, a tag of 3 across both, lengths growing with their number."""
    prompts = []
    for i in range(12):
        plain = prompt(f"p{i:02}")
        prompts.append(
            Prompt(
                id=plain.id,
                category="even" if i % 2 == 0 else "odd",
                intent="i",
                request={"messages": [{"role": "user", "content": "x" * i}]},
                tags=["third"] if i % 4 == 0 else [],
                measure=plain.measure,
            )
        )
    return GoldenSet(name="g", prompts=prompts)


def test_groups_are_category_tag_length_and_tool() -> None:
    found = {(group.kind, group.name): sorted(group.prompts) for group in prompt_groups(grouped())}
    assert found[("category", "even")] == [f"p{i:02}" for i in range(0, 12, 2)]
    assert found[("tag", "third")] == ["p00", "p04", "p08"]
    assert found[("prompt length", "short")] == ["p00", "p01", "p02", "p03"]
    assert found[("prompt length", "long")] == ["p08", "p09", "p10", "p11"]
    assert len(found) == 6


def test_the_same_prompts_under_two_names_are_one_group() -> None:
    twice = [replace_tags(one, ["even"] if one.category == "even" else []) for one in grouped().prompts]
    found = prompt_groups(GoldenSet(name="g", prompts=twice))
    assert len([group for group in found if group.name == "even"]) == 1


def replace_tags(one: Prompt, tags: list[str]) -> Prompt:
    return Prompt(id=one.id, category=one.category, intent="i", request=one.request, tags=tags, measure=one.measure)


def test_the_worst_group_is_found_with_its_size() -> None:
    of = grouped()
    tagged = ("p00", "p04", "p08")
    found = worst_cohort(of, paired(slow(*tagged), of), RNG(1), draws=999)
    assert found is not None
    assert (found.kind, found.name, found.metric, found.n_prompts) == ("tag", "third", "ttft", 3)
    assert found.prompts == tagged
    assert found.p_value == pytest.approx(0.001)
    assert found.effect.value == pytest.approx(1.5, rel=0.06)
    assert found.elsewhere.value == pytest.approx(1.0, rel=0.06)
    assert found.n_cohorts == 6


def test_lost_success_is_told_in_points() -> None:
    of = grouped()
    judged = case(of=of)
    found = find_worst_off(
        judged, paired(lambda one: failed(one) if one.key.prompt_id in ("p00", "p04") else one, of), void_timing=None
    )
    assert found.cohort is not None
    assert (found.cohort.name, found.cohort.metric) == ("third", "task_success")
    assert found.cohort.effect.value == pytest.approx(-2 / 3)
    assert found.cohort.elsewhere.value == 0
    assert "Worst off is tag `third`: success \N{MINUS SIGN}66.7 points on 3 prompts (0 points elsewhere); p" in (
        found.sentence
    )
    assert "after looking at 6 groups" in found.sentence


def test_the_maximum_over_groups_is_paid_for() -> None:
    """The p is that of a max test by hand: every labelling of four prompts with two repeats a side."""
    of = GoldenSet(name="g", prompts=[*(prompt_in(f"p{i}", "a") for i in range(2)), prompt_in("p2", "b")])
    found = worst_cohort(of, (), RNG(1), draws=99)
    assert found is None
    values = {"p0": ([1, 2], [3, 4]), "p1": ([1, 3], [2, 4]), "p2": ([4, 3], [2, 1]), "p3": ([2, 4], [3, 1])}
    of = GoldenSet(name="g", prompts=[prompt_in(name, "a" if name in ("p0", "p1") else "b") for name in values])
    found = worst_cohort(of, timed_pairs(values), RNG(1), metrics=("ttft",), draws=20_000)
    assert found is not None
    assert found.name == "a"
    assert found.p_value == pytest.approx(max_test(values, [("p0", "p1"), ("p2", "p3")]), abs=0.01)


def max_test(values: dict[str, tuple[list[int], list[int]]], groups: list[tuple[str, ...]]) -> float:
    """Count labellings whose largest excess of a group's ranks reaches the observed one; all have one variance."""
    pooled = {name: [*one, *two] for name, (one, two) in values.items()}
    labels = list(itertools.combinations(range(4), 2))

    def largest(chosen: dict[str, tuple[int, ...]]) -> float:
        sums = {name: sum(pooled[name][i] for i in places) for name, places in chosen.items()}
        whole = sum(sums.values())
        return max(sum(sums[name] for name in group) - whole / 2 for group in groups)

    observed = largest(dict.fromkeys(values, (2, 3)))
    every = [largest(dict(zip(values, chosen, strict=True))) for chosen in itertools.product(labels, repeat=4)]
    return sum(one >= observed for one in every) / len(every)


def prompt_in(name: str, category: str) -> Prompt:
    return Prompt(id=name, category=category, intent="i", request={"messages": []})


def timed_pairs(values: dict[str, tuple[list[int], list[int]]]) -> tuple[Pair, ...]:
    made = {
        name: side_trials(Arm.REFERENCE, of=GoldenSet(name="g", prompts=[prompt_in(name, "c")]), repeats=2)
        for name in values
    }

    def at(name: str, arm: Arm, repeat: int) -> Trial:
        one = made[name][repeat]
        value = values[name][arm is Arm.CANDIDATE][repeat]
        now = one.metrics["ttft"].value or 1.0
        return replace(timed(one, ttft=value / now), key=replace(one.key, arm=arm))

    return tuple(
        Pair(prompt_id=name, reference=at(name, Arm.REFERENCE, i), candidate=at(name, Arm.CANDIDATE, i))
        for name in values
        for i in range(2)
    )


def test_equal_sides_have_no_group_that_stands_out_too_often() -> None:
    """Of 100 equal comparisons at most 13 find a group at 5 %: more has a chance below 0.1 % if the size is 5 %."""
    of = grouped()
    found = [worst_cohort(of, paired(of=of, seed=seed), RNG(seed), draws=99) for seed in range(100)]
    assert sum(one is not None and one.p_value <= 0.05 for one in found) <= 13


def test_words_of_equal_sides() -> None:
    of = grouped()
    found = find_worst_off(case(of=of), paired(of=of), void_timing=None)
    assert found.sentence.startswith(
        "No single prompt stands out (12 tests of single prompts, Benjamini-Hochberg at 10 %). "
        "No group of prompts stands out: the largest difference from the others is in"
    )
    assert found.regressions == ()


def slower_alike(one: Trial) -> Trial:
    """The noise of the repeats makes it 1.17 on the median prompt."""
    return timed(one, ttft=1.16, e2e=1.16)


def test_what_slows_all_prompts_alike_makes_none_of_them_stand_out() -> None:
    """The p of a group that is as slow as the rest is that of chance, however certain the slowdown is."""
    of = grouped()
    found = find_worst_off(case(of=of), paired(slower_alike, of), void_timing=None)
    assert found.regressions == ()
    assert found.cohort is not None
    assert found.cohort.p_value > 0.05
    assert found.sentence.startswith(
        "On the median prompt TTFT is 1.17× the reference's; what stands out is beyond that. "
        "No single prompt stands out (12 tests"
    )
    assert "No group of prompts stands out" in found.sentence


def test_what_is_slower_than_the_rest_stands_out_above_a_slowdown_of_all() -> None:
    of = grouped()

    def change(one: Trial) -> Trial:
        return slow("p00", "p04", "p08")(slower_alike(one))

    found = find_worst_off(case(of=of), paired(change, of), void_timing=None)
    assert {one.prompt_id for one in found.regressions} == {"p00", "p04", "p08"}
    assert found.cohort is not None
    assert (found.cohort.name, found.cohort.metric) == ("third", "ttft")
    assert found.cohort.effect.value == pytest.approx(1.16 * 1.5, rel=0.06)  # in full
    assert found.cohort.elsewhere.value == pytest.approx(1.16, rel=0.06)
    assert "Worst off is tag `third`: TTFT" in found.sentence


def test_success_that_is_lost_everywhere_alike_names_no_group() -> None:
    of = grouped()
    found = find_worst_off(
        case(of=of), paired(lambda one: failed(one) if one.key.repeat < 3 else one, of), void_timing=None
    )
    assert found.cohort is not None
    assert found.cohort.p_value > 0.05


def test_what_got_faster_on_the_median_prompt_is_no_shift_to_be_beyond() -> None:
    screen = screen_prompts(paired(lambda one: timed(one, ttft=0.5, e2e=0.5)), metrics=("ttft",))
    assert screen.shifts == {"ttft": 1.0}
    assert screen.flagged == ()


def test_a_group_whose_size_is_written_as_that_of_the_others_is_not_named() -> None:
    cohort = Cohort(
        kind="tag", name="third", metric="ttft", effect=known(1.162), elsewhere=known(1.158), p_value=0.0005,
        n_prompts=3, n_cohorts=6,
    )  # fmt: skip
    assert _cohort_words(cohort).startswith("No group of prompts stands out")
    assert _cohort_words(replace(cohort, effect=known(1.4))).startswith("Worst off is tag `third`: TTFT 1.40×")


def test_void_timings_are_not_screened() -> None:
    of = grouped()
    found = find_worst_off(case(of=of), paired(slow("p00", by=3.0), of), void_timing="void")
    assert (found.n_tests, found.regressions, found.cohort) == (0, (), None)
    assert found.sentence == (
        "No single prompt can stand out: nothing differed within a prompt, or repeats are too few. No groups of "
        "prompts could be compared: there are no two, or nothing differed within them. Timings are void and left out."
    )
