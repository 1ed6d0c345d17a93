"""What each level of load brought, drawn."""

import math
from typing import TypeGuard

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from harness.report import svg
from harness.report.plot_axes import STYLES, canvas_of, dress, plain_log_upright
from harness.report.plotdata import LoadLine, LoadPanel, SaturationPlot

_WIDTH_IN = 7.0
_PANEL_IN = 1.9


def draw_saturation(plot: SaturationPlot) -> Canvas:
    """Put the panels over one axis of load."""
    canvas = canvas_of(_WIDTH_IN, len(plot.panels) * _PANEL_IN + 0.8)
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
    dress(axes, keep=("bottom", "left"))
    axes.grid(visible=True, axis="y", color=svg.GRID, linewidth=0.7)
    values = [point.value for line in panel.lines for point in line.points if point.value is not None]
    ends = [end for line in panel.lines for point in line.points for end in (point.low, point.high) if _is_drawn(end)]
    if panel.is_log and values and min(values) > 0:
        plain_log_upright(axes, min(values + ends) * 0.85, max(values + ends) * 1.2)
    else:
        axes.set_ylim(0, max(values, default=1.0) * 1.1 or 1.0)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    for line in panel.lines:
        _draw_load_line(axes, line)
    axes.set_title(panel.y_label, loc="left", fontsize=9.5, color=svg.INK)


def _is_drawn(end: float | None) -> TypeGuard[float]:
    return end is not None and math.isfinite(end) and end > 0


def _draw_load_line(axes: Axes, line: LoadLine) -> None:
    """Draw a side's figure with its intervals; a quantile among failures points out of the top."""
    colour, style = STYLES[line.arm]
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
