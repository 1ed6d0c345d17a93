"""A run folder judged once more, beside what it was judged before; nothing is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.plainjson import plain_json
from harness.cli.sides import RecordedSide, recorded_side
from harness.errors import ConfigError, DamagedFileError
from harness.model.looks import VERDICT
from harness.model.record import Arm
from harness.model.storage import StoredRun, load_run

if TYPE_CHECKING:
    from harness.analysis.moved import Moved
    from harness.analysis.results.analysis import Analysis
    from harness.analysis.results.case import Case, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejudged:
    """What a folder says today, and what its verdict.json says."""

    run: StoredRun
    analysis: "Analysis"
    summary: Mapping[str, Any]  # of today, as JSON has it
    recorded: Mapping[str, Any] | None  # None: the folder holds no verdict.json

    @property
    def contradictions(self) -> tuple["Moved", ...]:
        """Give every value of verdict.json that is otherwise today."""
        from harness.analysis.moved import contradictions  # noqa: PLC0415

        return () if self.recorded is None else contradictions(self.recorded, self.summary)

    @property
    def own_sides(self) -> tuple["Side", ...]:
        """Give the judged sides that were measured in this run."""
        case = self.analysis.case
        sides = (case.reference,) if case.candidate is None else (case.reference, case.candidate)
        return tuple(side for side in sides if side.run_id == self.run.header.run_id)


def rejudge(folder: Path, roots: Sequence[Path] = ()) -> Rejudged:
    """Judge the sides that verdict.json is of, which may be of two runs; another run is looked for beside and in roots.

    It gives a verdict on data that were looked at before, or none: so no look is put on record.
    """
    from harness.cli.judging import case_of, sides_of  # noqa: PLC0415  # pandas and scipy load below

    run, recorded = load_run(folder), recorded_summary(folder)
    if recorded is None or not other_run_ids(run.header.run_id, recorded):
        return _judged(run, recorded, case_of(*sides_of(run)))
    case = case_of(*_joined(run, recorded, roots))
    as_usual = _judged(run, recorded, case)
    if not as_usual.contradictions:
        return as_usual
    with_timings = _judged(run, recorded, replace(case, recorded_timings=True))  # as its command may have asked
    return min(as_usual, with_timings, key=lambda judged: len(judged.contradictions))


def _judged(run: StoredRun, recorded: dict[str, Any] | None, case: "Case") -> Rejudged:
    from harness.analysis.analyse import analyse  # noqa: PLC0415
    from harness.analysis.summary import to_summary  # noqa: PLC0415

    analysis = analyse(case)
    summary = json.loads(json.dumps(to_summary(analysis), allow_nan=False))
    return Rejudged(run=run, analysis=analysis, summary=summary, recorded=recorded)


def recorded_summary(folder: Path) -> dict[str, Any] | None:
    """Read verdict.json; None where there is none, DamagedFileError where it is no summary."""
    file = folder / VERDICT
    if not file.exists():
        return None
    try:
        found = plain_json(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFileError(f"damaged: {error}", where=str(file)) from None
    summary: dict[str, Any] = found if isinstance(found, dict) else {}
    sides = summary.get("sides")
    if not isinstance(sides, list) or len(sides) not in (1, 2) or not all(map(_is_side, sides)):
        raise DamagedFileError("no summary of a judgement", where=str(file))
    return summary


def _is_side(side: Any) -> bool:
    return isinstance(side, dict) and side.get("arm") in set(Arm) and isinstance(side.get("run_id"), str)


def other_run_ids(run_id: str, recorded: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Name the runs beside this one that verdict.json is of."""
    sides = [] if recorded is None else recorded["sides"]
    return tuple(dict.fromkeys(str(side["run_id"]) for side in sides if side["run_id"] != run_id))


def _joined(
    run: StoredRun, recorded: Mapping[str, Any], roots: Sequence[Path]
) -> tuple[RecordedSide, RecordedSide | None]:
    """Put together the two sides of a comparison that joined two runs."""
    own = run.header.run_id
    found = [
        recorded_side(run if side["run_id"] == own else other_run(run.folder, side["run_id"], roots), Arm(side["arm"]))
        for side in recorded["sides"]
    ]
    return found[0], found[1] if len(found) > 1 else None


def other_run(folder: Path, run_id: str, roots: Sequence[Path]) -> StoredRun:
    """Find a run by its id; ConfigError where it is in none of the places."""
    for root in (folder.resolve().parent, *roots):
        if is_folder_name(run_id) and (root / run_id).is_dir():
            return load_run(root / run_id)
    raise ConfigError(
        f"it was judged together with run {run_id}, which is not beside it",
        where=str(folder),
        remedy="Put that run's folder beside it",
    )


def is_folder_name(run_id: str) -> bool:
    """Whether an id, which a stranger may have written, stays in the folder that it is looked for in."""
    return run_id not in ("", ".", "..") and not {"/", "\\", "\0"} & set(run_id)
