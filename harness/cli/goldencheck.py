"""`bench golden check`: whether golden sets can be replayed and judged."""

from pathlib import Path

import click


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> int:
    """Say whether golden sets can be replayed and judged, and what is odd about them.

    FILES are golden sets or the names of shipped ones; golden when none is given. Warnings are said and the exit code
    is 0; whatever would keep a set from being judged is an error, and the exit code is 2.

    \b
    Example:
        bench golden check set.yml
    """
    from harness.model.shipped import golden_set_file  # noqa: PLC0415  # keeps --help light

    results = [_is_usable(golden_set_file(file)) for file in files or (None,)]
    return 0 if all(results) else 2


def _is_usable(file: Path) -> bool:
    """Print the set's errors, or its summary with its warnings."""
    from harness.analysis.goldenchecks import REMEDY, prompt_problems  # noqa: PLC0415
    from harness.cli.goldensummary import summary_lines  # noqa: PLC0415
    from harness.errors import ConfigError  # noqa: PLC0415
    from harness.model.goldenfile import locate_golden_set  # noqa: PLC0415

    try:
        located = locate_golden_set(file)
    except ConfigError as error:
        click.echo(f"bench: {error}", err=True)
        return False
    found = [(prompt.id, problem) for prompt in located.golden.prompts for problem in prompt_problems(prompt)]
    for prompt_id, problem in found:
        click.echo(f"bench: {located.where(prompt_id)}, prompt {prompt_id!r}: {problem}", err=True)
    if found:
        click.echo(f"{file}: {len(found)} {'error' if len(found) == 1 else 'errors'}. {REMEDY}", err=True)
        return False
    click.echo("\n".join(summary_lines(located.golden, str(file))))
    return True
