"""Levels of load and where the throughput stops growing."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.analysis.results.estimates import Quantile, Tail, Throughput, Value
from harness.analysis.results.instrument import Instrument, TimingVerdict
from harness.model.record import Arm, Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow:
    """One side at one level of load: what was asked, what was there, how it fared."""

    arm: Arm
    level: int  # position in its plan's load; level 0 is judged
    arrival: Arrival
    asked: float  # requests in flight, or requests per second in an open loop
    scheduled: Value  # requests per second of the seed's own instants; open loop only
    achieved: Value  # mean number in flight, or requests sent per second, at the full load
    n: int  # requests that count: no warm-ups, none possibly cold, none cancelled
    n_failed: int
    failures: Mapping[str, int]  # kind -> how many
    n_set_aside: int  # sent at this level and not counted
    tails: tuple[Tail, ...]
    throughput: Throughput
    instrument: Instrument
    timing: TimingVerdict  # by the limits of the certificate, which is that of level 0
    notes: tuple[str, ...] = ()  # what makes its figures doubtful

    def tail(self, metric: str) -> Tail | None:
        """Find the tail of a metric."""
        return next((tail for tail in self.tails if tail.metric == metric), None)

    def quantile(self, metric: str, q: float) -> Quantile | None:
        """Find a quantile of a metric."""
        tail = self.tail(metric)
        return None if tail is None else next((found for found in tail.quantiles if found.q == q), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knee:
    """The lowest load from which one side's throughput hardly grows; a reading, not a verdict."""

    arm: Arm
    load: Value
    words: str
