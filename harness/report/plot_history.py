"""A figure over the runs of a ledger, drawn."""

from datetime import UTC, datetime

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

from harness.report import svg
from harness.report.historyview import HistoryPlot, PlottedRun
from harness.report.plot_axes import RC, canvas_of, dress

_WIDTH_IN, _HEIGHT_IN = 9.4, 3.4
_GAP_AT = 0.03  # height of a gap's mark, as a share of the axis


def draw_history(plot: HistoryPlot, name: str, title: str, description: str) -> str:
    """Draw the runs at their starts with their intervals, gaps at the foot, means between steps, the baseline."""
    with mpl.rc_context(dict(RC)):
        canvas = canvas_of(_WIDTH_IN, _HEIGHT_IN)
        axes = canvas.subplots()
        dress(axes, keep=("left", "bottom"))
        axes.grid(visible=True, axis="y", color=svg.GRID, linewidth=0.7)
        _draw_runs(axes, [run for run in plot.runs if run.value is not None])
        _draw_gaps(axes, [run for run in plot.runs if run.value is None])
        _draw_steps(axes, plot)
        if plot.baseline is not None:
            axes.axhline(plot.baseline, color=svg.GOOD, linewidth=1.2, linestyle=(0, (4, 3)), label="baseline")
        _dress_time(axes)
        axes.set_ylabel(plot.y_label, color=svg.INK)
        canvas.legend(loc="outside upper left", frameon=False, labelcolor=svg.INK, ncols=5)
        return svg.draw(canvas, name, title, description)


def _day(at: datetime) -> float:
    return float(date2num(at))  # type: ignore[no-untyped-call]  # matplotlib's dates


def _draw_runs(axes: Axes, runs: list[PlottedRun]) -> None:
    at = [_day(run.started_at) for run in runs]
    values = np.array([run.value for run in runs], dtype=float)
    ends = np.array([[run.value if end is None else end for end in (run.low, run.high)] for run in runs], dtype=float)
    if runs:
        errors = np.abs(ends.T - values)
        axes.errorbar(at, values, yerr=errors, fmt="none", ecolor=svg.MUTED, elinewidth=0.9, alpha=0.7)
    axes.plot(at, values, "o", color=svg.REFERENCE, markersize=4, label="run, with its own 95 % interval")


def _draw_gaps(axes: Axes, gaps: list[PlottedRun]) -> None:
    if gaps:
        where = axes.get_xaxis_transform()
        at = [_day(run.started_at) for run in gaps]
        axes.plot(at, [_GAP_AT] * len(gaps), "x", color=svg.WARN, transform=where, markersize=5, label="gap")


def _draw_steps(axes: Axes, plot: HistoryPlot) -> None:
    for number, level in enumerate(plot.levels):
        ends = [_day(level.since), _day(level.until)]
        label = "mean between steps" if number == 0 else None
        axes.plot(ends, [level.mean] * 2, color=svg.CANDIDATE, linewidth=1.8, label=label)
    for number, level in enumerate(plot.levels[1:]):
        label = "step" if number == 0 else None
        axes.axvline(_day(level.since), color=svg.INK, linewidth=0.9, linestyle=(0, (1, 2)), label=label)


def _dress_time(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=9, tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set_color(svg.MUTED)
    axes.margins(y=0.12)
