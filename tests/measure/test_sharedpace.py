"""The pace of lanes that are processes: every process is stood in for by a mapping of its own."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.lane import Lane, Share
from harness.measure.runner import Runner, Timekeeping
from harness.measure.schedule import plan_run
from harness.measure.sharedpace import SharedPace, new_pace_file
from harness.model.record import Arm, Arrival, Attempt, Plan
from harness.model.settings import ArrivalSettings, PlanSettings, Settings
from tests.measure.test_runner import ListJournal, ScriptedSender
from tests.measure.test_schedule import ARMS, golden
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

Place = tuple[int, int]  # arm and worker

SIX = tuple((arm, worker) for arm in range(2) for worker in range(3))


@pytest.fixture
def file() -> Iterator[BinaryIO]:
    with new_pace_file(2, 3, 2) as cells:
        yield cells


def seen_by(file: BinaryIO, arm: int, worker: int = 0, n_workers: int = 1) -> SharedPace:
    return SharedPace(file.fileno(), LoopClock(), arm=arm, n_arms=2, share=Share(worker=worker, n_workers=n_workers))


def test_the_slowest_of_two_processes_is_known_to_both(file: BinaryIO) -> None:
    reference, candidate = seen_by(file, 0), seen_by(file, 1)
    for pace, block, slowest in ((reference, 7, 0), (candidate, 3, 3), (candidate, 9, 7), (reference, 8, 8)):
        pace.publish(0, block)
        assert (reference.slowest(), candidate.slowest()) == (slowest, slowest)


@given(nexts=st.lists(st.integers(0, 40), min_size=6, max_size=6))
def test_an_arm_is_ahead_by_the_blocks_that_its_workers_have_started(nexts: list[int]) -> None:
    with new_pace_file(2, 3, 1) as file:
        paces = [seen_by(file, *place, n_workers=3) for place in SIX]
        started = [0, 0]
        for (arm, worker), pace, next_block in zip(SIX, paces, nexts, strict=True):
            pace.publish(0, next_block)
            started[arm] += sum(block % 3 == worker for block in range(next_block))
        for (arm, _), pace, next_block in zip(SIX, paces, nexts, strict=True):
            assert next_block - pace.slowest() == started[arm] - min(started)


def test_a_barrier_opens_when_the_last_has_come_and_all_start_at_one_later_instant(file: BinaryIO) -> None:
    async def pass_levels(place: Place) -> list[float]:
        pace, loop = seen_by(file, *place, n_workers=3), asyncio.get_running_loop()
        seen = []
        for level in range(2):
            await asyncio.sleep(0.1 * (1 + SIX.index(place)))
            await pace.gather(level)
            seen.append(loop.time())
            await asyncio.sleep(0.1 * (1 + place[1]))
            start_s = await pace.start_of(level) / 1e9
            seen += [loop.time(), start_s]
            await asyncio.sleep(start_s - loop.time())
        return seen

    async def main() -> list[list[float]]:
        return await asyncio.gather(*map(pass_levels, SIX))

    seen = list(zip(*run_in_virtual_time(main), strict=True))
    gathered, ready, start, gathered_again, ready_again, start_again = seen
    assert gathered == pytest.approx([0.6] * 6, abs=0.01)  # when the last of six had come
    assert ready == pytest.approx([0.9] * 6, abs=0.01)  # when the slowest had its connections
    assert set(start) == {start[0]}
    assert max(ready) < start[0] < max(ready) + 0.1
    assert gathered_again == pytest.approx([start[0] + 0.6] * 6, abs=0.01)
    assert ready_again == pytest.approx([start[0] + 0.9] * 6, abs=0.01)
    assert max(ready_again) < start_again[0] < max(ready_again) + 0.1


def test_processes_of_one_endpoint_warm_up_in_turn(file: BinaryIO) -> None:
    began: dict[Place, float] = {}

    async def warm_up(place: Place) -> None:
        arm, worker = place
        share = Share(worker=worker, n_workers=3)
        pace = SharedPace(file.fileno(), LoopClock(), arm=arm, n_arms=2, share=share, follows=0 if arm else None)
        await pace.turn_to_warm_up()
        began[place] = asyncio.get_running_loop().time()
        await asyncio.sleep(0 if worker else 420)
        await pace.gather(0)

    async def main() -> None:
        await asyncio.gather(*map(warm_up, SIX))

    run_in_virtual_time(main)
    assert began[0, 0] == 0
    assert began[1, 0] == pytest.approx(420, abs=0.01)
    assert {began[place] for place in SIX if place[1]} == {0}  # they have nothing to warm up


def a_plan(
    load: tuple[float, ...] = (4,), look_ahead: int = 4, warmup: int = 2, process: Arrival = Arrival.CLOSED
) -> Plan:
    plan, arrival = PlanSettings(look_ahead=look_ahead, warmup=warmup), ArrivalSettings(process=process)
    settings = Settings(load=list(load), plan=plan, arrival=arrival)
    return plan_run(golden(5), settings, ARMS, repeats={f"p{i}": 5 for i in range(5)}, estimators="1")


class TimedSender(ScriptedSender):
    """Notes when its arm was warm and when its connections were opened."""

    def __init__(self, takes_s: float) -> None:
        super().__init__(takes_s)
        self.was_warm_at_s = -1.0
        self.preconnected_at_s: list[float] = []

    async def preconnect(self, n: int) -> None:
        await super().preconnect(n)
        self.preconnected_at_s.append(asyncio.get_running_loop().time())


def run(plan: Plan, senders: Mapping[Place, TimedSender]) -> list[Attempt]:
    """Walk the plan in as many runners as there are senders; each knows of the others through the file alone."""
    n_workers = len(senders) // len(ARMS)
    journal = ListJournal()

    async def walk(place: Place, file: BinaryIO) -> None:
        arm, worker = place
        lane = Lane(arm=ARMS[arm], sender=senders[place], share=Share(worker=worker, n_workers=n_workers))
        pace = seen_by(file, arm, worker, n_workers)
        runner = Runner(plan, [lane], journal, Timekeeping(clock=LoopClock(), pace=pace))
        await runner.warm_up()
        senders[place].was_warm_at_s = asyncio.get_running_loop().time()
        await runner.walk()

    async def main() -> None:
        with new_pace_file(len(ARMS), n_workers, len(plan.load)) as file:
            await asyncio.gather(*(walk(place, file) for place in senders))

    run_in_virtual_time(main)
    return journal.attempts


def workers(n: int, reference_s: float = 0.05, candidate_s: float = 0.05) -> dict[Place, TimedSender]:
    takes_s = (reference_s, candidate_s)
    return {(arm, worker): TimedSender(takes_s[arm]) for arm in range(2) for worker in range(n)}


@pytest.mark.parametrize("n_workers", [1, 2, 3, 7])
@pytest.mark.parametrize("process", list(Arrival))
def test_the_workers_of_an_arm_send_every_block_of_every_level_once(n_workers: int, process: Arrival) -> None:
    plan = a_plan(load=(7, 11), process=process)
    attempts = run(plan, workers(n_workers))
    assert len(plan.blocks) == 2 + 2 * 25
    assert Counter((attempt.key.arm, attempt.block) for attempt in attempts) == Counter(
        {(arm, block.index): 1 for arm in ARMS for block in plan.blocks}
    )


def test_the_workers_share_the_load_and_the_blocks() -> None:
    senders = workers(3)
    run(a_plan(load=(5,), look_ahead=50, warmup=0), senders)
    assert [sender.most_in_flight for sender in senders.values()] == [2, 2, 1] * 2
    assert [sender.preconnected for sender in senders.values()] == [[2], [2], [1]] * 2
    for (_, worker), sender in senders.items():
        assert {block % 3 for _, block in sender.started} == {worker}


def test_a_worker_without_a_block_holds_nobody_up() -> None:
    plan = a_plan(load=(30, 30), warmup=1)
    senders = workers(30)
    attempts = run(plan, senders)
    assert len(attempts) == 2 * len(plan.blocks) == 2 * 51
    idle_at_first = [block for _, block in senders[0, 29].started if block < 26]
    assert idle_at_first == []


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_the_faster_arm_stays_within_the_look_ahead_across_processes(n_workers: int) -> None:
    senders = workers(n_workers, 0.02, 0.2)
    run(a_plan(look_ahead=3, warmup=0), senders)
    starts = sorted(
        (at, arm == 0) for (arm, _), sender in senders.items() for at, _ in sender.started
    )  # of two at one instant the slower arm's first: it may have let the other go
    n_fast, n_slow, worst = 0, 0, 0
    for _, is_fast in starts:
        if is_fast:
            worst = max(worst, n_fast - n_slow)
            n_fast += 1
        else:
            n_slow += 1
    assert (n_fast, n_slow) == (25, 25)
    assert worst == 3


def test_one_worker_that_meets_long_answers_holds_neither_its_fellows_nor_the_other_arm() -> None:
    senders = workers(4)
    senders[0, 0].takes_s = 0.5
    senders[1, 0].takes_s = 0.5
    run(a_plan(load=(4,), look_ahead=16, warmup=0), senders)
    for arm in range(2):
        for worker in range(1, 4):
            own = senders[arm, worker].started
            assert len(own) == 6
            assert own[-1][0] - own[0][0] == pytest.approx(5 * 0.05, abs=0.02)


def test_one_worker_warms_its_arm_up_and_all_wait_for_the_slowest_warm_up() -> None:
    senders = workers(2, 0.05, 2.0)
    run(a_plan(warmup=2), senders)
    assert [sender.most_in_warmup for sender in senders.values()] == [1, 0, 1, 0]
    measured = [at for sender in senders.values() for at, block in sender.started if block >= 2]
    assert len(measured) == 50
    assert min(measured) >= 4.0
    assert min(sender.was_warm_at_s for sender in senders.values()) >= 3.999  # from then on the load is metered


def test_no_request_of_a_level_starts_before_the_other_processes_have_ended_the_one_before() -> None:
    senders = workers(2, 0.05, 0.3)
    attempts = run(a_plan(load=(4, 8), look_ahead=100, warmup=0), senders)
    ends = [attempt.ended_at_ns or 0 for attempt in attempts if attempt.key.level == 0]
    starts = [attempt.sent_at_ns or 0 for attempt in attempts if attempt.key.level == 1]
    assert (len(ends), len(starts)) == (50, 50)
    assert max(ends) <= min(starts)
    connected = [sender.preconnected_at_s[1] for sender in senders.values()]
    assert min(connected) >= max(ends) / 1e9 - 1e-6  # not while others still measure: kept connections go stale


def test_an_open_loop_counts_from_one_start_in_all_processes() -> None:
    attempts = run(a_plan(load=(20,), process=Arrival.POISSON), workers(2))
    intended = {
        arm: [a.intended_at_ns for a in sorted(attempts, key=lambda a: a.block) if a.key.arm is arm and a.block >= 2]
        for arm in ARMS
    }
    assert len(intended[Arm.REFERENCE]) == 25
    assert intended[Arm.REFERENCE] == intended[Arm.CANDIDATE]
