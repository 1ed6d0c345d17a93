"""The nights of a series as losses, larger is worse; a night without a value is a gap."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.nightmetrics import loss_of
from harness.analysis.results.nights import Night, NightMetric

_TWO_SIDED = 2 * 1.959964  # widths of a 95 % interval per standard error


@dataclass(frozen=True, slots=True, kw_only=True)
class NightLoss:
    """A night that has a value."""

    place: int  # among all nights, gaps included
    comparable: str
    loss: float
    variance: float  # within the run; 0 where it has no interval
    n: int


def losses_of(nights: Sequence[Night], metric: NightMetric) -> tuple[NightLoss, ...]:
    """Give the nights that have a value; what a logarithm or a share cannot take is a gap too."""
    found = (_loss(place, night, metric) for place, night in enumerate(nights))
    return tuple(loss for loss in found if loss is not None)


def has_value(night: Night, metric: NightMetric) -> bool:
    """Whether a night is no gap."""
    if not night.is_valid or night.value is None or not math.isfinite(night.value):
        return False
    return night.n > 0 if metric.is_rate else night.value > 0


def _loss(place: int, night: Night, metric: NightMetric) -> NightLoss | None:
    if night.value is None or not has_value(night, metric):
        return None
    loss = loss_of(metric, night.value)
    return NightLoss(place=place, comparable=night.comparable, loss=loss, variance=_variance(night, metric), n=night.n)


def _variance(night: Night, metric: NightMetric) -> float:
    """Square the standard error that a run's own interval stands for."""
    low, high = night.low, night.high
    if low is None or high is None or not math.isfinite(high) or (not metric.is_rate and low <= 0):
        return 0.0
    return ((loss_of(metric, high) - loss_of(metric, low)) / _TWO_SIDED) ** 2


def differences_of(
    candidate: Sequence[Night], reference: Sequence[Night], metric: NightMetric
) -> tuple[NightLoss, ...]:
    """Give the candidate's loss less the reference's, of nights in which both have a value."""
    others = {loss.place: loss for loss in losses_of(reference, metric)}
    pairs = ((loss, others.get(loss.place)) for loss in losses_of(candidate, metric))
    return tuple(
        NightLoss(
            place=one.place,
            comparable=one.comparable,
            loss=one.loss - other.loss,
            variance=one.variance + other.variance,
            n=min(one.n, other.n),
        )
        for one, other in pairs
        if other is not None
    )
