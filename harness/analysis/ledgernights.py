"""Entries of a ledger as nights: what is void, invalid or an outage is a gap."""

from collections.abc import Mapping, Sequence

from harness.analysis.results.nights import Night, NightMetric
from harness.analysis.series import why_gap
from harness.model.ledger import Ledger, LedgerEntry
from harness.model.record import Arm

Nights = Mapping[str, tuple[Night, ...]]  # by metric id


def series_until(ledger: Ledger, tonight: LedgerEntry) -> tuple[LedgerEntry, ...]:
    """Give the runs that are comparable with tonight's and began no later, in their order."""
    alike = [entry for entry in ledger.entries if entry.comparable == tonight.comparable]
    return tuple(alike[: alike.index(tonight) + 1])


def watched_arm(entry: LedgerEntry) -> Arm:
    """Give the side that is watched: the candidate, or the only one."""
    return Arm.CANDIDATE if entry.side(Arm.CANDIDATE) is not None else entry.sides[0].arm


def has_reference(entry: LedgerEntry) -> bool:
    """Whether a reference was measured in the same run; a recorded one has the same figures every night."""
    reference, candidate = entry.side(Arm.REFERENCE), entry.side(Arm.CANDIDATE)
    return reference is not None and candidate is not None and reference.run_id == candidate.run_id


def nights_of(entries: Sequence[LedgerEntry], arm: Arm, metrics: Sequence[NightMetric]) -> Nights:
    """Give one side's nights of every metric."""
    return {metric.id: tuple(_night(entry, arm, metric) for entry in entries) for metric in metrics}


def _night(entry: LedgerEntry, arm: Arm, metric: NightMetric) -> Night:
    side = entry.side(arm)
    figure = side.figures.get(metric.id) if side else None
    gap = why_gap(entry, side, metric.id)
    if figure is None or gap is not None:
        return Night(
            run_id=entry.run_id,
            at=entry.started_at,
            value=None,
            comparable=entry.comparable,
            is_valid=False,
            reason=gap,
        )
    return Night(
        run_id=entry.run_id,
        at=entry.started_at,
        value=figure.value,
        low=figure.low,
        high=figure.high,
        n=figure.n,
        comparable=entry.comparable,
        is_valid=figure.value is not None,
        reason=figure.reason,
    )
