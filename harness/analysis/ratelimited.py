"""Whose limit a 429 met: our own quota or the provider's capacity, by headers, words and our own send log."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from harness.analysis.results.attempts import LimitCause, LimitRow
from harness.decode.ratelimits import QuotaState, quota_states
from harness.model.record import Record
from harness.units import NS_PER_S

_TOO_MANY = 429
_MINUTE_NS = 60 * NS_PER_S
_MONEY = ("insufficientquota", "billing", "insufficientcredit", "insufficientbalance", "quotaexceeded", "spendlimit")
_CAPACITY = ("overload", "capacity", "serverbusy", "enginebusy", "highdemand", "highload", "queuefull")
_OWN = ("ratelimit", "toomanyrequests", "requestsperminute", "tokensperminute", "rpm", "tpm", "quota")
LIMIT_WORDS = (*_MONEY, *_CAPACITY, *_OWN)
Found = tuple[LimitCause, str]


def limit_rows(records: Sequence[Record], endpoint: Mapping[str, object]) -> tuple[LimitRow, ...]:
    """Attribute every 429 of a side; most frequent first."""
    sent = sorted(at_ns for record in records if (at_ns := record.stamps.sent_at_ns) is not None)
    found: dict[LimitCause, list[str]] = {}
    for record in records:
        if record.status == _TOO_MANY:
            cause, evidence = attribute(record, _sent_before(sent, record), _stated_quota(endpoint))
            found.setdefault(cause, []).append(evidence)
    ordered = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    return tuple(LimitRow(cause=cause, n=len(shown), evidence=shown[0]) for cause, shown in ordered)


def attribute(record: Record, n_sent: int, stated: int | None) -> Found:
    """Name the cause and its evidence: codes, the server's counters, our send log, and only then a message's words.

    `n_sent` requests had gone out in the minute up to this one; `stated` is the quota that the endpoint file names.
    """
    states = quota_states(record.headers)
    return (
        _by_code(record, _MONEY, LimitCause.OWN_QUOTA)
        or _by_code(record, _CAPACITY, LimitCause.CAPACITY)
        or _by_counters(states)
        or _by_code(record, _OWN, LimitCause.OWN_QUOTA)
        or _by_log(states, n_sent, stated)
        or _by_message(record, _CAPACITY, LimitCause.CAPACITY)  # "your purchased capacity" is a quota
        or (LimitCause.UNKNOWN, _unexplained(states, n_sent))
    )


def _by_code(record: Record, words: Sequence[str], cause: LimitCause) -> Found | None:
    failure = record.failure
    return None if failure is None else _by_words({"code": failure.code, "type": failure.error_type}, words, cause)


def _by_message(record: Record, words: Sequence[str], cause: LimitCause) -> Found | None:
    failure = record.failure
    return None if failure is None else _by_words({"message": failure.message}, words, cause)


def _by_words(texts: Mapping[str, str | None], words: Sequence[str], cause: LimitCause) -> Found | None:
    for place, text in texts.items():
        plain = "".join(filter(str.isalnum, (text or "").lower()))
        if any(word in plain for word in words):
            return cause, f"{place}: {text}"
    return None


def _by_counters(states: Sequence[QuotaState]) -> Found | None:
    empty = next((state for state in states if state.is_used_up), None)
    if empty is None:
        return None
    of = "" if empty.limit is None else f" of {empty.limit:g}"
    reset = "" if empty.reset_s is None else f", reset in {empty.reset_s:g} s"
    return LimitCause.OWN_QUOTA, f"headers: 0{of} {empty.name or 'requests'} remain{reset}"


def _by_log(states: Sequence[QuotaState], n_sent: int, stated: int | None) -> Found | None:
    named = next((state.limit for state in states if state.name == "requests" and state.limit), None)
    for limit, source in ((named, "the headers name"), (stated, "limits.requests_per_minute names")):
        if limit is not None and n_sent >= limit:
            return LimitCause.OWN_QUOTA, f"send log: {n_sent} requests in a minute, and {source} {limit:g}"
    return None


def _unexplained(states: Sequence[QuotaState], n_sent: int) -> str:
    left = [f"{state.remaining:g} {state.name or 'requests'}" for state in states if state.remaining is not None]
    told = f"headers: {', '.join(left)} remain" if left else "no header or code says whose limit"
    return f"{told}; {n_sent} requests had been sent in the minute before"


def _sent_before(sent: Sequence[int], record: Record) -> int:
    at_ns = record.stamps.sent_at_ns
    return 0 if at_ns is None else bisect_right(sent, at_ns) - bisect_left(sent, at_ns - _MINUTE_NS)


def _stated_quota(endpoint: Mapping[str, object]) -> int | None:
    limits = endpoint.get("limits")
    stated = limits.get("requests_per_minute") if isinstance(limits, Mapping) else None
    return stated if isinstance(stated, int) else None
