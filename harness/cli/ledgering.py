"""Appends a judged run to the ledger, where one is kept."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.errors import ConfigError, DamagedFileError, IncompleteRunError
from harness.model.ledger import LEDGER, LedgerEntry, append_line, make_ledger_folder, read_ledger
from harness.model.looks import n_judgeable
from harness.model.record import Arm

if TYPE_CHECKING:
    from harness.cli.judging import Judged

_Command = Callable[..., Any]


def ledger_option(command: _Command) -> _Command:
    """Add where the run is entered."""
    return click.option(
        "--ledger",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help=f"Ledger to append the run to; {LEDGER} where that is there.",
    )(command)


def ledger_of(given: Mapping[str, Any]) -> Path | None:
    """Give the ledger that a measuring command appends to; ConfigError, before anything is sent, for a broken one.

    The usual one is appended to only where somebody has begun it.
    """
    if "ledger" not in given:
        return None
    file: Path | None = given["ledger"] or (LEDGER if LEDGER.exists() else None)
    if file is not None and file.exists():
        read_ledger(file)
    elif file is not None:
        make_ledger_folder(file)
    return file


def enter(judged: "Judged", file: Path, summary: bytes) -> str:
    """Append the run's line; give what was done, in words."""
    try:
        is_new = append_line(file, entry_of(judged, summary))
    except DamagedFileError as error:
        raise IncompleteRunError(f"the report is written, the ledger is not changed: {error}") from error
    return f"{file}: {'appended' if is_new else 'the same line is there already'}"


def entry_of(judged: "Judged", summary: bytes) -> LedgerEntry:
    """Make the line of what was judged."""
    from harness.analysis.ledgerentry import ledger_entry  # noqa: PLC0415  # pandas and scipy load below

    reference, candidate = judged.sides
    runs = {Arm.REFERENCE: reference.run} | ({} if candidate is None else {Arm.CANDIDATE: candidate.run})
    case = judged.analysis.case
    if candidate is None and case.reference.arm is not Arm.REFERENCE:  # a run of one side, whatever it was called
        runs = {case.reference.arm: reference.run}
    once = {run.header.run_id: run for run in runs.values()}
    return ledger_entry(
        judged.analysis,
        {arm: run.header for arm, run in runs.items()},
        n_requests=sum(n_judgeable(run.attempts) for run in once.values()),
        summary_sha256=hashlib.sha256(summary).hexdigest(),
    )


def usual_ledger(given: Path | None) -> Path:
    """Give the ledger that a command reads; ConfigError where there is none."""
    file = given or LEDGER
    if not file.exists():
        raise ConfigError(
            "there is no ledger",
            where=str(file),
            remedy=f"bench run --ledger {file} begins one, bench history rebuild makes one of the runs in results/",
        )
    return file
