"""How much of the load asked was there, and what of the plan kept the rest away: a quota, a look-ahead, too few."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from harness.analysis.latencies import connecting_s
from harness.analysis.load import Load, achieved_load, mean_in_flight, ramp_end_ns, scheduled_rate
from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Value
from harness.analysis.values import known
from harness.analysis.words import count_of
from harness.model.record import Record
from harness.units import nanoseconds

LEAST_ACHIEVED = 0.95  # of what was asked: below it a page says what kept the rest away
LOOK_AHEAD = "the faster side waited for the slower one (look-ahead)"
CONNECTING = "connections were being opened"


def load_there(records: Sequence[Record], load: Load) -> Value:
    """Give the load achieved; where it was never whole, the mean in flight from the first due to the last end."""
    found = achieved_load(records, load)
    ended = [at_ns for record in records if (at_ns := record.stamps.ended_at_ns) is not None]
    if load.is_open_loop or found.value is not None or not ended:
        return found
    start_ns, end_ns = min(record.stamps.intended_at_ns for record in records), max(ended)
    return known(mean_in_flight(records, start_ns, end_ns)) if end_ns > start_ns else found


def shortfall(case: Case, side: Side, records: Sequence[Record], load: Load) -> str:
    """Name the largest reason why less than LEAST_ACHIEVED was there; empty where enough was, or we were the reason."""
    there, aimed = load_there(records, load).value, _aimed(records, load)
    if there is None or aimed is None or there >= LEAST_ACHIEVED * aimed:
        return ""
    quota = quota_of(side.endpoint)
    by_quota = "" if quota is None else f"it was paced by its quota of {count_of(quota, 'request')} per minute"
    if load.is_open_loop:
        return by_quota
    n_sent = sum(record.stamps.sent_at_ns is not None for record in records)
    if n_sent <= load.asked:
        return f"{count_of(n_sent, 'request')} cannot keep {load.asked:g} in flight"
    return _largest(records, load, by_quota, may_hold=_may_hold(case, side, records, load))


def quota_of(endpoint: Mapping[str, object]) -> int | None:
    """Give the requests per minute that an endpoint file allows."""
    limits = endpoint.get("limits")
    quota = limits.get("requests_per_minute") if isinstance(limits, Mapping) else None
    return quota if isinstance(quota, int) else None


def _aimed(records: Sequence[Record], load: Load) -> float | None:
    """In an open loop the rate of the seed's own instants: chance is no shortfall."""
    return scheduled_rate(records, load).value if load.is_open_loop else load.asked


def _may_hold(case: Case, side: Side, records: Sequence[Record], load: Load) -> bool:
    """Whether the plan may have held a side: at the first level, beside another, over more blocks than it looks."""
    plan = side.plan or case.plan
    is_paired = case.candidate is not None and case.candidate.run_id == case.reference.run_id
    blocks = [record.block for record in records]
    return is_paired and load.level == 0 and plan is not None and max(blocks) - min(blocks) > plan.look_ahead


def _largest(records: Sequence[Record], load: Load, by_quota: str, *, may_hold: bool) -> str:
    """Split the time of the slots in which nothing was in flight; what nothing else explains, the look-ahead took."""
    sent = [at_ns for record in records if (at_ns := record.stamps.sent_at_ns) is not None]
    window = ramp_end_ns(records, load), max(sent)
    if window[1] <= window[0]:
        return ""
    lost_ns = (load.asked - mean_in_flight(records, *window)) * (window[1] - window[0])
    waits = [_waits(record, window, has_quota=bool(by_quota)) for record in records]
    ours, quota, connecting = (sum(column) for column in zip(*waits, strict=True))
    reasons = {
        by_quota: quota,
        CONNECTING: connecting,
        LOOK_AHEAD: lost_ns - ours - quota - connecting if may_hold else 0,
    }
    reason, most_ns = max(reasons.items(), key=lambda item: item[1])
    return reason if most_ns > max(ours, 0) else ""


def _waits(record: Record, window: tuple[int, int], *, has_quota: bool) -> tuple[int, int, int]:
    """Nanoseconds of a window that a request held a slot before it was sent: ours, the quota's, connecting."""
    ours, quota, connecting = (
        max(0, min(end_ns, window[1]) - max(start_ns, window[0]))
        for start_ns, end_ns in pairwise(_steps(record, has_quota=has_quota))
    )
    return ours, quota, connecting


def _steps(record: Record, *, has_quota: bool) -> Iterator[int]:
    """Due, quota asked, quota got and connecting, sent; one that was never sent was connecting to its end."""
    stamps = record.stamps
    opens_ns, over_ns = _connecting(record)
    quota_ns = 0
    if has_quota:
        apart_ns = quota_wait_ns(record)
        quota_ns = opens_ns - stamps.intended_at_ns if apart_ns is None else apart_ns
    yield stamps.intended_at_ns
    yield opens_ns - quota_ns
    yield opens_ns
    yield over_ns


def _connecting(record: Record) -> tuple[int, int]:
    stamps = record.stamps
    if stamps.sent_at_ns is not None:
        took_ns = nanoseconds(connecting_s(record.connection))
        return max(stamps.intended_at_ns, stamps.sent_at_ns - took_ns), stamps.sent_at_ns
    began_ns = stamps.intended_at_ns if stamps.admitted_at_ns is None else stamps.admitted_at_ns
    return began_ns, began_ns if stamps.ended_at_ns is None else stamps.ended_at_ns


def quota_wait_ns(record: Record) -> int | None:
    """Give admitted − claimed: how long a quota took; None where the run did not record it apart."""
    claimed_at_ns, admitted_at_ns = record.stamps.claimed_at_ns, record.stamps.admitted_at_ns
    if claimed_at_ns is None or admitted_at_ns is None:
        return None
    return admitted_at_ns - claimed_at_ns
