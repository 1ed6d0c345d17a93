"""In which order the arms of a run go at one block."""

from collections.abc import Sequence

from harness.model.record import Arm, Block


def turn_order(block: Block, arms: Sequence[Arm]) -> list[Arm]:
    """Begin with the arm that the block's seeded coin names; the others follow.

    They do so in one direction at even blocks and in the other at odd ones: of three arms each order is equally likely.
    """
    if block.first not in arms:
        return list(arms)
    start = arms.index(block.first)
    rest = [*arms[start + 1 :], *arms[:start]]
    return [block.first, *(rest if block.index % 2 == 0 else reversed(rest))]
