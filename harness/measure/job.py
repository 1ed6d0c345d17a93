"""What a run and its worker processes say to each other: one job, then lines on how it goes."""

from typing import Any

import msgspec

from harness.measure.budget import NO_BUDGETS, Budgets
from harness.measure.remaining import Remaining
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, ClientFacts, Plan


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One process's part of a run; keys stay references, which it resolves from its own environment."""

    plan: Plan
    golden: GoldenSet
    endpoint: Endpoint
    arm: Arm
    arms: tuple[Arm, ...]  # of the run, in the order of the pace's cells
    follows: int | None = None  # the arm of the same endpoint that warms up before this one, by its place
    worker: int  # position among the processes of the arm
    n_workers: int
    remaining: Remaining = Remaining()
    budgets: Budgets = NO_BUDGETS  # of the whole run
    folder: str  # of the run; its files exist
    pace_file: int  # inherited file descriptor

    @property
    def name(self) -> str:
        """Say whose process it is."""
        part = f", number {self.worker + 1} of {self.n_workers}" if self.n_workers > 1 else ""
        return f"the process that measured the {self.arm}{part}"


class Going(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """How many attempts are over so far; a line that is lost is made up for by the next."""

    done: int
    failed: int
    retried: int = 0


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The last line: how it ended and what it says of itself."""

    exit_code: int
    message: str
    done: int
    failed: int
    retried: int = 0
    was_stopped: bool = False  # it started nothing more and let all land: the others do, too
    clock: dict[str, Any] = {}
    client: tuple[ClientFacts, ...] = ()
