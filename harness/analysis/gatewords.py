"""The sentence under each gate: its numbers, its bound, what is allowed."""

import math

from harness.analysis.figures import Figures
from harness.analysis.results.estimates import Interval
from harness.analysis.results.gate import Gate, GateKind, Outcome
from harness.analysis.words import digits_apart, percent, points, points_number, quantity, ratio

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
    "completion_length": "completion length",
    "cost_per_success": "cost per success",
    "identity": "excess disagreement",
}
_SLO = "slo: "
_QUANTILES = ("ttft_p50", "ttft_p95", "e2e_p50")


def name_of(gate_id: str) -> str:
    """Name a gate inside a sentence; a service level by its own words."""
    return NAMES.get(gate_id) or f"requests beyond {gate_id.removeprefix(_SLO)}"


def gate_reason(found: Figures, margin: float, outcome: Outcome, p_value: float | None, level: float) -> str:
    """Say in one sentence what the gate saw and why it decides as it does."""
    title = found.row.title
    if found.effect.value is None:
        return f"{title}: {found.effect.reason}."
    limit = allowed(found.row.kind, margin, higher_is_better=found.row.higher_is_better)
    bound = f"{_bound(found, margin)} ({level_words(level)})" if found.bounds else "no bound"
    return f"{title}: {_seen(found)}; {bound}, {limit}{_because(found, outcome, p_value)}."


def level_words(level: float) -> str:
    """Write a one-sided confidence, as `one-sided 97 %`."""
    return f"one-sided {level * 100:.4g} %"


def _seen(found: Figures) -> str:
    if found.row.kind is GateKind.DIFFERENCE:
        return _rates(found)
    if found.row.kind is GateKind.SHARE:
        theirs = percent(found.reference.value or 0.0)
        return f"{_count(found, 1)} of {found.n} of the candidate, {theirs} of the reference"
    if found.row.kind is GateKind.DISAGREEMENT:
        return f"{points(found.effect.value or 0.0, signed=False)} beyond what each side does with itself"
    return _ratios(found)


def _count(found: Figures, side: int) -> int:
    return (found.successes or (0, 0))[side]


def allowed(kind: GateKind, margin: float, *, higher_is_better: bool) -> str:
    """Write the margin on the effect's own scale, as `allowed −5` or `allowed 1.5×`."""
    if kind is GateKind.RATIO:
        return f"allowed {margin:g}\N{MULTIPLICATION SIGN}"
    if kind is GateKind.SHARE:
        return f"allowed {percent(margin, _limit_digits(margin * 100))}"
    return f"allowed {points_number(-margin if higher_is_better else margin, _limit_digits(margin * 100))}"


def _limit_digits(limit: float) -> int:
    """One decimal, and more where the limit itself has more."""
    return digits_apart(limit, round(limit, 1), 1)


def size_of(kind: GateKind, value: float, margin: float, *, signed: bool = True) -> str:
    """Write a size with as many decimals as tell it from the margin: a PASS never reads as if at its limit."""
    if kind is GateKind.RATIO:
        return ratio(value, digits_apart(value, margin, 2))
    digits = digits_apart(abs(value) * 100, margin * 100, 1)
    return percent(value, digits) if kind is GateKind.SHARE else points(value, signed=signed, digits=digits)


def worst_case(gate: Gate) -> str:
    """Write a gate's worst case still compatible with the data, beside what is allowed."""
    limit = allowed(gate.kind, gate.margin, higher_is_better=gate.higher_is_better)
    if gate.bound is None:
        return f"{name_of(gate.id)}: not bounded by the data ({limit})"
    if gate.kind is GateKind.RATIO and not gate.higher_is_better and gate.bound == 0:
        return f"{name_of(gate.id)}: {_among_failures(gate.id)} ({limit})"
    size = "unbounded" if math.isinf(gate.bound) else size_of(gate.kind, gate.bound, gate.margin)
    return f"{name_of(gate.id)} {size} ({limit})"


def _among_failures(gate_id: str) -> str:
    """Nothing is slower than a failure: every latency is zero times the reference's where that falls among them."""
    name = name_of(gate_id).rpartition(" ")[2] if gate_id in _QUANTILES else "figure"
    return f"not bounded: the reference's {name} falls among failures"


def interval_words(gate: Gate) -> str:
    """Write a gate's two-sided interval as sizes of the loss: `95 % CI 3.1 to 14.2`."""
    interval = gate.interval
    if interval is None or interval.low is None or interval.high is None:
        return "no interval"
    if gate.kind is GateKind.RATIO:
        return f"95 % CI {_number(interval.low)} to {_number(interval.high)}"
    if gate.kind is GateKind.SHARE:
        return f"95 % CI {percent(interval.low)} to {percent(interval.high)}"
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


def _ratios(found: Figures) -> str:
    metric, effect = found.row.metric, ratio(found.effect.value or 0.0)
    if found.row.q is None:
        return f"{effect} from {found.n} requests per side"
    candidate = quantity(metric, found.candidate.value or 0.0)
    reference = quantity(metric, found.reference.value or 0.0)
    return f"{candidate} against {reference}, {effect} from {found.n} requests per side"


def _bound(found: Figures, margin: float) -> str:
    low, high = found.bounds or (0.0, 0.0)
    if found.row.is_two_sided:
        limits = sorted((margin, 1 / margin if margin else margin))
        return " to ".join(size_of(found.row.kind, *end) for end in zip((low, high), limits, strict=True)) + ", each"
    worst = low if found.row.higher_is_better else high
    if found.row.kind is GateKind.RATIO and not found.row.higher_is_better and worst == 0:
        return _among_failures(found.row.id)
    return f"at worst {size_of(found.row.kind, worst, margin)}"


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
