"""What a page says of the cold path and of time limits."""

from dataclasses import dataclass

from harness.report.page import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdView:
    """Wakes of each side, with where the wait went."""

    lede: str
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """Lines to paste."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutsSide:
    """One side's limits."""

    arm: str
    name: str
    limits: Table
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutsView:
    """The limits of each side, and what others would have ended."""

    lede: str
    sides: tuple[TimeoutsSide, ...]
    others: Table
