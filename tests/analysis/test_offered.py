"""How well free slots were filled or a schedule kept, from hand-made instants."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.offered import NOT_STATED, offered_load
from harness.analysis.results.instrument import OfferedLoad
from harness.analysis.trials import judge_side
from harness.model.record import Arrival, Connection, Plan, Record
from tests.analysis.cases import MS, a_case, a_golden, a_key, a_plan, a_record

POISSON = a_plan(10, arrival=Arrival.POISSON)


def timed(due_ms: float, sent_ms: float | None, ended_ms: float, repeat: int = 0, **changes: Any) -> Record:
    record = a_record(key=a_key(repeat), **changes)
    stamps = replace(
        record.stamps,
        intended_at_ns=round(due_ms * MS),
        admitted_at_ns=round(due_ms * MS),
        sent_at_ns=None if sent_ms is None else round(sent_ms * MS),
        ended_at_ns=round(ended_ms * MS),
    )
    return replace(record, stamps=stamps)


def offered(records: Sequence[Record], plan: Plan | None = None, **endpoint: Any) -> OfferedLoad:
    case = a_case(records, None, a_golden(), **endpoint)
    side = replace(case.reference, plan=plan or a_plan(2))
    return offered_load(case, side, judge_side(side, case.golden))


def test_a_slot_that_is_refilled_at_once_gives_all_of_the_load() -> None:
    found = offered([timed(0, 0, 100), timed(100, 100, 200, 1)])
    assert found.offered_fraction.value == 1.0
    assert found.queue_delay_p99_s.value == 0.0
    assert found.words == "2 requests in flight"


def test_what_a_slot_waits_for_us_is_missing_from_the_load() -> None:
    """200 ms of slots, of which 20 and 10 ms were ours."""
    found = offered([timed(0, 20, 100), timed(100, 110, 200, 1)])
    assert found.offered_fraction.value == pytest.approx(170 / 200)


def test_opening_a_connection_is_the_endpoints_time() -> None:
    new = Connection(reused=False, dns_ns=5 * MS, tcp_ns=10 * MS, tls_ns=15 * MS)
    found = offered([timed(0, 40, 100, connection=new)])
    assert found.offered_fraction.value == pytest.approx(0.9)
    opened_before = replace(new, is_preopened=True)
    assert offered([timed(0, 40, 100, connection=opened_before)]).offered_fraction.value == pytest.approx(0.6)


def test_a_request_that_was_never_sent_says_nothing() -> None:
    assert offered([timed(0, None, 50)]).offered_fraction.reason == "no request was sent"


def test_an_open_loop_on_time_gives_all_of_the_rate() -> None:
    found = offered([timed(100 * i, 100 * i, 100 * i + 500, i) for i in range(11)], POISSON)
    assert found.offered_fraction.value == 1.0
    assert found.words == "10 requests/s"


def test_a_backlog_at_the_end_stretches_the_schedule() -> None:
    """A schedule of 1 s whose requests go ever later, the last one 250 ms: it took 1.25 s."""
    records = [timed(100 * i, 125 * i, 2000, i) for i in range(11)]
    p99 = 0.225 + 0.9 * 0.025  # type 7 between the tenth and the eleventh of 0, 25, ... 250 ms
    assert offered(records, POISSON).offered_fraction.value == pytest.approx(1 / (1 + p99))


def test_a_backlog_that_was_worked_off_is_one_all_the_same() -> None:
    """Nothing goes for 500 ms in the middle; then all that waited goes at once, and the last is on time."""
    sent = [0, 100, 200, 800, 800, 800, 800, 800, 800, 900, 1000]
    records = [timed(100 * i, at, 2000, i) for i, at in enumerate(sent)]
    share = offered(records, POISSON).offered_fraction.value
    assert share is not None
    assert share < 0.7


def test_a_single_request_has_no_rate() -> None:
    assert offered([timed(0, 0, 100)], POISSON).offered_fraction.reason == "one instant has no rate"


def test_a_run_that_did_not_say_what_it_asked_for_is_not_judged() -> None:
    old = replace(a_plan(), load=())
    found = offered([timed(0, 50, 100)], old)
    assert found.offered_fraction.reason == found.queue_delay_p99_s.reason == NOT_STATED


def test_an_endpoints_quota_is_named() -> None:
    assert offered([timed(0, 0, 1)], limits={"requests_per_minute": 60}).requests_per_minute == 60
    assert offered([timed(0, 0, 1)], limits={"concurrency": 2}).requests_per_minute is None


def quota_paced(due_ms: float, claimed_ms: float | None, admitted_ms: float, sent_ms: float, ended_ms: float) -> Record:
    record = timed(due_ms, sent_ms, ended_ms)
    claimed_at_ns = None if claimed_ms is None else round(claimed_ms * MS)
    stamps = replace(record.stamps, claimed_at_ns=claimed_at_ns, admitted_at_ns=round(admitted_ms * MS))
    return replace(record, stamps=stamps)


def test_what_a_quota_took_is_left_out() -> None:
    """Due at 0, claimed at 5, admitted at 405, sent at 410, over at 510: 100 ms flown, 10 ms ours, 400 the quota's."""
    found = offered([quota_paced(0, 5, 405, 410, 510)], limits={"requests_per_minute": 60})
    assert found.offered_fraction.value == pytest.approx(100 / 110)
    assert not found.includes_quota
    assert found.queue_delay_p99_s.value == pytest.approx(0.41)
    no_quota = offered([quota_paced(0, 5, 405, 410, 510)])
    assert no_quota.offered_fraction.value == pytest.approx(100 / 510)  # nothing but us can have taken it


def test_a_quota_leaves_an_open_loops_schedule_alone() -> None:
    records = [
        replace(quota_paced(100 * i, 100 * i, 100 * i + 900, 100 * i + 900, 3000), key=a_key(i)) for i in range(11)
    ]
    assert offered(records, POISSON, limits={"requests_per_minute": 60}).offered_fraction.value == pytest.approx(1.0)
    assert offered(records, POISSON).offered_fraction.value == pytest.approx(1 / 1.9)


def test_an_older_run_has_the_quotas_wait_inside() -> None:
    found = offered([quota_paced(0, None, 405, 410, 510)], limits={"requests_per_minute": 60})
    assert found.includes_quota
    assert found.offered_fraction.value == pytest.approx(100 / 510)


def test_a_warmup_is_no_load() -> None:
    warmup = replace(timed(0, 90, 100), key=a_key(is_warmup=True))
    assert offered([warmup, timed(100, 100, 200)]).offered_fraction.value == 1.0
