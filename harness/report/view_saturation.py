"""The saturation plot as data: what each level of load brought each side."""

import math
from collections.abc import Iterator, Mapping, Sequence

from harness.analysis.knees import is_steady_everywhere, level_throughput
from harness.analysis.results.estimates import Quantile, Value
from harness.analysis.results.levels import LevelRow
from harness.model.record import Arm, Arrival
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of, unit_of
from harness.report.page import Figure
from harness.report.plotdata import LoadLine, LoadPanel, LoadPoint, SaturationPlot
from harness.report.untrusted import one_line
from harness.report.view_figures import csv_text
from harness.report.view_load import unit_words

_LABEL = 36  # characters of a name beside a plot
_QUANTILES = (0.95, 0.5)
_TTFT, _DUE = "ttft", "ttft_from_intended"
_FIGURES = ((_TTFT, 0.5), (_TTFT, 0.95), (_DUE, 0.5), (_DUE, 0.95))


def shown_throughput(rows: Sequence[LevelRow]) -> list[Value]:
    """Give each row's output tokens per second: at full load if every row has it, else all over the whole level."""
    is_steady = is_steady_everywhere(rows)
    return [level_throughput(row, is_steady=is_steady) for row in rows]


def level_figure(rows: Sequence[LevelRow], names: Mapping[Arm, str], catalog: Catalog) -> Figure | None:
    """Plot throughput and TTFT over the load asked; None where there is one load only."""
    loads = tuple(sorted({row.asked for row in rows}))
    if len(loads) < 2:  # noqa: PLR2004  # a line needs two points
        return None
    panels = tuple(_panels(rows, names, catalog))
    is_closed = all(row.arrival is Arrival.CLOSED for row in rows)
    unit = "requests in flight" if is_closed else unit_words(Arrival.POISSON)
    return Figure(
        id="saturation",
        title="Throughput and TTFT at each load",
        description=" ".join(_described(panel) for panel in panels),
        plot=SaturationPlot(
            x_label=f"load asked of each side, {unit}{', log axis' if is_closed else ''}",
            is_log=is_closed,
            loads=loads,
            panels=panels,
        ),
        csv=_numbers(rows),
    )


def _panels(rows: Sequence[LevelRow], names: Mapping[Arm, str], catalog: Catalog) -> Iterator[LoadPanel]:
    label = "at full load" if is_steady_everywhere(rows) else "whole level"
    values = shown_throughput(rows)
    lines = {
        arm: [
            LoadPoint(load=row.asked, value=value.value)
            for row, value in zip(rows, values, strict=True)
            if row.arm is arm
        ]
        for arm in _arms(rows)
    }
    yield LoadPanel(
        y_label=f"output tok/s, {label}",
        is_log=False,
        lines=tuple(_line(arm, points, _name(arm, names)) for arm, points in lines.items()),
    )
    metrics = (_TTFT, _DUE) if any(row.arrival is not Arrival.CLOSED for row in rows) else (_TTFT,)
    for metric in metrics:
        yield _latency_panel(metric, rows, names, catalog)


def _latency_panel(metric: str, rows: Sequence[LevelRow], names: Mapping[Arm, str], catalog: Catalog) -> LoadPanel:
    found = [row.quantile(metric, q) for row in rows for q in _QUANTILES]
    scale = fmt.scale_for(unit_of(catalog, metric), _values(found))
    lines = tuple(
        _line(
            arm,
            [_point(row, row.quantile(metric, q), scale) for row in rows if row.arm is arm],
            f"{_name(arm, names)} {fmt.quantile_name(q)}",
            is_main=q == _QUANTILES[0],
        )
        for arm in _arms(rows)
        for q in _QUANTILES
    )
    return LoadPanel(y_label=f"{title_of(catalog, metric)}, {scale.symbol}, log axis", is_log=True, lines=lines)


def _values(quantiles: Sequence[Quantile | None]) -> list[float]:
    return [found.value.value for found in quantiles if found is not None and found.value.value is not None]


def _arms(rows: Sequence[LevelRow]) -> list[Arm]:
    return list(dict.fromkeys(row.arm for row in rows))


def _name(arm: Arm, names: Mapping[Arm, str]) -> str:
    return one_line(names.get(arm, arm.value), _LABEL)


def _line(arm: Arm, points: Sequence[LoadPoint], label: str, *, is_main: bool = True) -> LoadLine:
    ordered = tuple(sorted(points, key=lambda point: point.load))
    return LoadLine(arm=arm.value, label=label, is_main=is_main, points=ordered)


def _point(row: LevelRow, found: Quantile | None, scale: fmt.Scale) -> LoadPoint:
    """Give a quantile with its interval; one among failures or timeouts has a place beyond the axis."""
    value = None if found is None else found.value.value
    if found is None or value is None or not math.isfinite(value):
        reason = "" if found is None else found.value.reason or ""
        is_beyond = value is not None or reason.startswith((">", fmt.UNATTAINABLE))
        return LoadPoint(load=row.asked, value=None, is_beyond=is_beyond)
    ends = found.interval
    return LoadPoint(
        load=row.asked,
        value=value * scale.factor,
        low=None if ends is None or ends.low is None else ends.low * scale.factor,
        high=None if ends is None or ends.high is None else ends.high * scale.factor,
    )


def _described(panel: LoadPanel) -> str:
    lines = (f"{line.label}: {', '.join(map(_told, line.points))}" for line in panel.lines)
    return f"{panel.y_label}. {'; '.join(lines)}."


def _told(point: LoadPoint) -> str:
    if point.value is None:
        return f"{'beyond the axis' if point.is_beyond else 'no value'} at {point.load:,g}"
    return f"{point.value:,.4g} at {point.load:,g}"


def _numbers(rows: Sequence[LevelRow]) -> str:
    """Write the numbers that are drawn, in seconds."""
    heads = [f"{metric}_p{q * 100:g}_s" for metric, q in _FIGURES]
    return csv_text(
        ("side", "load", "achieved", "output_tok_s", *heads),
        (
            (
                row.arm.value,
                row.asked,
                row.achieved.value,
                moved.value,
                *(None if (found := row.quantile(metric, q)) is None else found.value.value for metric, q in _FIGURES),
            )
            for row, moved in zip(rows, shown_throughput(rows), strict=True)
        ),
    )
