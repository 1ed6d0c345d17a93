"""Tokens, money and throughput of a side, added up by hand."""

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.economics import side_economics
from harness.analysis.load import Load
from harness.analysis.results.estimates import Throughput
from harness.analysis.results.tokens import Economics
from harness.analysis.throughput import FullLoad, full_load, side_throughput
from harness.analysis.trials import judge_side
from harness.model.record import Answer, Arm, Arrival, FailureKind, Record, Stamps, ToolCall, Usage
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


def test_an_answer_costs_less_than_one_that_passes() -> None:
    """0.04 for four requests, of which three answered and two passed; the failed one may have been billed."""
    lost = failed(key=a_key(3), status=200, usage=CENT)
    found = economics(answering(0), answering(1, "no"), answering(2), lost, prices=BOOK)
    assert found.cost_per_answer.value == pytest.approx(0.04 / 3)
    assert found.cost_per_success.value == pytest.approx(0.04 / 2)
    assert economics(failed(status=500), prices=BOOK).cost_per_answer.reason == "no answer"
    assert economics(answering(0)).cost_per_answer.reason == "no price book"


def test_missing_and_zero_usage_are_counted_among_the_answers() -> None:
    found = economics(
        answering(0),
        answering(1, usage=None),
        answering(2, usage=Usage(prompt_tokens=5)),
        answering(3, usage=Usage(prompt_tokens=5, completion_tokens=0)),
        answering(4, usage=Usage(prompt_tokens=0, completion_tokens=5)),
        failed(key=a_key(5)),
    )
    assert (found.n_no_usage, found.n_zero_usage) == (2, 2)


def test_chunks_per_token_is_a_ratio_of_sums_over_streamed_texts() -> None:
    """Ten events of 20 tokens and ten of 30; a call, hidden reasoning, no usage and a whole reply count nothing."""
    call = Answer(tool_calls=(ToolCall(name="f", arguments="{}"),))
    found = economics(
        answering(0, usage=Usage(completion_tokens=20)),
        answering(1, usage=Usage(completion_tokens=30)),
        answering(2, answer=call, usage=Usage(completion_tokens=1_000)),
        answering(3, usage=Usage(completion_tokens=1_000, reasoning_tokens=990)),
        answering(4, usage=None),
        answering(5, was_streamed=False, usage=Usage(completion_tokens=1_000)),
    )
    assert found.chunks_per_token.value == pytest.approx(20 / 50)
    assert economics(answering(0, usage=None)).chunks_per_token.reason == "no streamed text with usage"


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
    assert found.cost.reason == "at least 0.01 EUR: 1 of 2 requests without a usage that counts"
    assert found.cost_per_success.value is None


def timed(start_ms: int, end_ms: int, repeat: int, tokens: int | None = 10, **changes: Any) -> Record:
    """A request sent and ended at these instants; its output comes at the end, in two events half way and there."""
    middle = (start_ms + end_ms) // 2
    record = a_record((middle, end_ms), key=a_key(repeat), tokens=tokens, **changes)
    stamps = replace(record.stamps, sent_at_ns=start_ms * MS, ended_at_ns=end_ms * MS)
    return replace(record, stamps=stamps)


def throughput(*records: Record, concurrency: int = 2) -> Throughput:
    return side_throughput(Arm.REFERENCE, judged(records, a_prompt()), Load(asked=concurrency))


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
    assert full_load([first, second], Load(asked=2)) == FullLoad(window=(1_000 * MS, 2_000 * MS))
    assert found.steady_output_tokens_per_s.value == pytest.approx((5 + 5) / 1.0)
    assert throughput(first, second, concurrency=3).steady_output_tokens_per_s.reason == "never 3 requests in flight"


def test_full_load_lasts_from_the_first_full_instant_to_the_last() -> None:
    """Slots of a second; between two requests a slot stands free for 10 ms, in which the other goes on."""
    first = [timed(at, at + 990, i) for i, at in enumerate(range(0, 10_000, 1_000))]
    second = [timed(at, at + 1_000, 20 + i) for i, at in enumerate(range(500, 10_500, 1_000))]
    found = full_load([*first, *second], Load(asked=2))
    assert found == FullLoad(window=(500 * MS, 9_990 * MS))
    # In 9.49 s: of the first's 20 events all but the two before, of the second's all but the two after.
    expected = (10 * 10 - 5 + 10 * 10 - 10) / 9.49
    assert throughput(*first, *second).steady_output_tokens_per_s.value == pytest.approx(expected)


def test_a_load_that_was_mostly_not_there_has_no_throughput_at_full_load() -> None:
    """Two in flight at the ends, one for eight seconds in between: a side that waits for the other."""
    records = [timed(0, 1_000, 0), timed(0, 10_000, 1), timed(9_000, 10_000, 2)]
    found = throughput(*records)
    assert found.steady_output_tokens_per_s.reason == "1.2 of 2 requests in flight on average"
    assert found.steady_requests_per_s.reason == "1.2 of 2 requests in flight on average"
    assert found.output_tokens_per_s.value == pytest.approx(30 / 10.0)
    assert full_load(records, Load(asked=1)).reason is None
    assert full_load([], Load(asked=1)).reason == "never 1 request in flight"


def test_money_counts_every_level_of_load_and_says_so() -> None:
    found = economics(answering(0), a_record(key=a_key(0, level=1), usage=CENT, answer=Answer(text="yes")), prices=BOOK)
    assert (found.n_requests, found.n_successes) == (2, 2)
    assert found.cost.value == pytest.approx(0.02)
    assert found.cost_per_success.value == pytest.approx(0.01)


def test_throughput_is_that_of_its_level_and_of_its_load() -> None:
    """The first level moves 20 tokens in 2 s, the second 80 in 1 s; the first aims at 2 in flight, not at 4."""
    first = [timed(0, 2_000, 0), timed(0, 2_000, 1)]
    second = [
        replace(record, key=replace(record.key, level=1))
        for record in (timed(5_000, 6_000, repeat, tokens=20) for repeat in range(4))
    ]
    items = judged([*first, *second], a_prompt())
    one = side_throughput(Arm.REFERENCE, items, Load(asked=2))
    two = side_throughput(Arm.REFERENCE, items, Load(level=1, asked=4))
    for found, tokens_per_s, requests_per_s in ((one, 10, 1), (two, 80, 4)):
        assert found.output_tokens_per_s.value == pytest.approx(tokens_per_s)
        assert found.steady_output_tokens_per_s.value == pytest.approx(tokens_per_s)
        assert found.requests_per_s.value == pytest.approx(requests_per_s)


def test_requests_at_full_load_are_those_that_ended_in_it() -> None:
    """Two in flight from 1,000 to 2,000 ms; the answer of the first ends there, that of the second a second later."""
    found = throughput(timed(0, 2_000, 0), timed(1_000, 3_000, 1))
    assert found.steady_requests_per_s.value == pytest.approx(1.0)
    assert throughput(timed(0, 1_000, 0)).steady_requests_per_s.reason == "never 2 requests in flight"


def test_an_open_loop_is_full_from_its_ramp_to_the_last_due_request() -> None:
    """Due at 0, 1, 2, 3 s, a ramp of 1 s: of the outputs, half a second and a second later, four of five count."""
    records = [
        replace(timed(at, at + 1_000, repeat), stamps=due(timed(at, at + 1_000, repeat), at))
        for repeat, at in enumerate((0, 1_000, 2_000, 3_000))
    ]
    load = Load(asked=1.0, arrival=Arrival.CONSTANT, ramp_s=1.0)
    found = side_throughput(Arm.REFERENCE, judged(records, a_prompt()), load)
    assert full_load(records, load) == FullLoad(window=(1_000 * MS, 3_000 * MS))
    assert found.steady_output_tokens_per_s.value == pytest.approx((5 + 5 + 5 + 5) / 2.0)  # at 1.5, 2, 2.5, 3 s
    assert found.steady_requests_per_s.value == pytest.approx(2 / 2.0)  # at 2 and 3 s
    assert full_load([], load).reason == "fewer than two requests after the ramp"
    alone = side_throughput(Arm.REFERENCE, judged(records[:1], a_prompt()), load)
    assert alone.steady_output_tokens_per_s.reason == "fewer than two requests after the ramp"


def due(record: Record, at_ms: int) -> Stamps:
    """Give the record's stamps, due at this instant."""
    return replace(record.stamps, intended_at_ns=at_ms * MS)
