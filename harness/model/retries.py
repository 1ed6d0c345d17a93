"""The policy for each kind of failure, as data, and how long the wait before another attempt is."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.model.record import FailureKind, RequestKey
from harness.model.settings import RetrySettings


class How(StrEnum):
    """When a request that failed goes out again."""

    NEVER = "never"
    BACKOFF = "backoff"  # exponential, full jitter
    ASKED = "as asked"  # after the wait that the server asks for, else backoff
    DELAYED = "once, delayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is done about a kind of failure, and why."""

    how: How
    why: str


_NOTHING_BILLED = "No server did any work: nothing is billed."
_AS_A_WHOLE = (
    "A broken stream cannot be resumed: it is sent again as a whole, and what had come is kept and may be billed."
)
POLICIES: Mapping[FailureKind, Policy] = {
    FailureKind.DNS: Policy(how=How.BACKOFF, why=_NOTHING_BILLED),
    FailureKind.CONNECT: Policy(how=How.BACKOFF, why=_NOTHING_BILLED),
    FailureKind.TLS: Policy(how=How.BACKOFF, why=_NOTHING_BILLED),
    FailureKind.RESET_BEFORE_RESPONSE: Policy(how=How.BACKOFF, why="No answer had begun: as a rule nothing is billed."),
    FailureKind.TIMEOUT_CONNECT: Policy(how=How.BACKOFF, why=_NOTHING_BILLED),
    FailureKind.TIMEOUT_FIRST_OUTPUT: Policy(
        how=How.DELAYED, why="The endpoint queues or wakes: asking again at once would only lengthen the queue."
    ),
    FailureKind.TIMEOUT_IDLE: Policy(how=How.BACKOFF, why=_AS_A_WHOLE),
    FailureKind.TIMEOUT_TOTAL: Policy(how=How.NEVER, why="The next attempt would take as long."),
    FailureKind.MALFORMED_HTTP: Policy(how=How.NEVER, why="What answers is no such API: a matter of configuration."),
    FailureKind.BODY_TOO_LARGE: Policy(how=How.NEVER, why="The next answer would be as large, and is billed."),
    FailureKind.CUT_OFF: Policy(how=How.BACKOFF, why=_AS_A_WHOLE),
    FailureKind.REDIRECT: Policy(how=How.NEVER, why="A matter of configuration: the address is another."),
    FailureKind.AUTHENTICATION: Policy(how=How.NEVER, why="A matter of configuration: the key or its rights."),
    FailureKind.NOT_FOUND: Policy(how=How.NEVER, why="A matter of configuration: the address or the model."),
    FailureKind.CONFLICT: Policy(how=How.ASKED, why="408 and 409 ask for another attempt."),
    FailureKind.RATE_LIMITED: Policy(how=How.ASKED, why="429: the server says when, or is given time."),
    FailureKind.BAD_REQUEST: Policy(how=How.NEVER, why="The same request would be refused again."),
    FailureKind.SERVER_ERROR: Policy(how=How.ASKED, why="It may have struck this one request only."),
    FailureKind.BAD_GATEWAY: Policy(how=How.ASKED, why="Servers behind a gateway come and go."),
    FailureKind.UNAVAILABLE: Policy(
        how=How.ASKED, why="Overloaded, or loading its model: the next attempt counts as possibly cold."
    ),
    FailureKind.NO_UPSTREAM: Policy(how=How.NEVER, why="The body says that no server is configured: reported only."),
    FailureKind.GATEWAY_TIMEOUT: Policy(
        how=How.DELAYED, why="A gateway gave up waiting, perhaps for a wake that goes on: one more, later."
    ),
    FailureKind.ERROR_IN_STREAM: Policy(how=How.BACKOFF, why=_AS_A_WHOLE),
    FailureKind.TRUNCATED_STREAM: Policy(how=How.BACKOFF, why=_AS_A_WHOLE),
    FailureKind.NOT_A_COMPLETION: Policy(how=How.NEVER, why="What answers is no such API: a matter of configuration."),
    FailureKind.EMPTY_ANSWER: Policy(how=How.NEVER, why="A whole answer: asking until it is another would mend it."),
    FailureKind.REFUSED_BY_BUDGET: Policy(how=How.NEVER, why="Refused on purpose, by a budget or a filter."),
    FailureKind.CANCELLED: Policy(how=How.NEVER, why="By our user; a resumed run sends it."),
}
MAY_HAVE_SLEPT = frozenset(
    {FailureKind.UNAVAILABLE, FailureKind.GATEWAY_TIMEOUT, FailureKind.TIMEOUT_FIRST_OUTPUT}
)  # what answers after one of these may be waking


class NotRetried(StrEnum):
    """Why no further attempt follows a failure."""

    OFF = "retries are off"
    POLICY = "its kind is never retried"
    SERVER_SAYS_NO = "the server says x-should-retry: false"
    USED_UP = "its attempts were used up"
    ASKED_TOO_LONG = "the server asks for a longer wait than retries.max_wait_s"
    ENDED = "the run ended before"
    NOT_KNOWN = "not known: the server names an instant, and not its own time"  # the run went by its wall clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a response's headers ask of whoever sends its request again."""

    wait_s: float | None = None
    may_retry: bool = True  # False: x-should-retry says no


def next_wait_s(
    kind: FailureKind, n_attempts: int, asked: Asked, settings: RetrySettings, chance: random.Random
) -> float | NotRetried:
    """How long to wait after the n-th attempt failed, or why no other follows.

    Full jitter: uniform between 0 and min(max_backoff_s, backoff_s × 2^(n-1)). A wait that the server asks for is a
    floor under it. No wait is longer than max_wait_s.
    """
    if (reason := _refusal(kind, n_attempts, asked, settings)) is not None:
        return reason
    how = POLICIES[kind].how
    jitter_s = chance.random() * min(settings.max_backoff_s, settings.backoff_s * 2.0 ** (n_attempts - 1))
    floor_s = (asked.wait_s or 0.0) if how is not How.BACKOFF else 0.0
    if how is How.DELAYED:
        floor_s = max(floor_s, settings.delayed_s)
    return min(settings.max_wait_s, floor_s + jitter_s)


def _refusal(kind: FailureKind, n_attempts: int, asked: Asked, settings: RetrySettings) -> NotRetried | None:
    how = POLICIES[kind].how
    if settings.max_attempts == 1:
        return NotRetried.OFF
    if how is How.NEVER:
        return NotRetried.POLICY
    if not asked.may_retry:
        return NotRetried.SERVER_SAYS_NO
    if n_attempts >= (min(2, settings.max_attempts) if how is How.DELAYED else settings.max_attempts):
        return NotRetried.USED_UP
    if how is not How.BACKOFF and (asked.wait_s or 0.0) > settings.max_wait_s:
        return NotRetried.ASKED_TOO_LONG
    return None


def chance_of(seed: int, key: RequestKey, n_attempts: int) -> random.Random:
    """Give the chance of one wait: the seed's, the request's and the attempt's, whatever else the run did before."""
    return random.Random(f"wait after attempt {n_attempts} of {key.id} of {seed}")  # noqa: S311  # reproducible
