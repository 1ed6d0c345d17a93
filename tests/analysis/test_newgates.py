import math
import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, ttest_1samp

from harness.analysis.gatefigures import Draws, Terms, gate_figures
from harness.analysis.gates import judge_gates
from harness.analysis.gatetable import GATES
from harness.analysis.pairs import Pair, pair_trials
from harness.analysis.results.estimates import Value
from harness.analysis.results.gate import Gate, Outcome
from harness.analysis.results.judgement import Verdict
from harness.analysis.results.likeness import Disagreement
from harness.analysis.results.trial import Trial
from harness.errors import ConfigError
from harness.model.golden import GoldenSet
from harness.model.record import Arm
from harness.model.servicelevels import read_slo, slo_id
from harness.model.settings import Gates, RateGate, RatioGate, Settings, SloGate, SloMetric
from harness.model.settingsfile import load_settings
from tests.analysis.trialcases import (
    Change,
    case,
    failed,
    gate,
    golden,
    judge,
    known,
    missing,
    side_trials,
    swapped,
    timed,
)

FEW = Draws(bootstrap=400, permutation=999)
ROWS = {row.id: row for row in GATES}


def pairs(candidate: Change, reference: Change = lambda one: one) -> tuple[Pair, ...]:
    return pair_trials([*side_trials(Arm.REFERENCE, reference), *side_trials(Arm.CANDIDATE, candidate)])


def judged(found: tuple[Pair, ...], gates: Gates, gate_id: str, disagreement: Disagreement | None = None) -> Gate:
    every = judge_gates(case(settings=Settings(verdict=gates)), found, None, FEW, disagreement)
    return next(one for one in every if one.id == gate_id)


def same(one: Trial) -> Trial:
    return one


def longer(factor: float) -> Change:
    """Lengths of their own for each prompt and repeat; the candidate's so many times as long."""

    def change(one: Trial) -> Trial:
        chance = random.Random(f"{one.key.arm}{one.key.prompt_id}{one.key.repeat}")
        tokens = 100 * chance.lognormvariate(0, 0.1) * (factor if one.key.arm is Arm.CANDIDATE else 1)
        return replace(one, metrics={**one.metrics, "completion_tokens": known(tokens)})

    return change


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (1.0, Outcome.PASS),
        (1.5, Outcome.FAIL),
        (1 / 1.5, Outcome.FAIL),  # shorter is a change as well
        (1.24, Outcome.FAIL),  # longer for sure, and not shown to be inside
    ],
)
def test_lengths_must_be_alike_in_both_directions(factor: float, expected: Outcome) -> None:
    found = judged(pairs(longer(factor), longer(factor)), Gates(), "completion_length")
    assert found.outcome is expected
    assert found.effect.value == pytest.approx(factor, rel=0.05)
    assert not found.is_required


def test_prompts_whose_length_is_written_as_the_same_are_not_named() -> None:
    alike = judged(pairs(same, same), Gates(), "completion_length")
    assert not any("the lengths differ most" in line for line in alike.evidence)
    found = judged(pairs(longer(1.1), longer(1.1)), Gates(), "completion_length")
    (told,) = [line for line in found.evidence if "the lengths differ most" in line]
    assert "(1.00×)" not in told


def test_the_bounds_of_a_length_are_students_over_prompts() -> None:
    found = pairs(longer(1.1), longer(1.1))
    figures = gate_figures(ROWS["completion_length"], found, golden(), 1, FEW, Terms(alpha=0.05, margin=1.25))
    logs: dict[str, list[float]] = {}
    for pair in found:
        one, two = (trial.metrics["completion_tokens"].value or 0 for trial in (pair.reference, pair.candidate))
        logs.setdefault(pair.prompt_id, []).append(math.log(two / one))
    expected = ttest_1samp([np.mean(of) for of in logs.values()], 0).confidence_interval(0.90)
    assert figures.bounds is not None
    assert np.log(figures.bounds) == pytest.approx((expected.low, expected.high))


def empty(share: float) -> Change:
    """Give so many of the candidate's answers no tokens at all."""

    def change(one: Trial) -> Trial:
        is_empty = one.key.arm is Arm.CANDIDATE and (7 * int(one.key.prompt_id[-1]) + one.key.repeat) % 10 < 10 * share
        return replace(one, metrics={**one.metrics, "completion_tokens": known(0)}) if is_empty else one

    return change


@pytest.mark.parametrize(("share", "expected"), [(0.1, Outcome.PASS), (0.5, Outcome.INCONCLUSIVE)])
def test_answers_without_a_token_have_no_length_and_too_many_leave_the_gate_blind(
    share: float, expected: Outcome
) -> None:
    gates = Gates(completion_length=RatioGate(margin=1.25))
    found = judged(pairs(empty(share), same), gates, "completion_length")
    assert found.outcome is expected
    if expected is Outcome.INCONCLUSIVE:
        assert re.search(r"\d+ of 196 requests of the candidate have no value: no completion tokens", found.reason)


def priced(cost: float, wrong: int = 0) -> Change:
    def change(one: Trial) -> Trial:
        is_wrong = one.key.repeat < wrong and one.task_success is not None
        return replace(one, cost=known(cost), task_success=False if is_wrong else one.task_success)

    return change


def test_cost_is_per_success_so_wrong_answers_make_it_dearer() -> None:
    found = judged(pairs(priced(0.01, wrong=3), priced(0.01)), Gates(), "cost_per_success")
    assert found.effect.value == pytest.approx(7 / 4)  # the same money for 4 of 7 successes
    assert found.outcome is Outcome.FAIL
    assert judged(pairs(priced(0.0105), priced(0.01)), Gates(), "cost_per_success").outcome is Outcome.PASS


@pytest.mark.parametrize(("stated", "currency"), [({"currency": "EUR"}, "EUR"), ({}, "USD")])
def test_money_has_its_currency(stated: dict[str, str], currency: str) -> None:
    """The price book of a recorded run leaves out what is the default."""
    priced_case = case(settings=Settings(verdict=Gates()))
    prices = {"input_per_mtok": 1.0, "output_per_mtok": 2.0, **stated}
    priced_case = replace(priced_case, reference=replace(priced_case.reference, endpoint={"prices": prices}))
    gates = judge_gates(priced_case, pairs(priced(0.01), priced(0.01)), None, FEW)
    found = next(one for one in gates if one.id == "cost_per_success")
    assert found.currency == currency
    n = 7 * sum(bool(one.checks) for one in golden().prompts)
    side = f"{n / 100:.4g} {currency} for {n} successes"
    assert found.evidence[0] == f"{side} on the candidate, {side} on the reference"
    assert {one.currency for one in gates if one is not found} == {""}


def test_cost_without_prices_is_open_where_it_is_required_and_left_out_elsewhere() -> None:
    required = Gates(cost_per_success=RatioGate(margin=1.25))
    for gates, outcome in ((required, Outcome.INCONCLUSIVE), (Gates(), Outcome.NOT_APPLICABLE)):
        found = judged(pairs(priced(0.01), same), gates, "cost_per_success")
        assert found.outcome is outcome
        assert "prices are not known on both sides" in found.reason


def test_a_required_cost_without_prices_never_passes() -> None:
    wide, idle = RateGate(margin=0.1), RatioGate(margin=0.67, required=False)
    verdicts = [
        judge(of=case(settings=Settings(verdict=gates))).verdict
        for cost in (RatioGate(margin=1.25, required=False), RatioGate(margin=1.25))
        for gates in [Gates(tool_success=wide, json_validity=wide, decode_p5=idle, cost_per_success=cost)]
    ]
    assert verdicts == [Verdict.PASS, Verdict.INCONCLUSIVE]


def test_a_required_cost_is_not_applicable_without_a_prompt_to_succeed_at() -> None:
    bare = GoldenSet(name="bare", prompts=[one for one in golden().prompts if not one.checks])
    gates = Gates(cost_per_success=RatioGate(margin=1.25))
    found = gate(judge(of=case(of=bare, settings=Settings(verdict=gates))), "cost_per_success")
    assert found.outcome is Outcome.NOT_APPLICABLE


def test_no_success_at_all_is_an_endless_price() -> None:
    found = judged(pairs(priced(0.01, wrong=99), priced(0.01)), Gates(), "cost_per_success")
    assert found.effect.value == math.inf
    assert found.outcome is Outcome.FAIL


LEVEL = "ttft <= 1 s in 95 %"
LIMIT = Gates(slo=[LEVEL])


def slow(n: int) -> Change:
    """Make the first n of each prompt's repeats slow."""
    return lambda one: timed(one, ttft=20) if one.key.repeat < n else one


def test_a_service_level_is_judged_by_the_candidates_own_share() -> None:
    kept = judged(pairs(same, slow(7)), LIMIT, f"slo: {LEVEL}")
    assert (kept.outcome, kept.candidate.value, kept.reference.value) == (Outcome.PASS, 0, 1)
    broken = judged(pairs(slow(1)), LIMIT, f"slo: {LEVEL}")
    assert (broken.outcome, broken.successes_candidate, broken.n_candidate) == (Outcome.FAIL, 28, 196)
    assert broken.p_value is not None
    assert binom.sf(27, 196, 0.05) <= broken.p_value <= 0.05  # adjusted among the required gates
    assert "28 beyond the limit" in broken.evidence[0]
    assert broken.is_timing


def test_a_failed_request_is_beyond_any_limit() -> None:
    rate = Gates(slo=["decode_rate >= 40 tok/s in 90 %"])
    found = judged(pairs(lambda one: failed(one) if one.key.repeat == 0 else one), rate, f"slo: {rate.slo[0]}")
    assert (found.successes_candidate, found.n_candidate) == (6, 42)
    assert "6 of them failed" in found.evidence[0]


def test_a_share_without_values_speaks_for_nothing() -> None:
    def silent(one: Trial) -> Trial:
        return replace(one, metrics={**one.metrics, "ttft": missing("buffered")}) if one.key.repeat == 0 else one

    found = judged(pairs(silent), LIMIT, f"slo: {LEVEL}")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.is_conclusive is False


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("ttft <= 2 s in 99 %", SloGate(metric=SloMetric.TTFT, limit=2, share=0.99)),
        ("e2e<=800ms in 95%", SloGate(metric=SloMetric.E2E, limit=0.8, share=0.95)),
        ("decode_rate >= 40 tok/s in 99.5 %", SloGate(metric=SloMetric.DECODE_RATE, limit=40, share=0.995)),
    ],
)
def test_a_service_level_is_read_as_it_is_written(written: str, expected: SloGate) -> None:
    assert read_slo(written) == expected
    assert read_slo(slo_id(expected).removeprefix("slo: ")) == expected


@pytest.mark.parametrize(
    "written", ["ttft < 2 s", "ttft >= 2 s in 99 %", "decode_rate <= 4 tok/s in 9 %", "e2e <= 2 s in 100 %"]
)
def test_a_service_level_that_means_nothing_is_refused_with_its_line(written: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.yml"
    file.write_text(f"verdict:\n  slo:\n    - {written}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"settings\.yml:3"):
        load_settings(file)


def excess(low: float, high: float, p_value: float, reason: str | None = None) -> Disagreement:
    agreement = Value(value=0.8)
    return Disagreement(
        effect=Value(value=(low + high) / 2),
        reference_self=agreement,
        candidate_self=agreement,
        cross=agreement,
        bounds=(low, high),
        p_value=p_value,
        reason=reason,
    )


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (excess(-0.01, 0.05, 0.4), Outcome.PASS),
        (excess(0.02, 0.15, 0.001), Outcome.FAIL),
        (excess(-0.02, 0.15, 0.4), Outcome.INCONCLUSIVE),
        (excess(-0.01, 0.05, 0.4, reason="answers never repeat"), Outcome.INCONCLUSIVE),  # never PASS
        (None, Outcome.INCONCLUSIVE),
    ],
)
def test_identity_is_judged_by_the_excess_disagreement(found: Disagreement | None, expected: Outcome) -> None:
    gates = Gates(identity=RateGate(margin=0.10))
    assert judged(pairs(same), gates, "identity", found).outcome is expected
    assert not judged(pairs(same), Gates(), "identity", found).is_required


@pytest.mark.parametrize("gate_id", ["completion_length", "cost_per_success"])
def test_swapping_the_sides_inverts_these_ratios(gate_id: str) -> None:
    both = [
        priced(0.02 if one.key.arm is Arm.CANDIDATE else 0.01, wrong=2)(longer(1.3)(one))
        for one in [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE)]
    ]
    forth = judged(pair_trials(both), Gates(), gate_id)
    back = judged(pair_trials(swapped(both)), Gates(), gate_id)
    assert forth.effect.value == pytest.approx(1 / (back.effect.value or math.nan))
    assert forth.interval is not None
    assert back.interval is not None
    assert forth.interval.low == pytest.approx(1 / (back.interval.high or math.nan))


def test_a_required_length_needs_five_prompts() -> None:
    few = [trial for trial in side_trials(Arm.REFERENCE) + side_trials(Arm.CANDIDATE) if trial.key.prompt_id < "json-4"]
    gates = Gates(completion_length=RatioGate(margin=1.25))
    assert judged(pair_trials(few), gates, "completion_length").outcome is Outcome.INCONCLUSIVE
