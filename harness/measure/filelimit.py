"""Sees to it that a run may open the sockets that it will need."""

import math

from harness.errors import ConfigError
from harness.model.record import Arrival, Plan
from harness.model.settings import ArrivalSettings

OTHER_FILES = 64  # files that are no connections: the journal, the loop, what the user's shell left open


def files_needed(plan: Plan, n_arms: int, n_workers: int = 1) -> int:
    """Connections that may be open at once in a process that measures so many arms' n-th part, and what else is."""
    arrival = ArrivalSettings(**plan.settings["arrival"])
    most = max(plan.load, default=1) if plan.arrival is Arrival.CLOSED else arrival.max_in_flight
    return n_arms * math.ceil(most / n_workers) + OTHER_FILES


def most_files() -> int | None:
    """How far this process may raise its own limit; None where nothing limits it or nothing says so."""
    try:
        import resource  # noqa: PLC0415  # as below
    except ImportError:
        return None
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return hard if hard >= 0 else None


def allow_files(needed: int) -> None:
    """Raise this process's own limit as far as it must; ConfigError where the system's is lower."""
    try:
        import resource  # noqa: PLC0415  # Windows has neither the module nor the limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _is_enough(needed, soft):
        return
    if not _is_enough(needed, hard):
        raise ConfigError(
            f"the run may have {needed - OTHER_FILES} connections open at once, and this process may open {hard} files",
            remedy=f"Raise the limit (ulimit -n {needed}), or lower load or arrival.max_in_flight",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _is_enough(needed: int, limit: int) -> bool:
    return limit < 0 or limit >= needed  # below zero: no limit
