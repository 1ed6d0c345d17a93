"""Time limits from measured requests: sized by hand."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.coldpath import cold_path
from harness.analysis.quantiles import quantile_at_most, smallest_n_at_most
from harness.analysis.results.timeouts import LimitKind, TimeoutSizing
from harness.analysis.timeoutsizing import rounded_up, size_timeouts, slow_rate
from harness.model.golden import Prompt
from harness.model.record import Connection, FailureKind, Record
from harness.report.view_timeouts import endpoint_lines, sdk_lines
from tests.analysis.cases import MS, a_golden, a_key, a_prompt, a_record, a_side, failed

FIRST, IDLE = LimitKind.FIRST_OUTPUT, LimitKind.IDLE
# The first output after 1.5 s, nine more 100 ms apart; the end 1 ms later; 46 tokens.
SLOW = tuple(range(1500, 2500, 100))


def pinning(tokens: int | None) -> Prompt:
    prompt = a_prompt()
    more = {} if tokens is None else {"max_tokens": tokens}
    return msgspec.structs.replace(prompt, request={**prompt.request, **more})


def sized(records: Sequence[Record], tokens: int | None = 460, **endpoint: Any) -> TimeoutSizing:
    side = a_side(records, **endpoint)
    found = size_timeouts(side, a_golden(pinning(tokens)), cold_path(side))
    assert found is not None
    return found


def of(n: int, at_ms: Sequence[float] = SLOW, start: int = 0, **changes: Any) -> list[Record]:
    return [a_record(at_ms, key=a_key(start + i), **changes) for i in range(n)]


def value(found: TimeoutSizing, kind: LimitKind) -> float | None:
    return found.limit(kind).value.value


def test_twice_the_longest_or_what_lets_a_lost_packet_be_sent_again() -> None:
    found = sized(of(9))
    assert value(found, FIRST) == 3.0  # 2 × 1.5 s
    assert value(found, IDLE) == 2.0
    assert found.limit(IDLE).longest.value == pytest.approx(0.1)
    assert found.limit(IDLE).basis == "lets a lost packet be sent again"
    assert found.limit(FIRST).bound.reason == "needs 299 requests, has 9"


def test_the_total_is_first_output_and_the_work_at_a_slow_rate_times_two() -> None:
    found = sized(of(3))
    rate = found.slow_rate.value
    assert rate == pytest.approx(45 / 0.9)  # 46 tokens, the first of them at the start
    assert value(found, LimitKind.TOTAL) == 22.0  # 3 + 460 / 50 × 2 = 21.4, rounded up
    assert "timeouts:\n  first_output_s: 3\n  idle_s: 2\n  expected_decode_rate: 50\n  safety_factor: 2" in (
        endpoint_lines(found)
    )


def test_without_a_pinned_length_the_total_rests_on_what_was_seen() -> None:
    found = sized(of(3), tokens=None)
    assert value(found, LimitKind.TOTAL) == pytest.approx(rounded_up(2 * 2.401))
    assert "no prompt pins max_tokens" in found.limit(LimitKind.TOTAL).basis
    assert "total_s: 4.9" in endpoint_lines(found)


def test_connecting_counts_name_connection_and_tls_where_one_was_opened() -> None:
    opened = Connection(reused=False, dns_ns=1000 * MS, tcp_ns=1500 * MS, tls_ns=500 * MS)
    found = sized([*of(4), *of(1, start=4, connection=opened)]).limit(LimitKind.CONNECT)
    assert (found.n, found.longest.value, found.value.value) == (1, 3.0, 6.0)


def test_a_wake_makes_the_first_output_wait_for_the_cap_and_not_the_idle_limit() -> None:
    cold = {"scales_to_zero": True, "cap_s": 600.0}
    wake = a_record((200_000, 200_100), key=a_key(0, is_warmup=True), is_possibly_cold=True)
    found = sized([wake, *of(5, start=1)], cold=cold)
    assert (value(found, FIRST), found.warm_first_output.value) == (660.0, 3.0)
    assert (value(found, IDLE), found.n_wakes, found.longest_wake.value) == (2.0, 1, 200.0)
    flat = {other.name: other for other in found.others}["a flat limit of 30 s"]
    assert (flat.n_killed, flat.n_measured, flat.n_wakes_killed, flat.n_wakes) == (0, 5, 1, 1)
    assert "read=660" in sdk_lines(found)


def test_without_a_stated_cap_the_longest_wake_counts_twice() -> None:
    wake = a_record((20_000, 20_100), key=a_key(0, is_warmup=True), is_possibly_cold=True)
    assert value(sized([wake, *of(5, start=1)], cold={"scales_to_zero": True}), FIRST) == 40.0


def test_an_ordinary_first_contact_changes_nothing() -> None:
    first = a_record(SLOW, key=a_key(0, is_warmup=True), is_possibly_cold=True)
    found = sized([first, *of(5, start=1)])
    assert (value(found, FIRST), found.has_cold_path, found.n_wakes) == (3.0, False, 0)


def test_what_other_limits_would_have_ended_is_counted_and_what_our_own_cut_is_said() -> None:
    slow = of(2, (12_000, 12_100), start=8)
    cut = failed(FailureKind.TIMEOUT_FIRST_OUTPUT, after_ms=60_000, status=None, key=a_key(20))
    found = sized([*of(8), *slow, cut], timeouts={"first_output_s": 60.0})
    others = {other.name: (other.n_killed, other.n_measured) for other in found.others}
    assert others == {
        "what the endpoint file states": (1, 11),
        "a flat limit of 10 s": (2, 11),
        "a flat limit of 30 s": (0, 11),
    }
    first = found.limit(FIRST)
    assert (first.value.value, first.n, first.n_cut, first.n_killed) == (24.0, 10, 1, 1)


def test_none_ended_of_n_still_allows_a_share() -> None:
    share = sized(of(40)).limit(FIRST).killed_at_most.value
    assert share is not None
    assert (1 - share) ** 40 == pytest.approx(0.05)


def test_nothing_is_sized_where_nothing_succeeded() -> None:
    side = a_side([failed(key=a_key(i)) for i in range(3)])
    assert size_timeouts(side, a_golden(pinning(10)), None) is None


def test_the_bound_of_a_quantile_is_the_smallest_rank_that_holds() -> None:
    def below(rank: int, n: int) -> float:  # P(fewer than `rank` of n lie below the p99)
        return sum(math.comb(n, k) * 0.99**k * 0.01 ** (n - k) for k in range(rank))

    assert smallest_n_at_most(0.99) == 299
    assert quantile_at_most(range(298), 0.99) is None
    for n in (299, 472, 473, 700):
        rank = quantile_at_most(list(range(1, n + 1)), 0.99)
        assert rank is not None
        assert below(int(rank), n) >= 0.95 > below(int(rank) - 1, n)
    assert quantile_at_most([float(i) for i in range(1, 474)], 0.99) == 472


def test_a_slow_rate_is_the_slowest_until_a_bound_of_the_p5_can_be_had() -> None:
    assert slow_rate([])[0].reason == "no stream has a decode rate"
    few = slow_rate([30.0, 20.0, 40.0])
    assert (few[0].value, few[1]) == (20.0, "slowest of 3; a bound of the p5 needs 59")
    many, basis, n = slow_rate([float(i) for i in range(1, 101)])
    assert (many.value, n) == (2.0, 100)  # P(Bin(100, .05) < 2) = 3.7 %, of 3 it is 11.8 %
    assert basis == "lower 95 % bound of the p5 of 100"


@given(st.floats(min_value=1e-3, max_value=1e5))
def test_rounding_goes_up_and_by_less_than_a_tenth(value_s: float) -> None:
    rounded = rounded_up(value_s)
    assert value_s * (1 - 1e-5) <= rounded <= value_s * 1.1 + 1e-9


@given(st.lists(st.floats(min_value=1, max_value=1e5), min_size=1, max_size=20))
def test_no_limit_is_below_twice_the_longest(waits_ms: list[float]) -> None:
    records = [a_record((at, at + 50), key=a_key(i)) for i, at in enumerate(waits_ms)]
    found = value(sized(records), FIRST)
    assert found is not None
    assert found >= 2 * max(waits_ms) / 1000 * (1 - 1e-5)
