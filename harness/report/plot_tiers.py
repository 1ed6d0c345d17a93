"""The decode rate of each tier with its interval, drawn as a file of its own."""

from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from harness.analysis.results.published import Publication, PublishedRow
from harness.report import svg
from harness.report.plot_axes import RC, canvas_of, dress
from harness.report.publish import UNMEASURED, alternative, rate_words
from harness.report.untrusted import one_line

_WIDTH_IN, _ROW_IN, _FRAME_IN = 7.0, 0.5, 0.9
_LONGEST_NAME = 40
_ROOM = 1.5  # of the axis, in parts of the largest value: words stand behind the bars
_SVG = "http://www.w3.org/2000/svg"


def render_plot(publication: Publication) -> bytes:
    """Draw the tiers from top to bottom on an axis that begins at zero; the same publication gives the same bytes."""
    with mpl.rc_context(dict(RC)):
        canvas = canvas_of(_WIDTH_IN, len(publication.tiers) * _ROW_IN + _FRAME_IN)
        _draw(canvas.subplots(), publication)
        drawn = svg.draw(canvas, "tiers", "Decode rate by tier", alternative(publication))
    return _alone(drawn).encode() + b"\n"


def _draw(axes: Axes, publication: Publication) -> None:
    dress(axes)
    for place, tier in enumerate(publication.tiers):
        row = publication.row(tier)
        if row is None:
            axes.text(0, place, f" {UNMEASURED}", va="center", color=svg.MUTED)
        else:
            _draw_row(axes, place, row, is_stale=tier in publication.stale)
    axes.set_yticks(range(len(publication.tiers)), [one_line(tier, _LONGEST_NAME) for tier in publication.tiers])
    axes.set_ylim(len(publication.tiers) - 0.5, -0.5)
    axes.set_xlim(0, _ROOM * max((row.decode.high for row in publication.rows), default=1.0))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.set_xlabel("decode rate in one stream, tok/s: median with its 95 % interval", color=svg.INK)
    axes.tick_params(axis="y", length=0)


def _draw_row(axes: Axes, place: int, row: PublishedRow, *, is_stale: bool) -> None:
    """Draw a bar to the value, the interval at its end, the words behind it; grey where it is stale."""
    rate = row.decode
    ends = [[rate.value - rate.low], [rate.high - rate.value]]
    axes.barh(place, rate.value, height=0.5, color=svg.MUTED if is_stale else svg.REFERENCE)
    axes.errorbar([rate.value], [place], xerr=ends, color=svg.INK, linewidth=1.2, capsize=4, fmt="none")
    words = f"{rate_words(row)}{', stale' if is_stale else ''}"
    axes.annotate(words, (rate.high, place), (7, 0), textcoords="offset points", va="center", color=svg.INK)


def _alone(drawn: str) -> str:
    """Make an inline drawing a document: its namespace, a size, and paper below it, for pages of any colour."""
    root = ET.fromstring(drawn)  # noqa: S314 - our own drawing
    _, _, width, height = root.attrib["viewBox"].split()
    size = {"width": width, "height": height, "font-family": "system-ui, sans-serif"}
    root.attrib = {"xmlns": _SVG, **size, **root.attrib}
    paper = ET.Element("rect", {"width": "100%", "height": "100%", "fill": svg.PAPER})
    root.insert(2, paper)  # behind title and description
    return ET.tostring(root, encoding="unicode")


def plotted_with() -> str:
    """Name what draws: other versions of it draw the same figures by other bytes."""
    return f"matplotlib {mpl.__version__}"


def texts_of(drawing: bytes) -> tuple[str, ...]:
    """Give every text of a drawing, said or drawn, in order; empty where it is no drawing."""
    root = _root(drawing)
    return () if root is None else tuple(filter(None, (" ".join(text.split()) for text in root.itertext())))


def kinds_of(drawing: bytes) -> frozenset[str]:
    """Name the kinds of element that a drawing is made of."""
    root = _root(drawing)
    return frozenset() if root is None else frozenset(element.tag for element in root.iter())


def _root(drawing: bytes) -> ET.Element | None:
    try:
        return ET.fromstring(drawing)  # noqa: S314 - expat refuses to expand entities without end
    except ET.ParseError:
        return None
