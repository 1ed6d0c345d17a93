"""`bench golden sample`: a representative golden set out of a log of requests."""

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.goldenimport import chosen_format, finish, taking_options
from harness.cli.helppage import SectionedCommand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.foreign.formats import Format
    from harness.model.golden import Prompt
    from harness.model.sample import Chosen, Sample


@click.command(cls=SectionedCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-n", "--prompts", "n", type=click.IntRange(1, 1000), default=40, help="Prompts to pick; 40 by default.")
@click.option("--seed", type=click.IntRange(0), default=1, help="Seed of the choice; 1 by default.")
@taking_options
def sample(file: Path, n: int, seed: int, **given: Any) -> None:
    """Pick a golden set out of FILE, a log of requests in any format that import knows.

    Requests are sorted into kinds (strata) by use, which is tools or structured output, by length, turns and language;
    frequent kinds get more prompts, and every prompt says what share of the requests it stands for. The same file and
    seed give the same set.

    \b
    Example:
        bench golden sample traffic.jsonl -n 40 --seed 7 -o set.yml
    """
    from harness.cli.goldenintake import Intake  # noqa: PLC0415  # keeps --help light
    from harness.cli.goldensummary import tagged  # noqa: PLC0415
    from harness.cli.goldenwriting import check_output  # noqa: PLC0415
    from harness.model.foreign.formats import TITLES, read_foreign  # noqa: PLC0415
    from harness.model.sample import draw_sample  # noqa: PLC0415

    check_output(given["output"], may_replace=given["force"])
    kind = chosen_format(file, given["kind"])
    intake = Intake()
    drafts = intake.drafts(read_foreign(file, kind), refuses_responses=False)
    drawn = draw_sample((draft.request for draft in drafts), n, random.Random(seed))  # noqa: S311  # a choice, no secret
    prompts = list(intake.judgeable(_prompts(file, kind, drawn, intake)))
    click.echo("\n".join(tagged("read", f"{intake.n_items} items of {file}, as {TITLES[kind]}")))
    if prompts:
        click.echo("\n".join(_lines(drawn, prompts, n)))
    head = f"Picked from {drawn.n_requests} requests of {file.name} with seed {seed} by bench golden sample."
    finish(file, prompts, intake, given, comments=[head, "A prompt's share is that of the requests it stands for."])


def _prompts(file: Path, kind: "Format", drawn: "Sample", intake: Any) -> "Iterator[Prompt]":
    """Read the file again for the chosen requests: holding all of them could take more memory than there is."""
    from itertools import compress  # noqa: PLC0415

    import msgspec  # noqa: PLC0415

    from harness.cli.goldenintake import Intake  # noqa: PLC0415
    from harness.model.foreign.assemble import prompts_of  # noqa: PLC0415
    from harness.model.foreign.formats import read_foreign  # noqa: PLC0415

    if not drawn.chosen:
        return
    wanted = {one.position for one in drawn.chosen}
    flags = (position in wanted for position in range(max(wanted) + 1))
    again = compress(Intake().drafts(read_foreign(file, kind), refuses_responses=False), flags)
    drafts = list(again)
    for draft in drafts:
        intake.count(draft)
    for prompt, one in zip(prompts_of(drafts, prefix=kind), drawn.chosen, strict=True):
        yield msgspec.structs.replace(prompt, tags=_tags(one))


def _tags(one: "Chosen") -> list[str]:
    shape = one.shape
    return [f"share: {one.fraction:.4f}", shape.use, f"{shape.length} characters", shape.turns, shape.language]


def _lines(drawn: "Sample", prompts: "list[Prompt]", n_wanted: int) -> list[str]:
    from harness.cli.goldensummary import tagged  # noqa: PLC0415

    rows = [
        _fitted(f"{one.fraction:7.1%}  {prompt.id[:28]:<28}  {', '.join(one.shape.features)}")
        for prompt, one in zip(prompts, drawn.chosen, strict=True)
    ]
    left = f"{drawn.uncovered_fraction:.1%} of the requests are of kinds too rare for a prompt of their own"
    covered = tagged("uncovered", left) if drawn.uncovered_fraction else []
    fewer = f"{n_wanted} were asked for: there are no more different texts" if len(prompts) < n_wanted else ""
    return [
        *tagged("picked", _picked(drawn, len(prompts))),
        *(tagged("", fewer) if fewer else []),
        "  share  prompt, and the kind of request that it stands for",
        *rows,
        *covered,
    ]


def _picked(drawn: "Sample", n: int) -> str:
    """Say out of what: requests that are alike count once, and are cut into kinds."""
    texts, kinds = counted_noun(drawn.n_texts, "different text"), counted_noun(drawn.n_strata, "kind")
    return f"{counted_noun(n, 'prompt')} out of {counted_noun(drawn.n_requests, 'request')}: {texts}, of {kinds}"


def counted_noun(n: int, noun: str) -> str:
    """Give `1 prompt`, `2 prompts`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _fitted(row: str) -> str:
    from harness.cli.goldensummary import WIDTH  # noqa: PLC0415

    return row if len(row) <= WIDTH else f"{row[: WIDTH - 1]}\N{HORIZONTAL ELLIPSIS}"
