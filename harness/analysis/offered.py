"""Whether the harness kept up with its plan on one side: free slots filled, or a schedule kept; and the load there."""

from collections.abc import Sequence

from harness.analysis.latencies import connecting_s
from harness.analysis.load import Load, load_words, side_loads
from harness.analysis.quantiles import quantile
from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import OfferedLoad
from harness.analysis.shortfall import load_there, quota_of, quota_wait_ns, shortfall
from harness.analysis.trials import JudgedRecord, at_level
from harness.analysis.values import known, missing
from harness.model.record import Record
from harness.units import seconds

NOT_STATED = "the run did not record what load it asked for"
_P99 = 0.99


def offered_load(case: Case, side: Side, judged: Sequence[JudgedRecord], *, level: int = 0) -> OfferedLoad:
    """Measure one side at one level."""
    load = side_loads(case, side)[level]
    records = [item.record for item in at_level(judged, level)]
    sent = [item.record for item in judged if item.record.key.level == level and not item.record.key.is_warmup]
    in_flight = sent if load.is_open_loop else [*sent, *_retries(side, sent)]
    plan = side.plan or case.plan
    is_stated = plan is not None and bool(plan.load)
    quota = quota_of(side.endpoint)
    return OfferedLoad(
        words=load_words(load),
        is_open_loop=load.is_open_loop,
        offered_fraction=offered_fraction(records, load, has_quota=quota is not None)
        if is_stated
        else missing(NOT_STATED),
        achieved=load_there(in_flight, load),
        shortfall=shortfall(case, side, in_flight, load) if is_stated else "",
        queue_delay_p99_s=_p99(_delays(records)) if is_stated else missing(NOT_STATED),
        requests_per_minute=quota,
        includes_quota=quota is not None and any(_mixes_quota(record) for record in records),
    )


def _retries(side: Side, firsts: Sequence[Record]) -> list[Record]:
    """Give the retries that went out while first attempts still did: they hold slots of a closed loop."""
    keys = {record.key for record in firsts}
    last_ns = max((at_ns for record in firsts if (at_ns := record.stamps.sent_at_ns) is not None), default=0)
    again = [record for record in side.records if record.attempt > 1 and record.key in keys]
    return [record for record in again if (at_ns := record.stamps.sent_at_ns) is not None and at_ns <= last_ns]


def offered_fraction(records: Sequence[Record], load: Load, *, has_quota: bool = False) -> Value:
    """Share of the plan's load that the harness did not take away.

    Closed loop: Σ in flight / Σ (in flight + turn-round), the turn-round being what we took to fill a slot that was
    free and that the plan let us fill. Open loop: T / (T + d) with T the time that the schedule takes and d the p99
    of how late requests went, since a backlog that was worked off before the end was one all the same. In both,
    opening a connection counts as the endpoint's time, and what a quota took is left out.
    """
    waits = [(record, wait_s) for record in records if (wait_s := _own_delay_s(record, has_quota)) is not None]
    return _rate_kept(records, waits) if load.is_open_loop else _slots_filled(waits)


def _delays(records: Sequence[Record]) -> list[float]:
    """How long after its due instant each request went, in seconds, less what opening its connection took."""
    return [delay for record in records if (delay := _own_delay_s(record, has_quota=False)) is not None]


def _own_delay_s(record: Record, has_quota: bool) -> float | None:  # noqa: FBT001  # private
    sent_at_ns = record.stamps.sent_at_ns
    if sent_at_ns is None:
        return None
    quota_ns = (quota_wait_ns(record) or 0) if has_quota else 0
    waited_s = seconds(sent_at_ns - record.stamps.intended_at_ns - quota_ns)
    return max(0.0, waited_s - connecting_s(record.connection))


def _mixes_quota(record: Record) -> bool:
    """Whether a request's wait for its quota is on the record only together with ours."""
    return record.stamps.sent_at_ns is not None and quota_wait_ns(record) is None


def _slots_filled(waits: Sequence[tuple[Record, float]]) -> Value:
    """In flight: from sent to ended, and what connecting took before."""
    flown_s = waited_s = 0.0
    for record, wait_s in waits:
        sent_at_ns, ended_at_ns = record.stamps.sent_at_ns, record.stamps.ended_at_ns
        if sent_at_ns is not None and ended_at_ns is not None:
            flown_s += seconds(ended_at_ns - sent_at_ns) + connecting_s(record.connection)
            waited_s += wait_s
    whole_s = flown_s + waited_s
    return known(flown_s / whole_s) if whole_s > 0 else missing("no request was sent")


def _rate_kept(records: Sequence[Record], waits: Sequence[tuple[Record, float]]) -> Value:
    due = [record.stamps.intended_at_ns for record in records]
    late = _p99([wait_s for _, wait_s in waits])
    if late.value is None:
        return late
    took_s = seconds(max(due) - min(due))
    return known(took_s / (took_s + late.value)) if took_s > 0 else missing("one instant has no rate")


def _p99(values: Sequence[float]) -> Value:
    found = quantile(values, _P99)
    return missing("no request was sent") if found is None else known(found)
