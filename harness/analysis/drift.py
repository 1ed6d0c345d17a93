"""Who moved: the candidate's change less the reference's, where both were measured in the same nights.

Difference in differences: what both sides share (the client, the network, the hour, the prompts) is the same in both
and cancels. The candidate moved where the difference is at least half a threshold worse and p, one-sided and of this
one comparison, is at most 5 %; both moved where it is not and the reference is half a threshold worse too.
"""

from collections.abc import Sequence
from math import sqrt
from statistics import median

from harness.analysis.nightlosses import differences_of, losses_of
from harness.analysis.nightly import parts_of, shift_of_values, shift_over
from harness.analysis.nightmetrics import change_text, least_loss
from harness.analysis.results.nights import Drift, Mover, Night, NightlyRule, NightMetric, Shift

LEVEL = 0.05


def drift_of(
    candidate: Sequence[Night],
    reference: Sequence[Night] | None,
    places: tuple[int, int],
    metric: NightMetric,
    rule: NightlyRule,
) -> Drift:
    """Attribute a change over the last k nights against the baseline at a place: `places` is (baseline, k)."""
    baseline, k = places
    own = _shift(candidate, baseline, metric, rule, k)
    if reference is None:
        return Drift(
            mover=Mover.ONE_SIDE,
            candidate=own,
            reference=None,
            difference=None,
            sentence="no other side was measured in these nights: its drift cannot be told from the network's",
        )
    other = _shift(reference, baseline, metric, rule, k)
    difference = _difference(candidate, reference, places, metric, rule)
    mover = _mover(own, other, difference, metric)
    return Drift(
        mover=mover,
        candidate=own,
        reference=other,
        difference=difference,
        sentence=_sentence(mover, own, other, metric),
    )


def _shift(nights: Sequence[Night], baseline: int, metric: NightMetric, rule: NightlyRule, k: int) -> Shift | None:
    losses = losses_of(nights, metric)
    is_there = bool(losses) and losses[-1].place == len(nights) - 1
    return shift_over(losses, baseline, metric, rule, k) if is_there else None


def _difference(
    candidate: Sequence[Night],
    reference: Sequence[Night],
    places: tuple[int, int],
    metric: NightMetric,
    rule: NightlyRule,
) -> Shift | None:
    baseline, k = places
    losses = differences_of(candidate, reference, metric)
    if not losses or losses[-1].place != len(candidate) - 1:
        return None
    parts = parts_of(losses, baseline, rule, k)
    if parts is None:
        return None
    least_sd = sqrt(median(loss.variance for loss in parts.noise)) if metric.is_rate else 0.0  # shares tie easily
    return shift_of_values(parts, metric, least_sd=least_sd)


def _mover(own: Shift | None, other: Shift | None, difference: Shift | None, metric: NightMetric) -> Mover:
    half = least_loss(metric) / 2
    if difference is None or other is None or own is None:
        return Mover.UNSETTLED
    if difference.loss >= half and difference.p_value <= LEVEL:
        return Mover.CANDIDATE
    if other.loss >= half:
        return Mover.BOTH if own.loss >= half else Mover.REFERENCE
    return Mover.UNSETTLED


def _sentence(mover: Mover, own: Shift | None, other: Shift | None, metric: NightMetric) -> str:
    moved = [
        f"{name}: {change_text(metric, shift.loss)}"
        for name, shift in (("candidate", own), ("reference", other))
        if shift is not None
    ]
    has_moved_too = other is not None and other.loss >= least_loss(metric) / 2
    told = {
        Mover.CANDIDATE: "both sides moved, the candidate further: part of it is of what they share"
        if has_moved_too
        else "the candidate moved, and the reference did not move with it",
        Mover.REFERENCE: "the reference moved, and the candidate did not",
        Mover.BOTH: "both sides moved alike: look at the client, the network and the hour before the candidate",
        Mover.UNSETTLED: "which of the two moved is not settled",
        Mover.ONE_SIDE: "no other side was measured in these nights",
    }[mover]
    return f"{told} ({'; '.join(moved)})" if moved else told
