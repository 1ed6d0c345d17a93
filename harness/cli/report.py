"""`bench report`: judge and render again, offline."""

from pathlib import Path
from typing import Any

import click

from harness.cli.completing import complete_run
from harness.cli.exporting import exporting_options
from harness.cli.helppage import SectionedCommand
from harness.cli.options import reporting_options
from harness.errors import ConfigError

_SEVERITY = (0, 3, 1, 4)  # PASS, INCONCLUSIVE, FAIL, INVALID: an invalid run hides what it would have said


@click.command(cls=SectionedCommand)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), shell_complete=complete_run)
@click.option("--settings", type=click.Path(path_type=Path), help="Judge under other margins; labelled so.")
@exporting_options
@reporting_options
def report(runs: tuple[Path, ...], settings: Path | None, **given: Any) -> int:
    """Judge recorded RUNS again and write their reports; nothing is sent.

    The exit code is that of the worst run.

    \b
    Example:
        bench report results/20260101T120000-a-vs-b --settings stricter.yml
    """
    from harness.cli.judging import judge_run, output_of  # noqa: PLC0415  # keeps --help light
    from harness.model.settingsfile import load_settings  # noqa: PLC0415

    chosen = load_settings(settings) if settings else None
    output = output_of(given)
    if len(runs) > 1 and output.exports:
        raise ConfigError("exports are of one run, and these are several", remedy="Run bench export for each")
    return max((judge_run(folder, chosen, output) for folder in runs), key=_SEVERITY.index)
