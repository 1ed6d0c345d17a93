"""The run over its clock, drawn: a panel per side, trouble in lanes above it."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from harness.report import svg
from harness.report.plot_axes import MARKERS, STYLES, canvas_of, dress, plain_log_upright
from harness.report.plotdata import Standing, TimedPlot, TimedSide

_WIDTH_IN, _PANEL_IN, _LANE_IN = 9.4, 1.75, 0.2
_RATE_LIMITED = "429"
_MEDIAN = "rolling median"
_STANDINGS = {Standing.COUNTED: 3.0, Standing.WARMUP: 4.2, Standing.COLD: 5.5}  # sizes


def draw_overtime(plot: TimedPlot) -> Canvas:
    """Put the sides under each other over one axis of time."""
    lanes = [lanes_of(side) for side in plot.sides]
    heights = [height for own in lanes for height in (max(len(own), 0.01) * _LANE_IN, _PANEL_IN)]
    canvas = canvas_of(_WIDTH_IN, sum(heights) + 0.8 + 0.35 * len(plot.sides))
    grid = canvas.subplots(len(heights), 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights})
    value_limits, time_limits = _limits(plot)
    for place, (side, own) in enumerate(zip(plot.sides, lanes, strict=True)):
        above, below = grid[2 * place][0], grid[2 * place + 1][0]
        _draw_lanes(above, side, own)
        _draw_points(below, side, value_limits)
        below.set_xlim(*time_limits)
        for axes in (above, below):
            _draw_boundaries(axes, side, has_names=axes is above)
            axes.tick_params(axis="x", labelbottom=axes is grid[-1][0], length=3 if axes is grid[-1][0] else 0)
    canvas.legend(
        handles=_legend(plot), loc="outside upper left", ncols=4, frameon=False, labelcolor=svg.INK, fontsize=9
    )
    canvas.supylabel(plot.y_label, color=svg.INK, fontsize=9.5)
    bottom = grid[-1][0]
    bottom.xaxis.set_major_locator(MaxNLocator(9))
    bottom.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    bottom.set_xlabel(plot.x_label, color=svg.INK)
    return canvas


def _legend(plot: TimedPlot) -> list[Line2D]:
    """Explain the marks that are there; a panel's title says whose they are."""
    standings = {point.standing for side in plot.sides for point in side.points}
    lanes = [mark for side in plot.sides for mark in side.marks]
    ended = {mark.lane.startswith(_RATE_LIMITED) for mark in lanes if mark.at == mark.until}
    shown = (
        (Standing.COUNTED in standings, _mark("o", "request")),
        (Standing.WARMUP in standings, _mark("o", "warm-up", is_hollow=True)),
        (Standing.COLD in standings, _mark("D", "possibly cold", is_hollow=True)),
        (any(side.medians for side in plot.sides), Line2D([], [], color=svg.MUTED, linewidth=2.0, label=_MEDIAN)),
        (False in ended, _mark("x", "failure, at its end", colour=svg.BAD)),
        (True in ended, _mark("v", "429, rate limited", colour=svg.BAD)),
        (any(mark.at != mark.until for mark in lanes), Line2D([], [], color=svg.WARN, linewidth=4, label="stall")),
    )
    return [handle for is_there, handle in shown if is_there]


def _mark(marker: str, label: str, *, colour: str = svg.MUTED, is_hollow: bool = False) -> Line2D:
    face = "none" if is_hollow else colour
    return Line2D([], [], linestyle="", marker=marker, color=colour, markerfacecolor=face, markersize=5, label=label)


def lanes_of(side: TimedSide) -> list[str]:
    """Give the lanes that a side needs, in the order in which they came."""
    return sorted({mark.lane for mark in side.marks}, key=lambda lane: (not lane.startswith(_RATE_LIMITED), lane))


def _limits(plot: TimedPlot) -> tuple[tuple[float, float], tuple[float, float]]:
    values = [point.value for side in plot.sides for point in side.points] or [1.0]
    times = [point.at for side in plot.sides for point in side.points]
    times += [end for side in plot.sides for mark in side.marks for end in (mark.at, mark.until)]
    room = (max(times, default=1.0) - min(times, default=0.0)) * 0.02 or 1.0
    return (min(values) * 0.85, max(values) * 1.2), (min(times, default=0.0) - room, max(times, default=1.0) + room)


def _draw_lanes(axes: Axes, side: TimedSide, lanes: Sequence[str]) -> None:
    dress(axes, keep=())
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    axes.set_yticks(range(len(lanes)), lanes, fontsize=8.5)
    axes.tick_params(axis="y", length=0)
    for height, lane in enumerate(lanes):
        marks = [mark for mark in side.marks if mark.lane == lane]
        shape = "v" if lane.startswith(_RATE_LIMITED) else "x"
        instants = [mark.at for mark in marks if mark.at == mark.until]
        axes.plot(instants, [height] * len(instants), shape, color=svg.BAD, markersize=5)
        spans = [mark for mark in marks if mark.at != mark.until]
        axes.hlines(
            [height] * len(spans), [one.at for one in spans], [one.until for one in spans], color=svg.WARN, linewidth=4
        )
    axes.set_title(
        side.label, loc="left", fontsize=10, fontweight="bold", color=svg.INK, pad=14 if side.boundaries else 4
    )


def _draw_points(axes: Axes, side: TimedSide, limits: tuple[float, float]) -> None:
    dress(axes, keep=("left", "bottom"))
    axes.grid(visible=True, axis="y", color=svg.GRID, linewidth=0.7)
    plain_log_upright(axes, *limits)
    colour, style = STYLES[side.arm]
    for standing, size in _STANDINGS.items():
        points = [point for point in side.points if point.standing is standing]
        is_counted = standing is Standing.COUNTED
        axes.plot(
            [point.at for point in points],
            [point.value for point in points],
            "D" if standing is Standing.COLD else MARKERS[side.arm],
            color=colour,
            markersize=size,
            alpha=0.5 if is_counted else 1.0,
            markerfacecolor=colour if is_counted else "none",
            markeredgewidth=0 if is_counted else 1.0,
        )
    for line in side.medians:
        axes.plot([at for at, _ in line], [value for _, value in line], color=svg.PAPER, linewidth=3.6)
        axes.plot([at for at, _ in line], [value for _, value in line], color=colour, linestyle=style, linewidth=2.0)


def _draw_boundaries(axes: Axes, side: TimedSide, *, has_names: bool) -> None:
    for boundary in side.boundaries:
        axes.axvline(boundary.at, color=svg.INK, linewidth=0.9, linestyle=(0, (1, 2)))
        if has_names:
            axes.annotate(
                boundary.label,
                (boundary.at, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(3, 3),
                textcoords="offset points",
                fontsize=8,
                color=svg.INK,
                annotation_clip=False,
            )
