"""Streams that came in bursts: what counts as buffered, and what does not."""

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.buffering import is_buffered, likely_cause, usual_decode_rate
from harness.analysis.findingrows import finding_rows
from harness.analysis.rates import BUFFERED, decode_rate
from harness.model.record import Answer, Arm, Finding, FindingKind, Record, ToolCall, Usage
from tests.analysis.cases import STEADY, a_key, a_prompt, a_record, judged, reads_at

IN_PAIRS = (0, 0, 1, 1, 2, 2, 3, 3, 4, 4)
PAIR_INSTANTS = (100, 100, 300, 300, 500, 500, 700, 700, 900, 900)


def in_pairs() -> Record:
    return a_record(PAIR_INSTANTS, reads=IN_PAIRS)


def test_events_that_share_promptly_read_reads_are_buffered() -> None:
    assert is_buffered(in_pairs(), None)
    assert decode_rate(in_pairs()).reason == BUFFERED


def test_events_that_we_merged_by_reading_late_are_not_the_endpoints_doing() -> None:
    late = reads_at((100, 300, 500, 700, 900), lag_ms=50)
    assert not is_buffered(replace(in_pairs(), reads=late), None)


def test_reads_without_a_kernel_stamp_show_nothing() -> None:
    ours = reads_at((100, 300, 500, 700, 900), lag_ms=0, source="u")
    assert not is_buffered(replace(in_pairs(), reads=ours), None)


def test_a_slow_stream_is_read_promptly_within_two_percent_of_its_gap() -> None:
    """Gaps of 200 ms allow 4 ms of lag."""
    assert is_buffered(replace(in_pairs(), reads=reads_at((100, 300, 500, 700, 900), lag_ms=3.9)), None)
    assert not is_buffered(replace(in_pairs(), reads=reads_at((100, 300, 500, 700, 900), lag_ms=4.1)), None)


def test_less_than_half_of_shared_events_is_a_stream() -> None:
    assert not is_buffered(a_record((1, 1, 2, 2, 3, 4, 5, 6, 7, 8), reads=(0, 0, 1, 1, 2, 3, 4, 5, 6, 7)), None)


def test_output_within_a_fifth_of_its_usual_time_is_buffered() -> None:
    """46 tokens at 10 tok/s take 4.6 s; a fifth is 0.92 s, and the output took 0.9 s."""
    record = a_record()
    assert is_buffered(record, 10.0)
    assert not is_buffered(record, 10.3)
    assert decode_rate(record, 10.0).reason == BUFFERED
    assert decode_rate(record, 10.3).value == pytest.approx(50)


def test_a_whole_answer_in_one_read_is_buffered_even_without_a_usual_rate() -> None:
    assert is_buffered(a_record((900,)), None)
    assert not is_buffered(a_record((900,), tokens=3), None)


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": Answer(tool_calls=(ToolCall(name="f", arguments="{}"),))},
        {"usage": Usage(completion_tokens=500, reasoning_tokens=460)},
        {"was_streamed": False},
    ],
)
def test_withheld_or_hidden_tokens_and_plain_replies_are_not_judged(changes: dict[str, Any]) -> None:
    assert not is_buffered(a_record((900,), **changes), 10.0)


def test_a_slow_first_token_is_waiting_not_buffering() -> None:
    assert not is_buffered(a_record([9_000 + at for at in STEADY]), 50.0)


def test_the_usual_rate_is_a_median_and_ignores_what_is_undefined() -> None:
    assert usual_decode_rate([None, 10.0, 30.0, 20.0]) == 20.0
    assert usual_decode_rate([None]) is None


def test_the_second_pass_finds_bursts_that_the_first_cannot_see() -> None:
    """Nine streams at 50 tok/s; one sends 46 tokens within 9 ms: at the usual rate a fifth of their time is 184 ms."""
    steady = [a_record(key=a_key(repeat), block=repeat + 1) for repeat in range(9)]
    burst = a_record(range(900, 910), key=a_key(9), block=10)
    found = judged([*steady, burst], a_prompt())
    assert [item.is_buffered for item in found] == [False] * 9 + [True]
    assert found[9].trial.metrics["decode_rate"].reason == BUFFERED
    assert found[9].trial.metrics["ttft"].value == pytest.approx(0.9)
    (row,) = finding_rows(Arm.REFERENCE, found)
    assert (row.kind, row.n_responses, row.example) == ("synthetic_streaming", 1, "likely cause: the server itself")


def test_bursts_that_our_own_late_reading_explains_are_not_laid_to_the_endpoint() -> None:
    """One of ten streams came at once: a tenth of the output events."""
    burst = a_record(range(900, 900 + len(STEADY)), key=a_key(9), block=10)
    found = judged([*(a_record(key=a_key(repeat), block=repeat + 1) for repeat in range(9)), burst], a_prompt())
    share = len(burst.arrivals.read) / sum(len(item.record.arrivals.read) for item in found)
    (ours,) = finding_rows(Arm.CANDIDATE, found, late_share=share)
    assert (ours.kind, ours.n_responses, ours.example) == ("late_reading", 1, "")
    assert "this client read late" in ours.advice
    (theirs,) = finding_rows(Arm.CANDIDATE, found, late_share=0.9 * share)
    assert theirs.kind == "synthetic_streaming"


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, "the server itself"),
        ({"headers": {"server": "uvicorn"}}, "the server itself"),
        ({"headers": {"server": "nginx/1.25"}}, "a gateway"),
        ({"headers": {"via": "1.1 gateway"}}, "a gateway"),
        ({"headers": {"via": "x"}, "findings": (Finding(kind=FindingKind.COMPRESSED),)}, "compression"),
    ],
)
def test_the_likely_cause_is_named(changes: dict[str, Any], cause: str) -> None:
    assert likely_cause(a_record(**changes)) == cause
