"""At whom a kind of failure points: where to look first."""

from collections.abc import Mapping
from typing import Literal

from harness.model.record import FailureKind

Whose = Literal["endpoint", "network", "client", "configuration", "budget"]

# What the kind alone can tell. A message or the endpoint's own log may say more.
ATTRIBUTION: Mapping[FailureKind, tuple[Whose, ...]] = {
    FailureKind.DNS: ("configuration", "network"),
    FailureKind.CONNECT: ("configuration", "network"),
    FailureKind.TLS: ("configuration", "network"),
    FailureKind.RESET_BEFORE_RESPONSE: ("network", "endpoint"),
    FailureKind.TIMEOUT_CONNECT: ("network",),
    FailureKind.TIMEOUT_FIRST_OUTPUT: ("endpoint",),
    FailureKind.TIMEOUT_IDLE: ("endpoint", "network"),
    FailureKind.TIMEOUT_TOTAL: ("endpoint", "configuration"),
    FailureKind.MALFORMED_HTTP: ("configuration", "endpoint"),
    FailureKind.BODY_TOO_LARGE: ("endpoint",),
    FailureKind.CUT_OFF: ("endpoint", "network"),
    FailureKind.REDIRECT: ("configuration",),
    FailureKind.AUTHENTICATION: ("configuration",),
    FailureKind.NOT_FOUND: ("configuration",),
    FailureKind.CONFLICT: ("endpoint",),
    FailureKind.RATE_LIMITED: ("budget",),
    FailureKind.BAD_REQUEST: ("configuration",),
    FailureKind.SERVER_ERROR: ("endpoint",),
    FailureKind.BAD_GATEWAY: ("endpoint",),
    FailureKind.UNAVAILABLE: ("endpoint",),
    FailureKind.NO_UPSTREAM: ("configuration",),
    FailureKind.GATEWAY_TIMEOUT: ("endpoint",),
    FailureKind.ERROR_IN_STREAM: ("endpoint",),
    FailureKind.TRUNCATED_STREAM: ("endpoint",),
    FailureKind.NOT_A_COMPLETION: ("configuration", "endpoint"),
    FailureKind.EMPTY_ANSWER: ("endpoint",),
    FailureKind.REFUSED_BY_BUDGET: ("budget",),
    FailureKind.CANCELLED: ("client",),
}
_WORDS: Mapping[Whose, str] = {
    "endpoint": "the endpoint",
    "network": "the network",
    "client": "this client",
    "configuration": "the configuration",
    "budget": "a quota or budget",
}


def whose_words(kind: str) -> str:
    """Say at whom a kind points; nothing for a kind that this version does not know."""
    found = ATTRIBUTION.get(FailureKind(kind), ()) if kind in set(FailureKind) else ()
    return " or ".join(_WORDS[one] for one in found)
