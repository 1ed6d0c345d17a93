"""Rollback triggers: how many bad requests after a cut-over are more than the margins allow.

A trigger counts bad requests among the next n. The count k is the smallest with P(X > k) <= 1 %, X binomial with the
rate of bad requests at the margin (C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404, read the same sums the
other way). For a quantile the bad requests are those beyond the reference's quantile times the margin: of a candidate
at its margin a share of 1 - q of them (q for a rate, where low is bad).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.stats import binom

from harness.analysis.results.gate import Gate, GateKind, Outcome

FALSE_ALARM = 0.01
POWER = 0.8
_WINDOWS = (20, 50, 100, 200, 500, 1_000)
_QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95, "p99": 0.99}
_TWICE = 2
_MARGINS = 2  # beyond the allowed rate: what a rate's trigger is made to notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One condition on which to roll back; without a window there is only the reason why there is none."""

    gate: str
    metric: str
    title: str
    higher_is_better: bool
    window: int | None = None
    most: int | None = None  # bad requests of the window that are still allowed
    allowed_rate: float | None = None  # of bad requests, at the margin
    limit: float | None = None  # beyond which a request is bad, in the metric's unit; None: a bad outcome
    false_alarm: float | None = None  # at the allowed rate
    seen_at: float | None = None  # a rate that is clearly beyond the allowed one
    power: float | None = None  # chance to trigger at that rate
    missing: str | None = None


def triggers(gates: Sequence[Gate]) -> tuple[Trigger, ...]:
    """Give a trigger for each required gate that was judged."""
    judged = [gate for gate in gates if gate.is_required and gate.outcome is not Outcome.NOT_APPLICABLE]
    return tuple(trigger for gate in judged if (trigger := _trigger(gate)) is not None)


def _trigger(gate: Gate) -> Trigger | None:
    if gate.kind is GateKind.DIFFERENCE:
        return _rate_trigger(gate)
    q = _quantile_of(gate)
    if gate.kind is not GateKind.SHARE and q is None:
        return None
    if gate.is_void:
        return _without(gate, "the timings of this run do not count")
    return _share_trigger(gate) if q is None else _quantile_trigger(gate, q)


def _quantile_of(gate: Gate) -> float | None:
    """Read the quantile out of a gate's id; None for gates that judge no quantile."""
    if gate.kind is not GateKind.RATIO:
        return None
    return _QUANTILES.get(gate.id.rpartition("_")[2])


def _rate_trigger(gate: Gate) -> Trigger:
    if gate.reference.value is None:
        return _without(gate, "the reference has no rate in this run")
    bad = 1 - gate.reference.value if gate.higher_is_better else gate.reference.value
    return _counted(gate, bad + abs(gate.margin), _MARGINS * abs(gate.margin))


def _share_trigger(gate: Gate) -> Trigger:
    return _counted(gate, gate.margin, _MARGINS * gate.margin)


def _quantile_trigger(gate: Gate, q: float) -> Trigger:
    if gate.reference.value is None:
        return _without(gate, "the reference has no such quantile in this run")
    limit = gate.reference.value * gate.margin
    if not 0 < limit < float("inf"):
        return _without(gate, "the reference's quantile falls among failed requests")
    allowed_rate = q if gate.higher_is_better else round(1 - q, 12)
    return replace(_counted(gate, allowed_rate, allowed_rate), limit=limit)


def _without(gate: Gate, reason: str) -> Trigger:
    return Trigger(
        gate=gate.id, metric=gate.metric, title=gate.title, higher_is_better=gate.higher_is_better, missing=reason
    )


def _counted(gate: Gate, allowed_rate: float, further: float) -> Trigger:
    """Take the smallest window in which a rate clearly beyond the allowed one is noticed in four of five."""
    if allowed_rate >= 1:
        return _without(gate, "at the margin every request may be bad")
    # Half of the requests lie beyond a median and twice that is all of them: half the way to all is far enough.
    clear = min(allowed_rate + further, (1 + allowed_rate) / _TWICE)
    window = next((window for window in _WINDOWS if _power(window, allowed_rate, clear) >= POWER), _WINDOWS[-1])
    most = most_explained(window, allowed_rate)
    return Trigger(
        gate=gate.id,
        metric=gate.metric,
        title=gate.title,
        higher_is_better=gate.higher_is_better,
        window=window,
        most=most,
        allowed_rate=allowed_rate,
        false_alarm=float(binom.sf(most, window, allowed_rate)),
        seen_at=clear,
        power=_power(window, allowed_rate, clear),
    )


def _power(window: int, allowed_rate: float, rate: float) -> float:
    return float(binom.sf(most_explained(window, allowed_rate), window, rate))


def most_explained(window: int, rate: float, false_alarm: float = FALSE_ALARM) -> int:
    """Give the smallest k with P(more than k of the window) <= the false alarm rate, exactly."""
    return next(k for k in range(window + 1) if binom.sf(k, window, rate) <= false_alarm)
