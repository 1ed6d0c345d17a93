"""`bench golden show`: the prompts of a golden set, or one of them in full."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.model.golden import GoldenSet, Prompt


@click.command()
@click.argument("file", required=False)
@click.argument("prompt_id", metavar="[ID]", required=False)
def show(file: str | None, prompt_id: str | None) -> None:
    """List the prompts of a golden set, or print the prompt called ID in full.

    FILE is a golden set or the name of a shipped one; golden when left out, so that `bench golden show tool-loop`
    prints a prompt of it.

    \b
    Example:
        bench golden show set.yml
    """
    from harness.cli.goldenprompt import prompt_lines  # noqa: PLC0415  # keeps --help light
    from harness.cli.goldentable import table_lines  # noqa: PLC0415
    from harness.model.goldenfile import load_golden_set  # noqa: PLC0415
    from harness.model.shipped import golden_set_file  # noqa: PLC0415

    is_id = file is not None and prompt_id is None and not _names_a_set(file)
    chosen, wanted = (None, file) if is_id else (file, prompt_id)
    path = golden_set_file(Path(chosen) if chosen is not None else None)
    golden = load_golden_set(path)
    lines = table_lines(golden, str(path)) if wanted is None else prompt_lines(_found(golden, path, wanted))
    click.echo("\n".join(lines))


def _names_a_set(given: str) -> bool:
    from harness.model.shipped import GOLDEN_SETS  # noqa: PLC0415

    path = Path(given)
    return given in GOLDEN_SETS or path.exists() or path.suffix.lower() in (".yml", ".yaml", ".jsonl", ".ndjson")


def _found(golden: "GoldenSet", file: Path, prompt_id: str) -> "Prompt":
    import difflib  # noqa: PLC0415

    from harness.errors import ConfigError  # noqa: PLC0415

    known = {prompt.id: prompt for prompt in golden.prompts}
    if prompt_id in known:
        return known[prompt_id]
    close = difflib.get_close_matches(prompt_id, known, n=1)
    remedy = f"Did you mean {close[0]!r}?" if close else "bench golden show lists the prompts"
    raise ConfigError(f"no prompt {prompt_id!r}", where=str(file), remedy=remedy)
