"""What each level asked for and what was there of it, in numbers of requests and of milliseconds."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.analysis.load import Load, achieved_load, asked_concurrency, load_words, scheduled_rate, side_loads
from harness.model.record import Arrival, Record
from tests.analysis.cases import MS, a_case, a_golden, a_key, a_plan, a_record, failed

CLOSED = Load(asked=2)
OPEN = Load(asked=10, arrival=Arrival.POISSON)


def sent(start_ms: int, end_ms: int | None, repeat: int = 0, *, due_ms: int | None = None) -> Record:
    """A request due, sent and ended at these instants."""
    record = a_record((100,), key=a_key(repeat))
    stamps = replace(
        record.stamps,
        intended_at_ns=(start_ms if due_ms is None else due_ms) * MS,
        sent_at_ns=start_ms * MS,
        ended_at_ns=None if end_ms is None else end_ms * MS,
    )
    return replace(record, stamps=stamps)


def every(step_ms: int, n: int, *, late_ms: Sequence[int] = ()) -> list[Record]:
    """Requests due at equal distances, sent as late as given."""
    late = [*late_ms, *[0] * (n - len(late_ms))]
    return [sent(i * step_ms + late[i], i * step_ms + 5_000, i, due_ms=i * step_ms) for i in range(n)]


def test_the_levels_are_those_of_the_sides_own_plan() -> None:
    case = replace(a_case([], [], a_golden()), plan=a_plan(1, 4, 16))
    earlier = replace(case.reference, plan=a_plan(2.5, arrival=Arrival.POISSON, ramp_s=3.0))
    assert case.candidate is not None
    assert side_loads(case, case.candidate) == (
        Load(level=0, asked=1),
        Load(level=1, asked=4),
        Load(level=2, asked=16),
    )
    assert side_loads(case, earlier) == (Load(level=0, asked=2.5, arrival=Arrival.POISSON, ramp_s=3.0),)


def test_a_plan_without_levels_runs_at_the_lower_concurrency_of_its_endpoints() -> None:
    case = a_case([], [], a_golden(), limits={"concurrency": 6})
    for plan in (None, a_plan()):
        assert side_loads(replace(case, plan=plan), case.reference) == (Load(asked=6),)
    assert asked_concurrency([{"limits": {"concurrency": 8}}, {"limits": {"concurrency": 3}}]) == 3
    assert asked_concurrency([{"limits": {"concurrency": 8}}, {}]) == 4


def test_a_plan_of_before_the_levels_has_no_ramp() -> None:
    plan = replace(a_plan(4), settings={"plan": {"repeats": 5}})
    case = replace(a_case([], None, a_golden()), plan=plan)
    assert side_loads(case, case.reference) == (Load(asked=4),)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (Load(asked=1), "1 request in flight"),
        (Load(asked=64.0), "64 requests in flight"),
        (Load(asked=2.5, arrival=Arrival.CONSTANT), "2.5 requests/s"),
        (Load(asked=1, arrival=Arrival.POISSON), "1 requests/s"),
        (Load(asked=2000, arrival=Arrival.POISSON), "2,000 requests/s"),
    ],
)
def test_a_level_is_named_in_its_own_unit(load: Load, words: str) -> None:
    assert load_words(load) == words


def test_a_closed_loop_achieves_the_mean_number_in_flight_until_the_last_is_sent() -> None:
    """From 0 to 3 s: two in flight for the first second, one for the second, two for the third."""
    records = [
        sent(0, 2_000, 0),
        sent(0, 1_000, 1),
        sent(2_000, 9_000, 2),
        sent(2_000, 9_000, 3),
        sent(3_000, 9_000, 4),
    ]
    assert achieved_load(records, CLOSED).value == pytest.approx((2 + 1 + 2) / 3)


def test_what_comes_after_the_last_request_was_sent_is_no_part_of_it() -> None:
    records = [sent(0, 1_000, 0), sent(0, 1_000, 1), sent(1_000, 2_000, 2), sent(1_000, 60_000, 3)]
    assert achieved_load(records, CLOSED).value == pytest.approx(2.0)


def test_a_slot_that_stood_free_before_its_request_counts_against_it() -> None:
    """The level starts when its first request is due: half a second is lost on each of the two slots, of one second."""
    records = [sent(500, 2_000, 0, due_ms=0), sent(500, 1_000, 1, due_ms=0), sent(1_000, 2_000, 2)]
    assert achieved_load(records, CLOSED).value == pytest.approx(2 * 0.5)


def test_the_ramp_is_left_out() -> None:
    records = [sent(0, 3_000, 0), sent(1_000, 3_000, 1), sent(3_000, 4_000, 2), sent(3_000, 4_000, 3)]
    whole, after = (achieved_load(records, replace(CLOSED, ramp_s=ramp)) for ramp in (0.0, 1.0))
    assert [whole.value, after.value] == pytest.approx([5 / 3, 2.0])
    assert achieved_load(records, replace(CLOSED, ramp_s=3.0)).reason == "the ramp took the whole level"


def test_too_few_requests_never_fill_a_closed_loop() -> None:
    two = [sent(0, 1_000, 0), sent(0, 1_000, 1)]
    assert achieved_load(two, CLOSED).reason == "2 requests cannot keep 2 in flight"
    lost = failed(key=a_key(9))
    never = [*two, replace(lost, stamps=replace(lost.stamps, sent_at_ns=None))]
    assert achieved_load(never, CLOSED).reason == "2 requests cannot keep 2 in flight"
    assert achieved_load([], CLOSED).reason == "0 requests cannot keep 2 in flight"


def test_a_request_whose_end_was_not_seen_was_in_flight_to_the_end() -> None:
    records = [sent(0, None, 0), sent(0, 1_000, 1), sent(1_000, 2_000, 2)]
    assert achieved_load(records, CLOSED).value == pytest.approx(2.0)


def test_an_open_loop_achieves_the_rate_at_which_requests_went() -> None:
    """Eleven requests every 100 ms are ten distances in a second; the last a second late makes it ten in two."""
    assert achieved_load(every(100, 11), OPEN).value == pytest.approx(10.0)
    late = every(100, 11, late_ms=[0] * 10 + [1_000])
    assert achieved_load(late, OPEN).value == pytest.approx(10 / 2.0)
    assert scheduled_rate(late, OPEN).value == pytest.approx(10.0)
    assert scheduled_rate(late, CLOSED).reason == "closed loop: no rate is scheduled"


def test_an_open_loops_ramp_is_counted_from_its_first_request() -> None:
    """Due at 0, 2 and 3 s during a ramp of 3 s, then every 100 ms."""
    slow = [sent(0, 1, 0), sent(2_000, 2_001, 1)]
    fast = [sent(3_000 + i * 100, 3_001 + i * 100, 2 + i) for i in range(6)]
    assert achieved_load([*slow, *fast], replace(OPEN, ramp_s=3.0)).value == pytest.approx(10.0)
    assert achieved_load([*slow, *fast], OPEN).value == pytest.approx(7 / 3.5)
    for found in (achieved_load(slow, replace(OPEN, ramp_s=3.0)), achieved_load([], OPEN)):
        assert found.reason == "fewer than two requests after the ramp"
