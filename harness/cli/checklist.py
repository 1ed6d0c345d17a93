"""`bench checklist`: what is left to do before an application moves."""

from pathlib import Path

import click

from harness.cli.completing import complete_run


@click.command()
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_run)
@click.option(
    "--probes",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Probe folder of an endpoint of the run (may be repeated); the newest beside the run by default.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the Markdown there instead of printing it."
)
def checklist(run: Path, probes: tuple[Path, ...], output: Path | None) -> int:
    """Print the cut-over checklist of a recorded RUN as Markdown; nothing is sent.

    Each item is done, not done or failed, from evidence, with the command that would do it. It ends with what your
    code must change.

    \b
    Example:
        bench checklist results/<run> --probes results/<probe folder> -o cutover.md
    """
    from harness.cli.exporting import refuse_unwritable  # noqa: PLC0415
    from harness.cli.judging import checklist_of_run  # noqa: PLC0415  # keeps --help light
    from harness.model.storage import write_atomically  # noqa: PLC0415
    from harness.report.markdown import checklist_text  # noqa: PLC0415

    if output is not None:
        refuse_unwritable(output, "--output")
    text = checklist_text(checklist_of_run(run, probes))
    if output is None:
        click.echo(text)
    else:
        write_atomically(output, f"{text}\n".encode())
    return 0
