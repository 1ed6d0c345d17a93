"""Gives the instants at which requests of an open loop are due."""

import math
import random
from collections.abc import Iterator
from itertools import accumulate, islice

from harness.model.record import Arrival
from harness.units import nanoseconds


def due_instants(process: Arrival, rate: float, n: int, *, ramp_s: float, chance: random.Random) -> list[int]:
    """Instants in ns from the level's start, ascending, for `n` requests at `rate` per second.

    A unit-rate process (steps of one, or exponential ones for Poisson) is run through the inverse of the integrated
    rate, which gives the process of the changing rate (Cinlar, Introduction to Stochastic Processes, 1975, 4.7).
    """
    units = _exponential_steps(chance) if process is Arrival.POISSON else map(float, range(n))
    return [nanoseconds(_instant_of(unit, rate, ramp_s)) for unit in islice(units, n)]


def ramp_instants(concurrency: int, ramp_s: float) -> list[int]:
    """When each slot of a closed loop opens, in ns from the level's start: one at once, the last at the ramp's end."""
    steps = max(1, concurrency - 1)
    return [nanoseconds(ramp_s * slot / steps) for slot in range(concurrency)]


def _exponential_steps(chance: random.Random) -> Iterator[float]:
    return accumulate(iter(lambda: chance.expovariate(1.0), None))


def _instant_of(unit: float, rate: float, ramp_s: float) -> float:
    """Invert the integral of a rate that rises linearly from 0 over the ramp and then stays."""
    in_ramp = rate * ramp_s / 2
    if unit < in_ramp:
        return math.sqrt(2 * ramp_s * unit / rate)
    return ramp_s + (unit - in_ramp) / rate
