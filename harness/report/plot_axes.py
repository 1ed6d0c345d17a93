"""Axes as all plots have them: plain ticks, room for labels, the page's own colours."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from harness.report import svg

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.typing import RcKeyType

STYLES = {"reference": (svg.REFERENCE, "-"), "candidate": (svg.CANDIDATE, (0, (5, 2))), "placebo": (svg.MUTED, ":")}
MARKERS = {"reference": "o", "candidate": "^"}
NARROW_IN = 4.9  # width of what stands in a column; readable on a phone
MOST_TICKS = 7
RC: "Mapping[RcKeyType, Any]" = {
    "font.size": 9.5,
    "text.color": svg.INK,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "axes.edgecolor": svg.MUTED,
    "axes.linewidth": 0.8,
}
_NICE_RATIOS = (0.1, 0.2, 0.3, 0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0)
_STEPS = ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0,))  # ticks of a decade, densest first


def canvas_of(width_in: float, height_in: float) -> Canvas:
    """Give an empty drawing of this size, in inches; the page scales it to its column."""
    canvas = Canvas(figsize=(width_in, height_in), layout="constrained")
    canvas.patch.set_alpha(0)
    return canvas


def dress(axes: Axes, *, keep: Sequence[str] = ("bottom",)) -> None:
    """Leave of an axis what a reader needs."""
    axes.patch.set_alpha(0)
    for name, spine in axes.spines.items():
        spine.set_visible(name in keep)
    axes.tick_params(colors=svg.MUTED, labelcolor=svg.INK, length=3, which="both")
    axes.grid(visible=True, axis="x", color=svg.GRID, linewidth=0.7)
    axes.set_axisbelow(True)


def plain_log(axes: Axes, low: float, high: float) -> None:
    """Make a log axis whose ticks read 200, 500, 1,000."""
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())


def plain_log_upright(axes: Axes, low: float, high: float) -> None:
    """Make the upright axis such a one."""
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def log_ticks(low: float, high: float) -> list[float]:
    """Choose the densest round values within a log axis that still have room for their labels."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for steps in _STEPS:
        found = [tick for decade in decades for step in steps if low <= (tick := step * 10.0**decade) <= high]
        if len(found) <= MOST_TICKS:
            return found
    return found[:: -(-len(found) // MOST_TICKS)]


def ratio_axis(axes: Axes, low: float, high: float) -> None:
    """Make a log axis of ratios, with 1 among its ticks where it is in sight."""
    plain_log(axes, low, high)
    inside = [nice for nice in _NICE_RATIOS if low <= nice <= high]
    step = -(-len(inside) // MOST_TICKS) or 1
    start = inside.index(1.0) % step if 1.0 in inside else 0
    if inside:
        axes.xaxis.set_major_locator(FixedLocator(inside[start::step]))
