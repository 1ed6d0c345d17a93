"""The verdict, its gates, its validity checks: as text."""

import math
from collections.abc import Iterable
from dataclasses import replace

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Interval, Value
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.results.instrument import VOID_FIGURE
from harness.analysis.results.judgement import Judgement, ValidityCheck, Verdict
from harness.analysis.words import digits_apart
from harness.report import format as fmt
from harness.report.definitions import Catalog, unit_of
from harness.report.page import Cell, CheckView, GateView, Tone, VerdictView
from harness.report.untrusted import visible
from harness.report.view_waking import cold_run, waking_verdict

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
_IN_POINTS = frozenset({GateKind.DIFFERENCE, GateKind.DISAGREEMENT})
_NEVER = "falls among failures"
_WORSE_INSIDE = "measurably worse, inside your margin"
_STOPPED = (
    "The run stopped before the end of its plan ({why}). These are the figures of what it had measured by then; "
    "--resume goes on with it."
)
_NOTHING_TO_COMPARE = "These are one endpoint's own figures; with nothing to compare them with, there is no verdict."


def verdict_view(analysis: Analysis) -> VerdictView:
    """Say the verdict, or that one endpoint has none."""
    judgement = analysis.judgement
    if judgement is None:
        unfinished = analysis.case.reference.unfinished
        if unfinished is not None:
            sentence = visible(_STOPPED.format(why=unfinished))
            return VerdictView(word="MEASURED IN PART", icon="!", tone="warn", sentence=sentence)
        if (path := cold_run(analysis.cold)) is not None:
            return waking_verdict(path)
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
    if gate.is_void:
        return _void_view(gate)
    icon, tone = _OUTCOMES[gate.outcome]
    sides = [value.value for value in (gate.reference, gate.candidate) if value.value is not None]
    unit = unit_of(catalog, gate.metric)
    scale = fmt.money_scale(gate.currency) if unit == "currency" else fmt.scale_for(unit, sides)
    return GateView(
        id=gate.id,
        title=gate.title,
        word=gate.outcome.value,
        icon=icon,
        tone=tone,
        role=_role(gate),
        reason=_reason(gate),
        evidence=_lines((*gate.evidence, _WORSE_INSIDE) if gate.is_measurably_worse else gate.evidence),
        reference=_side(gate, gate.reference, gate.successes_reference, gate.n_reference, scale),
        candidate=_side(gate, gate.candidate, gate.successes_candidate, gate.n_candidate, scale),
        effect=_effect(gate),
        worst_case=_worst_case(gate),
        allowed=_allowed(gate),
        n=f"{gate.n_reference:,} / {gate.n_candidate:,}",
        noise=_noise(gate),
        level=_level(gate),
    )


def _void_view(gate: Gate) -> GateView:
    """Keep what was asked and leave the figures out; why they do not count stands once, at the top."""
    icon, tone = _OUTCOMES[gate.outcome]
    nothing = Cell(text=fmt.DASH, tone="muted")
    return GateView(
        id=gate.id,
        title=gate.title,
        word=gate.outcome.value,
        icon=icon,
        tone=tone,
        role=_role(gate),
        reason="Timings are void: the certificate at the top says why.",
        evidence=(),
        reference=nothing,
        candidate=nothing,
        effect=replace(nothing, detail=VOID_FIGURE),
        worst_case=nothing,
        allowed=_allowed(gate),
        n=f"{gate.n_reference:,} / {gate.n_candidate:,}",
        noise=nothing,
        level=_level(gate),
    )


def _level(gate: Gate) -> str:
    return f"{fmt.decimal(gate.level * 100, 1).removesuffix('.0')}{fmt.GAP}%"


def _reason(gate: Gate) -> str:
    """Give the reason; the row of a PASS says it all."""
    return "" if gate.outcome is Outcome.PASS else visible(gate.reason)


def _noise(gate: Gate) -> Cell:
    """Say the gate's effect between the reference and itself, and on what it stands."""
    noise = gate.noise
    if noise is None or gate.outcome is Outcome.NOT_APPLICABLE:
        return Cell(text=fmt.DASH, tone="muted")
    if noise.effect.value is None:
        return Cell(text=fmt.DASH, detail="not measurable", tone="muted")
    judged = f", {noise.outcome}" if noise.outcome else ""
    spread = f"{_between(gate.kind, noise.interval)}, " if noise.interval else ""
    return Cell(text=_size(gate, noise.effect.value), detail=f"{spread}{noise.source}{judged}, n {noise.n:,}")


def _role(gate: Gate) -> str:
    if gate.is_required:
        return "required"
    return f"informative: {gate.demoted_because}" if gate.demoted_because else "informative"


def _side(gate: Gate, value: Value, successes: int | None, n: int, scale: fmt.Scale) -> Cell:
    if value.value is None:
        reason = "" if value.reason == gate.effect.reason else value.reason or ""  # said once, with the effect
        return Cell(text=fmt.DASH, detail=reason, tone="muted")
    if gate.kind is GateKind.DISAGREEMENT:
        return Cell(text=fmt.percent(value.value), detail="agrees with itself")
    if gate.kind in (GateKind.DIFFERENCE, GateKind.SHARE):
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
    if kind in _IN_POINTS:
        return fmt.difference_bounds(interval)
    if kind is GateKind.SHARE:
        return fmt.bounds(interval, fmt.Scale(symbol="", factor=100.0, decimals=1))
    return fmt.bounds(interval, fmt.Scale(symbol="", decimals=2))


def _worst_case(gate: Gate) -> Cell:
    if gate.bound is None:
        return Cell(text=fmt.DASH, detail="not estimable", tone="muted")
    detail = ""
    if gate.traffic_bound is not None:
        detail = f"prompts like these {_size(gate, gate.traffic_bound)}"
    if gate.kind is GateKind.RATIO and not gate.higher_is_better and gate.bound == 0:
        return Cell(text="not bounded", detail=f"the reference {_NEVER}", tone="muted")
    return Cell(text=_size(gate, gate.bound), detail=detail)


def _size(gate: Gate, value: float) -> str:
    """Write a worst case with as many decimals as tell it from the margin: a PASS never reads as if at its limit."""
    if gate.kind is GateKind.RATIO:
        limit = 1 / gate.margin if gate.is_two_sided and (value < 1) is (gate.margin > 1) else gate.margin
        return fmt.ratio(value, digits_apart(value, limit, 2))
    decimals = digits_apart(abs(value) * 100, gate.margin * 100, 1)
    return fmt.percent(value, decimals) if gate.kind is GateKind.SHARE else fmt.points(value, decimals)


def _allowed(gate: Gate) -> str:
    if gate.kind is GateKind.SHARE:
        return f"{_AT_MOST}{fmt.GAP}{fmt.percent(gate.margin)}"
    if gate.is_two_sided:
        limit = max(gate.margin, 1 / gate.margin)
        return f"{fmt.ratio(1 / limit)} to {fmt.ratio(limit)}"
    if gate.kind is GateKind.RATIO:
        sign = _AT_LEAST if gate.higher_is_better else _AT_MOST
        return f"{sign}{fmt.GAP}{fmt.ratio(gate.margin)}"
    return fmt.points(signed_margin(gate))


def signed_margin(gate: Gate) -> float:
    """Give the margin on the effect's own axis: a loss is negative where more is better."""
    if gate.kind in (GateKind.RATIO, GateKind.SHARE):
        return gate.margin
    return -math.fabs(gate.margin) if gate.higher_is_better else math.fabs(gate.margin)
