"""Failures and findings by kind; every kind has advice."""

from dataclasses import replace

from harness.analysis.failures import FAILURE_ADVICE, failure_rows
from harness.analysis.findingrows import FINDING_ADVICE, finding_rows
from harness.model.record import Arm, FailureKind, Finding, FindingKind
from tests.analysis.cases import a_key, a_prompt, a_record, failed, judged

PROMPTS = (a_prompt("p"), a_prompt("q"))


def test_every_kind_of_failure_has_advice_of_its_own() -> None:
    assert set(FAILURE_ADVICE) == set(FailureKind)
    assert len(set(FAILURE_ADVICE.values())) == len(FailureKind)


def test_every_kind_of_finding_has_advice_of_its_own() -> None:
    assert set(FINDING_ADVICE) == set(FindingKind)
    assert len(set(FINDING_ADVICE.values())) == len(FindingKind)


def test_failures_are_counted_by_kind_with_their_prompts() -> None:
    limited = [
        failed(FailureKind.RATE_LIMITED, status=429, message="slow down", key=a_key(i, prompt_id=prompt_id))
        for i, prompt_id in enumerate(("q", "p", "q"))
    ]
    idle = failed(FailureKind.TIMEOUT_IDLE, status=200, message="no payload for 30 s", key=a_key(7))
    rows = failure_rows(Arm.CANDIDATE, judged([*limited, idle, a_record(key=a_key(8))], *PROMPTS))
    assert [(row.kind, row.n, row.prompts) for row in rows] == [
        ("rate_limited", 3, ("q", "p")),
        ("timeout_idle", 1, ("p",)),
    ]
    assert [row.example for row in rows] == ["HTTP 429: slow down", "no payload for 30 s"]
    assert rows[0].advice == FAILURE_ADVICE[FailureKind.RATE_LIMITED]
    assert {row.arm for row in rows} == {Arm.CANDIDATE}


def test_an_error_status_without_a_message_is_its_own_example() -> None:
    (row,) = failure_rows(Arm.REFERENCE, judged([failed(message="")], *PROMPTS))
    assert row.example == "HTTP 500"


def test_findings_are_counted_by_response_not_by_occurrence() -> None:
    often = Finding(kind=FindingKind.COMMENTS, detail=": ping", count=40)
    fields = (
        Finding(kind=FindingKind.REASONING_FIELD, detail="reasoning"),
        Finding(kind=FindingKind.REASONING_FIELD, detail="reasoning_content"),
    )
    records = [
        a_record(key=a_key(0), findings=(often, *fields)),
        a_record(key=a_key(1), findings=(replace(often, detail=": another"),)),
        a_record(key=a_key(2)),
    ]
    rows = finding_rows(Arm.REFERENCE, judged(records, *PROMPTS))
    assert [(row.kind, row.n_responses, row.example) for row in rows] == [
        ("comments", 2, ": ping"),
        ("reasoning_field", 1, "reasoning; reasoning_content"),
    ]
    assert rows[0].advice == FINDING_ADVICE[FindingKind.COMMENTS]


def test_nothing_odd_makes_no_row() -> None:
    assert finding_rows(Arm.REFERENCE, judged([a_record()], *PROMPTS)) == ()
    assert failure_rows(Arm.REFERENCE, judged([a_record()], *PROMPTS)) == ()
