"""The few figures of the first screen and of the terminal: medians, tail, rates."""

import math
from collections.abc import Iterable, Iterator, Sequence

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Quantile, Tail
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.prompts import PromptSide
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of, unit_of
from harness.report.page import Headline
from harness.report.view_tails import quantile_cell
from harness.report.view_verdict import gate_view, in_order

_GATES = ("ttft_p50", "ttft_p95", "decode_p50", "tool_success", "task_success", "request_success")
_QUANTILES = (
    ("ttft", 0.5),
    ("ttft", 0.95),
    ("ttft_from_intended", 0.5),
    ("ttft_from_intended", 0.95),
    ("decode_rate", 0.5),
    ("e2e", 0.5),
)
_MOST = 8
_ARROW = " \N{RIGHTWARDS ARROW} "


def gate_headlines(gates: Sequence[Gate], catalog: Catalog) -> tuple[Headline, ...]:
    """Give the gates that everyone asks for, and every other required one that did not pass."""
    asked = {gate.id: gate for gate in gates if gate.outcome is not Outcome.NOT_APPLICABLE}
    chosen = [asked[gate_id] for gate_id in _GATES if gate_id in asked]
    open_ones = [
        gate
        for gate in in_order(asked.values())
        if gate.is_required and gate.outcome is not Outcome.PASS and gate not in chosen
    ]
    return tuple(_of_gate(gate, catalog) for gate in (chosen + open_ones)[:_MOST])


def _of_gate(gate: Gate, catalog: Catalog) -> Headline:
    view, is_rate = gate_view(gate, catalog), gate.kind is GateKind.DIFFERENCE
    is_infinite = gate.effect.value is not None and math.isinf(gate.effect.value)
    return Headline(
        label=view.title,
        value=view.effect.text,
        interval=view.effect.detail,
        has_interval=gate.effect.value is not None and gate.interval is not None and not is_infinite,
        sides=_counts_of(gate) if is_rate else _both(view.reference.text, view.candidate.text),
        worst="" if gate.bound is None or is_infinite else view.worst_case.text,
        allowed=view.allowed,
        word=view.word,
        icon=view.icon,
        tone=view.tone,
        noise=view.noise.text if gate.noise is not None and gate.noise.effect.value is not None else "",
    )


def _counts_of(gate: Gate) -> str:
    sides = ((gate.successes_reference, gate.n_reference), (gate.successes_candidate, gate.n_candidate))
    return _ARROW.join(fmt.DASH if successes is None else f"{successes:,}/{n:,}" for successes, n in sides)


def _both(reference: str, candidate: str) -> str:
    """Join two figures, saying a unit that they share once; nothing where neither side has one."""
    if reference == candidate == fmt.DASH:
        return ""
    number, _, unit = reference.partition(fmt.GAP)
    is_shared = bool(unit) and candidate.endswith(f"{fmt.GAP}{unit}")
    return f"{number if is_shared else reference}{_ARROW}{candidate}"


def side_headlines(analysis: Analysis, catalog: Catalog) -> tuple[Headline, ...]:
    """Give one endpoint's own figures: quantiles with their intervals, success counts."""
    tails = {tail.metric: tail for tail in analysis.tails if tail.arm is analysis.case.reference.arm}
    quantiles = [
        _of_quantile(tails[metric], quantile, catalog)
        for metric, q in _QUANTILES
        if metric in tails and tails[metric].n and (quantile := _at(tails[metric].quantiles, q)) is not None
    ]
    return (*quantiles, *_counts(analysis))


def _at(quantiles: Iterable[Quantile], q: float) -> Quantile | None:
    return next((quantile for quantile in quantiles if quantile.q == q), None)


def _of_quantile(tail: Tail, quantile: Quantile, catalog: Catalog) -> Headline:
    label = f"{title_of(catalog, tail.metric)} {fmt.quantile_name(quantile.q)}"
    value, n = quantile.value.value, f"n {fmt.count(tail.n)}"
    scale = fmt.scale_for(unit_of(catalog, tail.metric), [] if value is None else [value])
    cell = quantile_cell(quantile, tail, scale)
    if value is None or not math.isfinite(value):
        why = cell.detail or quantile.value.reason or ""
        return Headline(label=label, value=cell.text, interval=why, has_interval=False, sides=n, tone=cell.tone)
    return Headline(
        label=label,
        value=scale.full(value),
        interval=cell.detail,
        has_interval=quantile.interval is not None,
        sides=n,
    )


def _counts(analysis: Analysis) -> Iterator[Headline]:
    judged = [trial for trial in analysis.trials if trial.is_judged]
    if analysis.economics:
        yield _share("Request success", sum(trial.failure is None for trial in judged), len(judged))
    sides = [row.reference for row in analysis.prompts]
    for label, successes in (
        ("Task success", [(side, side.task_successes) for side in sides]),
        ("Tool-call success", [(side, side.tool_successes) for side in sides]),
    ):
        known = [(side, number) for side, number in successes if number is not None]
        if known:
            yield _share(label, sum(number for _, number in known), _trials(side for side, _ in known))


def _trials(sides: Iterable[PromptSide]) -> int:
    return sum(side.n for side in sides)


def _share(label: str, part: int, whole: int) -> Headline:
    value = fmt.percent(part / whole) if whole else fmt.DASH
    return Headline(label=label, value=value, interval="", sides=f"{part:,} of {whole:,}")
