"""`bench memo`: the one-page cut-over memo of a recorded run."""

from pathlib import Path

import click

from harness.cli.completing import complete_run


@click.command()
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_run)
@click.option("--settings", type=click.Path(path_type=Path), help="Judge under other margins; labelled so.")
@click.option("--reports", type=click.Path(path_type=Path), default=Path("reports"), help="Folder of reports.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def memo(run: Path, settings: Path | None, reports: Path, *, quiet: bool) -> int:
    """Write the cut-over memo of RUN: verdict, bounds, rollback triggers, on one page (HTML and Markdown).

    `bench compare` and `bench report` write it beside their report. The exit code is that of the verdict.

    \b
    Example:
        bench memo results/20260101T120000-a-vs-b
    """
    from harness.analysis.results.judgement import EXIT_CODES  # noqa: PLC0415  # keeps --help light
    from harness.cli.judging import judged_run  # noqa: PLC0415  # pandas and scipy load below
    from harness.model.settingsfile import load_settings  # noqa: PLC0415
    from harness.report.memofiles import write_memo  # noqa: PLC0415

    judged = judged_run(run, load_settings(settings) if settings else None)
    written = write_memo(judged.analysis, judged.run.header, reports, suffix=judged.departure)
    for note in judged.notes:
        click.echo(f"note: {note}", err=True)
    if not quiet:
        click.echo(written.html)
        click.echo(written.markdown)
    return EXIT_CODES[judged.verdict] if judged.verdict else 0
