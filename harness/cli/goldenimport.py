"""`bench golden import`: a golden set from another tool's file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.helppage import SectionedCommand

if TYPE_CHECKING:
    from harness.cli.goldenintake import Intake
    from harness.model.golden import Prompt

FORMATS = ("auto", "batch", "bodies", "finetune", "promptfoo", "sharegpt")
_MAX_TOKENS = 1024


def taking_options(command: Any) -> Any:
    """Add what both commands take that make a set out of a foreign file."""
    for option in reversed(
        (
            click.option(
                "--from", "kind", type=click.Choice(FORMATS), default="auto", help="Format of FILE; seen by itself."
            ),
            click.option(
                "-o", "--output", type=click.Path(path_type=Path), required=True, help="Set to write: .yml or .jsonl."
            ),
            click.option("--name", help="Name of the set; the file's name by default."),
            click.option(
                "--pin", is_flag=True, help="Set temperature 0 and top_p 1, and max_tokens where it is absent."
            ),
            click.option(
                "--max-tokens", type=click.IntRange(1), default=_MAX_TOKENS, help="What --pin sets; 1024 by default."
            ),
            click.option("--force", is_flag=True, help="Replace the set if it exists."),
        )
    ):
        command = option(command)
    return command


@click.command("import", cls=SectionedCommand)
@click.argument("file", type=click.Path(path_type=Path))
@taking_options
def import_(file: Path, **given: Any) -> None:
    """Make a golden set of FILE: OpenAI Batch or bare request bodies, fine-tuning examples, promptfoo or ShareGPT.

    Says what was taken, changed, skipped and why. Sampling that is not pinned is warned of and left as it is, unless
    --pin is given.

    \b
    Example:
        bench golden import batch.jsonl -o set.yml
    """
    from harness.cli.goldenintake import Intake  # noqa: PLC0415  # keeps --help light
    from harness.cli.goldensummary import listed, tagged  # noqa: PLC0415
    from harness.cli.goldenwriting import check_output  # noqa: PLC0415
    from harness.model.foreign.assemble import prompts_of  # noqa: PLC0415
    from harness.model.foreign.formats import TITLES, read_foreign  # noqa: PLC0415

    check_output(given["output"], may_replace=given["force"])
    kind = chosen_format(file, given["kind"])
    intake = Intake()
    drafts = list(intake.drafts(read_foreign(file, kind), refuses_responses=True))
    for draft in drafts:
        intake.count(draft)
    prompts = list(intake.judgeable(prompts_of(drafts, prefix=kind)))
    click.echo("\n".join(tagged("read", f"{intake.n_items} items of {file}, as {TITLES[kind]}")))
    click.echo("\n".join(listed("note", _REMARKS.get(kind, ()))), nl=kind in _REMARKS)
    finish(file, prompts, intake, given, comments=[f"Made of {file.name} ({TITLES[kind]}) by bench golden import."])


def chosen_format(file: Path, given: str) -> Any:
    """Give the format asked for, else the one that the file shows."""
    from harness.model.foreign.formats import Format, detect_format  # noqa: PLC0415

    return detect_format(file) if given == "auto" else Format(given)


def finish(
    file: Path, prompts: "list[Prompt]", intake: "Intake", given: dict[str, Any], *, comments: list[str]
) -> None:
    """Pin, write, and say what was done and what comes next."""
    from harness.cli.goldensummary import summary_lines, tagged  # noqa: PLC0415
    from harness.cli.goldenwriting import write_golden_set  # noqa: PLC0415
    from harness.errors import ConfigError  # noqa: PLC0415
    from harness.model.golden import GoldenSet  # noqa: PLC0415

    click.echo("\n".join(intake.lines()) or "changed   nothing")
    if not prompts:
        raise ConfigError("nothing could be taken", where=str(file), remedy="Is it the right format? --from names one")
    output = given["output"]
    golden = GoldenSet(name=given["name"] or output.stem, prompts=_pinned(prompts, given))
    write_golden_set(golden, output, comments, may_replace=given["force"])
    click.echo("\n".join(summary_lines(golden, str(output))))
    checks = "" if all(prompt.checks for prompt in golden.prompts) else "give every prompt its checks, then "
    click.echo("\n".join(tagged("next", f"{checks}bench golden check {output}")))


def _pinned(prompts: "list[Prompt]", given: dict[str, Any]) -> "list[Prompt]":
    import msgspec  # noqa: PLC0415

    from harness.model.chatrequest import pinned, unpinned_sampling  # noqa: PLC0415

    if not given["pin"]:
        return prompts
    changed = sum(bool(unpinned_sampling(prompt.request)) for prompt in prompts)
    click.echo(f"pinned    {changed} of {len(prompts)}: temperature 0, top_p 1, max_tokens where absent")
    return [
        msgspec.structs.replace(prompt, request=pinned(prompt.request, max_tokens=given["max_tokens"]))
        for prompt in prompts
    ]


_REMARKS = {
    "sharegpt": (
        "ShareGPT holds prompts only: no tools, no sampling, no expectation. It makes load, and says little of parity.",
    ),
}
