"""Requests become trials: which count, by which attempt, at which cost."""

from dataclasses import replace

import pytest

from harness.analysis.cost import may_be_billed, price_book, request_cost
from harness.analysis.trials import at_level, first_attempts, judge_side
from harness.model.endpoint import Prices
from harness.model.record import Answer, Failure, FailureKind, Record, Usage
from tests.analysis.cases import a_golden, a_key, a_prompt, a_record, a_side, failed, judged

PRICES = Prices(input_per_mtok=2.0, output_per_mtok=10.0, cached_input_per_mtok=0.5, per_request=0.001)
USAGE = Usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=400)


def test_a_trial_holds_what_the_answer_is_worth() -> None:
    (item,) = judged([a_record(answer=Answer(text="forty-two", finish_reason="length"))], a_prompt(says="42"))
    trial = item.trial
    assert (trial.is_judged, trial.failure, trial.task_success, trial.was_truncated) == (True, None, False, True)
    assert [(check.check, check.passed, check.came) for check in trial.checks] == [("contains: 42", False, "forty-two")]
    assert (trial.canonical, trial.run_id) == ("forty-two", "run-1")
    assert trial.metrics["e2e"].value == pytest.approx(1.0)
    assert trial.cost.reason == "no price book"


def test_a_failed_request_is_a_trial_without_success() -> None:
    (item,) = judged([failed(message="boom")], a_prompt(says="42"))
    assert (item.trial.failure, item.trial.failure_message) == ("server_error", "boom")
    assert (item.trial.task_success, item.trial.canonical, item.trial.is_judged) == (False, "", True)


@pytest.mark.parametrize(
    "record",
    [
        a_record(key=a_key(is_warmup=True)),
        a_record(is_possibly_cold=True),
        failed(FailureKind.CANCELLED, status=None),
    ],
)
def test_warmups_cold_and_cancelled_requests_are_not_judged(record: Record) -> None:
    (item,) = judged([record], a_prompt())
    assert not item.trial.is_judged


def test_a_request_of_another_level_counts_there_and_is_not_judged() -> None:
    keys = (a_key(), a_key(level=1), a_key(1, level=1, is_warmup=True))
    items = judged([a_record(key=key, block=block) for block, key in enumerate(keys)])
    assert [(item.trial.key.level, item.trial.is_judged) for item in items] == [(0, True), (1, False), (1, False)]
    assert [len(at_level(items, level)) for level in range(3)] == [1, 1, 0]


def test_a_retry_never_mends_the_first_attempt() -> None:
    first, second = failed(), a_record(attempt=2)
    (item,) = judged([second, first], a_prompt())
    assert item.trial.failure == "server_error"
    assert item.trial.metrics["ttft"].value is None


def test_a_retry_alone_is_no_trial() -> None:
    assert first_attempts([a_record(attempt=2)]) == []


def test_trials_come_in_the_order_of_the_plan() -> None:
    records = [a_record(key=a_key(repeat), block=10 - repeat) for repeat in range(3)]
    assert [item.trial.key.repeat for item in judged(records, a_prompt())] == [2, 1, 0]


def test_warmups_do_not_set_the_usual_rate() -> None:
    """Two warm-ups at 5,000 tok/s would make 50 tok/s the slow one; judged alone it is the usual."""
    warm = [a_record(range(900, 910), key=a_key(repeat, is_warmup=True), block=repeat) for repeat in range(2)]
    found = judged([*warm, a_record(block=5)], a_prompt())
    assert [item.is_buffered for item in found] == [True, True, False]


def test_the_cost_is_price_book_times_usage() -> None:
    """600 × 2 + 400 × 0.5 + 100 × 10 per million, and a thousandth per request."""
    assert request_cost(a_record(usage=USAGE), PRICES).value == pytest.approx(0.0024 + 0.001)


def test_cached_tokens_cost_the_full_price_without_one_of_their_own() -> None:
    prices = Prices(input_per_mtok=2.0, output_per_mtok=10.0)
    assert request_cost(a_record(usage=USAGE), prices).value == pytest.approx(0.003)
    free = Prices(input_per_mtok=2.0, output_per_mtok=10.0, cached_input_per_mtok=0.0)
    assert request_cost(a_record(usage=USAGE), free).value == pytest.approx(0.0022)


def test_the_cost_of_a_failed_request_is_what_usage_reports() -> None:
    cut = replace(a_record(usage=USAGE), failure=Failure(kind=FailureKind.CUT_OFF, message="cut"))
    assert request_cost(cut, PRICES).value == pytest.approx(0.0034)
    assert request_cost(failed(), PRICES).reason == "usage missing"
    assert request_cost(a_record(usage=Usage(completion_tokens=3)), PRICES).reason == "usage missing"


@pytest.mark.parametrize(
    "parts", [{"cached_tokens": 900, "reasoning_tokens": 0}, {"cached_tokens": 0, "reasoning_tokens": 6}]
)
def test_a_part_of_more_tokens_than_the_whole_leaves_the_cost_unknown(parts: dict[str, int]) -> None:
    """10 prompt tokens of which 900 were cached would cost less than nothing."""
    value = request_cost(a_record(usage=Usage(prompt_tokens=10, completion_tokens=5, **parts)), PRICES)
    assert (value.value, value.reason) == (None, "usage contradicts itself")
    whole = Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=10, reasoning_tokens=5)
    assert request_cost(a_record(usage=whole), PRICES).value == pytest.approx((10 * 0.5 + 5 * 10) / 1e6 + 0.001)


def test_the_price_book_is_the_endpoint_files() -> None:
    assert price_book({"name": "a"}) is None
    book = {"currency": "EUR", "input_per_mtok": 1, "output_per_mtok": 4}
    assert price_book({"prices": book}) == Prices(currency="EUR", input_per_mtok=1, output_per_mtok=4)
    (item,) = judge_side(a_side([a_record(usage=USAGE)], prices=book), a_golden())
    assert item.trial.cost.value == pytest.approx(0.0014)


@pytest.mark.parametrize(
    ("record", "may_be"),
    [
        (a_record(), True),
        (failed(status=500), False),
        (failed(FailureKind.RATE_LIMITED, status=429), False),
        (failed(FailureKind.CONNECT, status=None), False),
        (failed(FailureKind.TIMEOUT_FIRST_OUTPUT, status=None), True),
        (failed(FailureKind.TIMEOUT_IDLE, status=200), True),
        (failed(FailureKind.CUT_OFF, status=200), True),
    ],
)
def test_only_work_that_may_have_been_done_may_be_billed(record: Record, may_be: bool) -> None:
    assert may_be_billed(record) is may_be
