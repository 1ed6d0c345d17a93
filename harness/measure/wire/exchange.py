"""What one request on the wire leaves behind, and how long it may take."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.model.record import Attempt, Connection, Failure, FailureKind, Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """The four limits of one request."""

    connect_s: float  # DNS, TCP, proxy and TLS together
    first_output_s: float  # from sent
    idle_s: float  # between two outputs; keep-alives do not count
    total_s: float  # from sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request played: instants, the response's bytes with secrets struck out, and what went wrong."""

    sent_at_ns: int | None  # right before the call that handed the kernel the last byte; None when it never did
    ended_at_ns: int | None  # last byte read, or the failure
    connection: Connection | None  # None when not even an address was found
    status: int | None  # None when the response's head never completed
    headers: dict[str, str]  # by allow-list, lower-case names
    wire: bytes = field(repr=False)
    reads: Reads = field(repr=False)
    failure: Failure | None  # of the transport only

    def attempt(self, **asked: Any) -> Attempt:
        """Give the journal's line: what came, beside what was asked for and when, by the names of an attempt."""
        return Attempt(
            **asked,
            sent_at_ns=self.sent_at_ns,
            ended_at_ns=self.ended_at_ns,
            connection=self.connection,
            status=self.status,
            headers=self.headers,
            reads=self.reads,
            failure=self.failure,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A request that is over, before anything slow was done with it."""

    free_at_ns: int  # from then on its slot is free: the framed end as stamped, else when we knew that it was over
    settle: Callable[[], Exchange] = field(repr=False)  # strikes the secrets out, puts the columns together


class Cut(asyncio.CancelledError):
    """A request in flight was cancelled; what had come of it landed all the same."""

    def __init__(self, landed: Landed) -> None:
        """Keep it."""
        super().__init__()
        self.landed = landed


class WireError(Exception):
    """A connection that could not be opened; never leaves this package."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        """Keep the failure as it will be recorded."""
        super().__init__(message)
        self.failure = Failure(kind=kind, message=message)
