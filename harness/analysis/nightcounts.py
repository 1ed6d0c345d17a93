"""Losses counted in some nights against those of others, where nights vary more than chance alone would have them.

Fisher's exact test, one-sided, of counts divided by the dispersion: the variance of nights over the binomial's (J. N.
K. Rao and A. J. Scott, Biometrics 48 (1992) 577). It is itself estimated, as the larger of the robust scale, squared,
and half the mean squared difference of pairs of nights (a few bad nights among many equal ones are seen by that alone);
its one-sided 80 % bound by the chi-squared distribution is taken, and 1 where that is less. Divided counts are rounded
against what is to be shown.
"""

import math
from collections.abc import Sequence

from scipy.stats import chi2, hypergeom

from harness.analysis.intervals import newcombe_bound
from harness.analysis.nightlosses import NightLoss
from harness.analysis.nightnoise import freedom, night_sd, pair_sd

_LOST = 0.5  # share of requests that an outage costs at least
_UNSURE = 0.2  # chance that the dispersion is larger than its bound


def pooled(nights: Sequence[NightLoss]) -> tuple[int, int]:
    """Count the losses and the requests of several nights."""
    return sum(round(night.loss * night.n) for night in nights), sum(night.n for night in nights)


def without_outages(nights: Sequence[NightLoss]) -> list[NightLoss]:
    """Leave out earlier nights that lost most: they are over, and no measure of what is usual. Tonight stays."""
    return [night for night in nights if night.loss < _LOST or night is nights[-1]]


def dispersion_of(noise: Sequence[NightLoss]) -> float:
    """Bound the variance of nights' shares over the binomial's; nights that lost most are an outage and no noise."""
    usual = [night for night in noise if night.loss < _LOST]
    lost, n = pooled(usual)
    if len(usual) < 2 or lost in (0, n):  # noqa: PLR2004  # a spread needs two
        return 1.0
    share = lost / n
    residuals = [(night.loss - share) * math.sqrt(night.n / (share * (1 - share))) for night in usual]
    df = freedom(len(usual))
    found = max(night_sd(residuals), pair_sd(residuals)) ** 2
    return max(1.0, found * df / float(chi2.ppf(_UNSURE, df)))


def counts_tail(window: tuple[int, int], before: tuple[int, int], dispersion: float) -> float:
    """Give the chance of so many losses in the window by labelling alone; 1 where its share is no larger."""
    if window[0] * before[1] <= before[0] * window[1]:
        return 1.0
    n, n_before = (max(1, round(part[1] / dispersion)) for part in (window, before))
    lost = min(math.floor(window[0] / dispersion), n)
    lost_before = min(math.ceil(before[0] / dispersion), n_before)
    return float(hypergeom.sf(lost - 1, n + n_before, lost + lost_before, n))


def counts_high(window: tuple[int, int], before: tuple[int, int], dispersion: float) -> float:
    """Give the upper one-sided 95 % bound of the window's share less the earlier one (Newcombe, of divided counts)."""
    n, n_before = (max(1, round(part[1] / dispersion)) for part in (window, before))
    lost = min(math.ceil(window[0] / dispersion), n)
    lost_before = min(math.floor(before[0] / dispersion), n_before)
    return -newcombe_bound(lost, n, lost_before, n_before)
