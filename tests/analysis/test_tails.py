"""Tails: failures, timeouts and undefined values each in their place, and nothing that n does not carry."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.frames import gap_frame, trial_frame
from harness.analysis.quantiles import quantile
from harness.analysis.results.estimates import Quantile, Tail
from harness.analysis.tails import SHOWN, Sample, tail_quantile, tails
from harness.analysis.trials import JudgedRecord
from harness.model.golden import Prompt
from harness.model.record import Arm, FailureKind, Record
from tests.analysis.cases import BOTH, a_golden, a_key, a_prompt, a_record, failed, judged, replayed


def made(items: Sequence[JudgedRecord], *prompts: Prompt) -> dict[tuple[str, Arm], Tail]:
    frame = trial_frame(items, a_golden(*prompts))
    return {(tail.metric, tail.arm): tail for tail in tails(frame, gap_frame(items), BOTH)}


def of_records(*records: Record, prompt: Prompt | None = None) -> dict[str, Tail]:
    prompt = prompt or a_prompt()
    found = made(judged(records, prompt), prompt)
    return {metric: tail for (metric, _), tail in found.items()}


def requests(n: int, start: int = 0) -> list[Record]:
    """Give requests whose TTFT is 100, 101, 102 ... ms."""
    return [a_record([100 + i, *range(300, 1100, 100)], key=a_key(start + i), block=start + i + 1) for i in range(n)]


def failures(n: int, kind: FailureKind = FailureKind.SERVER_ERROR, after_ms: float = 50) -> list[Record]:
    return [failed(kind, after_ms=after_ms, key=a_key(900 + i), block=900 + i) for i in range(n)]


def on_candidate(records: Sequence[Record]) -> list[Record]:
    return [replace(record, key=replace(record.key, arm=Arm.CANDIDATE)) for record in records]


def at(tail: Tail, q: float) -> Quantile:
    return next(found for found in tail.quantiles if found.q == q)


def test_a_tail_of_one_side_counts_values_and_gives_its_worst() -> None:
    tail = of_records(*requests(40))["ttft"]
    assert (tail.n, tail.n_failed, tail.undefined) == (40, 0, {})
    assert tail.values == pytest.approx([(100 + i) / 1000 for i in range(40)])
    assert tail.worst == pytest.approx(0.139)
    assert at(tail, 0.5).value.value == pytest.approx(quantile(tail.values, 0.5))
    assert at(tail, 0.5).value.value == pytest.approx(0.1195)


def test_the_interval_is_between_two_ranks() -> None:
    """P(X <= 13) and P(X >= 27) of a binomial(40, 1/2) are 1.9 % each: ranks 14 and 27."""
    interval = at(of_records(*requests(40))["ttft"], 0.5).interval
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((0.113, 0.126))
    assert (interval.level, interval.method) == (0.95, "order statistics")


def test_below_the_n_it_needs_a_quantile_is_a_reason() -> None:
    tail = of_records(*requests(40))["ttft"]
    assert at(tail, 0.9).value.value is not None
    assert at(tail, 0.95).value.reason == "p95 is not estimable from 40 samples: it needs 72"
    assert at(tail, 0.95).interval is None
    assert at(of_records(*requests(5))["ttft"], 0.5).value.reason == "p50 is not estimable from 5 samples: it needs 6"
    assert at(of_records(*requests(6))["ttft"], 0.5).value.value is not None


@pytest.mark.parametrize(("n_requests", "n_prompts", "is_given"), [(299, 50, False), (300, 49, False), (300, 50, True)])
def test_p99_needs_300_requests_of_50_prompts(n_requests: int, n_prompts: int, is_given: bool) -> None:
    values = tuple(i / 1000 for i in range(1, n_requests + 1))
    sample = Sample(finite=values, undefined={}, n_requests=n_requests, n_prompts=n_prompts)
    found = tail_quantile(sample, 0.99, by_rank=False, has_interval=True)
    assert (found.value.value is not None) is is_given
    if not is_given:
        assert found.value.reason == (
            f"p99 is not estimable from {n_requests} requests of {n_prompts} prompts: "
            "it needs 300 requests of 50 prompts"
        )
    assert found.interval is None  # 368 give one


def test_p99_has_an_interval_from_368() -> None:
    values = tuple(i / 1000 for i in range(1, 369))
    sample = Sample(finite=values, undefined={}, n_requests=368, n_prompts=50)
    assert tail_quantile(sample, 0.99, by_rank=False, has_interval=True).interval is not None


def test_failures_are_slower_than_anything() -> None:
    """36 values and 4 failures: the p90 is the 36th of 40, the slowest that came."""
    found = of_records(*requests(36), *failures(4))
    tail = found["ttft"]
    assert (tail.n, tail.n_failed, len(tail.values)) == (40, 4, 36)
    assert at(tail, 0.5).value.value == pytest.approx(0.119)  # rank 20
    assert at(tail, 0.9).value.value == pytest.approx(0.135)  # rank 36
    interval = at(tail, 0.9).interval
    assert interval is not None
    assert interval.high == math.inf
    assert found["e2e"].n_failed == 4


def test_a_quantile_among_failures_is_unattainable() -> None:
    tail = of_records(*requests(36), *failures(5))["ttft"]
    assert at(tail, 0.9).value.reason == "unattainable (5 of 41 failed)"  # rank 37 of 41


def test_a_quantile_among_timeouts_is_beyond_the_limit() -> None:
    """Rank 37 of 41 falls among the timeouts, rank 39 of 41 would among the failures: n allows p90 only."""
    tail = of_records(*requests(36), *failures(5, FailureKind.TIMEOUT_TOTAL, after_ms=60_040))["ttft"]
    assert at(tail, 0.9).value.reason == "> 60 s (the limit; 5 of 41)"
    assert at(tail, 0.5).value.value is not None


def test_timeouts_rank_before_other_failures() -> None:
    sample = Sample(
        finite=(1.0,) * 90, n_timeouts=5, n_failures=5, limit_s=12.5, undefined={}, n_requests=100, n_prompts=1
    )
    assert tail_quantile(sample, 0.9, by_rank=True, has_interval=True).value.value == 1.0
    among = tail_quantile(sample, 0.95, by_rank=True, has_interval=True).value
    assert among.reason == "> 12.5 s (the limit; 5 of 100)"
    late = Sample(
        finite=(1.0,) * 90, n_timeouts=4, n_failures=6, limit_s=12.5, undefined={}, n_requests=100, n_prompts=1
    )
    assert tail_quantile(late, 0.95, by_rank=True, has_interval=True).value.reason == "unattainable (10 of 100 failed)"


def test_a_failure_on_one_side_makes_both_sides_use_ranks() -> None:
    one = requests(36)
    two = [*requests(35), failures(1)[0]]
    items = [*judged(one, a_prompt()), *judged(on_candidate(two), a_prompt(), arm=Arm.CANDIDATE)]
    found = made(items, a_prompt())
    assert at(found["ttft", Arm.REFERENCE], 0.5).value.value == pytest.approx(0.117)  # rank 18, not a weighted mean
    assert at(found["ttft", Arm.CANDIDATE], 0.5).value.value == pytest.approx(0.117)


def test_a_failed_request_has_no_rate_and_is_counted_beside() -> None:
    tail = of_records(*requests(6), *failures(2))["decode_rate"]
    assert (tail.n, tail.n_failed, len(tail.values)) == (8, 2, 6)
    assert [found.q for found in tail.quantiles] == [0.5, 0.1, 0.05]
    assert tail.worst == min(tail.values)
    assert at(tail, 0.5).value.value == pytest.approx(quantile(tail.values, 0.5))
    assert at(tail, 0.05).value.reason == "p5 is not estimable from 6 samples: it needs 72"


def test_undefined_values_are_counted_by_reason_and_never_zero() -> None:
    without = [a_record(key=a_key(i), tokens=None) for i in range(3)]
    tail = of_records(*without, a_record(key=a_key(7), tokens=1))["decode_rate"]
    assert tail.undefined == {"usage missing": 3, "no token after the first chunk": 1}
    assert (tail.n, tail.values, tail.worst) == (0, (), None)
    assert {found.value.reason for found in tail.quantiles} == {"no request has a value"}


def test_only_prompts_that_measure_a_timing_enter_its_tail_not_even_their_failures() -> None:
    items = [
        *judged([a_record(key=a_key(i, prompt_id="p")) for i in range(3)], a_prompt("p")),
        *judged(
            [a_record(key=a_key(0, prompt_id="quiet")), failed(key=a_key(1, prompt_id="quiet"))],
            a_prompt("quiet", decode=False, ttft=False),
        ),
    ]
    found = made(items, a_prompt("p"), a_prompt("quiet", decode=False, ttft=False))
    ttft, decode = found["ttft", Arm.REFERENCE], found["decode_rate", Arm.REFERENCE]
    assert (ttft.n, ttft.n_failed, sum(ttft.undefined.values())) == (3, 0, 2)
    assert (decode.n, decode.n_failed, sum(decode.undefined.values())) == (3, 0, 2)
    assert (found["e2e", Arm.REFERENCE].n, found["e2e", Arm.REFERENCE].n_failed) == (5, 1)


def test_warmups_and_cold_requests_stay_out() -> None:
    warm = a_record([9_000], key=a_key(0, is_warmup=True))
    cold = a_record([9_000], key=a_key(50), is_possibly_cold=True)
    assert of_records(warm, cold, *requests(3))["ttft"].n == 3


def test_a_failed_request_waited_in_the_queue_like_any_other() -> None:
    tail = of_records(*requests(6), *failures(2))["queue_delay"]
    assert (tail.n, tail.n_failed) == (8, 0)
    assert tail.worst == pytest.approx(0.003)


def test_a_tail_of_gaps_merges_all_gaps_without_an_interval() -> None:
    tail = of_records(*[a_record(key=a_key(i)) for i in range(10)], *failures(2))["gap"]
    assert (tail.n - tail.n_failed, tail.n_failed, len(tail.values)) == (90, 2, 90)
    assert at(tail, 0.95).value.value == pytest.approx(0.1)
    assert all(found.interval is None for found in tail.quantiles)


def test_every_shown_metric_has_a_tail_per_side_and_an_absent_side_none() -> None:
    both = [item for arm in BOTH for item in judged(replayed([a_prompt()], 3, arm), a_prompt(), arm=arm)]
    assert list(made(both, a_prompt())) == [(metric, arm) for metric in SHOWN for arm in BOTH]
    assert of_records().keys() == set()


values = st.lists(st.floats(0.001, 100), min_size=6, max_size=120)


@given(values=values, n_timeouts=st.integers(0, 30), n_failures=st.integers(0, 30), q=st.sampled_from([0.5, 0.9, 0.95]))
def test_a_quantile_is_finite_or_a_reason_and_lies_among_the_values(
    values: list[float], n_timeouts: int, n_failures: int, q: float
) -> None:
    sample = Sample(
        finite=tuple(sorted(values)),
        n_timeouts=n_timeouts,
        n_failures=n_failures,
        limit_s=200.0 if n_timeouts else None,
        undefined={},
        n_requests=len(values) + n_timeouts + n_failures,
        n_prompts=60,
    )
    found = tail_quantile(sample, q, by_rank=bool(n_timeouts or n_failures), has_interval=True)
    if found.value.value is None:
        assert found.value.reason
    else:
        assert min(values) <= found.value.value <= max(values)
        assert found.interval is None or (found.interval.low or 0.0) <= found.value.value
