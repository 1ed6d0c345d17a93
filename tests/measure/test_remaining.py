"""What a part of a run has to send, and the runner that sends it, in virtual time."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from harness.measure.lane import Lane
from harness.measure.remaining import Remaining, first_answers, remaining_after
from harness.measure.runner import Runner, Timekeeping
from harness.measure.schedule import extend_plan
from harness.model.digest import plan_sha256
from harness.model.record import Arm, Attempt, Failure, FailureKind, Plan
from tests.measure.test_runner import ListJournal, ScriptedSender, a_plan, two
from tests.measure.test_schedule import ARMS
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

CUT = Failure(kind=FailureKind.CANCELLED, message="stopped")


def go_on(plan: Plan, attempts: list[Attempt], part: int = 1) -> tuple[list[Attempt], dict[Arm, ScriptedSender]]:
    """Send what recorded attempts leave of a plan."""
    remaining = remaining_after(attempts, ARMS, part) if attempts else Remaining(arms=ARMS)
    journal, senders = ListJournal(), two(1.0, 1.5)

    async def main() -> None:
        lanes = [Lane(arm=arm, sender=sender, remaining=remaining) for arm, sender in senders.items()]
        runner = Runner(plan, lanes, journal, Timekeeping(clock=LoopClock()), remaining=remaining)
        await runner.warm_up()
        await runner.walk()

    run_in_virtual_time(main)
    return journal.attempts, senders


@pytest.mark.parametrize("n_recorded", [1, 3, 17, 60, 103])
def test_parts_send_together_what_one_would_have_sent_and_nothing_twice(n_recorded: int) -> None:
    plan = a_plan()
    whole, _ = go_on(plan, [])
    recorded = random.Random(n_recorded).sample(whole, n_recorded)
    rest, _ = go_on(plan, recorded)
    measured = [attempt for attempt in (*recorded, *rest) if not attempt.key.is_warmup]
    assert Counter(a.key for a in measured) == Counter(a.key for a in whole if not a.key.is_warmup)
    assert max(Counter(a.key for a in (*recorded, *rest)).values()) == 1  # warm-ups take numbers of their own
    assert {a.part for a in rest} == {1}


def test_a_part_warms_up_again_and_its_first_request_is_possibly_cold() -> None:
    plan = a_plan(warmup=2)
    whole, _ = go_on(plan, [])
    rest, senders = go_on(plan, whole[:40])
    warmups = [a for a in rest if a.key.is_warmup and a.key.arm is Arm.CANDIDATE]
    assert [(a.key.repeat, a.is_possibly_cold) for a in warmups] == [(2, True), (3, False)]
    assert sum(a.is_possibly_cold for a in rest) == len(senders)


def test_without_a_warm_up_the_first_request_that_is_left_is_possibly_cold() -> None:
    plan = a_plan(warmup=0)
    whole, _ = go_on(plan, [])
    recorded = [a for a in whole if a.block < 7 or (a.block < 9 and a.key.arm is Arm.REFERENCE)]
    rest, _ = go_on(plan, recorded)
    assert {(a.key.arm, a.block) for a in rest if a.is_possibly_cold} == {(Arm.REFERENCE, 9), (Arm.CANDIDATE, 7)}


def test_a_request_that_was_cut_is_sent_again() -> None:
    plan = a_plan()
    whole, _ = go_on(plan, [])
    cut = [a if i % 10 else replace(a, failure=CUT) for i, a in enumerate(whole)]
    again = [a.key for i, a in enumerate(whole) if i % 10 == 0 and not a.key.is_warmup]
    rest, _ = go_on(plan, cut)
    assert {a.key for a in rest if not a.key.is_warmup} == set(again)
    assert len(first_answers(cut)) == 100 - len(again)


def test_a_whole_run_leaves_nothing_but_a_warm_up() -> None:
    plan = a_plan()
    whole, _ = go_on(plan, [])
    rest, _ = go_on(plan, whole)
    assert all(a.key.is_warmup for a in rest)


def test_an_extended_plan_begins_with_the_old_one_and_numbers_on() -> None:
    plan = a_plan(n=4, repeats=3)
    more = extend_plan(plan, {**dict.fromkeys(plan.repeats, 7), "p0": 3}, ARMS)
    assert more.blocks[: len(plan.blocks)] == plan.blocks
    assert [block.index for block in more.blocks] == list(range(len(more.blocks)))
    new = more.blocks[len(plan.blocks) :]
    assert Counter((b.prompt_id, b.repeat) for b in new) == Counter(
        {(prompt, repeat): 1 for prompt in ("p1", "p2", "p3") for repeat in (3, 4, 5, 6)}
    )
    assert plan_sha256(more) == plan_sha256(extend_plan(plan, more.repeats, ARMS)) != plan_sha256(plan)


def test_only_the_blocks_of_the_further_look_are_measured() -> None:
    plan = a_plan(n=4, repeats=3)
    whole, _ = go_on(plan, [])
    more = extend_plan(plan, dict.fromkeys(plan.repeats, 5), ARMS)
    rest, _ = go_on(more, whole)
    measured = [a for a in rest if not a.key.is_warmup]
    assert len(measured) == 2 * 4 * 2
    assert {a.key.repeat for a in measured} == {3, 4}
