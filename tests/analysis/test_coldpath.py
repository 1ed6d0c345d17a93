"""First contacts: outcome, wait and where it went, by hand."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.coldpath import cold_path, wait_split
from harness.analysis.results.cold import ColdPath, WaitPhase, Wake, WakeOutcome
from harness.model.record import Connection, Failure, FailureKind, Reads, Record, Stamps
from tests.analysis.cases import MS, a_key, a_record, a_side, failed

COLD = {"scales_to_zero": True, "budget_s": 480.0, "cap_s": 600.0}
WARM = a_record((30, 60), key=a_key(1), block=1)
LOADING = Failure(kind=FailureKind.UNAVAILABLE, message="Loading model", code="loading")


def woken(after_s: float, **changes: Any) -> Record:
    return a_record((after_s * 1000, after_s * 1000 + 20), key=a_key(0), block=0, is_possibly_cold=True, **changes)


def refused(number: int, kind: FailureKind, began_s: float, ended_s: float, **changes: Any) -> Record:
    stamps = Stamps(
        intended_at_ns=round(began_s * 1e9),
        admitted_at_ns=round(began_s * 1e9),
        sent_at_ns=round(began_s * 1e9),
        ended_at_ns=round(ended_s * 1e9),
    )
    return failed(kind, key=a_key(0), block=0, is_possibly_cold=True, attempt=number, stamps=stamps, **changes)


def judged(*records: Record, cold: dict[str, Any] | None = None, facts: dict[str, Any] | None = None) -> ColdPath:
    side = replace(a_side(records, cold=COLD if cold is None else cold), facts={"cold": {}} if facts is None else facts)
    found = cold_path(side)
    assert found is not None
    return found


def only(*records: Record, **more: Any) -> Wake:
    (wake,) = judged(*records, **more).wakes
    return wake


@pytest.mark.parametrize(
    ("records", "outcome"),
    [
        ([woken(479), WARM], WakeOutcome.WITHIN_BUDGET),
        ([woken(481), WARM], WakeOutcome.OVER_BUDGET),
        ([woken(0.03), WARM], WakeOutcome.NOT_CONFIRMED),
        ([woken(0.559), WARM], WakeOutcome.NOT_CONFIRMED),  # 2 × 30 ms + 0.5 s
        ([woken(0.561), WARM], WakeOutcome.WITHIN_BUDGET),
        ([woken(0.03)], WakeOutcome.NOT_CONFIRMED),  # nothing to compare with
        ([woken(300)], WakeOutcome.NOT_CONFIRMED),
        ([refused(1, FailureKind.GATEWAY_TIMEOUT, 0, 600, status=504)], WakeOutcome.CAPPED),
        ([refused(1, FailureKind.TIMEOUT_FIRST_OUTPUT, 0, 660, status=None)], WakeOutcome.GAVE_UP),
        ([refused(1, FailureKind.UNAVAILABLE, 0, 1, status=503)], WakeOutcome.CAPPED),  # refused to the end
        ([refused(1, FailureKind.AUTHENTICATION, 0, 1, status=401)], WakeOutcome.FAILED),
    ],
)
def test_each_outcome(records: Sequence[Record], outcome: WakeOutcome) -> None:
    assert only(*records).outcome is outcome


def test_a_wake_without_any_limit_is_not_judged() -> None:
    assert only(woken(300), WARM, cold={"scales_to_zero": True}).outcome is WakeOutcome.WOKE


def retried(first: Record, after_s: float = 0.03) -> list[Record]:
    """A first contact that failed and was answered at the second attempt, a second later."""
    stamps = Stamps(intended_at_ns=10**9, sent_at_ns=10**9, token_1_at_ns=10**9 + round(after_s * 1e9))
    return [first, replace(woken(after_s), attempt=2, stamps=stamps, reads=Reads()), WARM]


BAD_GATEWAY = refused(1, FailureKind.BAD_GATEWAY, 0, 0.01, status=502)
REFUSED_LOADING = refused(1, FailureKind.UNAVAILABLE, 0, 0.01, status=503, failure=LOADING)
SILENT = refused(1, FailureKind.TIMEOUT_FIRST_OUTPUT, 0, 0.9)


@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        (BAD_GATEWAY, WakeOutcome.NOT_CONFIRMED),
        (REFUSED_LOADING, WakeOutcome.WITHIN_BUDGET),
        (SILENT, WakeOutcome.WITHIN_BUDGET),
    ],
)
def test_only_an_earlier_attempt_that_shows_a_wake_makes_up_for_a_first_output_as_fast_as_a_warm_one(
    first: Record, outcome: WakeOutcome
) -> None:
    assert only(*retried(first)).outcome is outcome


def test_a_failure_that_says_nothing_of_a_wake_opens_no_section_for_an_ordinary_endpoint() -> None:
    gateway = refused(1, FailureKind.GATEWAY_TIMEOUT, 0, 1, status=504)
    for records in (retried(BAD_GATEWAY), [gateway, WARM], retried(gateway), [woken(0.03)]):
        assert cold_path(replace(a_side(records, cold={}), facts={})) is None
    told = refused(
        1,
        FailureKind.GATEWAY_TIMEOUT,
        0,
        1,
        status=504,
        failure=Failure(kind=FailureKind.GATEWAY_TIMEOUT, message="late", code="wake_timeout"),
    )
    found = cold_path(replace(a_side([told, WARM], cold={}), facts={}))
    assert found is not None
    assert found.wakes[0].outcome is WakeOutcome.CAPPED
    loaded = cold_path(replace(a_side(retried(REFUSED_LOADING), cold={}), facts={}))
    assert loaded is not None
    assert loaded.wakes[0].outcome is WakeOutcome.WOKE


def test_a_wake_that_was_capped_stays_capped_though_a_retry_is_answered() -> None:
    first = refused(1, FailureKind.GATEWAY_TIMEOUT, 0, 600, status=504, message="too late")
    later = Stamps(intended_at_ns=630 * 10**9, sent_at_ns=630 * 10**9, token_1_at_ns=631 * 10**9)
    answered = replace(woken(1), attempt=2, stamps=later, reads=Reads())
    wake = only(first, answered, WARM)
    assert (wake.outcome, wake.n_attempts) == (WakeOutcome.CAPPED, 2)
    assert wake.detail == "504 gateway_timeout: too late; answered"


def test_a_server_that_refuses_while_it_loads_is_judged_by_the_whole_wait() -> None:
    polls = [refused(i + 1, FailureKind.UNAVAILABLE, 10 * i, 10 * i + 1, status=503, failure=LOADING) for i in range(3)]
    answered = a_record((500, 520), key=a_key(0), block=0, is_possibly_cold=True, attempt=4)
    shifted = replace(
        answered, stamps=Stamps(intended_at_ns=500 * 10**9, sent_at_ns=500 * 10**9, token_1_at_ns=501 * 10**9)
    )
    wake = only(*polls, replace(shifted, reads=Reads()), WARM)
    assert (wake.outcome, wake.wait_s, wake.n_attempts) == (WakeOutcome.OVER_BUDGET, 501.0, 4)
    assert [(part.phase, part.duration_s) for part in wake.split] == [
        (WaitPhase.EARLIER, 500.0),
        (WaitPhase.SENT, 0.0),
        (WaitPhase.FIRST_OUTPUT, 1.0),
    ]
    assert wake.detail == "3 × 503 unavailable: Loading model; answered"


def test_the_split_names_every_instant_and_adds_up_to_the_wait() -> None:
    stamps = Stamps(
        intended_at_ns=0,
        admitted_at_ns=5 * MS,
        sent_at_ns=40 * MS,
        headers_at_ns=1010 * MS,
        event_1_at_ns=1500 * MS,
        token_1_at_ns=2000 * MS,
    )
    record = replace(
        woken(2),
        stamps=stamps,
        connection=Connection(reused=False, dns_ns=3 * MS, tcp_ns=7 * MS, tls_ns=20 * MS),
        reads=Reads(at_ns=(1000 * MS, 1010 * MS), seen_at_ns=(1000 * MS, 1010 * MS), n_bytes=(5, 5), source="kk"),
    )
    split = wait_split([record])
    assert [(part.phase, round(part.duration_s * 1000)) for part in split] == [
        (WaitPhase.DNS, 3),
        (WaitPhase.CONNECT, 7),
        (WaitPhase.TLS, 20),
        (WaitPhase.SENT, 5),
        (WaitPhase.FIRST_BYTE, 960),
        (WaitPhase.HEADERS, 10),
        (WaitPhase.FIRST_EVENT, 490),
        (WaitPhase.FIRST_OUTPUT, 500),
    ]
    assert sum(part.duration_s for part in split) == pytest.approx(2.0 - 0.005)


def test_a_connection_that_was_open_before_is_no_part_of_the_wait() -> None:
    opened = Connection(reused=False, is_preopened=True, tcp_ns=7 * MS)
    assert WaitPhase.CONNECT not in [part.phase for part in wait_split([woken(1, connection=opened)])]


def test_a_run_shows_a_first_contact_only_where_something_slept() -> None:
    warm = [a_record((30, 60), key=a_key(i), block=i) for i in range(1, 6)]
    plain = replace(a_side([woken(0.031), *warm]), facts={})
    assert cold_path(plain) is None
    slept = cold_path(replace(plain, records=(woken(100), *warm)))
    assert slept is not None
    assert slept.wakes[0].outcome is WakeOutcome.WOKE
    assert slept.wakes[0].warm_ttft.value == pytest.approx(0.03)


def test_a_later_retry_after_a_503_is_no_first_contact() -> None:
    retried = replace(woken(3), key=a_key(7), attempt=2)
    assert cold_path(replace(a_side([a_record(key=a_key(7)), retried], cold=COLD), facts={})) is None


def test_idle_time_counts_from_the_request_before_or_is_what_the_command_waited() -> None:
    again = replace(woken(5), key=a_key(2), block=2)
    stamps = replace(
        again.stamps,
        **{
            name: getattr(again.stamps, name) + 1000 * 10**9
            for name in (
                "intended_at_ns",
                "admitted_at_ns",
                "sent_at_ns",
                "headers_at_ns",
                "event_1_at_ns",
                "token_1_at_ns",
                "token_n_at_ns",
                "ended_at_ns",
            )
        },
    )
    wakes = judged(woken(5), WARM, replace(again, stamps=stamps), facts={"cold": {"waited_s": 900.0}}).wakes
    assert wakes[0].idle.value == 900.0
    assert wakes[1].idle.value == pytest.approx(1000 - 0.001 - 5.021)
