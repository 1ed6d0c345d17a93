"""Gates as a forest plot: effects with their intervals, against margins and the reference's own noise."""

from collections.abc import Iterable, Sequence

from harness.analysis.results.gate import Gate, GateKind
from harness.analysis.results.instrument import VOID_FIGURE
from harness.report import format as fmt
from harness.report.page import Figure
from harness.report.plotdata import ForestPlot, ForestRow, NoiseMark
from harness.report.untrusted import visible
from harness.report.view_figures import csv_text
from harness.report.view_verdict import in_order, signed_margin

_POINTS = 100.0
_IN_POINTS = (GateKind.DIFFERENCE, GateKind.DISAGREEMENT)
_HEADS = (
    *("gate", "outcome", "effect", "low", "high", "worst_case", "margin", "other_margin"),
    *("against_itself", "itself_low", "itself_high", "itself_from"),
)


def forest_figure(gates: Iterable[Gate]) -> Figure | None:
    """Give the gates that have an effect, as rows of up to three axes."""
    ordered = in_order(gates)
    shown = [gate for gate in ordered if _is_drawn(gate)]
    if not shown:
        return None
    plot = ForestPlot(
        differences=tuple(_row(gate, _POINTS) for gate in shown if gate.kind in _IN_POINTS),
        ratios=tuple(_row(gate, 1.0) for gate in shown if gate.kind is GateKind.RATIO),
        shares=tuple(_row(gate, _POINTS) for gate in shown if gate.kind is GateKind.SHARE),
    )
    return Figure(
        id="forest",
        title="Effects against their margins",
        description=". ".join(map(_describe, plot.rows)),
        plot=plot,
        csv=csv_text(_HEADS, map(_fields, plot.rows)),
        caption=_caption([gate for gate in ordered if not _is_drawn(gate)]),
    )


def _is_drawn(gate: Gate) -> bool:
    return gate.effect.value is not None and not gate.is_void


def _row(gate: Gate, factor: float) -> ForestRow:
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
        margin=_margin(gate) * factor,
        other_margin=_other_margin(gate, factor),
        is_bad_high=gate.is_two_sided or not gate.higher_is_better,
        noise=_noise(gate, factor),
    )


def _margin(gate: Gate) -> float:
    """Where either direction is a loss, the upper one of both limits."""
    if gate.is_two_sided and gate.kind is GateKind.RATIO:
        return max(gate.margin, 1 / gate.margin)
    return abs(gate.margin) if gate.is_two_sided else signed_margin(gate)


def _other_margin(gate: Gate, factor: float) -> float | None:
    if not gate.is_two_sided:
        return None
    return 1 / _margin(gate) if gate.kind is GateKind.RATIO else -_margin(gate) * factor


def _noise(gate: Gate, factor: float) -> NoiseMark | None:
    noise = gate.noise
    if noise is None or noise.effect.value is None:
        return None
    return NoiseMark(
        source=noise.source,
        effect=noise.effect.value * factor,
        low=_times(noise.interval.low if noise.interval else None, factor),
        high=_times(noise.interval.high if noise.interval else None, factor),
    )


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _describe(row: ForestRow) -> str:
    allowed = fmt.decimal(row.margin, 2)
    if row.other_margin is not None:
        allowed = f"{fmt.decimal(row.other_margin, 2)} to {allowed}"
    told = f"{row.label}: {row.outcome}, effect {_spread(row.effect, row.low, row.high)}, allowed {allowed}"
    if row.noise is None:
        return told
    own = _spread(row.noise.effect, row.noise.low, row.noise.high)
    return f"{told}; the reference against itself ({row.noise.source}) {own}"


def _spread(effect: float, low: float | None, high: float | None) -> str:
    ends = " to ".join("no bound" if end is None else fmt.decimal(end, 2) for end in (low, high))
    return f"{fmt.decimal(effect, 2)} ({ends})"


def _fields(row: ForestRow) -> Sequence[object]:
    noise = row.noise
    own = (None, None, None, None) if noise is None else (noise.effect, noise.low, noise.high, noise.source)
    return (row.label, row.outcome, row.effect, row.low, row.high, row.bound, row.margin, row.other_margin, *own)


def _caption(unseen: Sequence[Gate]) -> str:
    """Say which gates have nothing to draw, and why."""
    told = [f"{gate.title} ({VOID_FIGURE if gate.is_void else visible(gate.effect.reason or '')})" for gate in unseen]
    return f"Not drawn, without an effect: {'; '.join(told)}." if told else ""
