"""What measuring cost, per side and per process."""

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.clientcost import NOT_RECORDED, side_client
from harness.analysis.results.case import Case
from harness.analysis.results.instrument import Client
from harness.model.record import Arm, ClientFacts, LoopLag
from harness.units import NS_PER_S
from tests.analysis.cases import BOTH, a_case, a_golden, a_key, a_record


def a_process(*arms: Arm, cpu_s: float = 1.0, **changes: Any) -> ClientFacts:
    given: dict[str, Any] = {
        "loop_lag_p50_ns": 40_000,
        "loop_lag_p99_ns": 300_000,
        "loop_lag_max_ns": 5_000_000,
        "most_open_connections": 8,
        "n_files_allowed": 1024,
    }
    return ClientFacts(
        arms=arms,
        loop="uvloop",
        started_at_ns=NS_PER_S,
        ended_at_ns=11 * NS_PER_S,
        cpu_ns=round(cpu_s * NS_PER_S),
        **(given | changes),
    )


def a_pair(reference: tuple[ClientFacts, ...], candidate: tuple[ClientFacts, ...]) -> Case:
    """Two sides of one run: 12 events and a warm-up's on the reference, 24 on the candidate."""
    records = [
        a_record(key=a_key(arm=Arm.REFERENCE)),
        a_record(key=a_key(arm=Arm.REFERENCE, is_warmup=True)),
    ]
    others = [a_record(key=a_key(repeat, arm=Arm.CANDIDATE)) for repeat in range(2)]
    case = a_case(records, others, a_golden())
    assert case.candidate is not None
    return replace(
        case,
        reference=replace(case.reference, client=reference),
        candidate=replace(case.candidate, client=candidate),
    )


def clients(case: Case) -> tuple[Client, Client]:
    assert case.candidate is not None
    return side_client(case, case.reference), side_client(case, case.candidate)


def test_one_process_for_both_sides_has_one_cost_per_event() -> None:
    one = (a_process(*BOTH),)
    for found in clients(a_pair(one, one)):
        assert found.is_shared
        assert found.cpu_per_event_s.value == pytest.approx(1.0 / (12 + 24))
        assert found.cpu_fraction.value == pytest.approx(1 / 10)
        assert (found.open_connections.value, found.files_allowed.value) == (8, 1024)


def test_a_process_per_side_has_its_own() -> None:
    case = a_pair((a_process(Arm.REFERENCE, cpu_s=1.2),), (a_process(Arm.CANDIDATE, cpu_s=4.8),))
    reference, candidate = clients(case)
    assert not reference.is_shared
    assert reference.cpu_per_event_s.value == pytest.approx(0.1)
    assert candidate.cpu_per_event_s.value == pytest.approx(0.2)


def test_workers_add_up_and_the_busiest_and_latest_count() -> None:
    workers = (
        a_process(Arm.REFERENCE, cpu_s=1.0, loop_lag_p99_ns=100_000, n_files_allowed=4096),
        a_process(Arm.REFERENCE, cpu_s=5.0, worker=1, loop_lag_p99_ns=900_000, most_open_connections=3),
    )
    found, _ = clients(a_pair(workers, (a_process(Arm.CANDIDATE),)))
    assert (found.n_processes, found.is_shared) == (2, False)
    assert found.cpu_fraction.value == pytest.approx(0.5)
    assert found.cpu_per_event_s.value == pytest.approx(6.0 / 12)
    assert found.loop_lag_p99_s.value == pytest.approx(0.0009)
    assert (found.open_connections.value, found.files_allowed.value) == (8, 1024)


def test_a_shared_process_whose_other_side_is_not_here_has_no_cost_per_event() -> None:
    case = replace(a_pair((a_process(*BOTH),), ()), candidate=None)
    found = side_client(case, case.reference)
    assert found.cpu_per_event_s.reason == "its process also measured a side that is not judged here"
    assert found.cpu_fraction.value == pytest.approx(1 / 10)


def test_the_sides_of_two_runs_share_no_process() -> None:
    one = (a_process(*BOTH),)
    case = a_pair(one, one)
    case = replace(case, reference=replace(case.reference, run_id="earlier"))
    assert [found.cpu_per_event_s.value for found in clients(case)] == [None, None]


def test_a_run_that_did_not_watch_itself_says_so() -> None:
    found, _ = clients(a_pair((), ()))
    assert (found.n_processes, found.loop_lag_p99_s.reason, found.cpu_fraction.reason) == (
        0,
        NOT_RECORDED,
        NOT_RECORDED,
    )


def test_a_load_too_short_for_a_look_at_the_loop_has_no_lag() -> None:
    short = a_process(Arm.REFERENCE, loop_lag_p50_ns=None, loop_lag_p99_ns=None, loop_lag_max_ns=None)
    found, _ = clients(a_pair((short,), ()))
    assert found.loop_lag_max_s.reason == "the load was over before the loop was looked at"


def test_a_level_has_the_lags_of_its_own_where_the_run_recorded_them() -> None:
    """The run's p99 is 9 ms, through its second level alone; of the third nothing was recorded."""
    own = (
        LoopLag(level=0, p50_ns=1_000, p99_ns=200_000, max_ns=400_000, n_ticks=50),
        LoopLag(level=1, p50_ns=2_000, p99_ns=9_000_000, max_ns=30_000_000, n_ticks=50),
    )
    process = a_process(Arm.REFERENCE, loop_lag_p99_ns=9_000_000, loop_lag_max_ns=30_000_000, loop_lags=own)
    case = a_pair((process,), ())
    first, second, third = (side_client(case, case.reference, level=level) for level in range(3))
    assert (first.loop_lag_p50_s.value, first.loop_lag_p99_s.value, first.loop_lag_max_s.value) == pytest.approx(
        (0.000001, 0.0002, 0.0004)
    )
    assert second.loop_lag_p99_s.value == third.loop_lag_p99_s.value == pytest.approx(0.009)
    assert side_client(case, case.reference) == first


def test_the_latest_of_a_levels_processes_counts() -> None:
    """One recorded its levels, the other only the whole run."""
    own = (LoopLag(level=0, p50_ns=1, p99_ns=100_000, max_ns=1, n_ticks=9),)
    workers = (
        a_process(Arm.REFERENCE, loop_lag_p99_ns=9_000_000, loop_lags=own),
        a_process(Arm.REFERENCE, worker=1, loop_lag_p99_ns=700_000),
    )
    found, _ = clients(a_pair(workers, ()))
    assert found.loop_lag_p99_s.value == pytest.approx(0.0007)
