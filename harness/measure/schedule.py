"""Plans a run: every request in one seeded order, level by level."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec

from harness.measure.arrivals import due_instants
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Arrival, Block, Demotion, Looks, Plan
from harness.model.settings import Settings


def plan_run(  # noqa: PLR0913  # everything that a plan fixes, by name
    golden: GoldenSet,
    settings: Settings,
    arms: Sequence[Arm],
    *,
    repeats: Mapping[str, int],
    demotions: Sequence[Demotion] = (),
    estimators: str,
    looks: Looks = Looks(),  # noqa: B008  # frozen
) -> Plan:
    """Fix everything that the run will do; the same arguments give the same plan.

    The whole set is replayed at each level of the settings' load; without one, one request at a time.
    """
    chance = random.Random(settings.plan.seed)  # noqa: S311  # a reproducible order, not a secret
    levels = tuple(map(float, settings.load or [1]))  # as they are read back: the digest is made again from there
    n_warmups = max(settings.plan.warmup, 1 if settings.plan.warmup_s else 0)
    blocks = _warmup_blocks(golden, n_warmups, arms, chance)
    for level in range(len(levels)):
        measured = _measured_blocks(dict.fromkeys(repeats, 0), repeats, arms, chance, start=len(blocks), level=level)
        blocks += _with_due_instants(measured, settings, levels[level])
    return Plan(
        seed=settings.plan.seed,
        look_ahead=settings.plan.look_ahead,
        repeats=dict(repeats),
        blocks=tuple(blocks),
        settings=msgspec.to_builtins(settings),
        golden_sha256=golden.sha256,
        estimators=estimators,
        demotions=tuple(demotions),
        arrival=settings.arrival.process,
        load=levels,
        looks=looks,
    )


def extend_plan(plan: Plan, repeats: Mapping[str, int], arms: Sequence[Arm]) -> Plan:
    """Append the blocks of further repeats at every level; what the plan held stays as it was, number by number.

    The same plan and repeats give the same blocks: chance is seeded by the seed and by where the new blocks begin.
    """
    settings = msgspec.convert(plan.settings, Settings)
    chance = random.Random(f"blocks of {plan.seed} from {len(plan.blocks)}")  # noqa: S311
    blocks = list(plan.blocks)
    for level, rate in enumerate(plan.load):
        new = _measured_blocks(plan.repeats, repeats, arms, chance, start=len(blocks), level=level)
        last_due_ns = max((block.due_ns or 0 for block in plan.blocks if block.level == level), default=0)
        blocks += _with_due_instants(new, settings, rate, after_ns=last_due_ns)
    return replace(plan, blocks=tuple(blocks), repeats=dict(repeats))


def _warmup_blocks(golden: GoldenSet, count: int, arms: Sequence[Arm], chance: random.Random) -> list[Block]:
    prompts = [prompt.id for prompt in golden.prompts]
    chosen = [prompts[i % len(prompts)] for i in chance.sample(range(max(count, len(prompts))), count)]
    return [
        Block(index=i, prompt_id=prompt_id, repeat=i, first=chance.choice(list(arms)), is_warmup=True)
        for i, prompt_id in enumerate(chosen)
    ]


def _measured_blocks(
    done: Mapping[str, int],
    repeats: Mapping[str, int],
    arms: Sequence[Arm],
    chance: random.Random,
    *,
    start: int,
    level: int,
) -> list[Block]:
    """Spread the repeats of each prompt evenly over the level: the r-th new one of n falls in the r-th n-th of it."""
    placed = [
        ((repeat - done[prompt_id] + chance.random()) / (count - done[prompt_id]), prompt_id, repeat)
        for prompt_id, count in repeats.items()
        for repeat in range(done[prompt_id], count)
    ]
    return [
        Block(index=start + i, prompt_id=prompt_id, repeat=repeat, first=chance.choice(list(arms)), level=level)
        for i, (_, prompt_id, repeat) in enumerate(sorted(placed))
    ]


def _with_due_instants(
    blocks: Sequence[Block], settings: Settings, rate: float, *, after_ns: int | None = None
) -> list[Block]:
    """Give each block of an open loop its instant; the seed's own chance, so that the order does not depend on it."""
    arrival = settings.arrival
    if arrival.process is Arrival.CLOSED or not blocks:
        return list(blocks)
    further = "" if after_ns is None else f" after {after_ns}"
    chance = random.Random(f"arrivals of {settings.plan.seed} at {blocks[0].level}{further}")  # noqa: S311
    due = due_instants(arrival.process, rate, len(blocks), ramp_s=arrival.ramp_s, chance=chance)
    return [replace(block, due_ns=due_ns + (after_ns or 0)) for block, due_ns in zip(blocks, due, strict=True)]
