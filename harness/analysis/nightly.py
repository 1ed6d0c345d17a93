"""How far the last nights of a series are from its baseline period, and how likely that is without a change.

The model: a night's figure, as a loss x (a logarithm, or a share), is level + night effect + the noise within the run,
with effects that are independent from night to night and of one spread. The noise within the run alone, which a run's
own interval knows, is too little for comparing nights. The baseline period is the named run and the nights after it,
n_baseline in all; it never moves by itself.

    timing   t = (mean x of the window - Hodges-Lehmann mean x of the baseline) / sqrt(s^2 (1/k + 1.05/m) + wider / k)

with k and m nights, s from the n_noise comparable nights before tonight (`nightnoise`; it holds both parts of the
spread), Student's t at its degrees of freedom, and `wider` what the squared error within the run exceeds that of the
usual night by: tau^2 + sigma^2 where s^2 = tau^2 + usual sigma^2 (by moments, as R. DerSimonian and N. Laird,
Controlled Clinical Trials 7 (1986) 177). Where most nights are equal s is 0 and says nothing of the others: nights that
are half a threshold worse are counted then, in the window and since the baseline, and p is the chance by labelling
alone that so many fall in the window. Rates are counted (`nightcounts`). Hodges and Lehmann, Annals of Mathematical
Statistics 34 (1963) 598: the median of all pairs' means.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from harness.analysis.intervals import Z_ONE_SIDED
from harness.analysis.nightcounts import counts_high, counts_tail, dispersion_of, pooled, without_outages
from harness.analysis.nightlosses import NightLoss, losses_of
from harness.analysis.nightmetrics import least_loss, value_of
from harness.analysis.nightnoise import freedom, night_sd
from harness.analysis.results.nights import MetricNight, Night, NightlyRule, NightMetric, Shift

_LEHMANN = 1.05  # pi / 3: variance of the Hodges-Lehmann mean of n normal values, times n
_ONE_NIGHT = 15.0  # degrees of freedom of a single night at most: no mean brings its tail nearer to the normal one


def judge_night(nights: Sequence[Night], baseline: int, metric: NightMetric, rule: NightlyRule) -> MetricNight:
    """Judge the last of these nights against the period that begins at place `baseline`; not yet over all metrics."""
    return judge_at(nights, losses_of(nights, metric), (baseline, len(nights) - 1), metric, rule)


def judge_at(
    nights: Sequence[Night],
    losses: Sequence[NightLoss],
    places: tuple[int, int],
    metric: NightMetric,
    rule: NightlyRule,
) -> MetricNight:
    """Judge the night at the second place against the baseline at the first, from what was known then."""
    baseline, at = places
    alike = [loss for loss in losses if loss.place <= at and loss.comparable == nights[baseline].comparable]
    reason = _why_not(nights, alike, places, rule)
    if reason is not None:
        is_missing = at > baseline and _is_missing(nights, alike, places, rule)
        return _not_judged(nights, places, metric, reason, is_missing=is_missing)
    shifts = [found for k in rule.windows if (found := shift_over(alike, baseline, metric, rule, k)) is not None]
    if not shifts:
        return _not_judged(nights, places, metric, "no earlier night of the baseline period has a value")
    beyond = [shift for shift in shifts if is_beyond(shift, metric)]
    told = min(beyond or shifts[:1], key=lambda shift: shift.p_value)
    return MetricNight(
        metric=metric, shift=told, adjusted_p=min(1.0, len(rule.windows) * told.p_value) if beyond else 1.0
    )


def _not_judged(
    nights: Sequence[Night], places: tuple[int, int], metric: NightMetric, reason: str, *, is_missing: bool = False
) -> MetricNight:
    """Give the two values all the same: a reader may look at what no rule has judged."""
    baseline, tonight = (nights[place].value for place in places)
    return MetricNight(
        metric=metric, shift=None, reason=reason, is_missing=is_missing, baseline=baseline, tonight=tonight
    )


def is_beyond(shift: Shift, metric: NightMetric) -> bool:
    """Whether the window's change reaches the threshold, with tonight still half as far as the window."""
    return shift.loss >= least_loss(metric) and shift.tonight_loss >= shift.loss / 2


def _why_not(
    nights: Sequence[Night], alike: Sequence[NightLoss], places: tuple[int, int], rule: NightlyRule
) -> str | None:
    baseline, at = places
    if at <= baseline:
        return "this is the baseline itself" if at == baseline else "it is older than the baseline"
    if nights[at].comparable != nights[baseline].comparable:
        return "tonight and the baseline are not comparable"
    if not alike or alike[-1].place != at:
        return nights[at].reason or "it has no value tonight"
    if len(alike) <= rule.least_nights:
        return f"{len(alike) - 1} comparable earlier nights have a value, and the variation needs {rule.least_nights}"
    return None


def _is_missing(
    nights: Sequence[Night], alike: Sequence[NightLoss], places: tuple[int, int], rule: NightlyRule
) -> bool:
    baseline, at = places
    is_comparable = nights[at].comparable == nights[baseline].comparable
    return is_comparable and len(alike) >= rule.least_nights and alike[-1].place != at


def shift_over(
    losses: Sequence[NightLoss], baseline: int, metric: NightMetric, rule: NightlyRule, k: int
) -> Shift | None:
    """Compare the last k nights with the baseline period's nights before them; None where either lacks nights."""
    losses = without_outages(losses) if metric.is_rate else losses
    parts = parts_of(losses, baseline, rule, k)
    if parts is None or parts.window[-1].place - parts.window[0].place >= 2 * k:
        return None
    return _of_counts(parts, metric) if metric.is_rate else shift_of_values(parts, metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is held against what."""

    window: Sequence[NightLoss]
    before: Sequence[NightLoss]  # of the baseline period
    earlier: Sequence[NightLoss]  # since the baseline, the baseline period among them
    noise: Sequence[NightLoss]  # what the variation is known from


def parts_of(losses: Sequence[NightLoss], baseline: int, rule: NightlyRule, k: int) -> Parts | None:
    """Take a series of nights apart; None where there are too few."""
    window, noise = losses[-k:], losses[-1 - rule.n_noise : -1]
    if len(window) < k or len(noise) < rule.least_nights:
        return None
    since = [loss for loss in losses if loss.place >= baseline]
    begin = window[0].place
    before = [loss for loss in since[: rule.n_baseline] if loss.place < begin]
    earlier = [loss for loss in since if loss.place < begin]
    return Parts(window=window, before=before, earlier=earlier, noise=noise) if before else None


def shift_of_values(parts: Parts, metric: NightMetric, *, least_sd: float = 0.0) -> Shift:
    """Compare means, with the variation of nights, which is `least_sd` at least."""
    window, before = parts.window, parts.before
    k, m = len(window), len(before)
    level = float(np.mean([night.loss for night in window]))
    baseline = hodges_lehmann([night.loss for night in before])
    sd = max(least_sd, night_sd([night.loss for night in parts.noise]))
    usual = float(np.median([night.variance for night in parts.noise]))
    wider = float(np.mean([max(0.0, night.variance - usual) for night in window]))
    error = math.sqrt((sd**2 or usual) * (1 / k + _LEHMANN / m) + wider / k)
    df = freedom(len(parts.noise))
    df = min(df, _ONE_NIGHT) if k == 1 else df
    return Shift(
        n_nights=k,
        n_baseline=m,
        n_noise=len(parts.noise),
        baseline=value_of(metric, baseline),
        level=value_of(metric, level),
        loss=level - baseline,
        tonight_loss=window[-1].loss - baseline,
        loss_high=level - baseline + Z_ONE_SIDED * error,
        error=error,
        night_sd=sd,
        dispersion=None,
        p_value=_tail_of_nights(parts, baseline, metric) if sd == 0.0 else float(stdtr(df, (baseline - level) / error)),
    )


def _tail_of_nights(parts: Parts, baseline: float, metric: NightMetric) -> float:
    """Count the nights that are half a threshold worse; those right before the window are of one change with it."""
    window, earlier = (
        [night.loss - baseline >= least_loss(metric) / 2 for night in those] for those in (parts.window, parts.earlier)
    )
    while earlier and earlier[-1]:
        earlier.pop()
    return counts_tail((sum(window), len(window)), (sum(earlier), len(earlier)), 1.0) if earlier else 1.0


def hodges_lehmann(values: Sequence[float]) -> float:
    """Give the median of the means of all pairs, each value with itself included."""
    array = np.asarray(values, dtype=np.float64)
    rows, columns = np.triu_indices(array.size)
    return float(np.median((array[rows] + array[columns]) / 2))


def _of_counts(parts: Parts, metric: NightMetric) -> Shift:
    window, before = parts.window, parts.before
    (lost, n), (lost_before, n_before) = pooled(window), pooled(before)
    dispersion = dispersion_of(parts.noise)
    return Shift(
        n_nights=len(window),
        n_baseline=len(before),
        n_noise=len(parts.noise),
        baseline=value_of(metric, lost_before / n_before),
        level=value_of(metric, lost / n),
        loss=lost / n - lost_before / n_before,
        tonight_loss=window[-1].loss - lost_before / n_before,
        loss_high=counts_high((lost, n), (lost_before, n_before), dispersion),
        error=None,
        night_sd=None,
        dispersion=dispersion,
        p_value=counts_tail((lost, n), (lost_before, n_before), dispersion),
    )
