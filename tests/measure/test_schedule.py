"""The plan and who may start next."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.closedloop import Walk, next_start
from harness.measure.schedule import plan_run
from harness.model.digest import plan_sha256
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Arm, Block, Plan
from harness.model.settings import PlanSettings, Settings

ARMS = (Arm.REFERENCE, Arm.CANDIDATE)


def golden(n: int) -> GoldenSet:
    request = {"messages": [{"role": "user", "content": "hi"}]}
    return GoldenSet(
        name="g", prompts=[Prompt(id=f"p{i}", category="c", intent="i", request=request) for i in range(n)]
    )


def planned(n: int = 10, repeats: int = 5, seed: int = 1, warmup: int = 2) -> Plan:
    settings = Settings(plan=PlanSettings(repeats=repeats, seed=seed, warmup=warmup))
    return plan_run(golden(n), settings, ARMS, repeats={f"p{i}": repeats for i in range(n)}, estimators="1")


def test_every_repeat_of_every_prompt_stands_in_the_plan_once() -> None:
    blocks = [block for block in planned().blocks if not block.is_warmup]
    assert Counter((block.prompt_id, block.repeat) for block in blocks) == Counter(
        {(f"p{i}", repeat): 1 for i in range(10) for repeat in range(5)}
    )
    assert [block.index for block in planned().blocks] == list(range(52))


def test_a_plan_depends_on_its_seed_only() -> None:
    assert planned(seed=3) == planned(seed=3)
    assert planned(seed=3).blocks != planned(seed=4).blocks
    assert plan_sha256(planned(seed=3)) == plan_sha256(planned(seed=3))
    assert plan_sha256(planned(seed=3)) != plan_sha256(planned(seed=4))


def test_the_digest_moves_with_a_margin() -> None:
    settings = Settings()
    moved = Settings(max_cost=1.0)
    plans = [plan_run(golden(2), s, ARMS, repeats={"p0": 1, "p1": 1}, estimators="1") for s in (settings, moved)]
    assert plan_sha256(plans[0]) != plan_sha256(plans[1])


@given(repeats=st.integers(1, 12), n=st.integers(1, 12), seed=st.integers(0, 1000))
def test_repeats_of_a_prompt_are_spread_over_the_run(repeats: int, n: int, seed: int) -> None:
    blocks = planned(n, repeats, seed, warmup=0).blocks
    for prompt in {block.prompt_id for block in blocks}:
        places = [place for place, block in enumerate(blocks) if block.prompt_id == prompt]
        assert [blocks[place].repeat for place in places] == list(range(repeats))
        for repeat, place in enumerate(places):
            assert repeat * n <= place < (repeat + 1) * n


def test_both_orders_within_a_pair_occur() -> None:
    firsts = Counter(block.first for block in planned(20, 10).blocks)
    assert min(firsts[arm] for arm in ARMS) > 60


def test_warm_ups_come_first_and_are_labelled() -> None:
    blocks = planned(3, 1, warmup=5).blocks
    assert [block.is_warmup for block in blocks] == [True] * 5 + [False] * 3


BLOCKS = tuple(Block(index=i, prompt_id="p", repeat=i, first=ARMS[i % 2]) for i in range(6))


def walk(arm: Arm, at: int, free: int = 1) -> Walk:
    return Walk(arm=arm, block=BLOCKS[at] if at < len(BLOCKS) else None, free_slots=free)


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        ((0, 1), (0, 1), Arm.REFERENCE),  # block 0's coin
        ((1, 1), (1, 1), Arm.CANDIDATE),  # block 1's coin
        ((1, 0), (1, 1), Arm.CANDIDATE),
        ((2, 1), (1, 1), Arm.CANDIDATE),  # who is behind goes first
        ((2, 1), (1, 0), Arm.REFERENCE),
        ((3, 1), (0, 0), None),  # three blocks ahead, two allowed
        ((2, 1), (0, 0), Arm.REFERENCE),
        ((6, 1), (6, 1), None),
        ((6, 1), (5, 1), Arm.CANDIDATE),
    ],
)
def test_who_starts_next(reference: tuple[int, int], candidate: tuple[int, int], expected: Arm | None) -> None:
    walks = [walk(Arm.REFERENCE, *reference), walk(Arm.CANDIDATE, *candidate)]
    assert next_start(walks, min(reference[0], candidate[0]), look_ahead=2) == expected
