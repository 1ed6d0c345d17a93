"""`bench report`: judge and render again, offline."""

from pathlib import Path
from typing import Any

import click

from harness.cli.options import reporting_options

_SEVERITY = (0, 3, 1, 4)  # PASS, INCONCLUSIVE, FAIL, INVALID: an invalid run hides what it would have said


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--settings", type=click.Path(path_type=Path), help="Judge under other margins; labelled so.")
@reporting_options
def report(runs: tuple[Path, ...], settings: Path | None, **given: Any) -> int:
    """Judge recorded RUNS again and write their reports; nothing is sent.

    The exit code is that of the worst run.

    \b
    Example:
        bench report results/20260101T120000-a-vs-b --settings stricter.yml
    """
    from harness.cli.judging import Output, judge_run  # noqa: PLC0415  # keeps --help light
    from harness.model.settingsfile import load_settings  # noqa: PLC0415

    chosen = load_settings(settings) if settings else None
    output = Output(reports=given["reports"], quiet=given["quiet"], as_json=given["as_json"])
    return max((judge_run(folder, chosen, output) for folder in runs), key=_SEVERITY.index)
