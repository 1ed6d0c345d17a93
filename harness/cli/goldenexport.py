"""`bench golden export`: a golden set in another format."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.model.golden import GoldenSet

_FORMATS = ("yaml", "jsonl", "batch", "bodies")


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--to", "kind", type=click.Choice(_FORMATS), required=True, help="Format that is written.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; the screen when left out.")
@click.option("--model", help="Model that batch and bodies name in each request; OpenAI asks for one.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def export(file: Path | None, kind: str, output: Path | None, model: str | None, *, force: bool) -> None:
    """Write a golden set as YAML, JSON lines, an OpenAI Batch file or bare request bodies.

    FILE is a golden set or the name of a shipped one; golden when left out. YAML and JSON lines hold the whole set;
    batch and bodies hold the requests alone, without checks, repeats and examples.

    \b
    Example:
        bench golden export set.yml --to batch --model gpt-4o -o batch.jsonl
    """
    from harness.cli.goldenwriting import write_text  # noqa: PLC0415  # keeps --help light
    from harness.errors import ConfigError  # noqa: PLC0415
    from harness.model.goldenfile import load_golden_set  # noqa: PLC0415
    from harness.model.shipped import golden_set_file  # noqa: PLC0415

    if model is not None and kind in ("yaml", "jsonl"):
        raise ConfigError(f"--model has no place in {kind}", remedy="The model stands in the endpoint file")
    golden = load_golden_set(golden_set_file(file))
    text = _text(golden, kind, model)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(text, output, may_replace=force)
        click.echo(f"wrote     {output}: {len(golden.prompts)} prompts", err=True)
    if kind in ("batch", "bodies"):
        _say_what_is_lost(kind, model)


def _text(golden: "GoldenSet", kind: str, model: str | None) -> str:
    from harness.model.foreign.batch import batch_jsonl  # noqa: PLC0415
    from harness.model.foreign.bodies import bodies_jsonl  # noqa: PLC0415
    from harness.model.goldentext import golden_jsonl, golden_yaml  # noqa: PLC0415

    if kind == "yaml":
        return golden_yaml(golden)
    if kind == "jsonl":
        return golden_jsonl(golden)
    return batch_jsonl(golden, model) if kind == "batch" else bodies_jsonl(golden, model)


def _say_what_is_lost(kind: str, model: str | None) -> None:
    lost = "checks, repeats, tags, canned tool results and examples"
    click.echo(f"left out  {lost}" + (", and the prompts' ids" if kind == "bodies" else ""), err=True)
    if model is None:
        click.echo("note      no model in the requests: --model gives one, which most servers ask for", err=True)
