"""`bench history`: the runs of a ledger, and how a figure went over them."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harness.analysis.series import FIGURES, Chosen, Series, choose, read_since, series_of
from harness.cli.historyrebuild import rebuild
from harness.cli.historyremarks import label, note
from harness.cli.ledgering import usual_ledger
from harness.cli.screen import columns, columns_of, say
from harness.cli.texttable import grid
from harness.clock import SystemClock
from harness.errors import ConfigError
from harness.model.baseline import read_baselines
from harness.model.ledger import Ledger, LedgerEntry, read_ledger

if TYPE_CHECKING:
    from harness.analysis.steps import Step

_Command = Callable[..., Any]
_FILTERS = (
    click.option(
        "--ledger",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Ledger; history/ledger.jsonl by default.",
    ),
    click.option("--endpoint", metavar="NAME", help="Runs with a side of this name or model; that side is shown."),
    click.option("--golden", metavar="NAME", help="Runs on this golden set, by its name or how its digest begins."),
    click.option("--since", metavar="DATE", help="Runs that started since: 2026-10-01, or 30d."),
    click.option("--label", metavar="LABEL", help="Runs with this label, put on or of an endpoint: h100, tier=h100."),
    click.option("--like", metavar="RUN", help="Runs that are comparable with this one."),
    click.option("--json", "as_json", is_flag=True, help="Print it as one line of JSON."),
)


def choosing_options(command: _Command) -> _Command:
    """Add which runs of a ledger are looked at."""
    for option in reversed(_FILTERS):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@click.pass_context
def history(ctx: click.Context) -> None:
    """Look at the ledger: its runs, a figure over them, notes and labels.

    `bench run` and `bench compare` append to it with --ledger, or where history/ledger.jsonl is there. Without a
    command it lists the runs.

    \b
    Example:
        bench history plot decode_p50 --endpoint candidate --since 90d --html decode.html
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, **{parameter.name: None for parameter in list_.params if parameter.expose_value})


@click.command("list")
@choosing_options
def list_(**given: Any) -> None:
    """List the runs, the oldest first; a letter names the runs that may be compared, a star a baseline.

    \b
    Example:
        bench history list --since 30d
    """
    ledger, entries = chosen_runs(given)
    if given["as_json"]:
        runs = [_as_json(ledger, entry) for entry in entries]
        click.echo(json.dumps({"ledger": str(ledger.file), "runs": runs}, allow_nan=False))
        return
    from harness.report.historytext import HEADS, fitting, note_lines, run_rows, series_notes  # noqa: PLC0415

    baselines = [one.run_id for one in read_baselines(ledger.file).baselines]
    heads, *rows = fitting(HEADS, run_rows(ledger, entries, baselines), columns_of(sys.stdout))
    for line in grid(heads, rows):
        click.echo(line)
    for line in (*series_notes(ledger, entries), *note_lines(ledger, entries)):
        click.echo(line)


@click.command()
@click.argument("figure", type=click.Choice(FIGURES), default="decode_p50")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page with the drawing."
)
@choosing_options
def plot(figure: str, html: Path | None, **given: Any) -> None:
    """Show how FIGURE went over comparable runs: a line of bars, its ends, gaps, and where it steps.

    Runs that must not be compared are refused, and the field in which they differ is named. FIGURE is decode_p50
    unless another is named.

    \b
    Example:
        bench history plot ttft_p95 --endpoint candidate --html ttft.html
    """
    ledger, entries = chosen_runs(given)
    series = series_of(ledger, entries, figure, given["endpoint"])
    from harness.analysis.steps import find_steps  # noqa: PLC0415  # arrays load below

    steps = find_steps(series)
    if html is not None:
        _write_page(ledger, series, steps, html)
    if given["as_json"]:
        click.echo(json.dumps(_series_as_json(series, steps), allow_nan=False))
        return
    from harness.report.historytext import series_lines  # noqa: PLC0415

    for line in series_lines(series, columns(), [step.words for step in steps]):
        click.echo(line)
    if html is not None:
        click.echo(f"page: {html}", err=True)


for command in (list_, plot, note, label, rebuild):
    history.add_command(command)


def chosen_runs(given: dict[str, Any]) -> tuple[Ledger, tuple[LedgerEntry, ...]]:
    """Read the ledger and what of it is looked at; torn lines are said."""
    ledger = read_ledger(usual_ledger(given["ledger"]))
    for problem in ledger.problems:
        say(f"note: {ledger.file}: {problem}", indent="  ")
    since = read_since(given["since"], SystemClock().now()) if given["since"] else None
    chosen = Chosen(
        endpoint=given["endpoint"], golden=given["golden"], since=since, label=given["label"], like=given["like"]
    )
    return ledger, choose(ledger, chosen)


def _as_json(ledger: Ledger, entry: LedgerEntry) -> dict[str, Any]:
    notes, labels = ledger.notes_of(entry.run_id), ledger.labels_of(entry.run_id)
    return {**msgspec.to_builtins(entry), "notes": notes, "labels": labels}


def _series_as_json(series: Series, steps: "tuple[Step, ...]") -> dict[str, Any]:
    points = [
        {
            "run_id": point.entry.run_id,
            "started_at": point.entry.started_at,
            "figure": msgspec.to_builtins(point.figure),
            "gap": point.gap,
            "labels": point.labels,
            "notes": point.notes,
        }
        for point in series.points
    ]
    named = [{"run_id": step.run_id, "before": step.before, "after": step.after} for step in steps]
    return {"figure": series.figure, "endpoint": series.endpoint, "points": points, "steps": named}


def _write_page(ledger: Ledger, series: Series, steps: "tuple[Step, ...]", file: Path) -> None:
    from harness.model.storage import write_atomically  # noqa: PLC0415
    from harness.report.historypage import history_view, render_history  # noqa: PLC0415  # matplotlib loads here

    if not file.parent.is_dir():
        raise ConfigError("there is no such folder", where=str(file.parent), remedy="Choose another --html")
    view = history_view(ledger, series, steps, read_baselines(ledger.file))
    write_atomically(file, render_history(view).encode())
