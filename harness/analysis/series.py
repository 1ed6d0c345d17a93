"""One figure of comparable runs in the order of their starts, with gaps where a run says nothing of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harness.errors import ConfigError
from harness.model.ledger import Difference, Ledger, LedgerEntry, LedgerFigure, LedgerSide, differences
from harness.model.record import Arm

TIMING_FIGURES = ("decode_p50", "ttft_p50", "ttft_p95", "e2e_p50")
RATES = ("request_success", "task_success", "tool_success", "json_validity")
FIGURES = (
    *TIMING_FIGURES,
    *RATES,
    *("cost_per_success", "cost_per_request"),
)
NOT_MEASURED = "not measured"
_VOID = "VOID"
_SERIES_SHOWN = 3
_LEAST_ANSWERED = 0.5  # share of requests below which the other figures speak of the few that got through
_ANSWERED = "request_success"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which runs of a ledger are looked at; what is empty or None leaves nothing out."""

    endpoint: str | None = None  # name or model of a side
    golden: str | None = None  # name of the set, or how its digest begins
    since: datetime | None = None
    label: str | None = None  # put on the run, or `name=value` or value of an endpoint's labels
    like: str | None = None  # a run with which the others must be comparable


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run in a series."""

    entry: LedgerEntry
    figure: LedgerFigure | None  # None: a gap
    gap: str | None = None  # why it is one
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A figure of one side over runs that may be compared."""

    figure: str
    endpoint: str
    points: tuple[Point, ...]

    @property
    def values(self) -> tuple[float, ...]:
        """Give the values of the runs that have one."""
        return tuple(point.figure.value for point in self.counted if point.figure and point.figure.value is not None)

    @property
    def counted(self) -> tuple[Point, ...]:
        """Give the runs that have a value."""
        return tuple(point for point in self.points if point.figure is not None)


def choose(ledger: Ledger, chosen: Chosen) -> tuple[LedgerEntry, ...]:
    """Give the runs that fit."""
    like = ledger.find(chosen.like).comparable if chosen.like else None
    return tuple(
        entry
        for entry in ledger.entries
        if (chosen.endpoint is None or side_called(entry, chosen.endpoint) is not None)
        and (chosen.golden is None or _is_golden(entry, chosen.golden))
        and (chosen.since is None or instant(entry.started_at) >= chosen.since)
        and (chosen.label is None or _has_label(ledger, entry, chosen.label))
        and (like is None or entry.comparable == like)
    )


def series_of(ledger: Ledger, entries: Sequence[LedgerEntry], figure: str, endpoint: str | None) -> Series:
    """Give a figure of one side over runs; ConfigError names the field in which they must not be mixed."""
    if not entries:
        raise ConfigError("no run fits", where=str(ledger.file), remedy="bench history list shows what there is")
    refuse_unlike(ledger, entries)
    name = endpoint or usual_endpoint(entries[-1])
    points = tuple(_point(ledger, entry, figure, name) for entry in entries)
    return Series(figure=figure, endpoint=name, points=points)


def refuse_unlike(ledger: Ledger, entries: Sequence[LedgerEntry]) -> None:
    """Refuse runs whose figures must not stand in one series."""
    found = differences(entries)
    if found:
        raise ConfigError(
            f"these {len(entries)} runs must not be mixed: {'; '.join(map(_shortened, found))}",
            where=str(ledger.file),
            remedy=f"Choose one series: {_each_series(entries)}",
        )


def _each_series(entries: Sequence[LedgerEntry]) -> str:
    """Name a run of each series, the newest of the newest first: whatever else was given, that tells them apart."""
    runs: dict[str, list[str]] = {}
    for entry in reversed(entries):
        runs.setdefault(entry.comparable, []).append(entry.run_id)
    told = [f"--like {ids[0]} ({len(ids)} run{'s' * (len(ids) > 1)})" for ids in runs.values()]
    more = len(told) - _SERIES_SHOWN
    return " or ".join(told[:_SERIES_SHOWN]) + (f" or one of {more} more (bench history list)" if more > 0 else "")


def usual_endpoint(entry: LedgerEntry) -> str:
    """Give the side that is watched unless another is named: the candidate, or the only one."""
    side = entry.side(Arm.CANDIDATE) or entry.sides[0]
    return side.name


def instant(text: str) -> datetime:
    """Read the instant of a line; one without a zone is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_since(text: str, now: datetime) -> datetime:
    """Read `2026-10-01`, an instant, or `30d`; ConfigError for anything else."""
    if text.endswith("d") and text[:-1].isdecimal():
        return now - timedelta(days=int(text[:-1]))
    try:
        return instant(text)
    except ValueError:
        raise ConfigError(f"{text!r} is no date", where="--since", remedy="Write 2026-10-01, or 30d") from None


def _shortened(difference: Difference) -> str:
    """Say a difference without whole digests."""
    values = tuple((value[:12] if len(value) == 64 else value, count) for value, count in difference.values)  # noqa: PLR2004  # SHA-256
    return str(Difference(part=difference.part, values=values))


def _point(ledger: Ledger, entry: LedgerEntry, figure: str, endpoint: str) -> Point:
    side = side_called(entry, endpoint)
    gap = why_gap(entry, side, figure)
    found = side.figures.get(figure) if side and gap is None else None
    return Point(
        entry=entry,
        figure=found,
        gap=gap,
        labels=ledger.labels_of(entry.run_id),
        notes=ledger.notes_of(entry.run_id),
    )


def why_gap(entry: LedgerEntry, side: LedgerSide | None, figure: str) -> str | None:
    """Say why a run has nothing to say of a figure of this side; None where it has."""
    found = side.figures.get(figure) if side else None
    if side is None or found is None:
        return NOT_MEASURED
    if not entry.is_valid:
        return "; ".join(entry.reasons) or "not valid"
    if figure in TIMING_FIGURES and entry.timing == _VOID:
        return f"timings are VOID: {'; '.join(entry.reasons)}"
    answered = side.figures.get(_ANSWERED)
    is_out = answered is not None and answered.value is not None and answered.value < _LEAST_ANSWERED
    if is_out and figure != _ANSWERED:
        return "an outage: most requests got no answer"
    return None if found.value is not None else found.reason or "it has no value"


def side_called(entry: LedgerEntry, name: str) -> LedgerSide | None:
    """Find a side by its name or model; the candidate where both fit, since it is what is watched."""
    return next((side for side in reversed(entry.sides) if name in {side.name, side.model}), None)


def _is_golden(entry: LedgerEntry, golden: str) -> bool:
    return entry.golden_name == golden or entry.golden_sha256.startswith(golden)


def _has_label(ledger: Ledger, entry: LedgerEntry, label: str) -> bool:
    of_sides = {f"{name}={value}" for side in entry.sides for name, value in side.labels.items()}
    values = {value for side in entry.sides for value in side.labels.values()}
    return label in {*ledger.labels_of(entry.run_id), *of_sides, *values}
