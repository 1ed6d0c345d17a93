"""What was there of a load that the plan kept away, and why, from hand-made instants."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.offered import offered_load
from harness.analysis.provisos import judgement_notes
from harness.analysis.results.instrument import OfferedLoad
from harness.analysis.shortfall import CONNECTING, LOOK_AHEAD
from harness.analysis.trials import judge_side
from harness.model.record import Arm, Arrival, Connection, Plan, Record
from tests.analysis.cases import MS, a_case, a_golden, a_key, a_plan, a_record
from tests.analysis.trialcases import case, instrument, known


def flown(due_ms: float, sent_ms: float | None, ended_ms: float, block: int = 1, **changes: Any) -> Record:
    """A request due, sent and over at these instants, its quota got as soon as it was asked unless told."""
    connection = changes.pop("connection", Connection(reused=True))
    claimed_ms, admitted_ms = changes.pop("quota", (due_ms, due_ms))
    record = a_record(key=a_key(block), block=block, connection=connection)
    stamps = replace(
        record.stamps,
        intended_at_ns=round(due_ms * MS),
        claimed_at_ns=round(claimed_ms * MS),
        admitted_at_ns=round(admitted_ms * MS),
        sent_at_ns=None if sent_ms is None else round(sent_ms * MS),
        ended_at_ns=round(ended_ms * MS),
    )
    return replace(record, stamps=stamps)


def load_of(records: Sequence[Record], plan: Plan, *, is_paired: bool = False, **endpoint: Any) -> OfferedLoad:
    found = replace(a_case(records, [] if is_paired else None, a_golden(), **endpoint), plan=plan)
    return offered_load(found, found.reference, judge_side(found.reference, found.golden))


def held(n: int = 20) -> list[Record]:
    """One slot is used for 100 ms in every 400: due when the plan lets it go, then sent at once."""
    return [flown(400 * i, 400 * i, 400 * i + 100, i) for i in range(n)]


def test_too_few_requests_for_the_slots_are_named_with_what_they_came_to() -> None:
    """Two of 100 ms and two of 50 ms at once: 300 ms of requests within 100 ms."""
    found = load_of([flown(0, 0, ends, i) for i, ends in enumerate((100, 100, 50, 50))], a_plan(64))
    assert found.offered_fraction.value == 1.0
    assert found.achieved.value == pytest.approx(3.0)
    assert found.shortfall == "4 requests cannot keep 64 in flight"


def test_a_look_ahead_that_holds_the_faster_side_is_named() -> None:
    """The window ends when the last of 20 goes, after 7.6 s, in which 19 requests of 100 ms were in flight."""
    found = load_of(held(), a_plan(1), is_paired=True)
    assert found.offered_fraction.value == 1.0
    assert found.achieved.value == pytest.approx(1.9 / 7.6)
    assert found.shortfall == LOOK_AHEAD


def test_a_look_ahead_is_not_blamed_where_it_cannot_have_held() -> None:
    assert load_of(held(), a_plan(1)).shortfall == ""  # alone
    assert load_of(held(17), a_plan(1), is_paired=True).shortfall == ""  # blocks 0 to 16: the look-ahead is 16


def test_a_quota_that_paced_the_side_is_named() -> None:
    """The slot is free at once each time; the quota takes 300 ms of every 400."""
    records = [flown(400 * i, 400 * i + 300, 400 * i + 400, i, quota=(400 * i, 400 * i + 300)) for i in range(20)]
    found = load_of(records, a_plan(1), is_paired=True, limits={"requests_per_minute": 150})
    assert found.offered_fraction.value == pytest.approx(1.0)
    assert found.achieved.value == pytest.approx(19 * 100 / (19 * 400 + 300))
    assert found.shortfall == "it was paced by its quota of 150 requests per minute"


def test_a_quota_that_took_nothing_is_not_blamed_for_the_look_ahead() -> None:
    found = load_of(held(), a_plan(1), is_paired=True, limits={"requests_per_minute": 100_000})
    assert found.shortfall == LOOK_AHEAD


def test_connections_that_took_the_time_are_named() -> None:
    new = Connection(reused=False, tcp_ns=50 * MS)
    records = [flown(100 * i, 100 * i + 50, 100 * i + 100, i, connection=new) for i in range(20)]
    assert load_of(records, a_plan(1), is_paired=True).shortfall == CONNECTING
    never = [flown(100 * i, None, 100 * i + 100, i) for i in range(1, 20, 2)]
    some = [flown(100 * i, 100 * i, 100 * i + 100, i) for i in range(0, 21, 2)]
    assert load_of([*some, *never], a_plan(1), is_paired=True).shortfall == CONNECTING


def test_what_the_harness_took_is_no_shortfall_of_the_plan() -> None:
    """50 of every 100 ms were ours: the certificate is void by it, and no reason of the plan is given."""
    records = [flown(100 * i, 100 * i + 50, 100 * i + 100, i) for i in range(20)]
    found = load_of(records, a_plan(1), is_paired=True)
    assert found.offered_fraction.value == pytest.approx(0.5)
    assert found.shortfall == ""


def test_a_load_that_was_there_needs_no_reason() -> None:
    records = [flown(100 * i, 100 * i, 100 * i + 100, i) for i in range(20)]
    found = load_of(records, a_plan(1), is_paired=True)
    assert found.achieved.value == pytest.approx(1.0)
    assert found.shortfall == ""


def test_an_open_loop_is_held_to_its_own_instants() -> None:
    """Due ten a second where 20 were asked by the plan; a quota lets five go."""
    plan = a_plan(20, arrival=Arrival.POISSON)
    on_time = [flown(100 * i, 100 * i, 100 * i + 10, i) for i in range(11)]
    assert load_of(on_time, plan).shortfall == ""
    paced = [flown(100 * i, 200 * i, 200 * i + 10, i, quota=(100 * i, 200 * i)) for i in range(11)]
    found = load_of(paced, plan, limits={"requests_per_minute": 300})
    assert found.achieved.value == pytest.approx(5.0)
    assert found.shortfall == "it was paced by its quota of 300 requests per minute"


def notes_of(reference: OfferedLoad, candidate: OfferedLoad) -> list[str]:
    both = [instrument(Arm.REFERENCE, load=reference), instrument(Arm.CANDIDATE, load=candidate)]
    return [note for note in judgement_notes(case(), [], [], [], both) if "unlike loads" in note]


def test_a_verdict_says_where_its_timings_are_of_unlike_loads() -> None:
    full = OfferedLoad(words="8 requests in flight", achieved=known(7.99))
    less = replace(full, achieved=known(1.26), shortfall=LOOK_AHEAD)
    (note,) = notes_of(full, less)
    assert note == (
        "The timing gates compare the sides at unlike loads, on average 7.99 of 8 requests in flight on the reference "
        "and 1.26 of 8 requests in flight on the candidate: "
        "the faster side waited for the slower one (look-ahead)."
    )
    few = replace(less, shortfall="2 requests cannot keep 8 in flight")
    assert notes_of(few, few) == []  # alike
    assert notes_of(full, replace(full, achieved=known(1.0))) == []  # the harness's doing: void
