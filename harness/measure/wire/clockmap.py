"""Maps the kernel's receive stamps, which are CLOCK_REALTIME, to the monotonic clock of all intervals.

Both clocks are slewed alike, so their difference is constant between steps of the wall clock. It is read again
and again, each time bracketed by two readings of the monotonic clock: half the bracket bounds the error. Readings that
agree form a segment; a step ends one and begins the next. A stamp is mapped only where a segment covers it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from harness.clock import Clock

_TRIES = 3  # the narrowest bracket counts: an interrupt widens one, seldom three
_AGREEMENT_NS = 20_000  # differences below this are error, not a step


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """One bracketed reading of both clocks."""

    at_ns: int  # monotonic
    offset_ns: int  # realtime - monotonic
    bound_ns: int  # the offset is right within this


@dataclass(slots=True, kw_only=True)
class _Segment:
    """A stretch of time without a step."""

    first_ns: int
    last_ns: int
    offset_ns: int
    bound_ns: int
    worst_ns: int  # how far any of its pairings shows the offset to have moved

    def agrees_with(self, pairing: Pairing) -> bool:
        return abs(pairing.offset_ns - self.offset_ns) <= self.bound_ns + pairing.bound_ns + _AGREEMENT_NS

    def take(self, pairing: Pairing) -> None:
        self.last_ns = pairing.at_ns
        if pairing.bound_ns < self.bound_ns:
            self.offset_ns, self.bound_ns = pairing.offset_ns, pairing.bound_ns
        # A wide bracket alone says nothing against an offset that does not move: only what it excludes does.
        deviation_ns = abs(pairing.offset_ns - self.offset_ns)
        if deviation_ns > self.bound_ns + pairing.bound_ns:
            self.worst_ns = max(self.worst_ns, deviation_ns + pairing.bound_ns)


class ClockMap:
    """The two clocks' difference over a run."""

    def __init__(self, clock: Clock) -> None:
        """Pair nothing yet."""
        self._clock = clock
        self._segments: list[_Segment] = []
        self.n_pairings = 0

    def pair(self) -> None:
        """Read the difference once more; cheap enough to do around every exchange."""
        pairing = min((self._read() for _ in range(_TRIES)), key=lambda read: read.bound_ns)
        self.n_pairings += 1
        if self._segments and self._segments[-1].agrees_with(pairing):
            self._segments[-1].take(pairing)
        else:
            self._segments.append(_segment_of(pairing))

    def monotonic_of(self, realtime_ns: Sequence[int | None], seen_at_ns: Sequence[int]) -> list[int | None]:
        """Map stamps of bytes that were seen at instants; None for no stamp and where a step makes it unknown."""
        if len(self._segments) == 1:  # no step: the usual run, and the mapping of each of its reads
            only = self._segments[0]
            return [_mapped(stamp, only) for stamp in realtime_ns]
        return [
            None if (segment := self._segment_at(seen)) is None else _mapped(stamp, segment)
            for stamp, seen in zip(realtime_ns, seen_at_ns, strict=True)
        ]

    def _segment_at(self, seen_at_ns: int) -> _Segment | None:
        position = bisect_right(self._segments, seen_at_ns, key=lambda segment: segment.first_ns) - 1
        if position < 0:
            return None
        segment = self._segments[position]
        is_after_step = position < len(self._segments) - 1 and seen_at_ns > segment.last_ns
        return None if is_after_step else segment

    @property
    def bound_ns(self) -> int | None:
        """How far a mapped stamp can be off, in the worst segment; None before the first pairing."""
        return max((max(segment.bound_ns, segment.worst_ns) for segment in self._segments), default=None)

    @property
    def steps(self) -> list[dict[str, int]]:
        """Every step of the wall clock that was noticed: when (monotonic) and by how much."""
        pairs = zip(self._segments, self._segments[1:], strict=False)
        return [
            {"between_ns": before.last_ns, "and_ns": after.first_ns, "by_ns": after.offset_ns - before.offset_ns}
            for before, after in pairs
        ]

    def _read(self) -> Pairing:
        before = self._clock.monotonic_ns()
        realtime = self._clock.realtime_ns()
        after = self._clock.monotonic_ns()
        middle = (before + after) // 2
        return Pairing(at_ns=after, offset_ns=realtime - middle, bound_ns=(after - before) // 2 + 1)


def _mapped(stamp: int | None, segment: _Segment) -> int | None:
    if stamp is None or stamp - segment.offset_ns < segment.first_ns:
        return None
    return stamp - segment.offset_ns


def _segment_of(pairing: Pairing) -> _Segment:
    return _Segment(
        first_ns=pairing.at_ns,
        last_ns=pairing.at_ns,
        offset_ns=pairing.offset_ns,
        bound_ns=pairing.bound_ns,
        worst_ns=0,
    )
