"""The planned looks at the data, and the share of the error rate that each may use.

`two` gives each of two looks 3 %: as the second look's data hold the first's, a candidate at the margin passes at one
of them in 4.9 % of runs where the data double, in 5.4 % where they grow four times, and in up to 5.9 % where they grow
without end. Who chooses the growth by what the first look showed reaches 5.8 % within four times. `sequential` spends
5 % over three looks as O'Brien and Fleming's boundaries do: 2 - 2 Phi(z / sqrt(t)) of it is spent by the information
fraction t (K. K. G. Lan and D. L. DeMets, Biometrika 70 (1983) 659), and the levels are found by integrating the
density of the statistic over what no earlier look has stopped (P. Armitage, C. K. McPherson and B. C. Rowe, J. R.
Statist. Soc. A 132 (1969) 235). The measuring process imports this module, so it loads no arrays.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist

from harness.model.record import Looks, LookScheme, Plan

ALPHA = 0.05
TWO_ALPHA = 0.03
MOST_GROWTH = 4  # times the first look's data: beyond it, a growth chosen after that look errs in more than 5.8 %
SEQUENTIAL_REPEATS = (3, 5, 10)
_NORMAL = NormalDist()
_STEPS = 400  # of Simpson's rule over 16 standard deviations: an error below a millionth of a level
_LOWEST = -8.0
_BISECTIONS = 50


def looks_of(scheme: LookScheme, repeats: int) -> Looks:
    """Give the looks of a scheme: their levels, and the repeats at each as far as the plan knows them."""
    if scheme is LookScheme.TWO:
        return Looks(scheme=scheme, alphas=(TWO_ALPHA, TWO_ALPHA), repeats=(repeats,))
    if scheme is LookScheme.SEQUENTIAL:
        most = SEQUENTIAL_REPEATS[-1]
        alphas = spent_levels(tuple(count / most for count in SEQUENTIAL_REPEATS), ALPHA)
        return Looks(scheme=scheme, alphas=alphas, repeats=SEQUENTIAL_REPEATS)
    return Looks()


def plan_alpha(plan: Plan | None, look: int = 1) -> float:
    """Give the share of one look, one-sided; a look that was not planned is exploratory and uses the last one's."""
    alphas = (plan.looks if plan else Looks()).alphas
    return alphas[min(look, len(alphas)) - 1]


def most_generous_look(plan: Plan | None) -> int:
    """Give the planned look with the largest share, the first of equals."""
    alphas = (plan.looks if plan else Looks()).alphas
    return 1 + alphas.index(max(alphas))


def is_planned(plan: Plan | None, look: int) -> bool:
    """Whether the plan foresaw this look."""
    return look <= len((plan.looks if plan else Looks()).alphas)


def next_repeats(plan: Plan, look: int, wanted: int) -> int:
    """Give the repeats of the look that follows: those that the plan fixed, else what is wanted and more than now."""
    if look < len(plan.looks.repeats):
        return plan.looks.repeats[look]
    return max(wanted, 1 + min(plan.repeats.values(), default=0))


def final_look(looks: Looks) -> tuple[float, int | None]:
    """Give level and repeats of the last look whose repeats are fixed before the run; None: those of the plan."""
    if len(looks.repeats) > 1:
        return looks.alphas[-1], looks.repeats[-1]
    return looks.alphas[0], None


def obrien_fleming_spent(fraction: float, alpha: float) -> float:
    """Share of alpha spent by an information fraction t: 2 - 2 Phi(z / sqrt(t)), z the quantile of 1 - alpha / 2."""
    return 2 - 2 * _NORMAL.cdf(_NORMAL.inv_cdf(1 - alpha / 2) / math.sqrt(fraction))


@lru_cache(maxsize=16)
def spent_levels(fractions: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    """Nominal one-sided levels of looks at these information fractions, alpha together."""
    return tuple(1 - _NORMAL.cdf(bound) for bound in boundaries(fractions, alpha))


def boundaries(fractions: Sequence[float], alpha: float) -> tuple[float, ...]:
    """Values of the standardised statistic beyond which each look stops.

    On the scale of Brownian motion, S(t) = Z sqrt(t), what is left of its density after a look is carried to the next
    one by the normal density of the increment.
    """
    bounds: list[float] = []
    spent, earlier, left = 0.0, 0.0, [(0.0, 1.0)]
    for fraction in fractions:
        due = obrien_fleming_spent(fraction, alpha)
        step = math.sqrt(fraction - earlier)
        bound = _where(_beyond(left, step), due - spent, math.sqrt(fraction))
        bounds.append(bound / math.sqrt(fraction))
        left = _carry(left, step, bound, math.sqrt(fraction))
        spent, earlier = due, fraction
    return tuple(bounds)


_Mass = list[tuple[float, float]]  # places and their share of the probability


def _beyond(left: _Mass, step: float) -> Callable[[float], float]:
    return lambda bound: math.fsum(mass * _NORMAL.cdf((place - bound) / step) for place, mass in left)


def _where(chance_beyond: Callable[[float], float], wanted: float, scale: float) -> float:
    """Find where the falling chance reaches what is wanted."""
    low, high = _LOWEST * scale, -_LOWEST * scale
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if chance_beyond(middle) > wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _carry(left: _Mass, step: float, bound: float, scale: float) -> _Mass:
    """Density of the next look's statistic below its bound, as weights of Simpson's rule."""
    lowest = _LOWEST * scale
    width = (bound - lowest) / _STEPS
    found = []
    for i in range(_STEPS + 1):
        place = lowest + i * width
        weight = (1 if i in {0, _STEPS} else 4 if i % 2 else 2) * width / 3
        density = math.fsum(mass * math.exp(-(((place - at) / step) ** 2) / 2) for at, mass in left)
        found.append((place, weight * density / (step * math.sqrt(2 * math.pi))))
    return found
