"""Plots as data: their curves, text alternatives, downloads."""

import csv
import io
import math
from collections.abc import Iterable, Sequence

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Tail
from harness.analysis.results.gate import Gate, GateKind
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.definitions import Catalog, is_latency, title_of, unit_of
from harness.report.page import Curve, EcdfPlot, Figure, ForestPlot, ForestRow, PairedPlot, PairedPoint
from harness.report.untrusted import one_line
from harness.report.view_verdict import in_order, signed_margin

PLOTTED = ("ttft", "decode_rate", "e2e")
_POINTS = 100.0
_LABEL = 36  # characters of a name beside a plot


def ecdf_figures(analysis: Analysis, names: dict[Arm, str], catalog: Catalog) -> tuple[Figure, ...]:
    """Give a cumulative distribution for each plotted metric that has values."""
    found = []
    for metric in PLOTTED:
        tails = [tail for tail in analysis.tails if tail.metric == metric]
        if any(tail.values for tail in tails):
            found.append(_ecdf(metric, tails, names, catalog))
    return tuple(found)


def _ecdf(metric: str, tails: list[Tail], names: dict[Arm, str], catalog: Catalog) -> Figure:
    scale = fmt.scale_for(unit_of(catalog, metric), [value for tail in tails for value in tail.values])
    title = title_of(catalog, metric)
    drawn = [_curve(tail, scale, names, counts_failures=is_latency(catalog, metric)) for tail in tails]
    curves = tuple(curve for curve in drawn if curve.n)
    is_log = is_latency(catalog, metric)
    return Figure(
        id=f"ecdf-{metric.replace('_', '-')}",
        title=f"{title}: share of requests at or below",
        description=". ".join(_describe(curve, scale) for curve in curves),
        plot=EcdfPlot(x_label=f"{title}, {scale.symbol}{', log axis' if is_log else ''}", is_log=is_log, curves=curves),
        csv=csv_text(
            ("side", f"{metric}_{scale.symbol}", "cumulative_share"),
            ((curve.arm, value, (rank + 1) / curve.n) for curve in curves for rank, value in enumerate(curve.values)),
        ),
    )


def _curve(tail: Tail, scale: fmt.Scale, names: dict[Arm, str], *, counts_failures: bool) -> Curve:
    never = tail.n_failed if counts_failures else 0
    n = len(tail.values) + never
    failed = f", {fmt.plural(never, 'failure')}" if never else ""
    return Curve(
        arm=tail.arm.value,
        label=f"{one_line(names.get(tail.arm, tail.arm.value), _LABEL)} (n {fmt.count(n)}{failed})",
        values=tuple(value * scale.factor for value in tail.values),
        n=n,
        n_never=never,
    )


def _describe(curve: Curve, scale: fmt.Scale) -> str:
    if not curve.values:
        return f"{curve.arm} {curve.label}: no request has a value; all {curve.n:,} never arrive"
    middle = curve.values[(len(curve.values) - 1) // 2]
    never = f"; {fmt.share(curve.n_never, curve.n)} never arrive" if curve.n_never else ""
    span = f"from {fmt.decimal(curve.values[0], scale.decimals)} to {fmt.decimal(curve.values[-1], scale.decimals)}"
    return (
        f"{curve.arm} {curve.label}: {span} {scale.symbol}, middle value {fmt.decimal(middle, scale.decimals)}{never}"
    )


def forest_figure(gates: Iterable[Gate]) -> Figure | None:
    """Give the gates that have an effect, as rows of two axes."""
    shown = [gate for gate in in_order(gates) if gate.effect.value is not None]
    if not shown:
        return None
    differences = tuple(_forest_row(gate, _POINTS) for gate in shown if gate.kind is GateKind.DIFFERENCE)
    ratios = tuple(_forest_row(gate, 1.0) for gate in shown if gate.kind is GateKind.RATIO)
    return Figure(
        id="forest",
        title="Effects against their margins",
        description=". ".join(map(_describe_row, differences + ratios)),
        plot=ForestPlot(differences=differences, ratios=ratios),
        csv=csv_text(
            ("gate", "outcome", "effect", "low", "high", "worst_case", "margin"),
            (
                (row.label, row.outcome, row.effect, row.low, row.high, row.bound, row.margin)
                for row in differences + ratios
            ),
        ),
    )


def _forest_row(gate: Gate, factor: float) -> ForestRow:
    effect = gate.effect.value
    if effect is None:
        raise ValueError(gate.id)
    return ForestRow(
        label=gate.title if gate.is_required else f"{gate.title} (informative)",
        outcome=gate.outcome.value,
        effect=effect * factor,
        low=_times(gate.interval.low if gate.interval else None, factor),
        high=_times(gate.interval.high if gate.interval else None, factor),
        bound=_times(gate.bound, factor),
        margin=signed_margin(gate) * factor,
        is_bad_high=not gate.higher_is_better,
    )


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _describe_row(row: ForestRow) -> str:
    ends = (row.low, row.high)
    span = " to ".join("no bound" if end is None else fmt.decimal(end, 2) for end in ends)
    effect, margin = fmt.decimal(row.effect, 2), fmt.decimal(row.margin, 2)
    return f"{row.label}: {row.outcome}, effect {effect} ({span}), allowed {margin}"


def paired_figure(analysis: Analysis) -> Figure | None:
    """Give each prompt's TTFT ratio, largest first."""
    pairs = [
        PairedPoint(label=one_line(row.prompt_id, _LABEL), ratio=row.ttft_ratio.value)
        for row in analysis.prompts
        if row.ttft_ratio.value is not None and 0 < row.ttft_ratio.value < math.inf
    ]
    if not pairs or analysis.judgement is None:
        return None
    ordered = tuple(sorted(pairs, key=lambda point: -point.ratio))
    slower = sum(point.ratio > 1 for point in ordered)
    without = len(analysis.prompts) - len(ordered)
    return Figure(
        id="paired-ttft",
        title="TTFT of each prompt: candidate over reference",
        description=(
            f"{slower} of {len(ordered)} prompts are slower on the candidate; from {ordered[-1].label} "
            f"{fmt.ratio(ordered[-1].ratio)} to {ordered[0].label} {fmt.ratio(ordered[0].ratio)}"
            + (f"; {fmt.plural(without, 'prompt')} without a ratio" if without else "")
        ),
        plot=PairedPlot(
            x_label="ratio of medians, log axis", margin=_ttft_margin(analysis.judgement.gates), points=ordered
        ),
        csv=csv_text(("prompt", "ttft_ratio"), ((point.label, point.ratio) for point in ordered)),
    )


def _ttft_margin(gates: Iterable[Gate]) -> float | None:
    return next((gate.margin for gate in gates if gate.id == "ttft_p50"), None)


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
        return f"{value:.9g}" if math.isfinite(value) else "unbounded"
    return str(value)
