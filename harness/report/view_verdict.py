"""The verdict, its gates, its validity checks: as text."""

import math
from collections.abc import Iterable

from harness.analysis.results import (
    Analysis,
    Gate,
    GateKind,
    Interval,
    Judgement,
    Outcome,
    ValidityCheck,
    Value,
    Verdict,
)
from harness.report import format as fmt
from harness.report.definitions import Catalog, unit_of
from harness.report.page import Cell, CheckView, GateView, Tone, VerdictView
from harness.report.untrusted import visible

_VERDICTS: dict[Verdict, tuple[str, Tone]] = {
    Verdict.PASS: ("\N{CHECK MARK}", "good"),
    Verdict.FAIL: ("\N{MULTIPLICATION X}", "bad"),
    Verdict.INCONCLUSIVE: ("?", "warn"),
    Verdict.INVALID: ("!", "void"),
}
_OUTCOMES: dict[Outcome, tuple[str, Tone]] = {
    Outcome.PASS: ("\N{CHECK MARK}", "good"),
    Outcome.FAIL: ("\N{MULTIPLICATION X}", "bad"),
    Outcome.INCONCLUSIVE: ("?", "warn"),
    Outcome.NOT_APPLICABLE: (fmt.DASH, "muted"),
}
_ORDER = {Outcome.FAIL: 0, Outcome.INCONCLUSIVE: 1, Outcome.PASS: 2, Outcome.NOT_APPLICABLE: 3}
_AT_LEAST, _AT_MOST = "\N{GREATER-THAN OR EQUAL TO}", "\N{LESS-THAN OR EQUAL TO}"
_NEVER = "falls among failures"
_WORSE_INSIDE = "measurably worse, inside your margin"
_NOTHING_TO_COMPARE = "These are one endpoint's own figures; with nothing to compare them with, there is no verdict."


def verdict_view(analysis: Analysis) -> VerdictView:
    """Say the verdict, or that one endpoint has none."""
    judgement = analysis.judgement
    if judgement is None:
        return VerdictView(word="MEASURED", icon="i", tone="plain", sentence=_NOTHING_TO_COMPARE)
    icon, tone = _VERDICTS[judgement.verdict]
    return VerdictView(
        word=judgement.verdict.value,
        icon=icon,
        tone=tone,
        sentence=visible(judgement.sentence),
        worst_case=_lines(judgement.worst_case),
        settle=_lines(judgement.settle),
        not_verified=_lines(judgement.not_verified),
        notes=_lines(judgement.notes),
        read_first=judgement.read_first,
    )


def _lines(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(visible(line) for line in lines)


def check_views(judgement: Judgement | None) -> tuple[CheckView, ...]:
    """List the validity checks, broken ones first."""
    checks = judgement.validity if judgement else ()
    return tuple(_check_view(check) for check in sorted(checks, key=lambda check: check.is_met))


def _check_view(check: ValidityCheck) -> CheckView:
    broken: Tone = "void" if check.consequence == "INVALID" else "warn"
    return CheckView(
        title=check.title,
        word="met" if check.is_met else "not met",
        icon="\N{CHECK MARK}" if check.is_met else "!",
        tone="good" if check.is_met else broken,
        evidence=visible(check.evidence),
        consequence="" if check.is_met else check.consequence,
    )


def gate_views(judgement: Judgement | None, catalog: Catalog) -> tuple[GateView, ...]:
    """List the gates: required before informative, worst outcome first."""
    gates = judgement.gates if judgement else ()
    return tuple(gate_view(gate, catalog) for gate in in_order(gates))


def in_order(gates: Iterable[Gate]) -> list[Gate]:
    """Sort gates as every table and plot shows them."""
    return sorted(gates, key=lambda gate: (not gate.is_required, _ORDER[gate.outcome]))


def gate_view(gate: Gate, catalog: Catalog) -> GateView:
    """Say one gate."""
    icon, tone = _OUTCOMES[gate.outcome]
    sides = [value.value for value in (gate.reference, gate.candidate) if value.value is not None]
    scale = fmt.scale_for(unit_of(catalog, gate.metric), sides)
    return GateView(
        id=gate.id,
        title=gate.title,
        word=gate.outcome.value,
        icon=icon,
        tone=tone,
        role=_role(gate),
        reason="" if gate.outcome is Outcome.PASS else visible(gate.reason),  # the row of a PASS says it all
        evidence=_lines((*gate.evidence, _WORSE_INSIDE) if gate.is_measurably_worse else gate.evidence),
        reference=_side(gate, gate.reference, gate.successes_reference, gate.n_reference, scale),
        candidate=_side(gate, gate.candidate, gate.successes_candidate, gate.n_candidate, scale),
        effect=_effect(gate),
        worst_case=_worst_case(gate),
        allowed=_allowed(gate),
        n=f"{gate.n_reference:,} / {gate.n_candidate:,}",
    )


def _role(gate: Gate) -> str:
    if gate.is_required:
        return "required"
    return f"informative: {gate.demoted_because}" if gate.demoted_because else "informative"


def _side(gate: Gate, value: Value, successes: int | None, n: int, scale: fmt.Scale) -> Cell:
    if value.value is None:
        reason = "" if value.reason == gate.effect.reason else value.reason or ""  # said once, with the effect
        return Cell(text=fmt.DASH, detail=reason, tone="muted")
    if gate.kind is GateKind.DIFFERENCE:
        detail = f"{successes:,} of {n:,}" if successes is not None else f"n {n:,}"
        return Cell(text=fmt.percent(value.value), detail=detail)
    return Cell(text=scale.full(value.value), detail=f"n {n:,}")


def _effect(gate: Gate) -> Cell:
    if gate.effect.value is None:
        return Cell(text=fmt.DASH, detail=gate.effect.reason or "", tone="muted")
    if math.isinf(gate.effect.value):
        return Cell(text=_size(gate, gate.effect.value), detail=_NEVER)
    detail = _between(gate.kind, gate.interval) if gate.interval else "no interval"
    return Cell(text=_size(gate, gate.effect.value), detail=detail)


def _between(kind: GateKind, interval: Interval) -> str:
    if kind is GateKind.DIFFERENCE:
        return fmt.difference_bounds(interval)
    return fmt.bounds(interval, fmt.Scale(symbol="", decimals=2))


def _worst_case(gate: Gate) -> Cell:
    if gate.bound is None:
        return Cell(text=fmt.DASH, detail="not estimable", tone="muted")
    detail = ""
    if gate.traffic_bound is not None:
        detail = f"prompts like these {_size(gate, gate.traffic_bound)}"
    return Cell(text=_size(gate, gate.bound), detail=detail)


def _size(gate: Gate, value: float) -> str:
    return fmt.points(value) if gate.kind is GateKind.DIFFERENCE else fmt.ratio(value)


def _allowed(gate: Gate) -> str:
    if gate.kind is GateKind.RATIO:
        sign = _AT_LEAST if gate.higher_is_better else _AT_MOST
        return f"{sign}{fmt.GAP}{fmt.ratio(gate.margin)}"
    return fmt.points(signed_margin(gate))


def signed_margin(gate: Gate) -> float:
    """Give the margin on the effect's own axis: a loss is negative where more is better."""
    if gate.kind is GateKind.RATIO:
        return gate.margin
    return -math.fabs(gate.margin) if gate.higher_is_better else math.fabs(gate.margin)
