"""What the page of a ledger says: every string formatted, the drawing as data."""

from dataclasses import dataclass
from datetime import datetime

from harness.report.page import Fact, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class PlottedRun:
    """One run in the drawing; without a value it is a gap."""

    started_at: datetime
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The mean of the runs between two steps."""

    since: datetime
    until: datetime
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPlot:
    """The drawing."""

    y_label: str
    runs: tuple[PlottedRun, ...]
    levels: tuple[Level, ...] = ()  # empty: no step
    baseline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """Everything the page says of one figure over time."""

    title: str
    sentence: str
    facts: tuple[Fact, ...]
    plot: HistoryPlot
    description: str  # of the drawing, in words
    steps: Table | None  # None: there is none
    no_steps: str  # why there is none
    runs: Table
