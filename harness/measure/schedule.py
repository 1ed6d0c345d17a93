"""Plans a run: every request in one seeded order, and who may start next."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from harness.model.golden import GoldenSet
from harness.model.record import Arm, Block, Demotion, Plan
from harness.model.settings import Settings


def plan_run(
    golden: GoldenSet,
    settings: Settings,
    arms: Sequence[Arm],
    *,
    repeats: Mapping[str, int],
    demotions: Sequence[Demotion] = (),
    estimators: str,
) -> Plan:
    """Fix everything that the run will do; the same arguments give the same plan."""
    chance = random.Random(settings.plan.seed)  # noqa: S311  # a reproducible order, not a secret
    warmups = _warmup_blocks(golden, settings.plan.warmup, arms, chance)
    measured = _measured_blocks(repeats, arms, chance, start=len(warmups))
    return Plan(
        seed=settings.plan.seed,
        look_ahead=settings.plan.look_ahead,
        repeats=dict(repeats),
        blocks=(*warmups, *measured),
        settings=msgspec.to_builtins(settings),
        golden_sha256=golden.sha256,
        estimators=estimators,
        demotions=tuple(demotions),
    )


def _warmup_blocks(golden: GoldenSet, count: int, arms: Sequence[Arm], chance: random.Random) -> list[Block]:
    prompts = [prompt.id for prompt in golden.prompts]
    chosen = [prompts[i % len(prompts)] for i in chance.sample(range(max(count, len(prompts))), count)]
    return [
        Block(index=i, prompt_id=prompt_id, repeat=i, first=chance.choice(list(arms)), is_warmup=True)
        for i, prompt_id in enumerate(chosen)
    ]


def _measured_blocks(
    repeats: Mapping[str, int], arms: Sequence[Arm], chance: random.Random, *, start: int
) -> list[Block]:
    """Spread the repeats of each prompt evenly over the run: repeat r of n falls in the r-th n-th of it."""
    placed = [
        ((repeat + chance.random()) / count, prompt_id, repeat)
        for prompt_id, count in repeats.items()
        for repeat in range(count)
    ]
    return [
        Block(index=start + i, prompt_id=prompt_id, repeat=repeat, first=chance.choice(list(arms)))
        for i, (_, prompt_id, repeat) in enumerate(sorted(placed))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """How far one arm has walked: its next block and its free slots."""

    arm: Arm
    next_block: int
    free_slots: int


def next_start(blocks: Sequence[Block], walks: Sequence[Walk], look_ahead: int) -> Arm | None:
    """Decide which arm starts its next block now; None when all must wait.

    An arm walks the order at its own pace, at most `look_ahead` blocks before the slowest arm. Where several
    arms stand at the same block, the block's seeded coin says who goes first.
    """
    slowest = min(walk.next_block for walk in walks)
    ready = [
        walk
        for walk in walks
        if walk.free_slots and walk.next_block < len(blocks) and walk.next_block - slowest <= look_ahead
    ]
    if not ready:
        return None
    furthest_behind = min(walk.next_block for walk in ready)
    level = [walk.arm for walk in ready if walk.next_block == furthest_behind]
    first = blocks[furthest_behind].first
    return first if first in level else level[0]
