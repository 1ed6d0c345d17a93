"""`bench recompute`: recorded runs under the present definitions, and what moved."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harness.cli.completing import complete_run
from harness.cli.verified import shown
from harness.model.storage import write_atomically

if TYPE_CHECKING:
    from harness.analysis.moved import Moved
    from harness.cli.rejudging import Rejudged

_VERDICT = "verdict.json"
_SHOWN = 40
_CHARACTERS = 28  # of a value in the table
_HEADLINES = ("verdict", "certificate.verdict", "tails[", "throughput[", "gates[", "economics[")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """One run under other definitions."""

    run: str
    old_definitions: str | None  # None: it was never judged
    new_definitions: str
    moved: tuple["Moved", ...]
    kept: str | None = None  # the file to which the old verdict.json was put; None: nothing was written


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), shell_complete=complete_run)
@click.option("--write", is_flag=True, help="Replace verdict.json; the old one stays beside it.")
@click.option("--all", "shows_all", is_flag=True, help="List every value that moved.")
@click.option("--json", "as_json", is_flag=True, help="Print it as one line of JSON.")
def recompute(runs: tuple[Path, ...], *, write: bool, shows_all: bool, as_json: bool) -> int:
    """Derive recorded RUNS again under the definitions of this version, and show what moved.

    Every number of verdict.json is computed again from the recorded bytes. Nothing is written without --write, nothing
    is sent, and no look at the data is put on record: they were looked at. Exit code 0, whatever moved.

    \b
    Example:
        bench recompute results/<run> --all
    """
    from harness.cli.rejudging import rejudge  # noqa: PLC0415  # pandas and scipy load below

    found = []
    for folder in runs:
        judged = rejudge(folder)
        found.append(_recomputed(judged, kept=_written(judged) if write else None))
        if not as_json:
            _say(found[-1], shows_all=shows_all)
    if as_json:
        click.echo(json.dumps({"recomputed": msgspec.to_builtins(found)}, allow_nan=False))
    return 0


def _recomputed(judged: "Rejudged", kept: str | None) -> Recomputed:
    from harness.analysis.moved import moved  # noqa: PLC0415

    recorded = judged.recorded
    return Recomputed(
        run=str(judged.run.folder),
        old_definitions=None if recorded is None else str(recorded.get("estimators")),
        new_definitions=str(judged.summary["estimators"]),
        moved=() if recorded is None else moved(recorded, judged.summary),
        kept=kept,
    )


def _written(judged: "Rejudged") -> str | None:
    """Replace verdict.json where it differs, after the old one was put beside it under a name of its own."""
    from harness.report.write import encode_summary  # noqa: PLC0415

    file = judged.run.folder / _VERDICT
    content = encode_summary(judged.summary)
    if judged.recorded is None or file.read_bytes() == content:
        return None
    old = file.read_bytes()
    kept = file.with_name(f"verdict.{_name_part(judged.recorded)}-{hashlib.sha256(old).hexdigest()[:8]}.json")
    write_atomically(kept, old)
    write_atomically(file, content)
    return kept.name


def _name_part(recorded: Mapping[str, Any]) -> str:
    version = str(recorded.get("estimators"))
    return f"definitions-{version}" if version.isalnum() else "definitions-unknown"


def _say(one: Recomputed, *, shows_all: bool) -> None:
    click.echo(f"{one.run}: {_sentence(one)}")
    for line in _rows(one.moved if shows_all else _first(one.moved)):
        click.echo(line)
    left = 0 if shows_all else len(one.moved) - len(_first(one.moved))
    if left:
        click.echo(f"and {left:,} more: --all lists them")
    if one.kept:
        click.echo(f"verdict.json replaced; the old one is {one.kept}")


def _sentence(one: Recomputed) -> str:
    if one.old_definitions is None:
        return "it holds no verdict.json, so there is nothing that could have moved: bench report judges it"
    is_same = one.old_definitions == one.new_definitions
    words = f"definitions {one.old_definitions}" + ("" if is_same else f" -> {one.new_definitions}")
    if not one.moved:
        return f"{words}: nothing moved"
    if is_same:
        return f"{words}: {len(one.moved):,} values moved and the definitions did not: another bench, or another file"
    return f"{words}: {len(one.moved):,} values moved"


def _first(moved: Sequence["Moved"]) -> Sequence["Moved"]:
    """Put what a reader looks for before the rest."""
    return sorted(moved, key=lambda one: not one.where.startswith(_HEADLINES))[:_SHOWN]


def _rows(moved: Sequence["Moved"]) -> Iterator[str]:
    from harness.cli.texttable import grid  # noqa: PLC0415
    from harness.report.untrusted import one_line  # noqa: PLC0415

    if moved:
        shown = [[one_line(cell, _CHARACTERS) for cell in _cells(one)] for one in moved]
        yield from grid(
            ("old", "new", "change", "what"),
            [(*cells, one_line(one.where, 100)) for cells, one in zip(shown, moved, strict=True)],
        )


def _cells(one: "Moved") -> Iterator[str]:
    old, new = one.old, one.new
    yield _text(old)
    yield _text(new)
    is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (old, new))
    yield f"{(new / old - 1) * 100:+.2f} %" if is_number and old else ""


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else shown(value)
