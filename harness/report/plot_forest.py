"""The forest plot, drawn: each gate's interval against its margin, its outcome by shape."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

from harness.report import svg
from harness.report.plot_axes import canvas_of, dress, ratio_axis
from harness.report.plotdata import ForestPlot, ForestRow

_MARKS = {"PASS": ("o", svg.GOOD), "FAIL": ("X", svg.BAD), "INCONCLUSIVE": ("D", svg.WARN)}
_WIDTH_IN, _ROW_IN = 6.2, 0.34
_ROOM_FOR_WORDS = 1.7  # right of the last margin, where an unbounded effect says so
_DOWN = 0.27  # how far below its gate the reference's own noise stands, in rows
_AXES = {
    "differences": "candidate \N{MINUS SIGN} reference, points",
    "ratios": "candidate / reference, log axis",
    "shares": "the candidate's requests beyond the limit, %",
}


def draw_forest(plot: ForestPlot) -> Canvas:
    """Put differences, ratios and shares under each other, each over its own axis."""
    kinds = {kind: rows for kind in _AXES if (rows := getattr(plot, kind))}
    sizes = [len(rows) + 1.2 for rows in kinds.values()]
    canvas = canvas_of(_WIDTH_IN, sum(sizes) * _ROW_IN + 0.8)
    grid = canvas.subplots(len(kinds), 1, squeeze=False, gridspec_kw={"height_ratios": sizes})
    for place, (kind, rows) in enumerate(kinds.items()):
        _draw_panel(grid[place][0], rows, kind)
    canvas.legend(
        handles=_legend(plot), loc="outside upper left", ncols=3, frameon=False, labelcolor=svg.INK, fontsize=9
    )
    return canvas


def _legend(plot: ForestPlot) -> list[Line2D]:
    """Name the shapes that are drawn."""
    outcomes = [outcome for outcome in _MARKS if any(row.outcome == outcome for row in plot.rows)]
    found = [
        Line2D([], [], marker=_MARKS[name][0], color=_MARKS[name][1], linestyle="none", markersize=8, label=name)
        for name in outcomes
    ]
    found.append(Line2D([], [], color=svg.INK, linewidth=2.2, label="95 % interval"))
    found.append(Line2D([], [], color=svg.INK, marker="|", linestyle="none", markersize=11, label="worst case"))
    found.append(Line2D([], [], color=svg.BAD, linewidth=1.6, label="margin; beyond it shaded"))
    if any(row.noise for row in plot.rows):
        own = "reference against itself"
        found.append(
            Line2D([], [], color=svg.MUTED, marker="s", markerfacecolor="none", linestyle=":", markersize=5, label=own)
        )
    return found


def _draw_panel(axes: Axes, rows: Sequence[ForestRow], kind: str) -> None:
    dress(axes)
    is_ratio = kind == "ratios"
    low, high = _panel_limits(rows, is_ratio=is_ratio)
    if is_ratio:
        ratio_axis(axes, low, high)
    axes.set_xlim(low, high)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.axvline(1.0 if is_ratio else 0.0, color=svg.MUTED, linewidth=1.2)
    for position, row in enumerate(rows):
        _draw_row(axes, position, row, (low, high))
    axes.set_xlabel(_AXES[kind], color=svg.INK)
    _write_outcomes(axes, rows)


def _write_outcomes(axes: Axes, rows: Sequence[ForestRow]) -> None:
    """Say each outcome in words at the right edge: neither shape nor colour alone has to carry it."""
    for position, row in enumerate(rows):
        _, colour = _MARKS.get(row.outcome, ("o", svg.MUTED))
        axes.annotate(
            row.outcome,
            (1.0, position),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=8,
        )


def _panel_limits(rows: Sequence[ForestRow], *, is_ratio: bool) -> tuple[float, float]:
    ends = [
        end
        for row in rows
        for end in (row.low, row.high, row.bound, row.effect, row.margin, row.other_margin)
        if end is not None and math.isfinite(end) and (end > 0 or not is_ratio)
    ]
    if is_ratio:
        has_beyond = any(math.isinf(row.effect) for row in rows)
        return min(*ends, 1.0) / 1.15, max(*ends, 1.0) * (_ROOM_FOR_WORDS if has_beyond else 1.15)
    room = (max(*ends, 0.0) - min(*ends, 0.0)) * 0.08 or 1.0
    return min(*ends, 0.0) - room, max(*ends, 0.0) + room


def _draw_row(axes: Axes, y: int, row: ForestRow, limits: tuple[float, float]) -> None:
    """Draw the forbidden zones, the interval, the one-sided bound, the effect, the reference's own noise."""
    low, high = limits
    _draw_zone(axes, y, row.margin, high if row.is_bad_high else low)
    if row.other_margin is not None:
        _draw_zone(axes, y, row.other_margin, low if row.is_bad_high else high)
    _draw_span(axes, y, (row.low, row.high), limits)
    if row.bound is not None and low <= row.bound <= high:
        axes.plot([row.bound], [y], marker="|", color=svg.INK, markersize=11, markeredgewidth=1.6)
    _draw_noise(axes, y, row, limits)
    if not low <= row.effect <= high:
        _draw_beyond(axes, y, row, limits)
        return
    mark, colour = _MARKS.get(row.outcome, ("o", svg.MUTED))
    axes.plot([row.effect], [y], marker=mark, color=colour, markersize=8.5, markeredgecolor=svg.PAPER, clip_on=False)


def _draw_zone(axes: Axes, y: int, margin: float, edge: float) -> None:
    axes.barh(y, edge - margin, left=margin, height=0.82, color=svg.ZONE, linewidth=0)
    axes.plot([margin, margin], [y - 0.41, y + 0.41], color=svg.BAD, linewidth=1.6)


def _draw_span(axes: Axes, y: float, ends: tuple[float | None, float | None], limits: tuple[float, float]) -> None:
    """Draw an interval as far as the axis goes; an end that is not bounded reaches its edge."""
    left, right = (
        limit if end is None else min(max(end, limits[0]), limits[1]) for end, limit in zip(ends, limits, strict=True)
    )
    axes.plot([left, right], [y, y], color=svg.INK, linewidth=2.2, solid_capstyle="butt")


def _draw_noise(axes: Axes, y: int, row: ForestRow, limits: tuple[float, float]) -> None:
    """Draw the reference against itself under its gate: what no candidate could do better than."""
    noise = row.noise
    if noise is None:
        return
    ends = [end for end in (noise.low, noise.high) if end is not None]
    span = [min(max(end, limits[0]), limits[1]) for end in ends]
    axes.plot(span, [y + _DOWN] * len(span), color=svg.MUTED, linewidth=1.2, linestyle=":")
    if limits[0] <= noise.effect <= limits[1]:
        axes.plot([noise.effect], [y + _DOWN], marker="s", color=svg.MUTED, markerfacecolor=svg.PAPER, markersize=4.5)


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
