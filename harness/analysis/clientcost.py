"""What measuring cost: CPU, lateness of the loop, connections of the processes that measured one side."""

from collections.abc import Iterable, Sequence

from harness.analysis.results.case import Case, Side
from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import Client
from harness.analysis.values import known, missing
from harness.model.record import ClientFacts
from harness.units import seconds

NOT_RECORDED = "the run did not record it"


def side_client(case: Case, side: Side, *, level: int = 0) -> Client:
    """Give what the processes of one side say of themselves; of all their sides where they measured several.

    The loop's lags are those of a level where the run recorded them by level; all else is of the whole run.
    """
    if not side.client:
        nothing = missing(NOT_RECORDED)
        return Client(
            loop_lag_p50_s=nothing,
            loop_lag_p99_s=nothing,
            loop_lag_max_s=nothing,
            cpu_fraction=nothing,
            cpu_per_event_s=nothing,
            open_connections=nothing,
            files_allowed=nothing,
        )
    facts = side.client
    lags = [_lags_ns(process, level) for process in facts]
    return Client(
        n_processes=len(facts),
        is_shared=any(len(process.arms) > 1 for process in facts),
        loop_lag_p50_s=_longest(of_process[0] for of_process in lags),
        loop_lag_p99_s=_longest(of_process[1] for of_process in lags),
        loop_lag_max_s=_longest(of_process[2] for of_process in lags),
        cpu_fraction=_busiest(facts),
        cpu_per_event_s=_cpu_per_event(case, side),
        open_connections=known(max(process.most_open_connections for process in facts)),
        files_allowed=_fewest_files(facts),
    )


def _lags_ns(process: ClientFacts, level: int) -> tuple[int | None, int | None, int | None]:
    """Median, p99 and longest at a level; of the whole run where that level has none of its own."""
    own = next((lag for lag in process.loop_lags if lag.level == level), None)
    if own is None:
        return process.loop_lag_p50_ns, process.loop_lag_p99_ns, process.loop_lag_max_ns
    return own.p50_ns, own.p99_ns, own.max_ns


def _longest(lags_ns: Iterable[int | None]) -> Value:
    found = [lag_ns for lag_ns in lags_ns if lag_ns is not None]
    return known(seconds(max(found))) if found else missing("the load was over before the loop was looked at")


def _busiest(facts: Sequence[ClientFacts]) -> Value:
    """CPU time over wall time: the process that is nearest to its core's limit is the one that may be late."""
    shares = [process.cpu_ns / took_ns for process in facts if (took_ns := _took_ns(process)) > 0]
    return known(max(shares)) if shares else missing("the load took no time")


def _took_ns(process: ClientFacts) -> int:
    return process.ended_at_ns - process.started_at_ns


def _cpu_per_event(case: Case, side: Side) -> Value:
    """CPU of all the side's processes over the events of the measured levels, all that they received there."""
    arms = {arm for process in side.client for arm in process.arms}
    sides = [found for found in (case.reference, case.candidate, case.placebo) if found is not None]
    together = [found for found in sides if found.run_id == side.run_id and found.client == side.client]
    if len(together) < len(arms):
        return missing("its process also measured a side that is not judged here")
    records = [record for found in together for record in found.records]
    n_events = sum(record.n_events for record in records if not (record.key.is_warmup or record.key.is_follow_up))
    cpu_ns = sum(process.cpu_ns for process in side.client)
    return known(seconds(cpu_ns) / n_events) if n_events else missing("no event")


def _fewest_files(facts: Sequence[ClientFacts]) -> Value:
    limits = [process.n_files_allowed for process in facts if process.n_files_allowed is not None]
    return known(min(limits)) if limits else missing("the system does not say")
