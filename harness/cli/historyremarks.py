"""`bench history note` and `label`: what is said of a run afterwards, as lines of the ledger."""

from pathlib import Path

import click

from harness.cli.ledgering import usual_ledger
from harness.clock import SystemClock
from harness.errors import ConfigError
from harness.model.ledger import Remark, append_line, read_ledger

_LEDGER = click.option(
    "--ledger", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Ledger; history/ledger.jsonl."
)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("text")
@_LEDGER
def note(run_id: str, text: str, ledger: Path | None) -> None:
    """Append a note TEXT on RUN, or on the one run that begins with it.

    \b
    Example:
        bench history note <run> "the server was upgraded that day"
    """
    if not text.strip():
        raise ConfigError("the note is empty", remedy="Write what you want to remember of the run")
    file = usual_ledger(ledger)
    run = read_ledger(file).find(run_id).run_id
    append_line(file, Remark(at=_now(), run_id=run, note=" ".join(text.split())))
    click.echo(f"{run}: noted")


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("name", metavar="LABEL")
@click.option("--remove", "is_taken_off", is_flag=True, help="Take it off again.")
@_LEDGER
def label(run_id: str, name: str, ledger: Path | None, *, is_taken_off: bool) -> None:
    """Put LABEL on RUN, or take it off; `bench history list --label LABEL` finds it.

    \b
    Example:
        bench history label <run> before-upgrade
    """
    if not name.strip() or "," in name:
        raise ConfigError(f"{name!r} is no label", remedy="One word or more, without a comma")
    file = usual_ledger(ledger)
    found = read_ledger(file)
    run = found.find(run_id).run_id
    labels = found.labels_of(run)
    if is_taken_off and name not in labels:
        raise ConfigError(f"run {run} has no label {name!r}", where=str(file), remedy=f"It has: {_listed(labels)}")
    if is_taken_off or name not in labels:
        append_line(file, Remark(at=_now(), run_id=run, label=name, is_taken_off=is_taken_off))
    click.echo(f"{run}: {_listed(read_ledger(file).labels_of(run))}")


def _now() -> str:
    """Give an instant to the microsecond: remarks of one second keep their order."""
    return SystemClock().now().isoformat()


def _listed(labels: tuple[str, ...]) -> str:
    return ", ".join(labels) or "no label"
