"""The few figures of the first screen and of the terminal: medians, tail, rates."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Quantile, Tail
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.instrument import VOID_FIGURE
from harness.analysis.results.judgement import Verdict
from harness.analysis.results.prompts import PromptSide
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of, unit_of
from harness.report.page import Headline
from harness.report.view_tails import quantile_cell
from harness.report.view_verdict import gate_view, in_order
from harness.report.view_waking import cold_run, waking_headlines

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


def headlines(analysis: Analysis, catalog: Catalog) -> tuple[Headline, ...]:
    """Give the tiles: none of an INVALID run, and no timing of a run whose timings are VOID."""
    judgement = analysis.judgement
    if judgement is not None and judgement.verdict is Verdict.INVALID:
        return ()
    if judgement is None and (path := cold_run(analysis.cold)) is not None:
        return waking_headlines(path)
    if judgement is None:
        return side_headlines(analysis, catalog, is_void=analysis.certificate.is_void)
    return gate_headlines(judgement.gates, catalog)


def gate_rows(analysis: Analysis, catalog: Catalog) -> tuple[Headline, ...]:
    """Give every gate that is required and applies or that failed, or all where none is; none of an INVALID run."""
    judgement = analysis.judgement
    if judgement is None or judgement.verdict is Verdict.INVALID:
        return ()
    asked = [gate for gate in judgement.gates if gate.outcome is not Outcome.NOT_APPLICABLE]
    shown = [gate for gate in asked if gate.is_required or gate.outcome is Outcome.FAIL] or asked
    return tuple(_with_role(_of_gate(gate, catalog), gate) for gate in shown)


def _with_role(head: Headline, gate: Gate) -> Headline:
    """Tell a failure that decides nothing from one that does."""
    is_told = gate.is_required or gate.outcome is not Outcome.FAIL
    return head if is_told else replace(head, label=f"{head.label} (informative)")


def gate_headlines(gates: Sequence[Gate], catalog: Catalog) -> tuple[Headline, ...]:
    """Give the gates that everyone asks for, and every other required one that did not pass."""
    asked = {gate.id: gate for gate in gates if gate.outcome is not Outcome.NOT_APPLICABLE}
    chosen = [asked[gate_id] for gate_id in _GATES if gate_id in asked]
    open_ones = [
        gate
        for gate in in_order(asked.values())
        if gate.is_required and gate.outcome is not Outcome.PASS and gate not in chosen
    ]
    shown = (chosen + open_ones)[:_MOST]
    return tuple(_of_gate(gate, catalog) for gate in shown)


def _void(head: Headline) -> Headline:
    """Keep what was asked and leave the figures out: nobody is to read them as if they counted."""
    return replace(
        head,
        value=fmt.DASH,
        interval=VOID_FIGURE,
        has_interval=False,
        sides="",
        worst="",
        noise="",
        word="VOID",
        icon="!",
        tone="void",
    )


def _of_gate(gate: Gate, catalog: Catalog) -> Headline:
    view, is_rate = gate_view(gate, catalog), gate.kind is GateKind.DIFFERENCE
    is_infinite = gate.effect.value is not None and math.isinf(gate.effect.value)
    told = Headline(
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
        margin_used=margin_used(gate),
        is_worse_inside=gate.is_measurably_worse,
        is_same=gate.effect.value == (1.0 if gate.kind is GateKind.RATIO else 0.0),
    )
    return _void(told) if gate.is_void else told


def margin_used(gate: Gate) -> float:
    """Give the worst case as a share of what is allowed, 1 at the margin; of a ratio, of its logarithm."""
    if gate.bound is None or not gate.margin or (gate.kind is GateKind.RATIO and gate.margin == 1):
        return 1.0
    if gate.kind is not GateKind.RATIO:
        return (-gate.bound if gate.higher_is_better else gate.bound) / abs(gate.margin)
    if gate.bound <= 0 or not math.isfinite(gate.bound):
        return math.inf if gate.outcome is not Outcome.PASS else 1.0
    used = math.log(gate.bound) / math.log(gate.margin)
    return abs(used) if gate.is_two_sided else used


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


def side_headlines(analysis: Analysis, catalog: Catalog, *, is_void: bool = False) -> tuple[Headline, ...]:
    """Give one endpoint's own figures: quantiles with their intervals, success counts."""
    tails = {tail.metric: tail for tail in analysis.tails if tail.arm is analysis.case.reference.arm}
    quantiles = [
        _of_quantile(tails[metric], quantile, catalog)
        for metric, q in _QUANTILES
        if metric in tails and tails[metric].n and (quantile := _at(tails[metric].quantiles, q)) is not None
    ]
    return (*(map(_void, quantiles) if is_void else quantiles), *_counts(analysis))


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
