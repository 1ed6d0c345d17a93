"""Figures drawn from their data."""

from collections.abc import Callable, Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure as Canvas

from harness.report import svg
from harness.report.page import Figure
from harness.report.plot_axes import RC
from harness.report.plot_curves import draw_ecdf, draw_survival
from harness.report.plot_forest import draw_forest
from harness.report.plot_load import draw_saturation
from harness.report.plot_overtime import draw_overtime
from harness.report.plot_paired import draw_paired
from harness.report.plotdata import EcdfPlot, ForestPlot, PairedPlot, SaturationPlot, SurvivalPlot, TimedPlot

_DRAWN_BY: Mapping[type, Callable[[Any], Canvas]] = {
    EcdfPlot: draw_ecdf,
    ForestPlot: draw_forest,
    PairedPlot: draw_paired,
    SaturationPlot: draw_saturation,
    SurvivalPlot: draw_survival,
    TimedPlot: draw_overtime,
}


def draw_figure(figure: Figure) -> str:
    """Draw a figure as inline SVG; the same data give the same bytes."""
    with mpl.rc_context(dict(RC)):
        canvas = _DRAWN_BY[type(figure.plot)](figure.plot)
        return svg.draw(canvas, f"fig-{figure.id}", figure.title, figure.description)
