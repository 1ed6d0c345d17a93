"""Distributions as plots with their text alternatives and downloads; or why there is none."""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.analysis.load import side_loads
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Quantile, Tail
from harness.model.record import Arm, FailureKind
from harness.report import format as fmt
from harness.report.definitions import Catalog, is_latency, title_of, unit_of
from harness.report.page import Figure, Withheld
from harness.report.plotdata import Curve, EcdfPanel, EcdfPlot
from harness.report.untrusted import visible
from harness.report.view_curves import EVERY_STEP_OF, GAP, MOST_STEPS, curve_of, n_counted, n_never, steps_of
from harness.report.view_load import level_words
from harness.report.view_manifest import sides_of

_ALWAYS = ("ttft", "decode_rate", GAP, "e2e")
_FIRST, _ANSWER = "ttft", "ttfat"
_OPEN_LOOP = ("ttft_from_intended", "e2e_effective")
_ORDER = (_FIRST, "ttft_from_intended", _ANSWER, "decode_rate", GAP, "e2e", "e2e_effective")
_MOST_LINES = 2_000  # of a download per side: gaps are many
_NO_BAND = "No interval: the gaps of one stream depend on each other."
_BAND = "Shaded: 95\u00a0% interval of the share at each point, request by request, for these prompts."
_NOTHING = "no request counts"

Names = Mapping[Arm, str]


def ecdf_figures(analysis: Analysis, names: Names, catalog: Catalog) -> tuple[Figure, ...]:
    """Give a distribution for each plotted metric that has values; only the judged level is in it."""
    found = []
    for metric in _plotted(analysis):
        tails = [tail for tail in analysis.tails if tail.metric == metric]
        if any(tail.values for tail in tails):
            cold = {tail.arm: cold_values(analysis, tail.arm, metric) for tail in tails}
            found.append(_figure(tails, cold, names, catalog, where=_at_level(analysis)))
    return tuple(found)


def withheld_figures(analysis: Analysis, names: Names, catalog: Catalog) -> tuple[Withheld, ...]:
    """Say why a metric that every page plots has no plot."""
    found = []
    for metric in _ALWAYS:
        tails = [tail for tail in analysis.tails if tail.metric == metric]
        if not any(tail.values for tail in tails):
            reasons = tuple(reason for tail in tails for reason in _why(tail, names)) or (_NOTHING,)
            found.append(Withheld(id=figure_id(metric), title=title_of(catalog, metric), reasons=reasons))
    return tuple(found)


def figure_id(metric: str) -> str:
    """Name a distribution's figure."""
    return f"ecdf-{metric.replace('_', '-')}"


def _why(tail: Tail, names: Names) -> tuple[str, ...]:
    failed = [f"{fmt.share(tail.n_failed, tail.n)} failed"] if tail.n_failed else []
    undefined = [f"{fmt.plural(n, 'request')}: {visible(reason)}" for reason, n in tail.undefined.items()]
    return (f"{_name(tail, names)}: {'; '.join(failed + undefined) or _NOTHING}",)


def _name(tail: Tail, names: Names) -> str:
    return names.get(tail.arm, tail.arm.value)


def _plotted(analysis: Analysis) -> list[str]:
    """Leave out what would repeat another plot: times from intended in a closed loop, answers that come first."""
    is_open = any(side_loads(analysis.case, side)[0].is_open_loop for side in sides_of(analysis.case))
    left_out = (() if is_open else _OPEN_LOOP) + (() if _answers_later(analysis) else (_ANSWER,))
    return [metric for metric in _ORDER if metric not in left_out]


def _answers_later(analysis: Analysis) -> bool:
    """Whether a side's visible answer comes after its first output: reasoning stands between."""
    first = {tail.arm: tail.values for tail in analysis.tails if tail.metric == _FIRST}
    return any(tail.metric == _ANSWER and tail.values != first.get(tail.arm) for tail in analysis.tails)


def _at_level(analysis: Analysis) -> str:
    """Name the judged level where there are several: no plot mixes them."""
    first = [row for row in analysis.levels if row.level == 0]
    return f" (at {level_words(first[0])})" if first and any(row.level for row in analysis.levels) else ""


def _figure(
    tails: Sequence[Tail], cold: Mapping[Arm, Sequence[float]], names: Names, catalog: Catalog, *, where: str
) -> Figure:
    metric = tails[0].metric
    scale = fmt.scale_for(unit_of(catalog, metric), [value for tail in tails for value in tail.values])
    title, is_gap = title_of(catalog, metric), metric == GAP
    drawn = [tail for tail in tails if n_counted(tail, catalog)]
    curves = tuple(curve_of(tail, scale, names, catalog, () if is_gap else cold[tail.arm]) for tail in drawn)
    what = "share at least this long" if is_gap else "share of requests at or below"
    told = [describe(tail, scale, names, catalog) for tail in tails]
    return Figure(
        id=figure_id(metric),
        title=f"{title}: {what}{where}",
        description=". ".join([*told, *([] if is_gap else _cold_words(cold, names, scale))]),
        plot=ecdf_plot(metric, scale, catalog, (EcdfPanel(title="", curves=curves),)),
        csv=csv_text(
            ("side", f"{metric}_{scale.symbol}", "share_at_least" if is_gap else "cumulative_share", "low", "high"),
            _lines(drawn, scale, catalog),
        ),
        caption=" ".join(_caption(tails, curves, names, catalog)),
    )


def ecdf_plot(metric: str, scale: fmt.Scale, catalog: Catalog, panels: tuple[EcdfPanel, ...]) -> EcdfPlot:
    """Put curves of one metric on its axes."""
    is_gap = metric == GAP
    is_log = is_gap or is_latency(catalog, metric)
    return EcdfPlot(
        x_label=f"{title_of(catalog, metric)}, {scale.symbol}{', log axis' if is_log else ''}",
        y_label="share, log axis" if is_gap else "",
        is_log=is_log,
        is_exceedance=is_gap,
        panels=panels,
    )


def cold_values(analysis: Analysis, arm: Arm, metric: str) -> list[float]:
    """Give the values of the judged level's possibly cold requests, which are in no curve."""
    cold = (
        trial
        for trial in analysis.trials
        if trial.key.arm is arm
        and not (trial.is_judged or trial.key.is_warmup or trial.key.level)
        and trial.failure != FailureKind.CANCELLED.value
    )
    values = (trial.metrics[metric].value for trial in cold if metric in trial.metrics)
    return [value for value in values if value is not None]


def _cold_words(cold: Mapping[Arm, Sequence[float]], names: Names, scale: fmt.Scale) -> list[str]:
    return [
        f"{names.get(arm, arm.value)}, possibly cold and in no curve: {', '.join(map(scale.full, sorted(values)))}"
        for arm, values in cold.items()
        if values
    ]


def _caption(tails: Sequence[Tail], curves: Sequence[Curve], names: Names, catalog: Catalog) -> Iterator[str]:
    """Say how to read the figure, and what of it is not there."""
    yield _NO_BAND if tails[0].metric == GAP else _BAND
    for tail in tails:
        never, n = n_never(tail, catalog), n_counted(tail, catalog)
        if never:
            yield f"{_name(tail, names)}: {fmt.share(never, n)} failed; the curve ends at {_end(never, n)}."
        elif not tail.values:
            yield f"No curve of {_why(tail, names)[0]}."
    if any(curve.cold for curve in curves):
        yield "Marks under the axis: possibly cold requests, in no curve."
    most = max(len(tail.values) for tail in tails)
    if most > MOST_STEPS:
        yield f"Drawn at {MOST_STEPS} of up to {most:,} values, among them all of the {EVERY_STEP_OF} at either end."


def _end(never: int, n: int) -> str:
    return fmt.percent((n - never) / n)


def describe(tail: Tail, scale: fmt.Scale, names: Names, catalog: Catalog) -> str:
    """Give a side's main numbers in words."""
    n, never = n_counted(tail, catalog), n_never(tail, catalog)
    side = f"{tail.arm.value} {_name(tail, names)} (n {fmt.count(n)})"
    if not tail.values:
        return f"{side}: no request has a value" + (f"; all {n:,} never arrive" if never else "")
    span = f"from {scale.number(tail.values[0])} to {scale.full(tail.values[-1])}"
    levels = filter(None, (_quantile(quantile, scale) for quantile in tail.quantiles))
    return f"{side}: {', '.join([span, *levels])}" + (f"; {fmt.share(never, n)} never arrive" if never else "")


def _quantile(quantile: Quantile, scale: fmt.Scale) -> str:
    name, value = fmt.quantile_name(quantile.q), quantile.value.value
    if value is None:
        reason = quantile.value.reason or ""
        return f"{name} {visible(reason)}" if reason.startswith((">", fmt.UNATTAINABLE)) else ""
    found = quantile.interval
    ends = f" ({fmt.level(found)}: {fmt.bounds(found, scale)})" if found else ""
    return f"{name} {scale.full(value)}{ends}"


def _lines(tails: Sequence[Tail], scale: fmt.Scale, catalog: Catalog) -> Iterator[tuple[object, ...]]:
    for tail in tails:
        for step in steps_of(tail, n_counted(tail, catalog), scale, most=_MOST_LINES):
            yield tail.arm.value, step.value, step.share, step.low, step.high


def csv_text(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a figure's numbers; what is not finite in words, what there is not as nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_field(value) for value in row] for row in rows)
    return out.getvalue()


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.7g}" if math.isfinite(value) else "unbounded"
    return str(value)
