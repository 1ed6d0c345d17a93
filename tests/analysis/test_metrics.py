"""The metrics of one request, by hand-computed cases."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis import gaps, latencies, rates, tokens
from harness.analysis.catalog import CATALOG, Of
from harness.analysis.metrics import NOT_FOR_DECODE, NOT_FOR_TTFT, request_metrics
from harness.analysis.results.estimates import Value
from harness.model.record import Answer, Connection, Failure, FailureKind, Record, ToolCall, Usage
from tests.analysis.cases import MS, STEADY, a_prompt, a_record, failed
from tests.decode.wires import DONE, a_head, chunked, decoded, delta, finish, usage

OWN = {"queue_delay", "admission_wait", "send_lateness"}  # exist without an answer


def measured(record: Record, usual_rate: float | None = None) -> dict[str, Value]:
    return request_metrics(a_prompt(), record, usual_rate)


def number(value: Value) -> float:
    assert value.value is not None, value.reason
    return value.value


def one_stream() -> Record:
    """A role chunk, 50 reasoning chunks of 2 tokens, 25 content chunks of 4, usage, the end."""
    pieces = [a_head() + chunked(delta(role="assistant", content=""))]
    pieces += [chunked(delta(reasoning_content="think ")) for _ in range(50)]
    pieces += [chunked(delta(content="say it now ")) for _ in range(25)]
    pieces += [chunked(finish() + usage(9, 200)), chunked(DONE) + b"0\r\n\r\n"]
    at_ms = [50, *range(300, 1300, 20), *range(1300, 1800, 20), 1800, 1801]
    return decoded(pieces, at_ms)


def test_one_stream_has_one_answer_to_each_question() -> None:
    found = measured(one_stream())
    assert found["ttft"].value == pytest.approx(0.300)
    assert found["ttfat"].value == pytest.approx(1.300)
    assert found["ttfe"].value == pytest.approx(0.050)
    assert found["e2e"].value == pytest.approx(1.780)
    assert found["decode_rate"].value == pytest.approx(199 / 1.480)
    assert round(number(found["decode_rate"]), 1) == 134.5
    assert found["tpot"].value == pytest.approx(1.480 / 199)
    assert found["first_chunk_tokens"].reason == "no running usage: 1 is assumed"
    assert found["completion_tokens"].value == 200
    assert found["tokens_per_chunk"].value == pytest.approx(200 / 75)
    assert found["visible_chars_rate"].value == pytest.approx((49 * 6 + 25 * 11) / 1.480)
    assert found["gap"].value == pytest.approx(0.020)


def test_the_simple_times_are_differences_of_stamps() -> None:
    found = measured(a_record())
    expected = {
        "ttft": 0.1,
        "e2e": 1.0,
        "ttlb": 1.001,
        "e2e_effective": 1.003,
        "queue_delay": 0.003,
        "admission_wait": 0.002,
        "send_lateness": 0.001,
        "ntpot": 1.0 / 46,
        "decode_rate": 45 / 0.9,
        "visible_chars_rate": 45 / 0.9,
    }
    assert {metric: number(found[metric]) for metric in expected} == pytest.approx(expected)


def test_every_request_metric_of_the_catalogue_but_cost_is_measured() -> None:
    of_requests = {metric.id for metric in CATALOG.values() if metric.of is Of.REQUEST} - {"cost"}
    assert set(measured(a_record())) == of_requests
    assert set(measured(failed())) == of_requests


def test_a_failed_request_has_no_metric_that_needs_its_answer() -> None:
    broken = replace(a_record(), failure=Failure(kind=FailureKind.CUT_OFF, message="cut"))
    for record in (failed(), broken):
        found = measured(record)
        assert {metric for metric, value in found.items() if value.value is not None} == OWN
        others = found.keys() - OWN - {"ttft_from_intended"}
        assert {found[metric].reason for metric in others} == {"the request failed"}


def test_what_was_never_sent_has_no_times() -> None:
    record = failed(FailureKind.DNS)
    record = replace(record, stamps=replace(record.stamps, sent_at_ns=None, admitted_at_ns=None))
    assert latencies.queue_delay(record).reason == "never sent"
    assert latencies.admission_wait(record).reason == "never admitted"
    assert latencies.waited_s(record) == pytest.approx(0.053)


def test_opening_a_connection_is_not_lateness_of_ours() -> None:
    fresh = Connection(reused=False, dns_ns=200_000, tcp_ns=300_000, tls_ns=400_000)
    assert number(latencies.send_lateness(a_record(connection=fresh))) == pytest.approx(0.0001)
    early = replace(fresh, is_preopened=True)  # opened before the request was admitted: no part of its lateness
    assert number(latencies.send_lateness(a_record(connection=early))) == pytest.approx(0.001)
    kept = Connection(reused=True, dns_ns=200_000)
    assert number(latencies.send_lateness(a_record(connection=kept))) == pytest.approx(0.001)


def test_ttft_from_intended_exists_in_an_open_loop_only() -> None:
    record = a_record()
    assert latencies.time_to_first_token_from_intended(record, is_open_loop=False).value is None
    found = latencies.time_to_first_token_from_intended(record, is_open_loop=True)
    assert number(found) == pytest.approx(0.103)
    assert number(request_metrics(a_prompt(), record, None, is_open_loop=True)["ttft_from_intended"]) == pytest.approx(
        0.103
    )
    lost = failed()
    assert latencies.time_to_first_token_from_intended(lost, is_open_loop=True).reason == "the request failed"
    assert measured(lost)["ttft_from_intended"].reason == latencies.CLOSED_LOOP


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (a_record(tokens=None), "usage missing"),
        (a_record(usage=Usage(prompt_tokens=3)), "usage missing"),
        (a_record(tokens=1), "no token after the first chunk"),
        (a_record(tokens=0), "no token after the first chunk"),
        (a_record(usage=Usage(completion_tokens=9, first_chunk_tokens=9)), "no token after the first chunk"),
        (a_record(STEADY[:4]), "fewer than 5 distinct reads with output"),
        (a_record(reads=(0, 1, 2, 3, 3, 3, 3, 3, 3, 3)), "fewer than 5 distinct reads with output"),
        (a_record(was_streamed=False), "not streamed"),
        (a_record(usage=Usage(completion_tokens=46, reasoning_tokens=20)), rates.HIDDEN_REASONING),
        (a_record(answer=Answer(tool_calls=(ToolCall(name="f", arguments="{}"),))), rates.TOOL_CALL),
        (a_record([100] * 6), "no time passed between first and last output"),
    ],
)
def test_a_decode_rate_is_withheld_with_its_reason(record: Record, reason: str) -> None:
    found = measured(record)
    assert found["decode_rate"].reason == reason
    assert found["tpot"].reason == reason
    assert found["visible_chars_rate"].reason == reason
    assert found["ttft"].value == pytest.approx(0.1)


def test_the_tokens_of_the_first_chunk_are_not_decoded_tokens() -> None:
    running = Usage(completion_tokens=46, first_chunk_tokens=10)
    assert number(rates.decode_rate(a_record(usage=running))) == pytest.approx(36 / 0.9)


def test_visible_reasoning_does_not_withhold_the_decode_rate() -> None:
    record = a_record(usage=Usage(completion_tokens=46, reasoning_tokens=20))
    spoken = replace(record.arrivals, reasoning_chars=(5,) + (0,) * 9)
    assert rates.decode_rate(replace(record, arrivals=spoken)).value == pytest.approx(50)


def test_events_of_one_read_are_one_arrival_of_a_gap() -> None:
    record = a_record((100, 100, 150, 250), reads=(0, 0, 1, 2))
    assert gaps.gaps(record) == pytest.approx((0.05, 0.1))
    assert number(gaps.median_gap(record)) == pytest.approx(0.075)


def test_one_read_has_no_gap() -> None:
    assert gaps.median_gap(a_record((100,))).reason == "fewer than two reads with output"
    assert gaps.stall_seconds(a_record((100, 100), reads=(0, 0))).reason == "fewer than two reads with output"


def test_a_stall_is_what_a_gap_exceeds_the_larger_of_a_second_and_ten_medians_by() -> None:
    assert gaps.stall_seconds(a_record()).value == 0.0
    quick = a_record((100, 110, 120, 130, 2630))  # gaps 10 ms, then 2.5 s
    assert number(gaps.stall_seconds(quick)) == pytest.approx(1.5)
    slow = a_record((0, 200, 400, 600, 3600))  # gaps 200 ms: ten of them are 2 s; then 3 s
    assert number(gaps.stall_seconds(slow)) == pytest.approx(1.0)


def test_tokens_are_as_reported_or_missing() -> None:
    reported = a_record(usage=Usage(prompt_tokens=7, completion_tokens=0, cached_tokens=0))
    assert tokens.cached_tokens(reported).value == 0
    assert tokens.completion_tokens(reported).value == 0
    assert tokens.total_tokens(reported).reason == "usage missing"
    assert tokens.reasoning_tokens(reported).reason == "not reported"
    assert rates.normalized_time_per_output_token(reported).reason == "no completion tokens"


def test_a_prompt_says_which_of_its_timings_count() -> None:
    found = request_metrics(a_prompt(decode=False, ttft=False), a_record(), None)
    assert {found[metric].reason for metric in ("ttft", "ttfat", "ttft_from_intended")} == {NOT_FOR_TTFT}
    assert {found[metric].reason for metric in ("decode_rate", "tpot", "visible_chars_rate")} == {NOT_FOR_DECODE}
    assert found["e2e"].value == pytest.approx(1.0)


def test_a_reply_without_a_stream_has_a_first_token_but_no_first_event() -> None:
    record = a_record((400,), was_streamed=False)
    record = replace(record, stamps=replace(record.stamps, event_1_at_ns=None))
    assert number(latencies.time_to_first_token(record)) == pytest.approx(0.4)
    assert latencies.time_to_first_event(record).reason == "not streamed"


instants = st.lists(st.integers(1, 5000), min_size=1, max_size=30).map(sorted)


@given(at_ms=instants, n=st.integers(0, 2000))
def test_first_token_comes_no_later_than_the_end_and_gaps_add_up(at_ms: list[int], n: int) -> None:
    record = a_record(at_ms, tokens=n)
    assert number(latencies.time_to_first_token(record)) <= number(latencies.end_to_end(record))
    assert number(latencies.end_to_end(record)) <= number(latencies.time_to_last_byte(record))
    assert math.fsum(gaps.gaps(record)) == pytest.approx((at_ms[-1] - at_ms[0]) / 1000)


@given(at_ms=instants, n=st.one_of(st.none(), st.integers(0, 300)), fails=st.booleans(), usual=st.floats(1, 1000))
def test_no_metric_is_ever_nan_negative_or_infinite(at_ms: list[int], n: int | None, fails: bool, usual: float) -> None:
    failure = Failure(kind=FailureKind.TIMEOUT_IDLE, message="m") if fails else None
    for value in measured(a_record(at_ms, tokens=n, failure=failure), usual).values():
        assert value.value is None or (math.isfinite(value.value) and value.value >= 0)


@given(at_ms=st.lists(st.integers(1, 5000), min_size=5, max_size=30, unique=True).map(sorted))
def test_moving_every_instant_changes_no_duration(at_ms: list[int]) -> None:
    record = a_record(at_ms)
    later = a_record([at + 777 for at in at_ms])
    moved = replace(
        later, stamps=replace(later.stamps, sent_at_ns=777 * MS, admitted_at_ns=776 * MS, intended_at_ns=774 * MS)
    )
    before = {metric: value.value for metric, value in measured(record).items()}
    assert {metric: value.value for metric, value in measured(moved).items()} == pytest.approx(before)
