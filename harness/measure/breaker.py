"""Knows when an endpoint is dead: no request of the rest of the set would tell anything more."""

from dataclasses import dataclass, field

from harness.model.record import Arm, FailureKind
from harness.model.settings import BreakerSettings

UNREACHABLE = frozenset(
    {
        FailureKind.DNS,
        FailureKind.CONNECT,
        FailureKind.TLS,
        FailureKind.TIMEOUT_CONNECT,
        FailureKind.AUTHENTICATION,
        FailureKind.NOT_FOUND,
        FailureKind.NO_UPSTREAM,
        FailureKind.REDIRECT,
    }
)  # where one comes after another, no request can succeed
MAY_BE_LOAD = frozenset(
    {
        FailureKind.RATE_LIMITED,
        FailureKind.UNAVAILABLE,
        FailureKind.GATEWAY_TIMEOUT,
        FailureKind.TIMEOUT_FIRST_OUTPUT,
        FailureKind.RESET_BEFORE_RESPONSE,
    }
)  # a crowded endpoint refuses some at once while its first answers are still under way


@dataclass(slots=True, kw_only=True)
class Breaker:
    """One side's failures in a row, by first attempts; the success of any attempt ends the row."""

    arm: Arm
    settings: BreakerSettings
    n_failed: int = 0  # since the last success
    n_unreachable: int = 0  # of them, at the end and without another kind between
    n_from_the_start: int | None = 0  # before any success, those apart that load may explain; None once one succeeded
    kinds: dict[FailureKind, int] = field(default_factory=dict)

    def note(self, kind: FailureKind | None) -> str | None:
        """Count how a request ended; say why the run must end, None where it goes on."""
        if kind is FailureKind.CANCELLED:
            return None
        if kind is None:
            self.n_failed = self.n_unreachable = 0
            self.n_from_the_start = None
            self.kinds.clear()
            return None
        self.n_failed += 1
        self.n_unreachable = self.n_unreachable + 1 if kind in UNREACHABLE else 0
        if self.n_from_the_start is not None and kind not in MAY_BE_LOAD:
            self.n_from_the_start += 1
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        return self._verdict()

    def _verdict(self) -> str | None:
        if 0 < self.settings.unreachable <= self.n_unreachable:
            return f"the {self.arm} is dead: {self.n_unreachable} requests in a row failed ({self._told()})"
        if 0 < self.settings.from_the_start <= (self.n_from_the_start or 0):
            return f"the {self.arm} never succeeded: all of its first {self.n_failed} requests failed ({self._told()})"
        if 0 < self.settings.without_success <= self.n_failed:
            return f"the {self.arm} is dead: none of its last {self.n_failed} requests succeeded ({self._told()})"
        return None

    def _told(self) -> str:
        ordered = sorted(self.kinds.items(), key=lambda found: (-found[1], found[0]))
        return ", ".join(f"{count} {kind}" for kind, count in ordered)
