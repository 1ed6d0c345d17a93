"""`bench completion`: the script that completes commands, options, files and runs in a shell."""

import click
from click.shell_completion import get_completion_class

from harness.cli.group import COMPLETION_VARIABLE

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes `bench` in SHELL.

    bash: put it into ~/.bash_completion. zsh: into a file called _bench on fpath. fish: into
    ~/.config/fish/completions/bench.fish. Commands, options, files and run folders complete.

    \b
    Example:
        bench completion bash >> ~/.bash_completion
    """
    found = get_completion_class(shell)
    assert found is not None  # noqa: S101  # click knows these three
    click.echo(found(ctx.find_root().command, {}, "bench", COMPLETION_VARIABLE).source())
