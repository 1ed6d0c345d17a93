"""Which read of a response brought a byte of it."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate


def completing_reads(n_bytes: Sequence[int], ends: Iterable[int]) -> tuple[int, ...]:
    """Position of the first read whose bytes reach each end, an offset into the response; n_bytes is of each read."""
    read_ends = list(accumulate(n_bytes))
    return tuple(bisect_left(read_ends, end) for end in ends)
