"""What a part of a run has to send: all of its plan, or what the parts before it left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from harness.model.looks import was_cancelled
from harness.model.record import Arm, Attempt, Block, Plan, RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """Which requests of a plan are on record; without any, the whole plan is left."""

    part: int = 0
    arms: tuple[Arm, ...] = ()  # of the run
    done: frozenset[RequestKey] = frozenset()
    n_warmups: int = 0  # repeats of warm-up that were taken: a new part warms up again, under numbers of its own

    def blocks(self, plan: Plan, arm: Arm, level: int) -> list[Block]:
        """Give an arm's blocks of a level that are left; in an open loop the first one left is due at its start."""
        measured = [block for block in plan.blocks if block.level == level and not block.is_warmup]
        if not self.done:
            return measured
        left = [block for block in measured if _key(block, arm) not in self.done]
        due = [block.due_ns for block in measured if block.due_ns is not None and self._lacks(block)]
        first_due_ns = min(due, default=0)
        return [block if block.due_ns is None else replace(block, due_ns=block.due_ns - first_due_ns) for block in left]

    def has_level(self, plan: Plan, level: int) -> bool:
        """Whether any arm of the run has something left there."""
        if not self.done:
            return True
        return any(self._lacks(block) for block in plan.blocks if block.level == level and not block.is_warmup)

    def first_request(self, plan: Plan, arm: Arm) -> tuple[int, int]:
        """Give block and repeat of what an arm sends first in this part: it may meet a cold endpoint."""
        if not self.done or any(block.is_warmup for block in plan.blocks):
            return 0, self.n_warmups
        left = [block for block in plan.blocks if _key(block, arm) not in self.done]
        first = min(left, key=lambda block: (block.level, block.index), default=None)
        return (0, 0) if first is None else (first.index, first.repeat)

    def has_followed(self, block: Block, arm: Arm, turn: int) -> bool:
        """Whether a follow-up is on record: a second turn, or the unstreamed repeat of a first one."""
        return replace(_key(block, arm), turn=turn, is_streamed=turn > 1) in self.done

    def n_left(self, plan: Plan, arm: Arm) -> int:
        """Count an arm's requests of the plan, its warm-up included."""
        n_warmups = sum(block.is_warmup for block in plan.blocks)
        return n_warmups + sum(len(self.blocks(plan, arm, level)) for level in range(len(plan.load)))

    def _lacks(self, block: Block) -> bool:
        return any(_key(block, arm) not in self.done for arm in self.arms)


WHOLE_PLAN = Remaining()


def remaining_after(attempts: Sequence[Attempt], arms: tuple[Arm, ...], part: int) -> Remaining:
    """Find what recorded attempts leave; one that was cut by our user counts as not sent.

    The first attempt is the trial: what has one is done, and a retry that the end of a part cut short is given up.
    """
    warmups = [attempt.key.repeat for attempt in attempts if attempt.key.is_warmup]
    return Remaining(
        part=part,
        arms=arms,
        done=frozenset(attempt.key for attempt in attempts if attempt.attempt == 1 and not was_cancelled(attempt)),
        n_warmups=max(warmups, default=-1) + 1,
    )


def first_answers(attempts: Iterable[Attempt]) -> dict[tuple[Arm, int], Attempt]:
    """Give the recorded attempts of the levels by arm and block: tool loops go on from them."""
    firsts = [attempt for attempt in attempts if attempt.attempt == 1]
    measured = [attempt for attempt in firsts if not (attempt.key.is_warmup or attempt.key.is_follow_up)]
    return {(attempt.key.arm, attempt.block): attempt for attempt in measured if not was_cancelled(attempt)}


def _key(block: Block, arm: Arm) -> RequestKey:
    return RequestKey(
        arm=arm, prompt_id=block.prompt_id, repeat=block.repeat, is_warmup=block.is_warmup, level=block.level
    )
