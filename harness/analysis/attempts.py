"""What came of retries on one side, beside the trials that they never mend."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from harness.analysis.ratelimited import limit_rows
from harness.analysis.results.attempts import Attempts, RetriedKind
from harness.analysis.results.case import Case, Side
from harness.decode.ratelimits import asked_of
from harness.model.record import FailureKind, Record, RequestKey
from harness.model.retries import NotRetried, chance_of, next_wait_s
from harness.model.settings import RetrySettings, retry_settings

_EARLY_AND_LATE = (datetime(2001, 9, 9, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))  # any run was between them


def side_attempts(case: Case, side: Side) -> Attempts | None:
    """Count a side's attempts; None where it sent nothing that is measured."""
    plan = side.plan or case.plan
    settings = RetrySettings() if plan is None else retry_settings(plan.settings)
    requests = _by_request(side.records)
    if not requests:
        return None
    attempts = [record for found in requests.values() for record in found]
    return Attempts(
        arm=side.arm,
        n_requests=len(requests),
        n_first=sum(found[0].failure is None for found in requests.values()),
        n_eventually=sum(_succeeded(found) for found in requests.values()),
        n_attempts=len(attempts),
        most_attempts=max(map(len, requests.values())),
        allowed=settings.max_attempts,
        n_cut_with_output=sum(record.failure is not None and bool(record.arrivals.at_ns) for record in attempts),
        kinds=_kinds(requests, settings, 0 if plan is None else plan.seed),
        limits=limit_rows(side.records, side.endpoint),
    )


def _by_request(records: Sequence[Record]) -> dict[RequestKey, list[Record]]:
    """Give the attempts of every measured request, in their order; a request whose first is lost has no trial."""
    found: dict[RequestKey, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.attempt):
        is_cancelled = record.failure is not None and record.failure.kind is FailureKind.CANCELLED
        if not (record.key.is_warmup or record.key.is_follow_up or is_cancelled):
            found.setdefault(record.key, []).append(record)
    return {key: attempts for key, attempts in found.items() if attempts[0].attempt == 1}


def _succeeded(attempts: Sequence[Record]) -> bool:
    return any(record.failure is None for record in attempts)


def _kinds(
    requests: Mapping[RequestKey, Sequence[Record]], settings: RetrySettings, seed: int
) -> tuple[RetriedKind, ...]:
    n, retried, recovered = Counter[FailureKind](), Counter[FailureKind](), Counter[FailureKind]()
    reasons: dict[FailureKind, Counter[str]] = {}
    for attempts in requests.values():
        for record in attempts:
            if record.failure is None:
                continue
            kind = record.failure.kind
            n[kind] += 1
            if record is attempts[-1]:
                reasons.setdefault(kind, Counter())[_why_last(record, settings, seed)] += 1
            else:
                retried[kind] += 1
                recovered[kind] += _succeeded(attempts)
    return tuple(
        RetriedKind(
            kind=kind.value,
            n=count,
            n_retried=retried[kind],
            n_recovered=recovered[kind],
            not_retried=dict(reasons.get(kind, {})),
        )
        for kind, count in sorted(n.items(), key=lambda one: (-one[1], one[0]))
    )


def _why_last(record: Record, settings: RetrySettings, seed: int) -> str:
    """Decide once more, as the run did; where that depends on its wall clock, which is not on record, say so."""
    found = {_why_not(record, settings, seed, now) for now in _EARLY_AND_LATE}
    return str(found.pop() if len(found) == 1 else NotRetried.NOT_KNOWN)


def _why_not(record: Record, settings: RetrySettings, seed: int, now: datetime) -> NotRetried:
    assert record.failure is not None  # noqa: S101  # the caller looked
    chance = chance_of(seed, record.key, record.attempt)
    decided = next_wait_s(record.failure.kind, record.attempt, asked_of(record.headers, now), settings, chance)
    return decided if isinstance(decided, NotRetried) else NotRetried.ENDED
