from dataclasses import replace

import pytest

from harness.analysis.placebo import judge_placebo
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Outcome
from harness.analysis.results.instrument import OfferedLoad
from harness.analysis.results.judgement import Judgement, Verdict
from harness.analysis.results.trial import Trial
from harness.analysis.selfnoise import placebo_pairs, split_pairs
from harness.analysis.verdict import judge_case
from harness.model.record import Arm
from tests.analysis.trialcases import (
    Change,
    both_instruments,
    case,
    failed,
    garbage,
    gate,
    judge,
    known,
    side,
    side_trials,
    timed,
)


def with_placebo(records: tuple[()] = ()) -> Case:
    return replace(case(), placebo=side(Arm.PLACEBO, records))


def judge_three(placebo: Change | None = None, candidate: Change | None = None, *, void: bool = False) -> Judgement:
    changes = {Arm.REFERENCE: None, Arm.CANDIDATE: candidate, Arm.PLACEBO: placebo}
    trials = [one for arm, change in changes.items() for one in side_trials(arm, change)]
    late = {"load": OfferedLoad(words="4 requests in flight", offered_fraction=known(0.5))} if void else {}
    return judge_case(with_placebo(), trials, both_instruments(**late))


def test_a_split_pairs_neighbours_and_alternates_their_roles() -> None:
    trials = [one for one in side_trials(Arm.REFERENCE, repeats=5) if one.key.prompt_id == "tool-0"]
    pairs = split_pairs([*reversed(trials), *side_trials(Arm.CANDIDATE)])
    places = [(pair.reference.key.repeat, pair.candidate.key.repeat) for pair in pairs]
    assert places == [(0, 1), (3, 2)]


def test_every_gate_has_its_noise_from_the_split() -> None:
    found = judge()
    assert all(one.noise is not None for one in found.gates)
    noise = gate(found, "ttft_p50").noise
    assert noise is not None
    assert (noise.source, noise.outcome, noise.n) == ("split", None, 28 * 3)
    assert noise.effect.value == pytest.approx(1.0, abs=0.05)
    assert noise.interval is not None
    few = gate(found, "decode_p5").noise
    assert few is not None
    assert few.effect.reason == "18 requests per side; an interval of this quantile needs 72"


def test_a_drift_over_the_repeats_cancels_in_the_split() -> None:
    """Each repeat is a tenth slower than the one before: halves by parity would show it, alternating ones do not."""

    def drifting(one: Trial) -> Trial:
        return timed(one, ttft=1.1**one.key.repeat)

    pairs = split_pairs(side_trials(Arm.REFERENCE, drifting, repeats=4))
    ratio = 1.0
    for pair in pairs:
        ratio *= (pair.candidate.metrics["ttft"].value or 0) / (pair.reference.metrics["ttft"].value or 1)
    assert ratio ** (1 / len(pairs)) == pytest.approx(1.0, abs=0.03)


def test_what_is_not_judged_is_in_no_pair() -> None:
    trials = [replace(one, is_judged=False) for one in side_trials(Arm.REFERENCE)]
    assert split_pairs(trials) == ()
    assert placebo_pairs([*trials, *side_trials(Arm.PLACEBO)]) == ()


def test_a_placebo_is_judged_and_stands_beside_each_gate() -> None:
    found = judge_three()
    noise = gate(found, "ttft_p50").noise
    assert noise is not None
    assert (noise.source, noise.outcome, noise.n) == ("placebo", Outcome.PASS, 196)
    check = next(one for one in found.validity if one.id == "placebo")
    assert check.is_met
    assert check.evidence == "196 requests of a third arm, judged by the same gates"
    assert found.verdict is judge().verdict


def test_a_reference_that_fails_against_itself_makes_the_run_invalid() -> None:
    found = judge_three(lambda one: timed(one, ttft=1.9, e2e=1.9))
    assert found.verdict is Verdict.INVALID
    assert found.sentence.startswith(
        "No verdict: the reference failed against itself (A vs A' TTFT p50 1.8"
    ) or found.sentence.startswith("No verdict: the reference failed against itself (A vs A' TTFT p50 1.9")
    assert "allowed 1.25×" in found.sentence


def test_one_twice_as_fast_as_itself_is_as_unsteady() -> None:
    found = judge_three(lambda one: timed(one, ttft=0.5, e2e=0.5))
    assert found.verdict is Verdict.INVALID


def test_garbage_from_the_placebo_is_invalid_whatever_the_candidate_does() -> None:
    assert judge_three(garbage).verdict is Verdict.INVALID
    assert judge_three(failed, failed).verdict is Verdict.INVALID


def test_void_timings_do_not_convict_the_reference() -> None:
    found = judge_three(lambda one: timed(one, ttft=1.9, e2e=1.9), void=True)
    assert found.verdict is not Verdict.INVALID


def test_without_a_placebo_there_is_no_such_check() -> None:
    assert judge_placebo(case(), []) is None
    assert not any(one.id == "placebo" for one in judge().validity)


def test_an_empty_third_arm_is_a_note() -> None:
    trials = [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE)]
    found = judge_case(with_placebo(), trials, both_instruments())
    check = next(one for one in found.validity if one.id == "placebo")
    assert (check.is_met, check.consequence) == (False, "note")
    assert found.verdict is judge().verdict
