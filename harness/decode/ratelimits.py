"""Reads what response headers say of waits and quotas."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from harness.model.retries import Asked

_UNIT_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_STEP = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
_DURATION = re.compile(rf"(?:{_STEP.pattern})+")
_EPOCH_S, _EPOCH_MS = 1e9, 1e12  # numbers from here on are instants: September 2001, in seconds or milliseconds
_LONGEST_TEXT = 64
_FAMILIES = (
    re.compile(r"x-ratelimit-(?P<part>limit|remaining|reset)(?:-(?P<name>[a-z0-9-]+))?"),
    re.compile(r"ratelimit-(?P<part>limit|remaining|reset)(?:-(?P<name>[a-z0-9-]+))?"),
    re.compile(r"anthropic-ratelimit-(?P<name>[a-z0-9-]+)-(?P<part>limit|remaining|reset)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaState:
    """One quota as the headers of a response tell it; None where they do not."""

    name: str  # requests, tokens, ...; empty where the headers name none
    limit: float | None = None
    remaining: float | None = None
    reset_s: float | None = None  # from the response on

    @property
    def is_used_up(self) -> bool:
        """Whether nothing remains of it."""
        return self.remaining is not None and self.remaining <= 0


def asked_of(headers: Mapping[str, str], now: datetime | None = None) -> Asked:
    """What the headers ask; dates count from the response's own Date, else from `now`."""
    return Asked(wait_s=_wait_s(headers, now), may_retry=headers.get("x-should-retry", "").strip().lower() != "false")


def _wait_s(headers: Mapping[str, str], now: datetime | None) -> float | None:
    """Retry-After in milliseconds, in seconds or as a date; else when the quotas that are used up are reset."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    told = read_wait_s(headers.get("retry-after", ""), _date_of(headers) or now)
    if told is not None:
        return told
    quotas = quota_states(headers, now)
    if any(quota.remaining is not None for quota in quotas):
        quotas = tuple(quota for quota in quotas if quota.is_used_up)
    return max((quota.reset_s for quota in quotas if quota.reset_s), default=None)


def quota_states(headers: Mapping[str, str], now: datetime | None = None) -> tuple[QuotaState, ...]:
    """Every quota that the headers name, in their order."""
    parts: dict[str, dict[str, str]] = {}
    for header, value in headers.items():
        found = next((match for family in _FAMILIES if (match := family.fullmatch(header))), None)
        if found is not None:
            parts.setdefault(found["name"] or "", {})[found["part"]] = value
    since = _date_of(headers) or now
    return tuple(
        QuotaState(
            name=name,
            limit=_number(part.get("limit", "")),
            remaining=_number(part.get("remaining", "")),
            reset_s=read_wait_s(part.get("reset", ""), since),
        )
        for name, part in parts.items()
    )


def read_wait_s(text: str, since: datetime | None) -> float | None:
    """Seconds that a header's value names: a number, a duration as 6m0s, an epoch, a date; None for anything else."""
    text = text.strip()[:_LONGEST_TEXT]
    number = _number(text)
    if number is not None:
        return _of_number(number, since)
    if _DURATION.fullmatch(text):
        return sum(float(amount) * _UNIT_S[unit] for amount, unit in _STEP.findall(text))
    date = _date(text)
    return None if date is None or since is None else max(0.0, (date - since).total_seconds())


def _of_number(number: float, since: datetime | None) -> float | None:
    if number < _EPOCH_S:
        return number
    at_s = number / 1000 if number >= _EPOCH_MS else number
    return None if since is None else max(0.0, at_s - since.timestamp())


def _number(text: str) -> float | None:
    """A finite number that is not negative; -1 stands for unknown in the field."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _date_of(headers: Mapping[str, str]) -> datetime | None:
    return _date(headers.get("date", ""))


def _date(text: str) -> datetime | None:
    """An HTTP date or an ISO one; without a zone it is UTC."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return None
