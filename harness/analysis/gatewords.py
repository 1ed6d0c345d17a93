"""The sentence under each gate: its numbers, its bound, what is allowed."""

import math

from harness.analysis.gatefigures import Figures
from harness.analysis.results import Gate, GateKind, Interval, Outcome
from harness.analysis.words import points, points_number, quantity, ratio

# What a reader may call each gate inside a sentence.
NAMES = {
    "task_success": "task success",
    "tool_success": "tool-call success",
    "request_success": "request success",
    "json_validity": "valid JSON",
    "refusal": "refusals",
    "truncation": "truncated answers",
    "ttft_p50": "TTFT p50",
    "ttft_p95": "TTFT p95",
    "decode_p50": "decode rate p50",
    "decode_p5": "decode rate p5",
    "e2e_p50": "E2E p50",
}


def gate_reason(found: Figures, margin: float, outcome: Outcome, p_value: float | None) -> str:
    """Say in one sentence what the gate saw and why it decides as it does."""
    title = found.row.title
    if found.effect.value is None:
        return f"{title}: {found.effect.reason}."
    seen = _rates(found) if found.row.kind is GateKind.DIFFERENCE else _quantiles(found)
    limit = allowed(found.row.kind, margin, higher_is_better=found.row.higher_is_better)
    return f"{title}: {seen}; {_bound(found)}, {limit}{_because(found, outcome, p_value)}."


def allowed(kind: GateKind, margin: float, *, higher_is_better: bool) -> str:
    """Write the margin on the effect's own scale, as `allowed −5` or `allowed 1.5×`."""
    if kind is GateKind.RATIO:
        return f"allowed {margin:g}\N{MULTIPLICATION SIGN}"
    return f"allowed {points_number(-margin if higher_is_better else margin)}"


def worst_case(gate: Gate) -> str:
    """Write a gate's worst case still compatible with the data, beside what is allowed."""
    limit = allowed(gate.kind, gate.margin, higher_is_better=gate.higher_is_better)
    if gate.bound is None:
        return f"{NAMES[gate.id]}: not bounded by the data ({limit})"
    return f"{NAMES[gate.id]} {_size(gate, gate.bound)} ({limit})"


def _size(gate: Gate, value: float) -> str:
    if gate.kind is GateKind.DIFFERENCE:
        return points(value)
    return "unbounded" if math.isinf(value) else ratio(value)


def interval_words(gate: Gate) -> str:
    """Write a gate's two-sided interval as sizes of the loss: `95 % CI 3.1 to 14.2`."""
    interval = gate.interval
    if interval is None or interval.low is None or interval.high is None:
        return "no interval"
    if gate.kind is GateKind.RATIO:
        return f"95 % CI {_number(interval.low)} to {_number(interval.high)}"
    return f"95 % CI {_loss_ends(interval, is_fall=gate.higher_is_better)}"


def _loss_ends(interval: Interval, *, is_fall: bool) -> str:
    low, high = interval.low or 0.0, interval.high or 0.0
    ends = (-high, -low) if is_fall else (low, high)
    return " to ".join(points_number(end).removeprefix("+") for end in ends)


def _number(value: float) -> str:
    return ratio(value).removesuffix("\N{MULTIPLICATION SIGN}")


def _rates(found: Figures) -> str:
    one, two = found.successes or (0, 0)
    change = f"a change of {points(found.effect.value or 0.0)}" if one != two else "no change"
    return f"{two} of {found.n} against {one} of {found.n}, {change}"


def _quantiles(found: Figures) -> str:
    metric = found.row.metric
    candidate = quantity(metric, found.candidate.value or 0.0)
    reference = quantity(metric, found.reference.value or 0.0)
    return f"{candidate} against {reference}, {ratio(found.effect.value or 0.0)} from {found.n} requests per side"


def _bound(found: Figures) -> str:
    if found.bounds is None:
        return "no bound"
    worst = found.bounds[0] if found.row.higher_is_better else found.bounds[1]
    size = points(worst) if found.row.kind is GateKind.DIFFERENCE else ratio(worst)
    return f"at worst {size}"


def _because(found: Figures, outcome: Outcome, p_value: float | None) -> str:
    if found.cannot_pass and outcome is not Outcome.FAIL:
        return f"; {found.cannot_pass}"
    if outcome is Outcome.FAIL and p_value is not None:
        return f"; a loss is detected (p {_p(p_value)})"
    if outcome is Outcome.INCONCLUSIVE:
        return "; a loss of that size is neither proven nor excluded"
    return ""


def _p(p_value: float) -> str:
    return f"{p_value:.2g}" if p_value >= 0.0001 else "< 0.0001"  # noqa: PLR2004  # four digits are plenty
