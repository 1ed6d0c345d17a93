"""Three arms: who goes first, and that all go everywhere."""

from collections import Counter

from harness.measure.lane import Lane
from harness.measure.runner import Runner, Timekeeping
from harness.measure.schedule import plan_run
from harness.measure.turns import turn_order
from harness.model.record import Arm, Block
from harness.model.settings import PlanSettings, Settings
from tests.measure.test_runner import ListJournal, ScriptedSender
from tests.measure.test_schedule import golden
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

THREE = (Arm.REFERENCE, Arm.CANDIDATE, Arm.PLACEBO)
WORKED_OUT = {  # by hand: round from the first, forwards at even blocks and backwards at odd ones
    (Arm.REFERENCE, 0): "reference candidate placebo",
    (Arm.REFERENCE, 1): "reference placebo candidate",
    (Arm.CANDIDATE, 0): "candidate placebo reference",
    (Arm.CANDIDATE, 1): "candidate reference placebo",
    (Arm.PLACEBO, 0): "placebo reference candidate",
    (Arm.PLACEBO, 1): "placebo candidate reference",
}


def test_each_of_the_six_orders_comes_of_one_coin_and_parity() -> None:
    found = {
        (first, index): " ".join(turn_order(Block(index=index, prompt_id="p", repeat=0, first=first), THREE))
        for first in THREE
        for index in (0, 1)
    }
    assert found == WORKED_OUT
    assert len(set(found.values())) == 6


def test_an_order_of_the_arms_that_are_there() -> None:
    block = Block(index=1, prompt_id="p", repeat=0, first=Arm.CANDIDATE)
    assert turn_order(block, (Arm.REFERENCE, Arm.CANDIDATE)) == [Arm.CANDIDATE, Arm.REFERENCE]
    assert turn_order(block, (Arm.REFERENCE,)) == [Arm.REFERENCE]


def test_three_arms_walk_the_same_blocks_within_the_look_ahead() -> None:
    settings = Settings(load=[1], plan=PlanSettings(repeats=5, look_ahead=3, warmup=1))
    plan = plan_run(golden(8), settings, THREE, repeats={f"p{i}": 5 for i in range(8)}, estimators="1")
    senders = {arm: ScriptedSender(takes_s) for arm, takes_s in zip(THREE, (1.0, 2.0, 1.0), strict=True)}
    journal = ListJournal()

    async def main() -> None:
        lanes = [Lane(arm=arm, sender=sender) for arm, sender in senders.items()]
        runner = Runner(plan, lanes, journal, Timekeeping(clock=LoopClock()))
        await runner.warm_up()
        await runner.walk()

    run_in_virtual_time(main)
    assert Counter((a.key.arm, a.block) for a in journal.attempts) == Counter(
        {(arm, block.index): 1 for arm in THREE for block in plan.blocks}
    )
    slow = {block: at for at, block in senders[Arm.CANDIDATE].started}
    for arm in (Arm.REFERENCE, Arm.PLACEBO):
        assert all(at >= slow[block - 4] for at, block in senders[arm].started if block - 4 in slow and block > 4)


def test_each_arm_of_three_is_first_about_as_often() -> None:
    plan = plan_run(golden(30), Settings(), THREE, repeats={f"p{i}": 10 for i in range(30)}, estimators="1")
    firsts = Counter(block.first for block in plan.blocks)
    assert all(70 <= firsts[arm] <= 130 for arm in THREE)  # of 302; beyond 3.7 standard deviations of a fair coin
