"""How far a run has come, how fast it goes, what is left of it: pure, from counts and instants."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.model.record import Arm

_WINDOW_S = 15.0
_LEAST_DONE = 10  # requests that a window holds, however long they take
_LEAST_ELAPSED_S = 3.0  # before anything is said of the time left


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A stretch of the run under one load; each side sends as many requests of it."""

    name: str
    n: int
    load: float  # in flight, or per second: a request takes a share of 1 / load of the leg's time


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was done at an instant."""

    elapsed_s: float
    done: Mapping[Arm, int]


@dataclass(slots=True, kw_only=True)
class Pacing:
    """The last stretch of a run, long enough to tell a rate from it."""

    legs: Sequence[Leg]
    samples: deque[Sample] = field(default_factory=deque)

    @property
    def n_requests(self) -> int:
        """Count a side's requests of all legs."""
        return sum(leg.n for leg in self.legs)

    def observe(self, sample: Sample) -> None:
        """Take a sample and forget those before the window."""
        self.samples.append(sample)
        while len(self.samples) > 2 and self._is_enough_without_the_first():  # noqa: PLR2004  # two give a rate
            self.samples.popleft()

    def rate(self, arm: Arm) -> float | None:
        """Give an arm's requests per second; None before two instants tell it."""
        if len(self.samples) < 2:  # noqa: PLR2004
            return None
        first, last = self.samples[0], self.samples[-1]
        spent_s = last.elapsed_s - first.elapsed_s
        return (last.done[arm] - first.done[arm]) / spent_s if spent_s > 0 else None

    def left_s(self) -> float | None:
        """Give the time that the slowest side still needs; None while too little is done to tell."""
        if len(self.samples) < 2:  # noqa: PLR2004
            return None
        first, last = self.samples[0], self.samples[-1]
        spent_s = last.elapsed_s - first.elapsed_s
        if last.elapsed_s < _LEAST_ELAPSED_S or spent_s <= 0 or min(last.done.values()) < self._first_wave():
            return None
        times = [self._left_s(first.done[arm], last.done[arm], spent_s) for arm in last.done]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None

    def leg(self, done: Mapping[Arm, int]) -> Leg | None:
        """Give the leg that the slowest side is in; None once all is done."""
        slowest = min(done.values(), default=0)
        for leg in self.legs:
            if slowest < leg.n:
                return leg
            slowest -= leg.n
        return None

    def _left_s(self, done_before: int, done: int, spent_s: float) -> float | None:
        """Give what is left of the work, at the speed of the window: work is requests over load."""
        left = self.work(self.n_requests) - self.work(done)
        if left <= 0:
            return 0.0
        speed = (self.work(done) - self.work(done_before)) / spent_s
        return left / speed if speed > 0 else None

    def work(self, n: int) -> float:
        """Give the work in the first n requests of a side: legs with more in flight take less time for each."""
        total = 0.0
        for leg in self.legs:
            taken = min(max(n, 0), leg.n)
            total += taken / leg.load
            n -= taken
        return total

    def _first_wave(self) -> int:
        """Requests after which the first answers no longer come all at once."""
        loads = [leg.load for leg in self.legs if leg.n]
        return min(self.n_requests, 1 + int(min(loads[0] if loads else 0, _LEAST_DONE)))

    def _is_enough_without_the_first(self) -> bool:
        second, last = self.samples[1], self.samples[-1]
        n = sum(last.done.values()) - sum(second.done.values())
        return last.elapsed_s - second.elapsed_s >= _WINDOW_S and n >= _LEAST_DONE * len(last.done)
