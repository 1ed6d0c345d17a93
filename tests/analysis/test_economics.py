"""Tokens, money and throughput of a side, added up by hand."""

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.economics import side_economics
from harness.analysis.results import Economics, Throughput
from harness.analysis.throughput import asked_concurrency, full_windows, side_throughput
from harness.analysis.trials import judge_side
from harness.model.record import Answer, Arm, FailureKind, Record, Usage
from tests.analysis.cases import MS, a_golden, a_key, a_prompt, a_record, a_side, failed, judged

BOOK = {"currency": "EUR", "input_per_mtok": 1.0, "output_per_mtok": 10.0}
CENT = Usage(prompt_tokens=5_000, completion_tokens=500)  # 0.01 under this book


def economics(*records: Record, **endpoint: Any) -> Economics:
    side = a_side(records, **endpoint)
    return side_economics(side, judge_side(side, a_golden(a_prompt(says="yes"))))


def answering(repeat: int, text: str = "yes", **changes: Any) -> Record:
    given: dict[str, Any] = {"usage": CENT, "answer": Answer(text=text, finish_reason="stop")} | changes
    return a_record(key=a_key(repeat), **given)


def test_requests_are_told_apart_by_outcome() -> None:
    found = economics(
        answering(0),
        answering(1, answer=Answer(text="yes", finish_reason="length")),
        failed(key=a_key(2)),
        failed(FailureKind.EMPTY_ANSWER, key=a_key(3), status=200),
    )
    assert (found.n_requests, found.n_successes, found.n_failed) == (4, 2, 2)
    assert (found.n_truncated, found.n_empty) == (1, 1)


def test_tokens_are_sums_of_what_was_reported_and_nothing_else() -> None:
    found = economics(answering(0), answering(1, usage=replace(CENT, cached_tokens=7)), failed(key=a_key(2)))
    assert (found.prompt_tokens, found.completion_tokens) == (10_000, 1_000)
    assert (found.cached_tokens, found.reasoning_tokens) == (7, None)
    assert economics(failed()).prompt_tokens is None


def test_money_counts_warmups_and_retries_too() -> None:
    warm = a_record(key=a_key(0, is_warmup=True), usage=CENT)
    found = economics(warm, answering(0), answering(0, attempt=2), prices=BOOK)
    assert found.cost.value == pytest.approx(0.03)
    assert (found.n_requests, found.currency) == (2, "EUR")
    assert found.completion_tokens == 1_500


def test_a_success_is_an_answer_that_passes_its_checks() -> None:
    found = economics(answering(0), answering(1, "no"), answering(2), failed(key=a_key(3)), prices=BOOK)
    assert found.cost_per_success.value == pytest.approx(0.03 / 2)
    assert economics(answering(0, "no"), prices=BOOK).cost_per_success.reason == "no success"


def test_without_prices_there_is_no_cost() -> None:
    found = economics(answering(0))
    assert (found.cost.reason, found.cost_per_success.reason, found.currency) == (
        "no price book",
        "no price book",
        None,
    )


def test_a_refused_request_costs_nothing_and_a_broken_one_is_unknown() -> None:
    refused = failed(FailureKind.RATE_LIMITED, key=a_key(1), status=429)
    assert economics(answering(0), refused, prices=BOOK).cost.value == pytest.approx(0.01)
    broken = failed(FailureKind.CUT_OFF, key=a_key(1), status=200)
    found = economics(answering(0), broken, prices=BOOK)
    assert found.cost.reason == "at least 0.01 EUR: 1 of 2 requests without usage"
    assert found.cost_per_success.value is None


def timed(start_ms: int, end_ms: int, repeat: int, tokens: int | None = 10, **changes: Any) -> Record:
    """A request sent and ended at these instants; its output comes at the end, in two events half way and there."""
    middle = (start_ms + end_ms) // 2
    record = a_record((middle, end_ms), key=a_key(repeat), tokens=tokens, **changes)
    stamps = replace(record.stamps, sent_at_ns=start_ms * MS, ended_at_ns=end_ms * MS)
    return replace(record, stamps=stamps)


def throughput(*records: Record, concurrency: int = 2) -> Throughput:
    return side_throughput(Arm.REFERENCE, judged(records, a_prompt()), concurrency)


def test_throughput_is_all_tokens_over_first_sent_to_last_output() -> None:
    found = throughput(timed(1_000, 2_000, 0), timed(1_500, 3_000, 1, tokens=30))
    assert found.output_tokens_per_s.value == pytest.approx(40 / 2.0)
    assert found.requests_per_s.value == pytest.approx(2 / 2.0)


def test_a_failed_request_lengthens_the_time_and_adds_nothing() -> None:
    lost = failed(key=a_key(5))
    lost = replace(lost, stamps=replace(lost.stamps, sent_at_ns=0))
    found = throughput(lost, timed(1_000, 2_000, 0))
    assert found.output_tokens_per_s.value == pytest.approx(10 / 2.0)
    assert found.requests_per_s.value == pytest.approx(1 / 2.0)


def test_a_success_without_usage_leaves_throughput_undefined() -> None:
    found = throughput(timed(0, 1_000, 0), timed(0, 1_000, 1, tokens=None))
    assert found.output_tokens_per_s.reason == "1 of 2 successes without usage"
    assert found.steady_output_tokens_per_s.reason == "1 of 2 successes without usage"
    assert found.requests_per_s.value == pytest.approx(2.0)


def test_nothing_that_succeeded_is_no_throughput() -> None:
    found = throughput(failed())
    assert (found.output_tokens_per_s.reason, found.requests_per_s.reason) == ("no success", "no success")


def test_the_steady_figure_looks_only_at_the_full_load() -> None:
    """Two in flight from 1,000 to 2,000 ms: of the first answer's 10 tokens the half at 1,000..2,000 counts."""
    first, second = timed(0, 2_000, 0), timed(1_000, 3_000, 1)
    found = throughput(first, second)
    assert full_windows([first, second], 2) == ((1_000 * MS, 2_000 * MS),)
    assert found.steady_output_tokens_per_s.value == pytest.approx((5 + 5) / 1.0)
    assert throughput(first, second, concurrency=3).steady_output_tokens_per_s.reason == "never 3 requests in flight"


def test_windows_that_touch_are_one() -> None:
    records = [timed(0, 3_000, 0), timed(0, 1_000, 1), timed(1_000, 2_000, 2)]
    assert full_windows(records, 2) == ((0, 2_000 * MS),)
    assert full_windows(records, 1) == ((0, 3_000 * MS),)
    assert full_windows([], 1) == ()


def test_the_run_aims_at_the_lower_concurrency() -> None:
    assert asked_concurrency([{"limits": {"concurrency": 8}}, {"limits": {"concurrency": 3}}]) == 3
    assert asked_concurrency([{"limits": {"concurrency": 8}}, {}]) == 4
