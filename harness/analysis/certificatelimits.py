"""The limits of the certificate: what is gated, against what, and how a side's figure reads."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.analysis.certificatewords import milliseconds
from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import CertificateRow, Instrument, Measured, TimingVerdict
from harness.analysis.words import count_of, percent

VOID = TimingVerdict.VOID.value

# The instrument's limits.
MOST_UNCERTAINTY_S = 0.001
MOST_UNCERTAINTY_GAPS = 0.02  # of the side's median gap, where that is longer
MOST_SEND_LATENESS_S = 0.005
MOST_LATE_SHARED = 0.05
LEAST_OFFERED = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A gated row: its texts, and which side of its limit is the good one."""

    id: str
    title: str
    condition: str
    unit: str
    limit: str
    found: str  # a side's figure in a sentence
    at: str = ""  # the quantile that it is
    is_floor: bool = False


_UNCERTAINTY = _Kind(
    id="arrival_uncertainty",
    title="uncertainty of an arrival's instant, p99",
    condition="Arrivals were stamped when they came",
    unit="s",
    limit=f"≤ {milliseconds(MOST_UNCERTAINTY_S)}, or {percent(MOST_UNCERTAINTY_GAPS)} of the median gap",
    found="arrivals known within {}",
    at="p99, ",
)
_LATENESS = _Kind(
    id="send_lateness",
    title="send lateness, p99",
    condition="Requests left on time",
    unit="s",
    limit=f"≤ {milliseconds(MOST_SEND_LATENESS_S)}",
    found="sent {} late",
    at="p99, ",
)
_SHARED = _Kind(
    id="shared_reads",
    title="output events that share a read because we read late",
    condition="Late reading merged few events",
    unit="fraction",
    limit=f"≤ {percent(MOST_LATE_SHARED)}",
    found="{} of output events merged by late reading",
)
_OFFERED = _Kind(
    id="offered_load",
    title="free slots filled",
    condition="Free slots were filled at once",
    unit="fraction",
    limit=f"≥ {percent(LEAST_OFFERED)}",
    found="free slots filled {}",
    is_floor=True,
)
_KEPT = replace(_OFFERED, title="schedule kept", condition="Requests kept to the schedule", found="schedule kept to {}")
_EITHER = replace(  # two runs, one of them an open loop
    _OFFERED,
    title="free slots filled, or schedule kept",
    condition="Free slots were filled at once, or the schedule was kept",
    found="slots filled or schedule kept {}",
)
_KINDS = {kind.title: kind for kind in (_UNCERTAINTY, _LATENESS, _SHARED, _OFFERED, _KEPT, _EITHER)}


def gated_rows(instrument: Sequence[Instrument]) -> Iterator[CertificateRow]:
    """Give the rows that have a limit."""
    yield _row(
        _UNCERTAINTY, [_within(one, one.arrival_uncertainty_p99_s, uncertainty_limit_s(one)) for one in instrument]
    )
    yield _row(_LATENESS, [_within(one, one.send_lateness_p99_s, MOST_SEND_LATENESS_S) for one in instrument])
    yield _row(_SHARED, [_within(one, _own_share(one), MOST_LATE_SHARED) for one in instrument])
    yield _row(_offered_kind(instrument), [_offered(one) for one in instrument])


def uncertainty_limit_s(one: Instrument) -> float:
    """Give the larger of 1 ms and 2 % of the side's median gap."""
    return max(MOST_UNCERTAINTY_S, MOST_UNCERTAINTY_GAPS * (one.gap_p50_s.value or 0.0))


def _own_share(one: Instrument) -> Value:
    """Where no lag can be seen, ours are at most all."""
    late, everything = one.late_shared_fraction, one.shared_read_fraction
    if late.value is None and everything.value is not None and everything.value <= MOST_LATE_SHARED:
        return everything
    return late


def _offered_kind(instrument: Sequence[Instrument]) -> _Kind:
    loops = {one.load.is_open_loop for one in instrument}
    return _EITHER if len(loops) > 1 else _KEPT if loops == {True} else _OFFERED


def _offered(one: Instrument) -> Measured:
    """A wait for a quota is the plan's; where it cannot be told from ours, the share is reported, not gated."""
    quota = one.load.requests_per_minute
    if quota is None:
        return _within(one, one.load.offered_fraction, LEAST_OFFERED)
    words = f"its quota of {count_of(quota, 'request')} per minute"
    if one.load.includes_quota:
        return Measured(arm=one.arm, value=one.load.offered_fraction, detail=f"waits for {words} included")
    within = _within(one, one.load.offered_fraction, LEAST_OFFERED)
    return replace(within, detail=f"waits for {words} left out")


def _within(one: Instrument, value: Value, limit: float) -> Measured:
    return Measured(arm=one.arm, value=value, limit=limit)


def _row(kind: _Kind, sides: Sequence[Measured]) -> CertificateRow:
    """Gate a row: beyond its limit it voids timing; what was not measured meets no limit and voids nothing."""
    judged = tuple(replace(side, is_met=_is_met(kind, side)) for side in sides)
    met = [side.is_met for side in judged]
    return CertificateRow(
        id=kind.id,
        title=kind.title,
        unit=kind.unit,
        sides=judged,
        condition=kind.condition,
        limit=kind.limit,
        is_met=False if False in met else None if None in met else True,
        consequence=VOID,
        evidence=_evidence(kind, judged, is_alone=len(judged) == 1),
    )


def _is_met(kind: _Kind, side: Measured) -> bool | None:
    if side.limit is None:
        return True
    if side.value.value is None:
        return None
    return side.value.value >= side.limit if kind.is_floor else side.value.value <= side.limit


def _evidence(kind: _Kind, sides: Sequence[Measured], *, is_alone: bool) -> str:
    """Say each side's figure after its name, or once what is the same on all, then the limit."""
    told = [_found(kind, side) for side in sides]
    if is_alone:
        figures = told[0]
    elif len(told) > 1 and len(set(told)) == 1:
        figures = f"{told[0]} on both sides"
    else:
        figures = ", ".join(f"{side.arm} {text}" for side, text in zip(sides, told, strict=True))
    return f"{figures} ({kind.at}limit {kind.limit})"


def _found(kind: _Kind, side: Measured) -> str:
    """Say a figure, or why there is none."""
    value, detail = side.value.value, f", {side.detail}" if side.detail else ""
    if value is None:
        return f"{kind.title}: not measured ({side.value.reason}){detail}"
    return f"{kind.found.format(milliseconds(value) if kind.unit == 's' else percent(_shown(kind, value)))}{detail}"


def _shown(kind: _Kind, share: float) -> float:
    """Round a share away from its limit, never onto it: 94.96 % has not reached 95 %."""
    tenths = share * 1000
    return (math.floor(tenths) if kind.is_floor else math.ceil(tenths)) / 1000


def blame(row: CertificateRow) -> str:
    """Say the figures of the sides by which a row is not met, or not known."""
    wrong = [side for side in row.sides if side.is_met is row.is_met]
    return _evidence(_KINDS[row.title], wrong, is_alone=len(row.sides) == 1)
