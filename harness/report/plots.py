"""Figures drawn from their data."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from harness.report import svg
from harness.report.page import (
    Curve,
    EcdfPlot,
    Figure,
    ForestPlot,
    ForestRow,
    LoadLine,
    LoadPanel,
    PairedPlot,
    SaturationPlot,
    SurvivalPlot,
)

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

_STYLES = {"reference": (svg.REFERENCE, "-"), "candidate": (svg.CANDIDATE, (0, (5, 2))), "placebo": (svg.MUTED, ":")}
_MARKS = {"PASS": ("o", svg.GOOD), "FAIL": ("X", svg.BAD), "INCONCLUSIVE": ("D", svg.WARN)}
_ECDF_IN, _FOREST_IN, _PAIRED_IN, _SATURATION_IN = 5.4, 5.8, 5.4, 7.0  # widths: the page scales them to its columns
_MOST_TICKS = 7
_ROOM_FOR_WORDS = 1.7  # right of the last margin, where an unbounded effect says so
_LEAST_SPAN = 0.05  # of a linear axis, in its largest value
_NICE_RATIOS = (0.1, 0.2, 0.3, 0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
_ROW_IN = 0.3
_PROMPT_ROW_IN = 0.19
_PANEL_IN = 1.9  # height of a panel over the levels of load
_STEPS = ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0,))  # ticks of a decade, densest first
_RC: "Mapping[RcKeyType, Any]" = {
    "font.size": 9.5,
    "text.color": svg.INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "axes.edgecolor": svg.MUTED,
    "axes.linewidth": 0.8,
}


def draw_figure(figure: Figure) -> str:
    """Draw a figure as inline SVG; the same data give the same bytes."""
    plot = figure.plot
    with mpl.rc_context(dict(_RC)):
        if isinstance(plot, EcdfPlot):
            canvas = _draw_ecdf(plot)
        elif isinstance(plot, ForestPlot):
            canvas = _draw_forest(plot)
        elif isinstance(plot, SaturationPlot):
            canvas = _draw_saturation(plot)
        elif isinstance(plot, SurvivalPlot):
            canvas = _draw_survival(plot)
        else:
            canvas = _draw_paired(plot)
        return svg.draw(canvas, f"fig-{figure.id}", figure.title, figure.description)


def _canvas(width_in: float, height_in: float) -> Canvas:
    canvas = Canvas(figsize=(width_in, height_in), layout="constrained")
    canvas.patch.set_alpha(0)
    return canvas


def _dress(axes: Axes, *, keep: Sequence[str] = ("bottom",)) -> None:
    axes.patch.set_alpha(0)
    for name, spine in axes.spines.items():
        spine.set_visible(name in keep)
    axes.tick_params(colors=svg.MUTED, labelcolor=svg.INK, length=3, which="both")
    axes.grid(visible=True, axis="x", color=svg.GRID, linewidth=0.7)
    axes.set_axisbelow(True)


def _plain_log(axes: Axes, low: float, high: float) -> None:
    """Make a log axis whose ticks read 200, 500, 1,000."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def log_ticks(low: float, high: float) -> list[float]:
    """Choose the densest round values within a log axis that still have room for their labels."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for steps in _STEPS:
        found = [tick for decade in decades for step in steps if low <= (tick := step * 10.0**decade) <= high]
        if len(found) <= _MOST_TICKS:
            return found
    return found[:: -(-len(found) // _MOST_TICKS)]


def _ratio_axis(axes: Axes, low: float, high: float) -> None:
    """Make a log axis of ratios, with 1 among its ticks where it is in sight."""
    _plain_log(axes, low, high)
    inside = [nice for nice in _NICE_RATIOS if low <= nice <= high]
    step = -(-len(inside) // _MOST_TICKS) or 1
    start = inside.index(1.0) % step if 1.0 in inside else 0
    if inside:
        axes.xaxis.set_major_locator(FixedLocator(inside[start::step]))


def _draw_ecdf(plot: EcdfPlot) -> Canvas:
    canvas = _canvas(_ECDF_IN, 3.3)
    axes = canvas.subplots()
    _dress(axes, keep=("bottom", "left"))
    values = [value for curve in plot.curves for value in curve.values]
    low, high = min(values), max(values)
    if plot.is_log and low > 0:
        _plain_log(axes, low * 0.9, high * 1.25)
    else:
        axes.set_xlim(*_linear_limits(low, high))
        axes.xaxis.set_major_locator(MaxNLocator(_MOST_TICKS - 1))
    for curve in plot.curves:
        _draw_curve(axes, curve, axes.get_xlim())
    axes.set_ylim(0, 1.03)
    axes.grid(visible=True, axis="y", color=svg.GRID, linewidth=0.7)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.0f} %"))
    axes.set_xlabel(plot.x_label, color=svg.INK)
    canvas.legend(loc="outside upper left", frameon=False, handlelength=3.2, labelcolor=svg.INK)
    return canvas


def _linear_limits(low: float, high: float) -> tuple[float, float]:
    """Leave room on both sides; spread no span below a twentieth of its size over the whole axis: that is noise."""
    short = max(0.0, _LEAST_SPAN * abs(high) - (high - low))
    room = (high - low) * 0.06 + short / 2 or 1.0
    return low - room, high + room


def _draw_curve(axes: Axes, curve: Curve, limits: tuple[float, float]) -> None:
    """Step up at every value; failures leave the curve below 100 % to the right edge."""
    colour, style = _STYLES[curve.arm]
    shares = [0.0, *((rank + 1) / curve.n for rank in range(len(curve.values)))]
    xs = [limits[0], *curve.values, limits[1]]
    ys = [*shares, shares[-1]]
    axes.plot(xs, ys, color=colour, linestyle=style, linewidth=1.9, drawstyle="steps-post", label=curve.label)
    if curve.n_never:
        axes.plot([limits[1]], [shares[-1]], marker=">", color=colour, markersize=7, clip_on=False)


def _draw_forest(plot: ForestPlot) -> Canvas:
    panels = [(rows, is_ratio) for rows, is_ratio in ((plot.differences, False), (plot.ratios, True)) if rows]
    sizes = [len(rows) + 1.2 for rows, _ in panels]
    canvas = _canvas(_FOREST_IN, sum(sizes) * _ROW_IN + 0.5)
    grid = canvas.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": sizes})
    for index, (rows, is_ratio) in enumerate(panels):
        _draw_panel(grid[index][0], rows, is_ratio=is_ratio)
    return canvas


def _draw_panel(axes: Axes, rows: Sequence[ForestRow], *, is_ratio: bool) -> None:
    _dress(axes)
    low, high = _panel_limits(rows, is_ratio=is_ratio)
    if is_ratio:
        _ratio_axis(axes, low, high)
    axes.set_xlim(low, high)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.axvline(1.0 if is_ratio else 0.0, color=svg.MUTED, linewidth=1.2)
    for position, row in enumerate(rows):
        _draw_row(axes, position, row, (low, high))
    axes.set_xlabel(
        "candidate / reference, log axis" if is_ratio else "candidate \N{MINUS SIGN} reference, points", color=svg.INK
    )


def _panel_limits(rows: Sequence[ForestRow], *, is_ratio: bool) -> tuple[float, float]:
    ends = [
        end
        for row in rows
        for end in (row.low, row.high, row.bound, row.effect, row.margin)
        if end is not None and math.isfinite(end) and (end > 0 or not is_ratio)
    ]
    if is_ratio:
        has_beyond = any(math.isinf(row.effect) for row in rows)
        return min(*ends, 1.0) / 1.15, max(*ends, 1.0) * (_ROOM_FOR_WORDS if has_beyond else 1.15)
    room = (max(*ends, 0.0) - min(*ends, 0.0)) * 0.08 or 1.0
    return min(*ends, 0.0) - room, max(*ends, 0.0) + room


def _draw_row(axes: Axes, y: int, row: ForestRow, limits: tuple[float, float]) -> None:
    """Draw the forbidden zone, the interval, the one-sided bound, the effect."""
    low, high = limits
    zone = (row.margin, high) if row.is_bad_high else (low, row.margin)
    axes.barh(y, zone[1] - zone[0], left=zone[0], height=0.82, color=svg.ZONE, linewidth=0)
    axes.plot([row.margin, row.margin], [y - 0.41, y + 0.41], color=svg.BAD, linewidth=1.6)
    mark, colour = _MARKS.get(row.outcome, ("o", svg.MUTED))
    left = low if row.low is None else min(max(row.low, low), high)
    right = high if row.high is None else min(max(row.high, low), high)
    axes.plot([left, right], [y, y], color=svg.INK, linewidth=2.2, solid_capstyle="butt")
    if row.bound is not None and low <= row.bound <= high:
        axes.plot([row.bound], [y], marker="|", color=svg.INK, markersize=11, markeredgewidth=1.6)
    if not low <= row.effect <= high:
        _draw_beyond(axes, y, row, limits)
        return
    axes.plot([row.effect], [y], marker=mark, color=colour, markersize=8.5, markeredgecolor=svg.PAPER, clip_on=False)


def _draw_beyond(axes: Axes, y: int, row: ForestRow, limits: tuple[float, float]) -> None:
    """Point at an effect that the axis cannot hold, and say so: at the edge it would pass for a value."""
    is_high = row.effect > limits[1]
    _, colour = _MARKS.get(row.outcome, ("o", svg.MUTED))
    edge, arrow = (limits[1], ">") if is_high else (limits[0], "<")
    axes.plot([edge], [y], marker=arrow, color=colour, markersize=8.5, markeredgecolor=svg.PAPER, clip_on=False)
    axes.annotate(
        f"{row.outcome}, unbounded" if math.isinf(row.effect) else f"{row.outcome}, off the axis",
        (edge, y),
        xytext=(-9 if is_high else 9, 0),
        textcoords="offset points",
        ha="right" if is_high else "left",
        va="center",
        color=svg.INK,
        fontsize=8.5,
    )


def _draw_paired(plot: PairedPlot) -> Canvas:
    canvas = _canvas(_PAIRED_IN, len(plot.points) * _PROMPT_ROW_IN + 0.8)
    axes = canvas.subplots()
    _dress(axes)
    ratios = [point.ratio for point in plot.points]
    reach = [*ratios, 1.0] + ([plot.margin] if plot.margin else [])
    _ratio_axis(axes, min(reach) / 1.08, max(reach) * 1.08)
    axes.set_ylim(len(ratios) - 0.4, -0.6)
    axes.set_yticks(range(len(ratios)), [point.label for point in plot.points], fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.axvline(1.0, color=svg.MUTED, linewidth=1.2)
    if plot.margin:
        axes.axvline(plot.margin, color=svg.BAD, linewidth=1.4, linestyle=(0, (4, 3)), label="margin of the p50 gate")
        canvas.legend(loc="outside upper right", frameon=False, labelcolor=svg.INK)
    axes.hlines(range(len(ratios)), [1.0] * len(ratios), ratios, color=svg.CANDIDATE, linewidth=1.4)
    axes.plot(ratios, range(len(ratios)), marker="o", linestyle="none", color=svg.CANDIDATE, markersize=5.5)
    axes.set_xlabel(plot.x_label, color=svg.INK)
    return canvas


def _draw_survival(plot: SurvivalPlot) -> Canvas:
    """Step down where pairs part; what never parts stays up to the right edge."""
    canvas = _canvas(_ECDF_IN, 2.6)
    axes = canvas.subplots()
    _dress(axes, keep=("bottom", "left"))
    places = [place for curve in plot.curves for place in curve.characters]
    low, high = min(places, default=1.0), max(places, default=100.0)
    _plain_log(axes, max(low * 0.8, 0.8), max(high * 1.25, low * 2))
    for curve in plot.curves:
        colour, style = _STYLES[curve.arm]
        xs = [axes.get_xlim()[0], *curve.characters, axes.get_xlim()[1]]
        ys = [1.0, *curve.shares, curve.shares[-1] if curve.shares else 1.0]
        axes.plot(xs, ys, color=colour, linestyle=style, linewidth=1.9, drawstyle="steps-post", label=curve.label)
    axes.set_ylim(0, 1.03)
    axes.grid(visible=True, axis="y", color=svg.GRID, linewidth=0.7)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.0f} %"))
    axes.set_xlabel(plot.x_label, color=svg.INK)
    canvas.legend(loc="outside upper left", frameon=False, handlelength=3.2, labelcolor=svg.INK)
    return canvas


def _draw_saturation(plot: SaturationPlot) -> Canvas:
    canvas = _canvas(_SATURATION_IN, len(plot.panels) * _PANEL_IN + 0.8)
    grid = canvas.subplots(len(plot.panels), 1, squeeze=False, sharex=True)
    for place, panel in enumerate(plot.panels):
        _draw_load_panel(grid[place][0], panel)
    bottom = grid[-1][0]
    _load_axis(bottom, plot)
    bottom.set_xlabel(plot.x_label, color=svg.INK)
    handles, labels = grid[0][0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside upper left", frameon=False, handlelength=3.2, labelcolor=svg.INK)
    return canvas


def _load_axis(axes: Axes, plot: SaturationPlot) -> None:
    """Put a tick at each level; on a log axis each doubling of the load is as wide as the next."""
    low, high = plot.loads[0], plot.loads[-1]
    if plot.is_log:
        axes.set_xscale("log", base=2)
        room = (high / low) ** 0.04
        axes.set_xlim(low / room, high * room)
    else:
        room = (high - low) * 0.05
        axes.set_xlim(low - room, high + room)
    axes.xaxis.set_major_locator(FixedLocator(list(plot.loads)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _draw_load_panel(axes: Axes, panel: LoadPanel) -> None:
    _dress(axes, keep=("bottom", "left"))
    axes.grid(visible=True, axis="y", color=svg.GRID, linewidth=0.7)
    values = [point.value for line in panel.lines for point in line.points if point.value is not None]
    ends = [end for line in panel.lines for point in line.points for end in (point.low, point.high) if _is_drawn(end)]
    if panel.is_log and values and min(values) > 0:
        _plain_log_upright(axes, min(values + ends) * 0.85, max(values + ends) * 1.2)
    else:
        axes.set_ylim(0, max(values, default=1.0) * 1.1 or 1.0)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    for line in panel.lines:
        _draw_load_line(axes, line)
    axes.set_title(panel.y_label, loc="left", fontsize=9.5, color=svg.INK)


def _is_drawn(end: float | None) -> TypeGuard[float]:
    return end is not None and math.isfinite(end) and end > 0


def _plain_log_upright(axes: Axes, low: float, high: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def _draw_load_line(axes: Axes, line: LoadLine) -> None:
    """Draw a side's figure with its intervals; a quantile among failures points out of the top."""
    colour, style = _STYLES[line.arm]
    fill = colour if line.is_main else svg.PAPER
    loads = [point.load for point in line.points]
    values = [math.nan if point.value is None else point.value for point in line.points]
    width = 1.9 if line.is_main else 1.1
    axes.plot(loads, values, color=colour, linestyle=style, linewidth=width, label=line.label)
    axes.plot(loads, values, color=colour, linestyle="none", marker="o", markersize=5.5, markerfacecolor=fill)
    for point in line.points:
        if point.is_beyond:
            axes.plot(
                [point.load],
                [axes.get_ylim()[1]],
                marker="^",
                color=colour,
                markersize=7,
                clip_on=False,
                markerfacecolor=fill,
            )
        elif point.value is not None and point.low is not None and point.high is not None:
            high = min(point.high, axes.get_ylim()[1])
            axes.plot([point.load, point.load], [point.low, high], color=colour, linewidth=0.9)
