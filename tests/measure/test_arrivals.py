"""When requests of an open loop are due."""

import random
from itertools import pairwise
from statistics import mean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.arrivals import due_instants, ramp_instants
from harness.measure.schedule import plan_run
from harness.model.record import Arrival
from harness.model.settings import ArrivalSettings, PlanSettings, Settings
from tests.measure.test_schedule import ARMS, golden

OPEN = (Arrival.CONSTANT, Arrival.POISSON)
S = 1_000_000_000


def due(process: Arrival, rate: float, n: int, ramp_s: float = 0, seed: int = 1) -> list[int]:
    return due_instants(process, rate, n, ramp_s=ramp_s, chance=random.Random(seed))


def test_a_constant_rate_has_equal_distances() -> None:
    assert due(Arrival.CONSTANT, 4, 5) == [0, S // 4, S // 2, 3 * S // 4, S]


def test_a_ramp_rises_evenly_to_the_rate() -> None:
    # 10 per second after 2 s: until then 10 t²/4 requests, so the k-th at sqrt(0.4 k); the 11th at 2 s + 0.1 s
    instants = due(Arrival.CONSTANT, 10, 13, ramp_s=2)
    assert instants[1] == pytest.approx(0.632456 * S, abs=1000)
    assert instants[10] == pytest.approx(2 * S, abs=1)
    assert [later - earlier for earlier, later in pairwise(instants[10:])] == pytest.approx([S / 10] * 2, abs=1)


def test_poisson_gaps_are_exponential() -> None:
    gaps = [later - earlier for earlier, later in pairwise(due(Arrival.POISSON, 50, 20_000))]
    assert mean(gaps) == pytest.approx(S / 50, rel=0.03)
    assert pstdev(gaps) / mean(gaps) == pytest.approx(1, abs=0.03)  # a constant rate has 0, a jittered one little
    assert sum(gap < S / 50 * 0.6931 for gap in gaps) / len(gaps) == pytest.approx(0.5, abs=0.02)  # median ln 2


@given(
    process=st.sampled_from(OPEN),
    rate=st.floats(0.01, 1000),
    n=st.integers(0, 50),
    ramp_s=st.floats(0, 100),
    seed=st.integers(0, 99),
)
def test_instants_ascend_from_the_start_and_depend_on_the_seed_only(
    process: Arrival, rate: float, n: int, ramp_s: float, seed: int
) -> None:
    instants = due(process, rate, n, ramp_s, seed)
    assert len(instants) == n
    assert instants == sorted(instants)
    assert all(at_ns >= 0 for at_ns in instants)
    assert instants == due(process, rate, n, ramp_s, seed)


def test_slots_of_a_closed_loop_open_one_after_the_other() -> None:
    assert ramp_instants(5, 2.0) == [0, S // 2, S, 3 * S // 2, 2 * S]
    assert ramp_instants(3, 0.0) == [0, 0, 0]
    assert ramp_instants(1, 9.0) == [0]


def levelled(process: Arrival, seed: int = 7) -> Settings:
    return Settings(
        load=[2, 20], arrival=ArrivalSettings(process=process), plan=PlanSettings(repeats=3, seed=seed, warmup=1)
    )


@pytest.mark.parametrize("process", OPEN)
def test_every_level_replays_the_set_at_its_own_rate(process: Arrival) -> None:
    plan = plan_run(golden(40), levelled(process), ARMS, repeats={f"p{i}": 3 for i in range(40)}, estimators="1")
    assert (plan.load, plan.arrival) == ((2, 20), process)
    for level, rate in enumerate(plan.load):
        blocks = [block for block in plan.blocks if block.level == level and not block.is_warmup]
        assert len({(block.prompt_id, block.repeat) for block in blocks}) == len(blocks) == 120
        instants = [block.due_ns for block in blocks]
        assert None not in instants
        assert (len(instants) - 1) / (instants[-1] - instants[0]) * S == pytest.approx(rate, rel=0.25)  # type: ignore[operator]
    assert [block.index for block in plan.blocks] == list(range(241))


def test_the_order_does_not_depend_on_the_arrival() -> None:
    repeats = {f"p{i}": 3 for i in range(9)}
    orders = [
        [(block.prompt_id, block.repeat, block.first) for block in plan.blocks]
        for plan in (
            plan_run(golden(9), levelled(process), ARMS, repeats=repeats, estimators="1") for process in Arrival
        )
    ]
    assert orders[0] == orders[1] == orders[2]


def test_a_closed_loop_has_no_instants() -> None:
    plan = plan_run(golden(2), levelled(Arrival.CLOSED), ARMS, repeats={"p0": 1, "p1": 1}, estimators="1")
    assert {block.due_ns for block in plan.blocks} == {None}
