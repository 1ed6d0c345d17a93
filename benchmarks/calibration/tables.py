"""Rows of the tables, and what chance leaves open in each share."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scipy.stats import beta

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Events in simulated sets."""

    events: int
    sets: int

    @property
    def rate(self) -> float:
        """Share of the sets."""
        return self.events / self.sets

    @property
    def upper(self) -> float:
        """Exact one-sided 95 % upper bound."""
        return upper_bound(self.events, self.sets)

    @property
    def lower(self) -> float:
        """Exact one-sided 95 % lower bound."""
        return 1 - upper_bound(self.sets - self.events, self.sets)

    @property
    def bounded(self) -> str:
        """Rate with its upper bound."""
        return f"{percent(self.rate)} ({percent(self.upper)})"

    @property
    def between(self) -> str:
        """Rate with both bounds."""
        return f"{percent(self.rate)} ({percent(self.lower)} to {percent(self.upper)})"


def upper_bound(events: int, sets: int) -> float:
    """Exact one-sided 95 % upper bound of a rate (Clopper and Pearson)."""
    return 1.0 if events == sets else float(beta.ppf(LEVEL, events + 1, sets - events))


def share_of(found: Iterable[bool]) -> Share:
    """Count."""
    outcomes = list(found)
    return Share(events=sum(outcomes), sets=len(outcomes))


def percent(rate: float) -> str:
    """Write a rate with one decimal."""
    return f"{100 * rate:.1f} %"


def row(cells: Sequence[object]) -> str:
    """Write a line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def head(cells: Sequence[str]) -> Iterator[str]:
    """Write a table's first two lines."""
    yield row(cells)
    yield row(["---"] * len(cells)).replace(" ", "")
