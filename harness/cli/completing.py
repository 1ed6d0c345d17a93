"""What a shell may put where a run or a side is asked for: run folders, endpoint files."""

from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import CompletionItem

_RUNS = Path("results")
_HEADER = "run.json"


def complete_run(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Give the run folders that begin so, newest first; where none does, the shell completes files itself."""
    return [CompletionItem(incomplete, type="file"), *map(CompletionItem, _runs(incomplete))]


def complete_side(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Give endpoint files beside the runs: what `bench compare` takes on either side."""
    files = sorted(str(file) for file in Path().glob("*.yml") if str(file).startswith(incomplete))
    return [*complete_run(ctx, param, incomplete), *map(CompletionItem, files)]


def _runs(incomplete: str) -> Iterator[str]:
    """A run may be begun without its folder: its id starts with the day."""
    for file in sorted(_RUNS.glob(f"*/{_HEADER}"), reverse=True):
        run = str(file.parent)
        if run.startswith(incomplete) or (incomplete and file.parent.name.startswith(incomplete)):
            yield run
