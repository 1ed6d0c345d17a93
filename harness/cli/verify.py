"""`bench verify`: what was published is what the recorded runs give."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.cli.verified import Verified

_DIFFERENT = 1
_SHOWN = 50


@click.command()
@click.argument("things", metavar="PAGE|ARCHIVE|RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--results", type=click.Path(path_type=Path), metavar="FOLDER", help="Where a page's run folders lie.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day that age is counted from.")
@click.option("--quiet", "-q", is_flag=True, help="Print only what differs.")
@click.option("--json", "as_json", is_flag=True, help="Print it as one line of JSON.")
def verify(things: tuple[Path, ...], results: Path | None, **given: Any) -> int:
    """Recompute every published number from the recorded runs, offline.

    Of a page: the block that `bench publish` wrote, with the files beside it. Of an archive that `bench bundle` wrote:
    every digest, then every number of its verdict.json. Of a run folder: every number of its verdict.json. Exit code 0
    when all is the same, 1 when anything differs (each difference is named), 2 when a run folder is not there.

    \b
    Example:
        bench verify docs/throughput.md --results results
        bench verify run.zip
    """
    from harness.cli.publish import day_of  # noqa: PLC0415  # keeps --help light
    from harness.cli.verifying import verified  # noqa: PLC0415

    if results is not None and not results.is_dir():
        raise ConfigError("no such folder", where=str(results), remedy="Give the folder that holds run folders")
    found = [verified(thing, () if results is None else (results,), day_of(given["today"])) for thing in things]
    if given["as_json"]:
        click.echo(json.dumps({"verified": msgspec.to_builtins(found)}))
    else:
        _say(found, is_quiet=given["quiet"])
    _refuse_lacking(found)
    return _DIFFERENT if any(one.differences for one in found) else 0


def _say(found: Sequence["Verified"], *, is_quiet: bool) -> None:
    from harness.report.untrusted import one_line  # noqa: PLC0415

    for one in found:
        for difference in one.differences[:_SHOWN]:
            click.echo(one_line(str(difference), 600))
        if len(one.differences) > _SHOWN:
            click.echo(f"and {len(one.differences) - _SHOWN:,} more")
        if not is_quiet:
            for note in one.notes:
                click.echo(f"note: {one_line(note, 600)}", err=True)
            click.echo(one_line(f"{one.thing}: {one.sentence}", 600))


def _refuse_lacking(found: Sequence["Verified"]) -> None:
    """A folder that lacks leaves numbers unverified; a difference found elsewhere weighs more."""
    lacking = [place for one in found for place in one.lacking]
    if lacking and not any(one.differences for one in found):
        raise ConfigError(
            "no such run folder, so its numbers are not verified",
            where=", ".join(lacking),
            remedy="Give --results FOLDER, or fetch the run",
        )
