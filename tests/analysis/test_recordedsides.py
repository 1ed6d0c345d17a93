"""Sides of two runs: their distance is said, and their timings do not decide unless that was asked."""

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.ledgernights import has_reference
from harness.analysis.recordedsides import recorded_warnings
from harness.analysis.results.case import Case
from harness.analysis.results.gate import Outcome
from harness.analysis.results.judgement import Verdict
from harness.analysis.results.trial import Trial
from harness.model.record import Arm
from harness.model.settings import Gates, Settings
from tests.analysis.trialcases import case, gate, judge, timed
from tests.model.ledgers import a_ledger_side, an_entry

THEN, NOW = "2025-10-09T10:00:00+00:00", "2026-11-25T10:00:00+00:00"
TIMINGS = ("ttft_p50", "ttft_p95", "decode_p50", "decode_p5", "e2e_p50")


def recorded(**changes: Any) -> Case:
    of = case()
    assert of.candidate is not None
    vantage = {"host": "aaa", "cpu": "some CPU"}
    reference = replace(of.reference, was_recorded_earlier=True, started_at=THEN, run_id="old", vantage=vantage)
    candidate = replace(of.candidate, started_at=NOW, vantage={**vantage, "host": "bbb"})
    return replace(of, **{"reference": reference, "candidate": candidate, **changes})


def slower(one: Trial) -> Trial:
    return timed(one, ttft=3.0, e2e=3.0)


def test_slower_timings_of_another_day_do_not_fail() -> None:
    found = judge(slower, of=recorded())
    assert found.verdict is not Verdict.FAIL
    assert gate(found, "ttft_p50").outcome is Outcome.FAIL  # it is shown
    assert [one for one in TIMINGS if gate(found, one).is_required or gate(found, one).demoted_because] == []
    assert gate(found, "request_success").is_required
    assert any(line.startswith("Timings:") for line in found.not_verified)


def test_they_do_where_that_is_asked_or_one_run_measured_both() -> None:
    assert judge(slower, of=recorded(recorded_timings=True)).verdict is Verdict.FAIL
    assert judge(slower).verdict is Verdict.FAIL


def test_a_loss_of_answers_fails_all_the_same() -> None:
    def wrong(one: Trial) -> Trial:
        return replace(one, task_success=False if one.task_success is not None else None)

    assert judge(wrong, of=recorded()).verdict is Verdict.FAIL


def test_a_service_level_looks_at_the_candidate_alone_and_decides() -> None:
    settings = Settings(verdict=Gates(slo=["ttft <= 2 s in 90 %"]))
    found = judge(of=recorded(settings=settings))
    assert gate(found, "slo: ttft <= 2 s in 90 %").is_required


def test_time_and_place_between_the_sides_are_said_first() -> None:
    between, timings = recorded_warnings(recorded())
    assert "the reference 412 days before the candidate (2025-10-09 and 2026-11-25)" in between
    assert "from another machine (aaa, then bbb)" in between
    assert "CPU" not in between
    assert "informative" in timings
    assert "decide all the same" in recorded_warnings(recorded(recorded_timings=True))[1]
    found = judge(of=recorded())
    assert between in found.notes
    assert found.sentence.startswith("Sides measured 412 days apart, from two machines: timings do not decide. ")
    assert judge().sentence.startswith("Sides") is False


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("2026-11-25T09:00:00+00:00", "1 hour before"),
        ("2026-11-25T09:58:00+00:00", "2 minutes before"),
        ("2026-11-25T09:59:40+00:00", "less than a minute before"),
        ("2026-11-27T10:00:00+00:00", "2 days after"),
        (None, "at times that are not on record"),
    ],
)
def test_the_time_between_is_in_words(then: str | None, words: str) -> None:
    of = recorded()
    told = recorded_warnings(replace(of, reference=replace(of.reference, started_at=then)))[0]
    assert words in told


def test_a_machine_that_is_not_on_record_is_said() -> None:
    of = recorded()
    told = recorded_warnings(replace(of, reference=replace(of.reference, vantage={})))[0]
    assert "the reference's machine is not on record" in told


def test_verdicts_before_on_the_same_recorded_run_are_counted() -> None:
    assert "3 verdicts" in recorded_warnings(recorded(n_earlier_verdicts=3))[2]


def test_one_run_needs_no_warning() -> None:
    assert recorded_warnings(case()) == ()


@pytest.mark.parametrize(("reference_run", "expected"), [("new", True), ("old", False)])
def test_a_drift_is_told_apart_only_where_both_sides_were_measured_that_night(
    reference_run: str, expected: bool
) -> None:
    sides = (a_ledger_side(run_id=reference_run), a_ledger_side(Arm.CANDIDATE, run_id="new"))
    assert has_reference(an_entry("new", sides=sides)) is expected
    assert not has_reference(an_entry("alone"))
