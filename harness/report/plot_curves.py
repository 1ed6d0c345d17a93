"""Distributions and survival curves, drawn."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from harness.report import svg
from harness.report.plot_axes import (
    MOST_TICKS,
    NARROW_IN,
    STYLES,
    canvas_of,
    dress,
    log_ticks,
    plain_log,
    plain_log_upright,
)
from harness.report.plotdata import Curve, EcdfPanel, EcdfPlot, SurvivalPlot

_HEIGHT_IN, _PANEL_IN = 3.2, 2.1
_SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
_LEAST_SPAN = 0.05  # of a linear axis, in its largest value
_RUG = 0.055  # height of a lane of marks under the axis, in the whole share
_FAINT = 0.16


def percent_tick(share: float, _: int = 0) -> str:
    """Write a share at its tick."""
    return f"{share * 100:.3g} %"


def draw_ecdf(plot: EcdfPlot) -> Canvas:
    """Put the panels under each other over one axis."""
    n = len(plot.panels)
    canvas = canvas_of(NARROW_IN, _HEIGHT_IN if n == 1 else n * _PANEL_IN + 0.5)
    grid = canvas.subplots(n, 1, squeeze=False, sharex=True)
    limits = _limits(plot)
    for place, panel in enumerate(plot.panels):
        axes = grid[place][0]
        _set_axes(axes, plot, panel, limits)
        for curve in panel.curves:
            _draw_curve(axes, curve, limits, is_exceedance=plot.is_exceedance)
        _draw_cold(axes, panel.curves)
        if n > 1:
            axes.set_title(panel.title, loc="left", fontsize=9.5, color=svg.INK)
            axes.legend(loc="best", fontsize=8, handlelength=2.6, labelcolor=svg.INK, frameon=False)
    grid[-1][0].set_xlabel(plot.x_label, color=svg.INK)
    if n == 1:
        canvas.legend(loc="outside upper left", frameon=False, handlelength=3.2, labelcolor=svg.INK)
    return canvas


def _limits(plot: EcdfPlot) -> tuple[float, float]:
    curves = [curve for panel in plot.panels for curve in panel.curves]
    values = [value for curve in curves for value in (*(step.value for step in curve.steps), *curve.cold)]
    low, high = min(values, default=1.0), max(values, default=1.0)
    if plot.is_log:
        low = min((value for value in values if value > 0), default=1.0)
        return low * 0.9, max(high, low) * 1.25
    return _linear_limits(low, high)


def _linear_limits(low: float, high: float) -> tuple[float, float]:
    """Leave room on both sides; spread no span below a twentieth of its size over the whole axis: that is noise."""
    short = max(0.0, _LEAST_SPAN * abs(high) - (high - low))
    room = (high - low) * 0.06 + short / 2 or 1.0
    return low - room, high + room


def _set_axes(axes: Axes, plot: EcdfPlot, panel: EcdfPanel, limits: tuple[float, float]) -> None:
    dress(axes, keep=("bottom", "left"))
    axes.grid(visible=True, axis="y", color=svg.GRID, linewidth=0.7)
    if plot.is_log:
        plain_log(axes, *limits)
    else:
        axes.set_xlim(*limits)
        axes.xaxis.set_major_locator(MaxNLocator(MOST_TICKS - 1))
    if plot.is_exceedance:
        least = min(1 / curve.n for curve in panel.curves)
        plain_log_upright(axes, least * 0.8, 1.15)
        axes.yaxis.set_major_locator(FixedLocator(log_ticks(least * 0.8, 1.0)))
        axes.set_ylabel(plot.y_label, color=svg.INK)
    else:
        n_rugs = sum(bool(curve.cold) for curve in panel.curves)
        axes.set_ylim(-_RUG * n_rugs, 1.03)
        axes.yaxis.set_major_locator(FixedLocator(_SHARES))
    axes.yaxis.set_major_formatter(FuncFormatter(percent_tick))


def _draw_curve(axes: Axes, curve: Curve, limits: tuple[float, float], *, is_exceedance: bool) -> None:
    """Step at every value; failures leave the curve below 100 % to the right edge."""
    colour, style = STYLES[curve.arm]
    xs, ys = ends_of(curve, limits, is_exceedance=is_exceedance)
    way = "steps-pre" if is_exceedance else "steps-post"
    if curve.edge is not None and curve.steps:
        bands = [curve.edge, *curve.steps, curve.steps[-1]]
        lows, highs = [band.low or 0.0 for band in bands], [1.0 if band.high is None else band.high for band in bands]
        axes.fill_between(xs, lows, highs, step="post", color=colour, alpha=_FAINT, linewidth=0)
    axes.plot(xs, ys, color=colour, linestyle=style, linewidth=1.9, drawstyle=way, label=curve.label)
    if curve.n_never:
        axes.plot([limits[1]], [ys[-1]], marker=">", color=colour, markersize=7, clip_on=False)


def ends_of(curve: Curve, limits: tuple[float, float], *, is_exceedance: bool) -> tuple[list[float], list[float]]:
    """Give the corners of a drawn curve, from one edge of the axis to the other."""
    values, shares = [step.value for step in curve.steps], [step.share for step in curve.steps]
    if is_exceedance:
        return [limits[0], *values], [1.0, *shares]
    return [limits[0], *values, limits[1]], [0.0, *shares, shares[-1] if shares else 0.0]


def _draw_cold(axes: Axes, curves: Sequence[Curve]) -> None:
    """Mark what is possibly cold under the axis, a lane per side: in no curve."""
    for lane, curve in enumerate(curve for curve in curves if curve.cold):
        colour, _ = STYLES[curve.arm]
        heights = [-_RUG * (lane + 0.5)] * len(curve.cold)
        label = f"possibly cold, apart ({len(curve.cold)})"
        axes.plot(curve.cold, heights, "D", color=colour, markersize=5, markerfacecolor="none", label=label)


def draw_survival(plot: SurvivalPlot) -> Canvas:
    """Step down where pairs part; what never parts stays up to the right edge."""
    canvas = canvas_of(NARROW_IN, 2.6)
    axes = canvas.subplots()
    dress(axes, keep=("bottom", "left"))
    places = [place for curve in plot.curves for place in curve.characters]
    low, high = min(places, default=1.0), max(places, default=100.0)
    plain_log(axes, max(low * 0.8, 0.8), max(high * 1.25, low * 2))
    for curve in plot.curves:
        colour, style = STYLES[curve.arm]
        xs = [axes.get_xlim()[0], *curve.characters, axes.get_xlim()[1]]
        ys = [1.0, *curve.shares, curve.shares[-1] if curve.shares else 1.0]
        axes.plot(xs, ys, color=colour, linestyle=style, linewidth=1.9, drawstyle="steps-post", label=curve.label)
    axes.set_ylim(0, 1.03)
    axes.grid(visible=True, axis="y", color=svg.GRID, linewidth=0.7)
    axes.yaxis.set_major_formatter(FuncFormatter(percent_tick))
    axes.set_xlabel(plot.x_label, color=svg.INK)
    canvas.legend(loc="outside upper left", frameon=False, handlelength=3.2, labelcolor=svg.INK)
    return canvas
