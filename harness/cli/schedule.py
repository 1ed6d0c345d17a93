"""`bench schedule`: ready files for cron, a systemd timer, GitHub Actions."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.spans import TimeOfDay

if TYPE_CHECKING:
    from harness.report.schedules import Schedule

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("kind", type=click.Choice(["cron", "systemd", "github"]))
@click.argument("words", nargs=-1, required=True, metavar="SUITE | COMMAND ...")
@click.option("--at", type=TimeOfDay(), default="03:17", show_default=True, help="When: local time, or UTC for github.")
@click.option(
    "--day", "days", multiple=True, type=click.Choice(_DAYS), help="Not every day but this one (may be repeated)."
)
@click.option("--name", metavar="NAME", help="Name of units, workflow and logs; after what is run by default.")
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File of lines NAME=value that the keys are taken from (cron, systemd).",
)
@click.option("--commit", is_flag=True, help="github: commit ledger and reports; else they are kept as artefacts.")
@click.option("--install", metavar="COMMAND", help="github: how bench is installed; from a mirror by default.")
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Write the files there."
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
def schedule(kind: str, words: tuple[str, ...], **given: Any) -> int:
    """Print what runs a suite (suite.yml), `run` or `compare` on a schedule: a cron line, units, a workflow.

    The command is checked, and so are the files of its endpoints, which say what keys it needs. It is
    printed with a log, a heartbeat and a lock in logs/ and, for `run` and `compare`, with a ledger.

    \b
    Example:
        bench schedule cron suite.yml --at 03:17 --keys keys.env
        bench schedule systemd compare a.yml b.yml --repeats 5 --into units
        bench schedule github suite.yml --commit --into .github/workflows
    """
    from harness.cli.schedulable import refuse_unschedulable  # noqa: PLC0415  # keeps --help light
    from harness.cli.scheduling import schedule_of  # noqa: PLC0415

    _refuse_without_effect(kind, given)
    found = schedule_of(click.get_current_context().find_root(), words, given)
    refuse_unschedulable(kind, found)
    files = _files(kind, found)
    if kind != "github" and found.variables and found.keys is None:
        _warn_of_keys(kind, found)
    if given["into"] is None:
        click.echo("\n".join(files.values()), nl=False)
    else:
        _write(files, given["into"], force=given["force"])
    return 0


def _refuse_without_effect(kind: str, given: dict[str, Any]) -> None:
    """An option of another kind of schedule would have no effect, silently."""
    from harness.errors import ConfigError  # noqa: PLC0415

    of_others = ("keys",) if kind == "github" else ("commit", "install")
    idle = [f"--{name}" for name in of_others if given[name]]
    if idle:
        raise ConfigError(f"{' and '.join(idle)} would have no effect for {kind}", remedy="Leave it out")


def _warn_of_keys(kind: str, found: "Schedule") -> None:
    from harness.cli.screen import say  # noqa: PLC0415

    named = ", ".join(found.variables)
    say(f"WARNING: the endpoint files take keys from {named}, which {kind} does not have: give --keys FILE")


def _files(kind: str, found: "Schedule") -> dict[str, str]:
    from harness.report.schedules import cron_line, systemd_units, workflow  # noqa: PLC0415

    if kind == "systemd":
        return systemd_units(found)
    return {f"{found.name}.cron": cron_line(found)} if kind == "cron" else {f"{found.name}.yml": workflow(found)}


def _write(files: dict[str, str], folder: Path, *, force: bool) -> None:
    from harness.errors import ConfigError  # noqa: PLC0415
    from harness.model.storage import write_atomically  # noqa: PLC0415

    for name, content in files.items():
        file = folder / name
        if file.exists() and file.read_text(encoding="utf-8") != content and not force:
            raise ConfigError("the file is there already", where=str(file), remedy="Give --force to replace it")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_atomically(folder / name, content.encode())
        click.echo(folder / name)
