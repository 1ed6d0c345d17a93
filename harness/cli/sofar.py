"""What a run that was ended early has on record: counts and failures, nothing that a verdict stands on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.cli.texttable import grid
from harness.model.looks import was_cancelled
from harness.model.record import Arm, Attempt, Plan
from harness.model.storage import load_run

_ERROR = 400
_SHOWN = 3


def lines_so_far(folder: Path, plan: Plan) -> Iterator[str]:
    """Give a row for each side: measured requests of those planned, and what failed by its transport or status."""
    run = load_run(folder)
    ended = [attempt for attempt in run.attempts if not was_cancelled(attempt)]
    planned = sum(not block.is_warmup for block in plan.blocks)
    rows = [
        (str(header.endpoint.get("name", "")), str(header.arm), *_cells(ended, header.arm, planned))
        for header in run.header.arms
    ]
    yield "recorded, every request that had ended:"
    yield from (f"  {line}" for line in grid(("endpoint", "side", "requests", "failed"), rows))


def has_measured(folder: Path) -> bool:
    """Say whether a measured request has ended: without one there is nothing to report."""
    return any(not (attempt.key.is_warmup or was_cancelled(attempt)) for attempt in load_run(folder).attempts)


def has_answered(folder: Path) -> bool:
    """Say whether any measured request succeeded by its transport and status."""
    run = load_run(folder)
    return any(not attempt.key.is_warmup and _failure(attempt) is None for attempt in run.attempts)


def _cells(attempts: Sequence[Attempt], arm: Arm, planned: int) -> tuple[str, str]:
    own = [attempt for attempt in attempts if attempt.key.arm is arm and not attempt.key.is_warmup]
    done = {attempt.key for attempt in own if not attempt.key.is_follow_up}
    kinds = Counter(kind for attempt in own if (kind := _failure(attempt)) is not None)
    shown = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(_SHOWN))
    return f"{len(done)} of {planned}", f"{kinds.total()}: {shown}" if kinds else "0"


def _failure(attempt: Attempt) -> str | None:
    if attempt.failure is not None:
        return str(attempt.failure.kind)
    return f"HTTP {attempt.status}" if (attempt.status or 0) >= _ERROR else None
