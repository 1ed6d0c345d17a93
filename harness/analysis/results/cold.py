"""Wakes of an endpoint that sleeps when nobody asks it."""

from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.results.estimates import Value
from harness.model.record import Arm


class WakeOutcome(StrEnum):
    """How a request to an endpoint that should have been asleep went."""

    WITHIN_BUDGET = "within budget"
    OVER_BUDGET = "over budget"
    WOKE = "woke"  # no budget is stated
    CAPPED = "capped"  # the provider gave the wake up
    GAVE_UP = "client gave up"  # our own limit passed without an answer
    NOT_CONFIRMED = "cold not confirmed"  # as fast as a warm request, or nothing to compare with
    FAILED = "failed"  # for another reason


AWAKENED = frozenset({WakeOutcome.WITHIN_BUDGET, WakeOutcome.OVER_BUDGET, WakeOutcome.WOKE})


class WaitPhase(StrEnum):
    """Where the wait went, in the order of time; each is named after what ends it."""

    EARLIER = "earlier attempts"  # refused while it woke, or given up by the provider, and the pauses after them
    DNS = "DNS"
    CONNECT = "connect"
    TLS = "TLS"
    SENT = "sent"
    FIRST_BYTE = "first byte"
    HEADERS = "headers"
    FIRST_EVENT = "first event"
    FIRST_OUTPUT = "first output"
    END = "end"  # of an attempt that brought no output


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitPart:
    """One phase of a wait."""

    phase: WaitPhase
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """One request to an endpoint that may have been asleep, with the attempts that it took."""

    number: int  # from 1, on its side
    request: str  # id of the request
    outcome: WakeOutcome
    n_attempts: int
    wait_s: float  # from the first attempt's start to the first output, or to the end
    split: tuple[WaitPart, ...]  # adds up to wait_s
    ttft: Value  # of the attempt that was answered
    warm_ttft: Value  # of the request to compare with
    idle: Value  # since the request before, or as waited by the command; undefined where nobody knows
    detail: str = ""  # a status, a failure's words


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdPath:
    """All first contacts of one side, held against what was expected."""

    arm: Arm
    is_cold_run: bool  # made to measure wakes; False: first contacts of a run
    budget_s: float | None
    cap_s: float | None
    wakes: tuple[Wake, ...]
