from dataclasses import replace

import pytest

from harness.analysis.certificatelimits import VOID
from harness.analysis.results.estimates import Value
from harness.analysis.results.gate import Outcome
from harness.analysis.results.instrument import OfferedLoad
from harness.analysis.results.judgement import Judgement, ValidityCheck, Verdict
from harness.analysis.results.trial import Trial
from harness.analysis.validity import INVALID, NOTE
from harness.analysis.verdict import judge_case
from harness.model.record import Arm, Record, Stamps, Usage
from harness.model.settings import Settings, Validity
from tests.analysis.trialcases import (
    both_instruments,
    case,
    failed,
    garbage,
    gate,
    instrument,
    judge,
    known,
    missing,
    record,
    side,
    side_trials,
)


def check(judgement: Judgement, check_id: str) -> ValidityCheck:
    return next(found for found in judgement.validity if found.id == check_id)


def judge_records(*records: Record) -> Judgement:
    arms = {arm: tuple(one for one in records if one.key.arm is arm) for arm in (Arm.REFERENCE, Arm.CANDIDATE)}
    trials = [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE)]
    return judge_case(case(records=arms), trials, both_instruments())


def test_a_good_run_meets_every_check() -> None:
    records = [record(arm, "text-1", repeat, usage=Usage(completion_tokens=5)) for arm in Arm for repeat in range(3)]
    found = judge_records(*records)
    assert [one.id for one in found.validity if not one.is_met] == []
    assert len(found.validity) == 11


def test_garbage_against_garbage_is_invalid() -> None:
    found = judge(garbage, garbage)
    assert found.verdict is Verdict.INVALID
    assert found.sentence == (
        "No verdict: the reference does not answer this set (0 of 154 checkable trials right (floor 50 %))."
    )


def test_errors_against_errors_are_invalid() -> None:
    found = judge(failed, failed)
    assert found.verdict is Verdict.INVALID
    assert not check(found, "reference_lost").is_met
    assert not check(found, "reference_answers").is_met


@pytest.mark.parametrize(("lost", "is_met"), [(9, True), (10, False)])
def test_one_in_twenty_of_the_reference_may_be_lost(lost: int, is_met: bool) -> None:
    left = iter(range(196))

    def some(one: Trial) -> Trial:
        return failed(one) if next(left) < lost else one

    assert check(judge(reference=some), "reference_lost").is_met is is_met


def test_the_floor_is_the_settings() -> None:
    strict = case(settings=Settings(validity=Validity(reference_task_floor=0.99)))

    def four_wrong(one: Trial) -> Trial:
        return replace(one, task_success=False) if one.key.prompt_id == "text-1" and one.key.repeat < 4 else one

    found = judge(reference=four_wrong, of=strict)
    assert check(found, "reference_answers").evidence == "150 of 154 checkable trials right (floor 99 %)"
    assert found.verdict is Verdict.INVALID


def test_a_failing_candidate_never_makes_the_run_invalid() -> None:
    assert judge(failed).verdict is Verdict.FAIL


def test_sides_without_a_common_prompt_are_invalid() -> None:
    trials = [
        *side_trials(Arm.REFERENCE, lambda one: replace(one, is_judged=one.key.prompt_id < "m")),
        *side_trials(Arm.CANDIDATE, lambda one: replace(one, is_judged=one.key.prompt_id > "m")),
    ]
    found = judge_case(case(), trials, both_instruments())
    assert found.verdict is Verdict.INVALID
    assert "no prompt in common" in found.sentence


def lasting(sent_at_ns: int, ended_at_ns: int) -> Stamps:
    return Stamps(intended_at_ns=sent_at_ns, sent_at_ns=sent_at_ns, ended_at_ns=ended_at_ns)


def test_one_response_id_on_two_repeats_one_after_the_other_is_a_response_cache() -> None:
    found = judge_records(
        record(Arm.CANDIDATE, "text-1", 0, response_id="x", stamps=lasting(0, 100)),
        record(Arm.CANDIDATE, "text-1", 1, response_id="x", stamps=lasting(101, 110)),
        record(Arm.CANDIDATE, "text-2", 0, response_id="y"),
    )
    assert found.verdict is Verdict.INVALID
    assert check(found, "response_cache").evidence == (
        "candidate: 1 response id came more than once (x on 2 repeats of text-1)"
    )


def test_one_response_id_on_two_repeats_in_flight_together_is_a_timestamp() -> None:
    found = judge_records(
        record(Arm.CANDIDATE, "text-1", 0, response_id="x", stamps=lasting(0, 100)),
        record(Arm.CANDIDATE, "text-1", 1, response_id="x", stamps=lasting(90, 190)),
        record(Arm.CANDIDATE, "text-2", 0, response_id="y", stamps=lasting(0, 100)),
    )
    assert check(found, "response_cache").is_met


def test_a_constant_response_id_is_only_a_constant() -> None:
    ids = {"response_id": "chatcmpl-123"}
    found = judge_records(*(record(Arm.CANDIDATE, f"text-{i}", r, **ids) for i in range(3) for r in range(2)))
    assert check(found, "response_cache").is_met


def test_a_retry_of_a_request_is_no_cache() -> None:
    one = record(Arm.CANDIDATE, "text-1", 0, response_id="x")
    other = record(Arm.CANDIDATE, "text-2", 0, response_id="y")
    assert check(judge_records(one, replace(one, attempt=2), other), "response_cache").is_met


def _instant_repeats(one: Trial, prefix: str) -> Trial:
    if not one.key.prompt_id.startswith(prefix):
        return one
    e2e = 1.2 if one.key.repeat == 0 else 0.02
    return replace(one, canonical="same", metrics={**one.metrics, "e2e": known(e2e)})


def test_word_for_word_repeats_in_no_time_are_a_response_cache() -> None:
    found = judge(lambda one: _instant_repeats(one, ""))
    assert found.verdict is Verdict.INVALID
    assert "candidate: repeats of 28 prompts came word for word" in check(found, "response_cache").evidence


def test_a_slow_start_on_two_prompts_is_no_cache() -> None:
    found = judge(lambda one: _instant_repeats(one, "text-1"))
    assert check(found, "response_cache").is_met


def test_repeats_that_take_their_time_are_no_cache_even_word_for_word() -> None:
    assert check(judge(lambda one: replace(one, canonical="same")), "response_cache").is_met


def test_a_model_that_changes_mid_run_is_invalid() -> None:
    found = judge_records(
        record(Arm.REFERENCE, "text-1", 0),
        record(Arm.CANDIDATE, "text-1", 0, model_reported="big"),
        record(Arm.CANDIDATE, "text-1", 1, model_reported="small"),
    )
    assert found.verdict is Verdict.INVALID
    assert check(found, "model_field").evidence == "candidate: big and small"


def with_placebo(*records: Record) -> Judgement:
    """Judge with a third arm; its endpoint is the reference's."""
    arms = {arm: tuple(one for one in records if one.key.arm is arm) for arm in Arm}
    three = replace(case(records=arms), placebo=side(Arm.PLACEBO, arms[Arm.PLACEBO]))
    return judge_case(three, [one for arm in Arm for one in side_trials(arm)], both_instruments())


def test_a_placebo_that_reports_another_model_is_the_reference_changing() -> None:
    found = with_placebo(
        record(Arm.REFERENCE, "text-1", 0, model_reported="big"),
        record(Arm.PLACEBO, "text-1", 0, model_reported="small"),
    )
    assert found.verdict is Verdict.INVALID
    assert check(found, "model_field").evidence == "reference: big and small"


def test_a_response_id_on_reference_and_placebo_is_a_response_cache() -> None:
    first = Stamps(intended_at_ns=0, sent_at_ns=0, ended_at_ns=1_000)
    second = Stamps(intended_at_ns=0, sent_at_ns=2_000, ended_at_ns=3_000)
    found = with_placebo(
        record(Arm.REFERENCE, "text-1", 0, response_id="same", stamps=first),
        record(Arm.PLACEBO, "text-1", 0, response_id="same", stamps=second),
        record(Arm.PLACEBO, "text-1", 1, response_id="other"),
    )
    assert found.verdict is Verdict.INVALID
    assert check(found, "response_cache").evidence == (
        "reference: 1 response id came more than once (same on 2 repeats of text-1)"
    )


def test_a_warmup_may_name_another_model() -> None:
    cold = record(Arm.CANDIDATE, "text-1", 0, model_reported="loading")
    warm = record(Arm.CANDIDATE, "text-1", 1, model_reported="big")
    found = judge_records(replace(cold, key=replace(cold.key, is_warmup=True)), warm)
    assert check(found, "model_field").is_met


def test_missing_usage_is_a_note() -> None:
    found = check(judge_records(record(Arm.CANDIDATE, "text-1", 0)), "usage")
    assert (found.is_met, found.consequence) == (False, NOTE)
    assert found.evidence == "candidate: 1 of 1 answers without usage"


@pytest.mark.parametrize(
    ("uncertainty", "is_met", "consequence"),
    [
        (known(0.0009), True, VOID),
        (known(0.0011), False, VOID),
        (missing("nothing says how late"), False, NOTE),  # unknown meets no limit, and voids nothing
    ],
)
def test_an_uncertain_arrival_voids_timing(uncertainty: Value, is_met: bool, consequence: str) -> None:
    found = both_instruments(arrival_uncertainty_p99_s=uncertainty)
    judgement = judge_case(case(), [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE)], found)
    told = check(judgement, "arrival_uncertainty")
    assert (told.is_met, told.consequence) == (is_met, consequence)
    ttft = gate(judgement, "ttft_p50").outcome
    assert ttft is (Outcome.PASS if is_met or consequence == NOTE else Outcome.INCONCLUSIVE)


def test_late_sends_on_one_side_void_the_timings_of_both() -> None:
    late = [instrument(Arm.REFERENCE), instrument(Arm.CANDIDATE, send_lateness_p99_s=known(0.0051))]
    trials = [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE)]
    found = judge_case(case(), trials, late)
    lateness = check(found, "send_lateness")
    assert (lateness.is_met, lateness.consequence) == (False, VOID)
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("ours", "is_met"), [(0.049, True), (0.051, False)])
def test_events_that_our_late_reading_merged_void_timing(ours: float, is_met: bool) -> None:
    trials = [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE)]
    merged = both_instruments(shared_read_fraction=known(0.9), late_shared_fraction=known(ours))
    shared = check(judge_case(case(), trials, merged), "shared_reads")
    assert (shared.is_met, shared.consequence) == (is_met, VOID)


def test_free_slots_that_were_not_filled_void_timing() -> None:
    trials = [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE)]
    short = [
        instrument(Arm.REFERENCE),
        instrument(Arm.CANDIDATE, load=OfferedLoad(words="4 requests in flight", offered_fraction=known(0.94))),
    ]
    found = judge_case(case(), trials, short)
    load = check(found, "offered_load")
    assert (load.is_met, load.consequence) == (False, VOID)
    assert load.evidence == "reference free slots filled 99.8 %, candidate free slots filled 94 % (limit ≥ 95 %)"
    assert found.verdict is Verdict.INCONCLUSIVE


def test_an_unwatched_instrument_is_said() -> None:
    trials = [*side_trials(Arm.REFERENCE), *side_trials(Arm.CANDIDATE)]
    found = judge_case(case(), trials, ())
    assert not check(found, "instrument").is_met


def test_only_invalid_checks_make_a_run_invalid() -> None:
    broken = [one for one in judge(garbage, garbage).validity if not one.is_met]
    assert {one.consequence for one in broken} == {INVALID}
