"""What a run has spent and may still come to spend, over all the processes that measure."""

from dataclasses import dataclass
from typing import Protocol

NANO = 1_000_000_000  # parts that a unit of money is counted in: sums of integers do not drift


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Requests, tokens and money; of one request, or of all."""

    requests: int = 0
    tokens: int = 0
    nanomoney: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        """Add up."""
        return Spent(
            requests=self.requests + other.requests,
            tokens=self.tokens + other.tokens,
            nanomoney=self.nanomoney + other.nanomoney,
        )

    def __sub__(self, other: "Spent") -> "Spent":
        """Take back."""
        return Spent(
            requests=self.requests - other.requests,
            tokens=self.tokens - other.tokens,
            nanomoney=self.nanomoney - other.nanomoney,
        )


NOTHING = Spent()


class Ledger(Protocol):
    """The sums, and the word to stop; whoever shares them sees both."""

    is_shared: bool  # with other processes, whose word to stop nothing announces

    def add(self, spent: Spent) -> None:
        """Add to what this process spent."""
        ...

    def total(self) -> Spent:
        """Give what all processes spent."""
        ...

    def stop(self) -> None:
        """Tell every process to start nothing more."""
        ...

    def is_stopped(self) -> bool:
        """Whether some process has said so."""
        ...


class OwnLedger:
    """The ledger of a run that one process measures."""

    is_shared = False

    def __init__(self) -> None:
        """Begin at nothing."""
        self._total = Spent()
        self._is_stopped = False

    def add(self, spent: Spent) -> None:
        """Note it."""
        self._total += spent

    def total(self) -> Spent:
        """Give the sum."""
        return self._total

    def stop(self) -> None:
        """Note it."""
        self._is_stopped = True

    def is_stopped(self) -> bool:
        """Whether it was noted."""
        return self._is_stopped
