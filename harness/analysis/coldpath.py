"""Judges first contacts: whether an endpoint was asleep, how long it took to wake, where the wait went."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import median

from harness.analysis.latencies import time_to_first_token
from harness.analysis.results.case import Side
from harness.analysis.results.cold import ColdPath, WaitPart, WaitPhase, Wake, WakeOutcome
from harness.analysis.results.estimates import Value
from harness.analysis.trials import is_judged
from harness.analysis.values import known, missing
from harness.decode.waking import is_given_up, is_loading
from harness.model.record import TIMEOUT_KINDS, FailureKind, Record, RequestKey
from harness.units import seconds

COLD_FACTOR, COLD_MARGIN_S = 2.0, 0.5  # a first output later than factor × warm + margin is taken for a wake
_ANSWERED = "answered"
NO_WARM = "no warm request to compare with succeeded"


def cold_path(side: Side) -> ColdPath | None:
    """Judge a side's first contacts; None where there is no sign that anything slept and nobody said it could."""
    cold, command = _section(side.endpoint, "cold"), _section(side.facts, "cold")
    groups = _first_contacts(side.records)
    wakes = tuple(_wake(side, number, group, cold, command) for number, group in enumerate(groups, 1))
    is_expected = bool(command) or cold.get("scales_to_zero") is True
    if not wakes or not (is_expected or any(_shows_a_wake(wake) for wake in wakes)):
        return None
    return ColdPath(
        arm=side.arm,
        is_cold_run=bool(command),
        budget_s=_number(cold, "budget_s"),
        cap_s=_number(cold, "cap_s"),
        wakes=wakes,
    )


def is_cold(ttft_s: float, warm_ttft_s: float) -> bool:
    """Whether a first output came too late for an endpoint that was awake."""
    return ttft_s > COLD_FACTOR * warm_ttft_s + COLD_MARGIN_S


def wait_split(attempts: Sequence[Record]) -> tuple[WaitPart, ...]:
    """Split the wait from the first attempt's start to the first output of the one that was answered, else to the end.

    The parts add up to the wait: each is the time between two instants on record, or what opening a connection took.
    """
    last = _telling(attempts)
    parts = [*_earlier(attempts, last), *_opening(last)]
    at_ns = _began_at_ns(attempts[0]) + sum(ns for _, ns in parts)
    for phase, until_ns in _instants(last):
        parts.append((phase, until_ns - at_ns))
        at_ns = until_ns
    return tuple(WaitPart(phase=phase, duration_s=seconds(ns)) for phase, ns in parts)


def _shows_a_wake(wake: Wake) -> bool:
    """An ordinary endpoint's first contact is no wake, and neither is one that failed."""
    return wake.outcome not in (WakeOutcome.NOT_CONFIRMED, WakeOutcome.FAILED, WakeOutcome.GAVE_UP)


def _first_contacts(records: Sequence[Record]) -> list[list[Record]]:
    groups: dict[RequestKey, list[Record]] = {}
    for record in sorted(records, key=lambda one: (_began_at_ns(one), one.attempt)):
        if record.is_possibly_cold and not record.key.is_follow_up:
            groups.setdefault(record.key, []).append(record)
    return [group for group in groups.values() if group[0].attempt == 1]  # a later retry is no first contact


def _wake(
    side: Side, number: int, attempts: Sequence[Record], cold: Mapping[str, object], command: Mapping[str, object]
) -> Wake:
    split = wait_split(attempts)
    wait_s = sum(part.duration_s for part in split)
    warm = _warm_ttft(side.records, attempts[-1], is_cold_run=bool(command))
    last = _telling(attempts)
    return Wake(
        number=number,
        request=last.key.id,
        outcome=_outcome(attempts, wait_s, warm, cold),
        n_attempts=len(attempts),
        wait_s=wait_s,
        split=split,
        ttft=time_to_first_token(last),
        warm_ttft=warm,
        idle=_idle(side.records, attempts[0], number, command),
        detail="; ".join(_details(attempts)),
    )


def _outcome(attempts: Sequence[Record], wait_s: float, warm: Value, cold: Mapping[str, object]) -> WakeOutcome:
    last, scales_to_zero = _telling(attempts), cold.get("scales_to_zero") is True
    if any(is_given_up(record.failure, scales_to_zero=scales_to_zero) for record in attempts):
        return WakeOutcome.CAPPED
    if last.failure is not None:
        return _failed(last, scales_to_zero=scales_to_zero)
    said_so = any(_says_a_wake(record, scales_to_zero=scales_to_zero) for record in attempts)
    if not said_so and not _is_late(last, warm):
        return WakeOutcome.NOT_CONFIRMED
    limit_s = _number(cold, "budget_s") or _number(cold, "cap_s")
    if limit_s is None:
        return WakeOutcome.WOKE
    return WakeOutcome.WITHIN_BUDGET if wait_s <= limit_s else WakeOutcome.OVER_BUDGET


def _says_a_wake(record: Record, *, scales_to_zero: bool) -> bool:
    """Whether an earlier attempt shows a wake: refused while it loads, or silent where it is declared to sleep."""
    failure = record.failure
    is_silent = failure is not None and failure.kind is FailureKind.TIMEOUT_FIRST_OUTPUT and scales_to_zero
    return is_silent or is_loading(failure, scales_to_zero=scales_to_zero)


def _is_late(answered: Record, warm: Value) -> bool:
    """Whether its first output came late beside a warm one; with none to compare with nobody knows."""
    ttft = time_to_first_token(answered).value
    return warm.value is not None and ttft is not None and is_cold(ttft, warm.value)


def _failed(last: Record, *, scales_to_zero: bool) -> WakeOutcome:
    failure = last.failure
    if failure is not None and failure.kind in TIMEOUT_KINDS:
        return WakeOutcome.GAVE_UP
    return WakeOutcome.CAPPED if is_loading(failure, scales_to_zero=scales_to_zero) else WakeOutcome.FAILED


def _details(attempts: Sequence[Record]) -> Iterator[str]:
    """Say what each attempt brought, equal ones in a row once; a single answered one needs no words."""
    for words, run in groupby(_words(record) for record in attempts):
        n = len(list(run))
        if words != _ANSWERED or len(attempts) > 1:
            yield f"{n} × {words}" if n > 1 else words


def _words(record: Record) -> str:
    if record.failure is None:
        return _ANSWERED
    status = f"{record.status} " if record.status is not None else ""
    return f"{status}{record.failure.kind.value}: {record.failure.message}"


def _warm_ttft(records: Sequence[Record], wake: Record, *, is_cold_run: bool) -> Value:
    """Take the request sent right after a wake that was made; else the median of what is judged, or was warmed up."""
    awake = [record for record in records if record.attempt == 1 and not record.is_possibly_cold]
    if is_cold_run:
        found = [record for record in awake if record.block == wake.block + 1]
    else:
        found = [record for record in awake if is_judged(record)]
    waits = [ttft for record in found if (ttft := time_to_first_token(record).value) is not None]
    return known(median(waits)) if waits else missing(NO_WARM)


def _idle(records: Sequence[Record], first: Record, number: int, command: Mapping[str, object]) -> Value:
    """Time since the request before ended; before the first one only the command that waited knows it."""
    began_at_ns = _began_at_ns(first)
    ends = [ended for record in records if (ended := record.stamps.ended_at_ns) is not None and ended <= began_at_ns]
    if ends and command:
        return known(seconds(began_at_ns - max(ends)))
    waited = _number(command, "waited_s")
    if number == 1 and waited is not None:
        return known(waited)
    return missing("declared cold" if command else "idle time not known")


def _telling(attempts: Sequence[Record]) -> Record:
    """Give the attempt that was answered, else the last one."""
    return next((record for record in attempts if record.failure is None), attempts[-1])


def _began_at_ns(record: Record) -> int:
    stamps = record.stamps
    return stamps.intended_at_ns if stamps.admitted_at_ns is None else stamps.admitted_at_ns


def _earlier(attempts: Sequence[Record], last: Record) -> list[tuple[WaitPhase, int]]:
    before_ns = _began_at_ns(last) - _began_at_ns(attempts[0])
    return [(WaitPhase.EARLIER, before_ns)] if before_ns else []


def _opening(record: Record) -> list[tuple[WaitPhase, int]]:
    """Give what opening the connection took, where this request waited for it."""
    connection = record.connection
    if connection is None or connection.reused or connection.is_preopened:
        return []
    parts = (
        (WaitPhase.DNS, connection.dns_ns),
        (WaitPhase.CONNECT, connection.tcp_ns),
        (WaitPhase.TLS, connection.tls_ns),
    )
    return [(phase, ns) for phase, ns in parts if ns is not None]


def _instants(record: Record) -> Iterator[tuple[WaitPhase, int]]:
    """Give what ends each phase after the connection, as far as it came, in order."""
    stamps, reads = record.stamps, record.reads.at_ns
    found = (
        (WaitPhase.SENT, stamps.sent_at_ns),
        (WaitPhase.FIRST_BYTE, reads[0] if reads else None),
        (WaitPhase.HEADERS, stamps.headers_at_ns),
        (WaitPhase.FIRST_EVENT, stamps.event_1_at_ns),
        (WaitPhase.FIRST_OUTPUT, stamps.token_1_at_ns),
        (WaitPhase.END, stamps.ended_at_ns if record.failure is not None else None),
    )
    for phase, at_ns in found:
        if at_ns is not None and not (phase is WaitPhase.FIRST_OUTPUT and record.failure is not None):
            yield phase, at_ns


def _section(of: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}


def _number(section: Mapping[str, object], name: str) -> float | None:
    found = section.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
