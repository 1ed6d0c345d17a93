"""Attempts beside trials, and whose limit a 429 met."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from harness.analysis.attempts import side_attempts
from harness.analysis.economics import side_economics
from harness.analysis.ratelimited import attribute, limit_rows
from harness.analysis.results.attempts import LimitCause, RetriedKind
from harness.analysis.results.case import Case, Side
from harness.analysis.trials import judge_side
from harness.model.record import Arm, Failure, FailureKind, Record
from harness.model.settings import RetrySettings, Settings
from harness.report.view_attempts import attempt_tables
from tests.analysis.cases import a_golden, a_key, a_prompt, a_record, failed
from tests.model.runs import a_plan

S = 1_000_000_000
RETRIES = Settings(retries=RetrySettings(max_attempts=3, max_wait_s=60))


def a_side(*records: Record, settings: Settings = RETRIES, **endpoint: Any) -> Side:
    plan = replace(a_plan(), settings=msgspec.to_builtins(settings))
    given = {"name": "a", "base_url": "https://a/v1", "model": "m", **endpoint}
    return Side(arm=Arm.REFERENCE, name="a", endpoint=given, run_id="r", records=records, plan=plan)


def a_case(side: Side) -> Case:
    return Case(golden=a_golden(a_prompt("p")), settings=RETRIES, plan=side.plan, reference=side)


def limited(repeat: int, attempt: int = 1, **headers: str) -> Record:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return failed(FailureKind.RATE_LIMITED, status=429, key=a_key(repeat), attempt=attempt, headers=named)


RECORDS = (
    a_record(key=a_key(0)),
    limited(1),
    a_record(key=a_key(1), attempt=2),  # recovered
    limited(2),
    limited(2, attempt=2),
    limited(2, attempt=3),  # used up
    limited(3, retry_after="600"),  # asks for too long
    failed(FailureKind.BAD_REQUEST, status=400, key=a_key(4)),
    failed(FailureKind.BAD_GATEWAY, status=502, key=a_key(5)),  # would have been retried: the run ended
    limited(9, attempt=2),  # without its first: no trial
    failed(FailureKind.BAD_GATEWAY, status=502, key=a_key(0, is_warmup=True)),
)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"retry_after": "Thu, 01 Jan 2026 01:00:00 GMT"}, "not known"),  # an hour on, or long past
        ({"retry_after": "Thu, 01 Jan 2026 01:00:00 GMT", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}, "a longer wait"),
        ({"retry_after": "Thu, 01 Jan 2026 00:00:05 GMT", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}, "run ended"),
        ({"x_ratelimit_remaining": "0", "x_ratelimit_reset": "1767229200"}, "not known"),
        ({"retry_after": "3600"}, "a longer wait"),
        ({"retry_after": "5"}, "run ended"),
        ({"retry_after": "Thu, 01 Jan 2026 01:00:00 GMT", "x_should_retry": "false"}, "x-should-retry"),
    ],
)
def test_why_none_followed_is_told_only_where_the_record_knows(headers: dict[str, Any], reason: str) -> None:
    side = a_side(limited(1, **headers))
    found = side_attempts(a_case(side), side)
    assert found is not None
    (told,) = found.kinds[0].not_retried
    assert reason in told


def test_attempts_are_counted_beside_first_ones() -> None:
    side = a_side(*RECORDS)
    found = side_attempts(a_case(side), side)
    assert found is not None
    assert (found.n_requests, found.n_first, found.n_eventually) == (6, 1, 2)
    assert (found.n_attempts, found.most_attempts, found.allowed) == (9, 3, 3)
    assert found.per_request == 1.5
    assert found.kinds == (
        RetriedKind(
            kind="rate_limited",
            n=5,
            n_retried=3,
            n_recovered=1,
            not_retried={
                "its attempts were used up": 1,
                "the server asks for a longer wait than retries.max_wait_s": 1,
            },
        ),
        RetriedKind(kind="bad_gateway", n=1, not_retried={"the run ended before": 1}),
        RetriedKind(kind="bad_request", n=1, not_retried={"its kind is never retried": 1}),
    )


def test_a_retry_is_no_trial_and_its_tokens_are_billed_all_the_same() -> None:
    prices = {"input_per_mtok": 1.0, "output_per_mtok": 10.0}
    side = a_side(*RECORDS, prices=prices)
    judged = judge_side(side, a_golden(a_prompt("p")))
    assert [(item.record.key.repeat, item.record.attempt) for item in judged if not item.record.key.is_warmup] == [
        (repeat, 1) for repeat in range(6)
    ]
    economics = side_economics(side, judged)
    assert (economics.n_requests, economics.n_successes) == (7, 1)
    assert (economics.prompt_tokens, economics.completion_tokens) == (200, 92)  # of the first answer and the retry
    assert economics.cost.value == pytest.approx(2 * (100 * 1 + 46 * 10) / 1e6)


def test_tables_say_what_was_retried_and_are_left_out_where_nothing_failed() -> None:
    side = a_side(*RECORDS)
    row = side_attempts(a_case(side), side)
    assert row is not None
    tables = attempt_tables([row], {Arm.REFERENCE: "a"})
    assert [table.caption for table in tables] == ["Attempts", "What followed a failure", "Rate limits"]
    assert [cell.text for cell in tables[0].rows[0]][:3] == ["a", "6", "1 (16.7\N{NO-BREAK SPACE}%)"]
    whole = a_side(a_record(key=a_key(0)))
    row = side_attempts(a_case(whole), whole)
    assert row is not None
    assert attempt_tables([row], {}) == ()


def test_where_retries_were_off_the_page_says_so() -> None:
    side = a_side(limited(1), settings=Settings())
    row = side_attempts(a_case(side), side)
    assert row is not None
    assert any("Retries were off" in note for note in attempt_tables([row], {})[0].notes)


PURCHASED = "Your purchased capacity is 60 requests per minute"


def told(code: str | None = None, message: str = "no", **headers: str) -> Record:
    record = limited(0, 1, **headers)
    return replace(record, failure=Failure(kind=FailureKind.RATE_LIMITED, message=message, code=code))


@pytest.mark.parametrize(
    ("record", "n_sent", "stated", "cause", "evidence"),
    [
        (told("insufficient_quota"), 1, None, LimitCause.OWN_QUOTA, "code: insufficient_quota"),
        (
            told(None, x_ratelimit_limit_requests="60", x_ratelimit_remaining_requests="0"),
            1,
            None,
            LimitCause.OWN_QUOTA,
            "headers: 0 of 60 requests remain",
        ),
        (told("engine_overloaded"), 1, None, LimitCause.CAPACITY, "code: engine_overloaded"),
        (told(None, "We are at capacity"), 1, None, LimitCause.CAPACITY, "message: We are at capacity"),
        (told(None, PURCHASED, x_ratelimit_remaining_requests="0"), 1, None, LimitCause.OWN_QUOTA, "headers: 0"),
        (told("rate_limit_exceeded", PURCHASED), 1, None, LimitCause.OWN_QUOTA, "code: rate_limit_exceeded"),
        (told(None, PURCHASED), 61, 60, LimitCause.OWN_QUOTA, "send log: 61 requests in a minute"),
        (told("rate_limit_exceeded"), 1, None, LimitCause.OWN_QUOTA, "code: rate_limit_exceeded"),
        (told(), 60, 60, LimitCause.OWN_QUOTA, "send log: 60 requests in a minute"),
        (told(None, x_ratelimit_limit_requests="20"), 25, None, LimitCause.OWN_QUOTA, "the headers name 20"),
        (told(), 59, 60, LimitCause.UNKNOWN, "no header or code says whose limit"),
        (told(None, x_ratelimit_remaining_tokens="900"), 3, None, LimitCause.UNKNOWN, "headers: 900 tokens remain"),
    ],
)
def test_a_limit_is_attributed_with_its_evidence(
    record: Record, n_sent: int, stated: int | None, cause: LimitCause, evidence: str
) -> None:
    found, shown = attribute(record, n_sent, stated)
    assert found is cause
    assert evidence in shown


def test_the_send_log_counts_the_minute_up_to_the_request() -> None:
    def at(seconds: int, record: Record) -> Record:
        return replace(record, stamps=replace(record.stamps, sent_at_ns=seconds * S))

    before = [at(second, a_record(key=a_key(second))) for second in (0, 50, 55)]
    (row,) = limit_rows([*before, at(61, limited(9))], {"limits": {"requests_per_minute": 3}})
    assert (row.cause, row.n) == (LimitCause.OWN_QUOTA, 1)  # 50, 55 and 61: three of three
    (row,) = limit_rows([*before, at(61, limited(9))], {"limits": {"requests_per_minute": 4}})
    assert row.cause is LimitCause.UNKNOWN
