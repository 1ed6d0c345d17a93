"""What each level of a run asks of one side, and how much of it was there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Value
from harness.analysis.values import known, missing
from harness.model.endpoint import Limits
from harness.model.record import Arrival, Record
from harness.units import nanoseconds, seconds

CLOSED_LOOP = "closed loop: no rate is scheduled"
ONLY_RAMP = "fewer than two requests after the ramp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One level of one side."""

    level: int = 0  # position in its plan's load
    asked: float  # requests in flight, or requests per second in an open loop
    arrival: Arrival = Arrival.CLOSED
    ramp_s: float = 0.0  # at the start of the level, over which the load rises to what is asked

    @property
    def is_open_loop(self) -> bool:
        """Whether the schedule, not a free slot, says when a request is due."""
        return self.arrival is not Arrival.CLOSED


def side_loads(case: Case, side: Side) -> tuple[Load, ...]:
    """Give a side's levels in its plan's order; a plan that states none runs at its endpoints' concurrency."""
    plan = side.plan or case.plan
    if plan is None or not plan.load:
        sides = [found for found in (case.reference, case.candidate) if found is not None]
        return (Load(asked=asked_concurrency([found.endpoint for found in sides])),)
    ramp_s = float(plan.settings.get("arrival", {}).get("ramp_s", 0.0))
    return tuple(
        Load(level=level, asked=asked, arrival=plan.arrival, ramp_s=ramp_s) for level, asked in enumerate(plan.load)
    )


def asked_concurrency(endpoints: Sequence[Mapping[str, object]]) -> int:
    """Give the requests in flight that endpoint files alone aim at: the lower of the sides'."""
    return min(_concurrency(endpoint) for endpoint in endpoints)


def _concurrency(endpoint: Mapping[str, object]) -> int:
    limits = endpoint.get("limits")
    asked = limits.get("concurrency") if isinstance(limits, Mapping) else None
    return asked if isinstance(asked, int) else Limits().concurrency


def load_words(load: Load) -> str:
    """Name a level, as `4 requests in flight` or `2.5 requests/s`."""
    if load.is_open_loop:
        return f"{load.asked:,g} requests/s"
    return f"{load.asked:,g} {'request' if load.asked == 1 else 'requests'} in flight"


def scheduled_rate(records: Sequence[Record], load: Load) -> Value:
    """Requests per second of the seed's own instants after the ramp: chance leaves few of them off what was asked."""
    if not load.is_open_loop:
        return missing(CLOSED_LOOP)
    return _rate([record.stamps.intended_at_ns for record in _after_ramp(records, load)])


def achieved_load(records: Sequence[Record], load: Load) -> Value:
    """Give what was there of the load while it was whole: after the ramp, and until the last request was sent.

    In a closed loop the mean number of requests in flight, weighted by time; in an open one the rate of sending.
    """
    if load.is_open_loop:
        sent = [record.stamps.sent_at_ns for record in _after_ramp(records, load)]
        return _rate([at_ns for at_ns in sent if at_ns is not None])
    return _whole_load(records, load)


def ramp_end_ns(records: Sequence[Record], load: Load) -> int:
    """When the whole load is due, counted from the level's first request."""
    return min(record.stamps.intended_at_ns for record in records) + nanoseconds(load.ramp_s)


def _after_ramp(records: Sequence[Record], load: Load) -> list[Record]:
    if not records:
        return []
    end_ns = ramp_end_ns(records, load)
    return [record for record in records if record.stamps.intended_at_ns >= end_ns]


def _rate(instants: Sequence[int]) -> Value:
    """One less than the number over the time that it spans: n instants have n - 1 distances."""
    if len(instants) < 2 or max(instants) == min(instants):  # noqa: PLR2004  # a distance needs two
        return missing(ONLY_RAMP)
    return known((len(instants) - 1) / seconds(max(instants) - min(instants)))


def _whole_load(records: Sequence[Record], load: Load) -> Value:
    n_sent = sum(record.stamps.sent_at_ns is not None for record in records)
    if n_sent <= load.asked:
        return missing(f"{n_sent} requests cannot keep {load.asked:g} in flight")
    start_ns = ramp_end_ns(records, load)
    end_ns = max(at_ns for record in records if (at_ns := record.stamps.sent_at_ns) is not None)
    if end_ns <= start_ns:
        return missing("the ramp took the whole level")
    return known(mean_in_flight(records, start_ns, end_ns))


def mean_in_flight(records: Sequence[Record], start_ns: int, end_ns: int) -> float:
    """Requests in flight between two instants, weighted by time; one whose end was not seen stayed to the last."""
    spans = [
        (sent_at_ns, end_ns if record.stamps.ended_at_ns is None else record.stamps.ended_at_ns)
        for record in records
        if (sent_at_ns := record.stamps.sent_at_ns) is not None
    ]
    inside_ns = sum(max(0, min(ended_at_ns, end_ns) - max(sent_at_ns, start_ns)) for sent_at_ns, ended_at_ns in spans)
    return inside_ns / (end_ns - start_ns)
