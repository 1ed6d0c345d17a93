"""Distributions as tables: quantiles with their intervals, n, and what has no value."""

from collections.abc import Iterable, Iterator, Mapping

from harness.analysis.load import side_loads
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Quantile, Tail, Value
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of, unit_of, worst_title
from harness.report.page import Cell, Column, Table
from harness.report.untrusted import visible
from harness.report.view_manifest import sides_of

FIRST = ("ttft", "ttft_from_intended", "decode_rate", "e2e", "e2e_effective")  # the rest stands behind a fold
_FULL_LOAD = "Full load: from the first instant with as many requests in flight as asked to the last"
_FULL_RATE = "Full load: from the end of the ramp to the last request that was due"
_DUE = ("ttft_from_intended", "e2e_effective")


def tail_tables(analysis: Analysis, names: dict[Arm, str], catalog: Catalog) -> dict[str, Table]:
    """Give one table per metric, a row per side; times from intended are an open loop's."""
    is_open = any(side_loads(analysis.case, side)[0].is_open_loop for side in sides_of(analysis.case))
    metrics = [
        metric for metric in dict.fromkeys(tail.metric for tail in analysis.tails) if is_open or metric not in _DUE
    ]
    return {
        metric: _table(metric, [tail for tail in analysis.tails if tail.metric == metric], names, catalog)
        for metric in metrics
    }


def _table(metric: str, tails: list[Tail], names: dict[Arm, str], catalog: Catalog) -> Table:
    scale = fmt.scale_for(unit_of(catalog, metric), _sizes(tails))
    levels = sorted({quantile.q for tail in tails for quantile in tail.quantiles})
    return Table(
        caption=f"{title_of(catalog, metric)}, {scale.symbol}" if scale.symbol else title_of(catalog, metric),
        columns=(
            Column(title="side", is_number=False),
            Column(title="n", hint="samples, failures included"),
            Column(title="failed"),
            *(Column(title=fmt.quantile_name(q)) for q in levels),
            Column(title=worst_title(catalog, metric)),
        ),
        rows=tuple(_row(tail, levels, scale, names) for tail in tails),
        notes=_notes(tails, names),
    )


def _notes(tails: list[Tail], names: dict[Arm, str]) -> tuple[str, ...]:
    """Say once what has no value and why, naming the side only where the sides differ."""
    said: dict[str, list[str]] = {}
    for tail in tails:
        for line in _missing(tail):
            said.setdefault(line, []).append(names.get(tail.arm, tail.arm.value))
    return tuple(line if len(sides) == len(tails) else f"{', '.join(sides)}: {line}" for line, sides in said.items())


def _missing(tail: Tail) -> Iterator[str]:
    unsaid: dict[str, list[str]] = {}
    for quantile in sorted(tail.quantiles, key=lambda quantile: quantile.q):
        if quantile.value.reason is not None and _beyond(quantile.value.reason) is None:
            unsaid.setdefault(quantile.value.reason, []).append(fmt.quantile_name(quantile.q))
    for reason, names in unsaid.items():
        yield visible(reason if names[0] in reason else f"{', '.join(names)}: {reason}")
    for reason, n in tail.undefined.items():
        yield f"{fmt.plural(n, 'request')} without a value: {visible(reason)}"


def _sizes(tails: Iterable[Tail]) -> list[float]:
    """Give what a row's unit is chosen from: the samples, as the plot does, else the quantiles."""
    values = [value for tail in tails for value in tail.values]
    return values or _defined(quantile.value.value for tail in tails for quantile in tail.quantiles)


def _row(tail: Tail, levels: list[float], scale: fmt.Scale, names: dict[Arm, str]) -> tuple[Cell, ...]:
    by_level = {quantile.q: quantile for quantile in tail.quantiles}
    return (
        side_cell(tail.arm, names),
        Cell(text=fmt.count(tail.n)),
        Cell(text=fmt.count(tail.n_failed), tone="bad" if tail.n_failed else "plain"),
        *(quantile_cell(by_level.get(q), tail, scale) for q in levels),
        Cell(text=fmt.DASH if tail.worst is None else scale.number(tail.worst)),
    )


def quantile_cell(quantile: Quantile | None, tail: Tail, scale: fmt.Scale) -> Cell:
    """Write a quantile with its interval, or what stands in its place."""
    if quantile is None:
        return Cell(text="", tone="muted")
    if quantile.value.value is None:
        return _beyond(quantile.value.reason or "") or Cell(text=fmt.DASH, tone="muted")
    if quantile.value.value == float("inf"):
        return Cell(text=fmt.UNATTAINABLE, detail=f"{tail.n_failed:,} of {tail.n:,} failed", tone="bad")
    detail = fmt.bounds(quantile.interval, scale) if quantile.interval else "no interval"
    return Cell(text=scale.number(quantile.value.value), detail=detail)


def _beyond(reason: str) -> Cell | None:
    """Give the cell of a quantile that falls among failures or timeouts; None for any other reason."""
    head, _, evidence = reason.partition(" (")
    if head != fmt.UNATTAINABLE and not head.startswith(">"):
        return None
    return Cell(text=visible(head), detail=visible(evidence.removesuffix(")")), tone="bad")


def throughput_table(analysis: Analysis, names: dict[Arm, str]) -> Table | None:
    """Give what the judged level as a whole moved, which is not one stream's decode rate."""
    found = analysis.throughput
    if not found:
        return None
    loads = side_loads(analysis.case, analysis.case.candidate or analysis.case.reference)
    whole, where = ("level", " at the judged level") if len(loads) > 1 else ("run", "")
    full = _FULL_RATE if loads[0].is_open_loop else _FULL_LOAD
    rates = [rate for item in found for rate in (item.steady_output_tokens_per_s, item.output_tokens_per_s)]
    tokens = fmt.scale_for("tok/s", _defined(rate.value for rate in rates))
    requests = fmt.scale_for("requests/s", _defined(item.requests_per_s.value for item in found))
    return Table(
        caption=f"System throughput{where}, all streams together",
        columns=(
            Column(title="side", is_number=False),
            Column(title="output tok/s at full load"),
            Column(title=f"output tok/s, whole {whole}"),
            Column(title=f"requests/s, whole {whole}"),
        ),
        rows=tuple(
            (
                side_cell(item.arm, names),
                _rate(item.steady_output_tokens_per_s, tokens),
                _rate(item.output_tokens_per_s, tokens),
                _rate(item.requests_per_s, requests),
            )
            for item in found
        ),
        notes=(f"{full}. The whole {whole} begins and ends with {'less' if loads[0].is_open_loop else 'fewer'}.",),
    )


def side_cell(arm: Arm, names: Mapping[Arm, str]) -> Cell:
    """Name a side; its role only where there are two."""
    return Cell(text=names.get(arm, arm.value), detail=arm.value if len(names) > 1 else "")


def _rate(value: Value, scale: fmt.Scale) -> Cell:
    if value.value is None:
        return Cell(text=fmt.DASH, detail=value.reason or "", tone="muted")
    return Cell(text=scale.number(value.value))


def _defined(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
