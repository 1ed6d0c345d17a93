"""`bench redact`: a copy of a run without prompts and answers, to be shared."""

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder of the copy; beside the run, -redacted, by default."
)
@click.option("--endpoints", is_flag=True, help="Strike out names, addresses, models and labels of endpoints, too.")
def redact(run: Path, output: Path | None, *, endpoints: bool) -> int:
    """Copy a RUN without its prompts and answers, so that it can be shared; nothing is sent.

    Instants, lengths, token counts, outcomes and digests stay: `bench report` on the copy judges timings, failures
    and costs again, and takes over what only texts can show. The run itself stays as it is.

    \b
    Example:
        bench redact results/20260101T120000-a-vs-b -o shared/a-vs-b
    """
    from harness.cli.redacting import redact_run  # noqa: PLC0415  # keeps --help light: pandas and scipy load below
    from harness.model.redaction import damage_words, read_redaction  # noqa: PLC0415

    folder = redact_run(run, output, hides_endpoints=endpoints)
    found = read_redaction(folder)
    click.echo(str(folder))
    if found.n_damaged:
        click.echo(damage_words(found), err=True)
    if found.n_without_bytes:
        click.echo(f"{found.n_without_bytes} responses are kept decoded, without their bytes", err=True)
    click.echo("ids, categories and tags of prompts and names of tools stay: read them before you share", err=True)
    return 0
