"""`bench history rebuild`: the ledger made again from the run folders."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.sides import RecordedSide, recorded_side
from harness.errors import ConfigError
from harness.model.ledger import LEDGER, LedgerEntry, Remark, locked, make_ledger_folder, read_lines, write_ledger
from harness.model.looks import VERDICT
from harness.model.record import Arm, RunStatus
from harness.model.storage import HEADER, load_header, load_run

if TYPE_CHECKING:
    from harness.cli.judging import Judged


_RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What became of the runs."""

    added: tuple[LedgerEntry, ...] = ()
    same: tuple[LedgerEntry, ...] = ()
    other: tuple[LedgerEntry, ...] = ()  # the ledger says something else
    skipped: tuple[str, ...] = ()  # with the reason


@click.command()
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("results"),
    show_default=True,
    metavar="FOLDER",
    help="Folder of run folders.",
)
@click.option("--ledger", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=f"Ledger; {LEDGER}.")
@click.option("--replace", is_flag=True, help="Put the line made now in the place of one that says something else.")
def rebuild(results: Path, ledger: Path | None, *, replace: bool) -> int:
    """Judge the finished runs in a folder again, and append those that the ledger lacks.

    Nothing is sent. Lines of runs whose folder has gone, notes and labels stay. Exit code 1 where the ledger says
    something else of a run than what is judged now, and --replace was not given.

    \b
    Example:
        bench history rebuild --results results
    """
    if not results.is_dir():
        raise ConfigError("there is no such folder", where=str(results), remedy="Give the folder of run folders")
    file = ledger or LEDGER
    made, skipped = _made_again(results)
    make_ledger_folder(file)
    with locked(file):
        lines = list(read_lines(file)) if file.exists() else []  # not as a ledger: two lines may contradict here
        found = _sorted_out(lines, made, skipped)
        _write(file, lines, _changed(found, is_replacing=replace))
    for line in _lines(found, is_replacing=replace):
        click.echo(line)
    return 1 if found.other and not replace else 0


def _made_again(results: Path) -> tuple[list[LedgerEntry], list[str]]:
    made, skipped = [], []
    for folder in sorted(path.parent for path in results.glob(f"*/{HEADER}")):
        try:
            made.append(_entry(folder, results))
        except ConfigError as error:
            skipped.append(f"{folder.name}: {error}")
    return made, skipped


def _entry(folder: Path, results: Path) -> LedgerEntry:
    """Judge a run as its verdict was; ConfigError where that would be a look that nobody has had."""
    from harness.analysis.analyse import to_summary  # noqa: PLC0415  # pandas and scipy load here
    from harness.cli.ledgering import entry_of  # noqa: PLC0415
    from harness.report.write import encode_summary  # noqa: PLC0415

    header = load_header(folder)
    if header.rerun_of is not None:
        raise ConfigError(f"it measured suspicious prompts of {header.rerun_of} again, and is no night of its own")
    if header.status is not RunStatus.FINISHED:
        raise ConfigError(f"it is {header.status}", remedy="bench report judges what there is")
    judged = _judged(folder, results)
    return entry_of(judged, encode_summary(to_summary(judged.analysis)))


def _judged(folder: Path, results: Path) -> "Judged":
    from harness.cli.judging import judged_run, judged_sides  # noqa: PLC0415

    sides = _sides_of_verdict(folder)
    if len({side.run_id for side in sides}) <= 1:
        return judged_run(folder, None)
    own = load_header(folder).run_id
    reference, candidate = (_side(folder if side.run_id == own else results / side.run_id, side) for side in sides)
    return judged_sides(reference, candidate, None, recorded_timings=_did_timings_decide(folder))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A side as a verdict names it."""

    arm: Arm
    name: str
    run_id: str


def _sides_of_verdict(folder: Path) -> list[_Named]:
    """Give the sides that its verdict.json is about; none where it has none."""
    try:
        sides = json.loads((folder / VERDICT).read_bytes())["sides"]
        return [_Named(arm=Arm(side["arm"]), name=str(side["name"]), run_id=str(side["run_id"])) for side in sides]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _did_timings_decide(folder: Path) -> bool:
    """Whether the verdict rested on ratios of timings, as `--recorded-timings` asks of a comparison of two runs."""
    gates = json.loads((folder / VERDICT).read_bytes())["gates"]
    return any(gate["is_required"] and gate["is_timing"] and gate["kind"] == _RATIO for gate in gates)


def _side(folder: Path, named: _Named) -> RecordedSide:
    """Give a side of a run, found by its endpoint's name: its arm there may be another."""
    if not (folder / HEADER).exists():
        raise ConfigError(f"the other side's run is not there: {folder}", remedy="Put its folder back")
    run = load_run(folder)
    arm = next((one.arm for one in run.header.arms if one.endpoint.get("name") == named.name), named.arm)
    return recorded_side(run, arm)


def _sorted_out(lines: Sequence[LedgerEntry | Remark], made: Sequence[LedgerEntry], skipped: Sequence[str]) -> Rebuilt:
    held: dict[tuple[str, int], list[LedgerEntry]] = {}
    for line in lines:
        if isinstance(line, LedgerEntry):
            held.setdefault(_state(line), []).append(line)
    pairs = [(entry, held.get(_state(entry), [])) for entry in made]
    return Rebuilt(
        added=tuple(new for new, old in pairs if not old),
        same=tuple(new for new, old in pairs if old == [new]),
        other=tuple(new for new, old in pairs if old and old != [new]),
        skipped=tuple(skipped),
    )


def _state(entry: LedgerEntry) -> tuple[str, int]:
    return entry.run_id, entry.n_requests


def _changed(found: Rebuilt, *, is_replacing: bool) -> list[LedgerEntry]:
    return [*(found.other if is_replacing else ()), *found.added]


def _write(file: Path, lines: Sequence[LedgerEntry | Remark], changed: Sequence[LedgerEntry]) -> None:
    """Keep every line but those in whose place another is put; what is new comes last."""
    if not changed:
        return
    states = {_state(entry) for entry in changed}
    kept = [line for line in lines if not (isinstance(line, LedgerEntry) and _state(line) in states)]
    write_ledger(file, [*kept, *changed])


def _lines(found: Rebuilt, *, is_replacing: bool) -> Iterator[str]:
    word = "replaced" if is_replacing else "says something else (--replace puts the line made now in its place)"
    counts = (("added", found.added), ("the same", found.same), ("other", found.other), ("skipped", found.skipped))
    yield ", ".join(f"{len(those)} {name}" for name, those in counts)
    yield from (f"added    {entry.run_id}" for entry in found.added)
    yield from (f"other    {entry.run_id}: {word}" for entry in found.other)
    yield from (f"skipped  {line}" for line in found.skipped)
