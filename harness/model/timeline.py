"""Lays the parts of a run end to end on one time line, level by level."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.model.record import Attempt, Reads

_WARMUP = -1
_Segment = tuple[int, int]  # phase: warm-up, level of load, or what follows the levels; and part


def on_one_line(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Shift the instants of each part of each level to right after those of the part before; in one part, not at all.

    A monotonic clock compares within one boot of one machine, and the time between two parts is nobody's. Within a
    part of a level every difference stays what it was; between two of them no time passes.
    """
    if len({attempt.part for attempt in attempts}) < 2:  # noqa: PLR2004
        return tuple(attempts)
    last_level = max(attempt.key.level for attempt in attempts)
    segments: defaultdict[_Segment, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        segments[_segment(attempt, last_level)].append(attempt)
    shifts = _shifts(segments)
    return tuple(_shifted(attempt, shifts[_segment(attempt, last_level)]) for attempt in attempts)


def _segment(attempt: Attempt, last_level: int) -> _Segment:
    if attempt.key.is_warmup:
        return _WARMUP, attempt.part
    return (last_level + 1 if attempt.key.is_follow_up else attempt.key.level), attempt.part


def _shifts(segments: dict[_Segment, list[Attempt]]) -> dict[_Segment, int]:
    """By how much each segment moves so that it begins where the one before ended."""
    shifts: dict[_Segment, int] = {}
    end_ns: int | None = None
    for segment in sorted(segments):
        own = segments[segment]
        start_ns = min(attempt.intended_at_ns for attempt in own)
        shifts[segment] = 0 if end_ns is None else end_ns - start_ns
        end_ns = max(max(_instants(attempt)) for attempt in own) + shifts[segment]
    return shifts


def _instants(attempt: Attempt) -> Iterable[int]:
    stamps = (attempt.intended_at_ns, attempt.admitted_at_ns, attempt.sent_at_ns, attempt.ended_at_ns)
    return (at_ns for at_ns in stamps if at_ns is not None)


def _shifted(attempt: Attempt, by_ns: int) -> Attempt:
    def moved(at_ns: int | None) -> int | None:
        return None if at_ns is None else at_ns + by_ns

    reads = attempt.reads
    return replace(
        attempt,
        intended_at_ns=attempt.intended_at_ns + by_ns,
        claimed_at_ns=moved(attempt.claimed_at_ns),
        admitted_at_ns=moved(attempt.admitted_at_ns),
        sent_at_ns=moved(attempt.sent_at_ns),
        ended_at_ns=moved(attempt.ended_at_ns),
        reads=Reads(
            at_ns=tuple(at_ns + by_ns for at_ns in reads.at_ns),
            seen_at_ns=tuple(at_ns + by_ns for at_ns in reads.seen_at_ns),
            n_bytes=reads.n_bytes,
            source=reads.source,
        ),
    )
