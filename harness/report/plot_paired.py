"""Ratios prompt by prompt, drawn."""

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from harness.report import svg
from harness.report.plot_axes import NARROW_IN, canvas_of, dress, ratio_axis
from harness.report.plotdata import PairedPlot

_ROW_IN = 0.19
_BREAK_ROWS = 1.5  # between both ends of very many prompts
_ROOM = 1.08


def draw_paired(plot: PairedPlot) -> Canvas:
    """Draw a row per prompt, and the median over prompts as a line with its interval as a band."""
    heights = rows_of(plot)
    canvas = canvas_of(NARROW_IN, (max(heights) + 1) * _ROW_IN + 1.1)
    axes = canvas.subplots()
    dress(axes)
    low, high = _limits(plot)
    ratio_axis(axes, low, high)
    axes.set_ylim(max(heights) + 0.6, -0.6)
    axes.set_yticks(heights, [point.label for point in plot.points], fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    axes.axvline(1.0, color=svg.MUTED, linewidth=1.2)
    _draw_median(axes, plot)
    if plot.margin:
        axes.axvline(plot.margin, color=svg.BAD, linewidth=1.4, linestyle=(0, (4, 3)), label="margin of the p50 gate")
    if plot.n_between:
        axes.text(low, (heights[len(heights) // 2 - 1] + heights[len(heights) // 2]) / 2, _between(plot), va="center")
    for height, point in zip(heights, plot.points, strict=True):
        _draw_ratio(axes, height, point.ratio, (low, high))
    axes.set_xlabel(plot.x_label, color=svg.INK)
    if plot.margin or plot.median:
        canvas.legend(loc="outside upper left", frameon=False, labelcolor=svg.INK)
    return canvas


def rows_of(plot: PairedPlot) -> list[float]:
    """Give each prompt's height; prompts that are not drawn leave a break in the middle."""
    half = len(plot.points) // 2
    return [row + (_BREAK_ROWS if plot.n_between and row >= half else 0.0) for row in range(len(plot.points))]


def _between(plot: PairedPlot) -> str:
    return f"  {plot.n_between:,} prompts between them"


def _limits(plot: PairedPlot) -> tuple[float, float]:
    reach = [point.ratio for point in plot.points if 0 < point.ratio < math.inf]
    reach += [end for end in (plot.margin, plot.low, plot.high, plot.median) if end]
    return min([*reach, 1.0]) / _ROOM, max([*reach, 1.0]) * _ROOM


def _draw_median(axes: Axes, plot: PairedPlot) -> None:
    if plot.low is not None and plot.high is not None:
        axes.axvspan(plot.low, plot.high, color=svg.CANDIDATE, alpha=0.14, linewidth=0)
    if plot.median is not None:
        axes.axvline(plot.median, color=svg.CANDIDATE, linewidth=1.6, label=plot.median_label)


def _draw_ratio(axes: Axes, height: float, ratio: float, limits: tuple[float, float]) -> None:
    """Draw a ratio as a mark on a stem from 1; one among failures as an arrow at its edge."""
    low, high = limits
    end = min(max(ratio, low), high)
    mark = "o" if low <= ratio <= high else ">" if ratio > high else "<"
    axes.plot([1.0, end], [height, height], color=svg.CANDIDATE, linewidth=1.4)
    axes.plot([end], [height], marker=mark, linestyle="none", color=svg.CANDIDATE, markersize=5.5, clip_on=False)
