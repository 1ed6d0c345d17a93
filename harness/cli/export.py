"""`bench export`: the exports of a recorded run."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.exporting import Exports, exporting_options, exports_of
from harness.cli.helppage import SectionedCommand
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.cli.judging import Judged
    from harness.report.page import ReportView


@click.command(cls=SectionedCommand)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--settings", type=click.Path(path_type=Path), metavar="FILE", help="Judge under other margins.")
@exporting_options
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def export(run: Path, settings: Path | None, **given: Any) -> int:
    """Judge a recorded RUN again and write its exports; nothing is sent, and no report is written.

    The exit code is 0 once the files are written, whatever the verdict: `bench report` gives that.

    \b
    Example:
        bench export results/<run> --markdown comment.md --junit junit.xml --requests requests.csv
    """
    exports = exports_of(given, os.environ)
    if not exports:
        raise ConfigError("nothing to export", remedy="Name a file: --markdown, --junit, --requests or --prometheus")
    for file in _written(run, settings, exports):
        if not given["quiet"]:
            click.echo(str(file))
    return 0


def _written(folder: Path, settings: Path | None, exports: Exports) -> Iterator[Path]:
    """Judge, then write file by file."""
    from harness.cli.judging import judged_run  # noqa: PLC0415  # keeps --help light
    from harness.model.settingsfile import load_settings  # noqa: PLC0415

    judged = judged_run(folder, load_settings(settings) if settings else None)
    for note in judged.notes:
        click.echo(f"note: {note}", err=True)
    yield from exports.write(judged.analysis, judged.run.header, _view(judged))


def _view(judged: "Judged") -> "ReportView":
    from harness.analysis.catalog import CATALOG  # noqa: PLC0415
    from harness.cli.exhibits import exhibits_of  # noqa: PLC0415
    from harness.report.view import build_view  # noqa: PLC0415  # matplotlib and jinja2 load below it

    exhibits = exhibits_of(judged.analysis, *judged.sides)
    return build_view(judged.analysis, judged.run.header, CATALOG, judged.checklist, exhibits)
