"""Plots as data: what is drawn, and nothing of how."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A place where a curve steps, the share that it steps to, the interval of that share."""

    value: float
    share: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One side of a distribution, in the unit shown."""

    arm: str
    label: str
    n: int  # the denominator: finite values, and failures where these count as infinite
    n_never: int  # steps that never arrive
    steps: tuple[Step, ...]  # ascending in value; fewer than the values where there are very many
    edge: Step | None = None  # before the first value; None: the curve has no interval
    cold: tuple[float, ...] = ()  # values that stand apart, beside the curve


@dataclass(frozen=True, slots=True, kw_only=True)
class EcdfPanel:
    """Curves over one axis; a title where there are several panels."""

    title: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EcdfPlot:
    """Distributions of both sides, panels over one axis."""

    x_label: str
    y_label: str = ""
    is_log: bool
    is_exceedance: bool = False  # shares of what is at least as large, on a log axis, instead of at most
    panels: tuple[EcdfPanel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseMark:
    """A gate's effect between the reference and itself."""

    source: str
    effect: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One gate's effect with its interval and its margin, in the unit of its axis."""

    label: str
    outcome: str
    effect: float
    low: float | None
    high: float | None
    bound: float | None
    margin: float
    is_bad_high: bool  # values above the margin are the bad ones
    other_margin: float | None = None  # where a change in either direction is a loss: that of the good side
    noise: NoiseMark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestPlot:
    """Gates on three axes: differences in points, ratios on a log axis, shares of the candidate's own requests."""

    differences: tuple[ForestRow, ...]
    ratios: tuple[ForestRow, ...]
    shares: tuple[ForestRow, ...] = ()

    @property
    def rows(self) -> tuple[ForestRow, ...]:
        """Give every row, from the top."""
        return self.differences + self.ratios + self.shares


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedPoint:
    """One prompt's ratio; infinite or 0 where a side's median falls among failures."""

    label: str
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedPlot:
    """Candidate over reference for each prompt, sorted, with the median over prompts."""

    x_label: str
    margin: float | None
    points: tuple[PairedPoint, ...]
    n_between: int = 0  # prompts of the middle that are not drawn; they stand after half of the points
    median: float | None = None
    low: float | None = None
    high: float | None = None
    median_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve:
    """How many pairs of answers of one kind are still the same."""

    arm: str  # whose colour it has: "placebo" for the pairs of one answer of each side
    label: str
    characters: tuple[float, ...]  # where the curve falls, ascending
    shares: tuple[float, ...]  # just after it


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalPlot:
    """Curves of the share of pairs still the same over characters."""

    x_label: str
    curves: tuple[SurvivalCurve, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPoint:
    """One level's figure, in the unit shown, with its interval."""

    load: float
    value: float | None
    low: float | None = None
    high: float | None = None
    is_beyond: bool = False  # a quantile that falls among failures


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLine:
    """One figure of one side over the levels, in ascending order of load."""

    arm: str
    label: str
    is_main: bool  # False: drawn more faintly
    points: tuple[LoadPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPanel:
    """Lines over one axis."""

    y_label: str
    is_log: bool
    lines: tuple[LoadLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaturationPlot:
    """What each level of load brought, panels over one axis of load."""

    x_label: str
    is_log: bool
    loads: tuple[float, ...]  # ascending
    panels: tuple[LoadPanel, ...]


class Standing(StrEnum):
    """Whether a request counts."""

    COUNTED = "counted"
    COLD = "possibly cold"
    WARMUP = "warm-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPoint:
    """One request: when it was sent on the run's clock, and its value in the unit shown."""

    at: float
    value: float
    standing: Standing = Standing.COUNTED


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedMark:
    """What went wrong, from when to when on the run's clock."""

    at: float
    until: float
    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Where a level of load or a later part of the run begins."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedSide:
    """One side over the run: a panel."""

    arm: str
    label: str
    points: tuple[TimedPoint, ...]  # in sending order
    medians: tuple[tuple[tuple[float, float], ...], ...]  # rolling: lines of (at, value), broken where it has none
    marks: tuple[TimedMark, ...] = ()
    boundaries: tuple[Boundary, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPlot:
    """The run over time, a panel per side over one axis of time."""

    x_label: str
    y_label: str
    sides: tuple[TimedSide, ...]


Plot = EcdfPlot | ForestPlot | PairedPlot | SaturationPlot | SurvivalPlot | TimedPlot
