"""Rollback triggers: how many bad requests after a cut-over are more than a run's worst case explains.

A trigger counts bad requests among the next n. The count k is the smallest with P(X > k) <= 1 %, X binomial with the
worst rate that is still compatible with the run (C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404, read the
same sums the other way). For a quantile the bad requests are those beyond the reference's quantile times the bound:
at worst a share of 1 - q of them (q for a rate, where low is bad).
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
_MARGINS = 2  # beyond the worst rate: what a rate's trigger is made to notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One condition on which to roll back; without a window there is only the reason why there is none."""

    gate: str
    metric: str
    title: str
    higher_is_better: bool
    window: int | None = None
    most: int | None = None  # bad requests of the window that are still explained
    worst_rate: float | None = None  # of bad requests, still compatible with the run
    limit: float | None = None  # beyond which a request is bad, in the metric's unit; None: a bad outcome
    false_alarm: float | None = None  # at the worst rate
    allowed: float | None = None  # the margin's limit, in the metric's unit
    seen_at: float | None = None  # a rate that is clearly beyond the worst
    power: float | None = None  # chance to trigger at that rate
    missing: str | None = None


def triggers(gates: Sequence[Gate]) -> tuple[Trigger, ...]:
    """Give a trigger for each required gate that was judged."""
    judged = [gate for gate in gates if gate.is_required and gate.outcome is not Outcome.NOT_APPLICABLE]
    return tuple(trigger for gate in judged if (trigger := _trigger(gate)) is not None)


def _trigger(gate: Gate) -> Trigger | None:
    if gate.kind is GateKind.DIFFERENCE:
        return _rate_trigger(gate)
    if gate.kind is GateKind.SHARE:
        return _share_trigger(gate)
    q = _quantile_of(gate)
    return None if q is None else _quantile_trigger(gate, q)


def _quantile_of(gate: Gate) -> float | None:
    """Read the quantile out of a gate's id; None for gates that judge no quantile."""
    if gate.kind is not GateKind.RATIO:
        return None
    return _QUANTILES.get(gate.id.rpartition("_")[2])


def _rate_trigger(gate: Gate) -> Trigger:
    if gate.bound is None or gate.reference.value is None:
        return _without(gate, "its worst case is not bounded by this run")
    worst = gate.reference.value + gate.bound
    bad = 1 - worst if gate.higher_is_better else worst
    worst_rate = min(max(bad, 0.0), 1.0)
    return _counted(gate, worst_rate, worst_rate + _MARGINS * gate.margin)


def _share_trigger(gate: Gate) -> Trigger:
    if gate.bound is None:
        return _without(gate, "its worst case is not bounded by this run")
    return _counted(gate, min(max(gate.bound, 0.0), 1.0), gate.bound + _MARGINS * gate.margin)


def _quantile_trigger(gate: Gate, q: float) -> Trigger:
    if gate.bound is None or gate.reference.value is None:
        return _without(gate, "its worst case is not bounded by this run")
    limit = gate.reference.value * gate.bound
    if not 0 < limit < float("inf"):
        return _without(gate, "its worst case falls among failed requests")
    worst_rate = q if gate.higher_is_better else round(1 - q, 12)
    found = _counted(gate, worst_rate, _TWICE * worst_rate)
    return replace(found, limit=limit, allowed=gate.reference.value * gate.margin)


def _without(gate: Gate, reason: str) -> Trigger:
    return Trigger(
        gate=gate.id, metric=gate.metric, title=gate.title, higher_is_better=gate.higher_is_better, missing=reason
    )


def _counted(gate: Gate, worst_rate: float, seen_at: float) -> Trigger:
    """Take the smallest window in which a rate clearly beyond the worst is noticed in four of five."""
    if worst_rate >= 1:
        return _without(gate, "in the worst case every request is bad")
    # Half of the requests lie beyond a median and twice that is all of them: half the way to all is far enough.
    clear = min(seen_at, (1 + worst_rate) / _TWICE)
    window = next((window for window in _WINDOWS if _power(window, worst_rate, clear) >= POWER), _WINDOWS[-1])
    most = most_explained(window, worst_rate)
    return Trigger(
        gate=gate.id,
        metric=gate.metric,
        title=gate.title,
        higher_is_better=gate.higher_is_better,
        window=window,
        most=most,
        worst_rate=worst_rate,
        false_alarm=float(binom.sf(most, window, worst_rate)),
        seen_at=clear,
        power=_power(window, worst_rate, clear),
    )


def _power(window: int, worst_rate: float, rate: float) -> float:
    return float(binom.sf(most_explained(window, worst_rate), window, rate))


def most_explained(window: int, rate: float, false_alarm: float = FALSE_ALARM) -> int:
    """Give the smallest k with P(more than k of the window) <= the false alarm rate, exactly."""
    return next(k for k in range(window + 1) if binom.sf(k, window, rate) <= false_alarm)
