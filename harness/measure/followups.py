"""What follows the measured levels: second requests of tool loops, and repeats that ask for no stream."""

from dataclasses import dataclass

from harness.model.golden import GoldenSet
from harness.model.record import Arrival, Block, Plan
from harness.model.settings import ArrivalSettings, PlanSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUps:
    """The blocks that are followed up on each side, in the plan's order."""

    loops: tuple[Block, ...]  # at most: a loop goes on only where its first answer called a tool
    unstreamed: tuple[Block, ...]

    @property
    def n(self) -> int:
        """Count the requests, at most."""
        return len(self.loops) + len(self.unstreamed)


def follow_ups(golden: GoldenSet, plan: Plan) -> FollowUps:
    """Find what follows from the golden set and the plan; only what the first level judges is followed up."""
    settings = PlanSettings(**plan.settings["plan"])
    loops = {prompt.id for prompt in golden.prompts if prompt.has_loop}
    structured = {prompt.id for prompt in golden.prompts if prompt.is_structured}
    judged = [block for block in plan.blocks if block.level == 0 and not block.is_warmup]
    return FollowUps(
        loops=tuple(block for block in judged if block.prompt_id in loops and not _is_possibly_cold(block)),
        unstreamed=tuple(
            block for block in judged if block.prompt_id in structured and block.repeat < settings.unstreamed
        ),
    )


def _is_possibly_cold(block: Block) -> bool:
    return block.index == 0 and block.repeat == 0


def slots(plan: Plan) -> int:
    """Requests in flight per side: those of the first level, in an open loop about a second's worth."""
    if plan.arrival is Arrival.CLOSED:
        return int(plan.load[0])
    return max(1, min(round(plan.load[0]), ArrivalSettings(**plan.settings["arrival"]).max_in_flight))
