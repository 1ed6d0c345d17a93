"""Distributions at every level of load, a panel per level: levels are never mixed in one curve."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.analysis.results.levels import LevelRow
from harness.model.record import Arm, Arrival
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of, unit_of
from harness.report.page import Figure
from harness.report.plotdata import EcdfPanel
from harness.report.view_curves import curve_of, n_counted, steps_of
from harness.report.view_figures import csv_text, describe, ecdf_plot
from harness.report.view_load import level_words

if TYPE_CHECKING:
    from harness.analysis.results.estimates import Tail

_SENT, _DUE = "ttft", "ttft_from_intended"
_MOST_LINES = 500  # of a download per level and side
_CAPTION = "A panel per level over one axis. Shaded: 95\u00a0% interval of the share at each point, for these prompts."


def level_curves(rows: Sequence[LevelRow], names: Mapping[Arm, str], catalog: Catalog) -> tuple[Figure, ...]:
    """Plot TTFT at each level; none where there is one level, which the tails show."""
    if len({row.level for row in rows}) < 2:  # noqa: PLR2004  # one level is the judged one
        return ()
    is_open = any(row.arrival is not Arrival.CLOSED for row in rows)
    found = (_figure(metric, rows, names, catalog) for metric in ((_SENT, _DUE) if is_open else (_SENT,)))
    return tuple(figure for figure in found if figure is not None)


def _figure(metric: str, rows: Sequence[LevelRow], names: Mapping[Arm, str], catalog: Catalog) -> Figure | None:
    levels: dict[str, list[Tail]] = {}
    for row in rows:
        tail = row.tail(metric)
        if tail is not None and n_counted(tail, catalog):
            levels.setdefault(level_words(row), []).append(tail)
    tails = [tail for found in levels.values() for tail in found]
    if not any(tail.values for tail in tails):
        return None
    scale = fmt.scale_for(unit_of(catalog, metric), [value for tail in tails for value in tail.values])
    panels = tuple(
        EcdfPanel(title=words, curves=tuple(curve_of(tail, scale, names, catalog) for tail in found))
        for words, found in levels.items()
    )
    return Figure(
        id=f"levels-{metric.replace('_', '-')}",
        title=f"{title_of(catalog, metric)} at each level: share of requests at or below",
        description=". ".join(
            f"{words}, {describe(tail, scale, names, catalog)}" for words, found in levels.items() for tail in found
        ),
        plot=ecdf_plot(metric, scale, catalog, panels),
        csv=csv_text(
            ("level", "side", f"{metric}_{scale.symbol}", "cumulative_share", "low", "high"),
            (
                (words, tail.arm.value, step.value, step.share, step.low, step.high)
                for words, found in levels.items()
                for tail in found
                for step in steps_of(tail, n_counted(tail, catalog), scale, most=_MOST_LINES)
            ),
        ),
        caption=_CAPTION,
    )
