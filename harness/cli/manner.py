"""The options that every command has: how much it says, in colour or not, what of an error."""

from typing import Any

import click

from harness.cli.screen import Manner


def add_manner_options(command: click.Command) -> None:
    """Give a command these options, once; a group gives them to its commands."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            add_manner_options(one)
        return
    known = {parameter.name for parameter in command.params}
    command.params.extend(option for option in _options() if option.name not in known)


def _options() -> tuple[click.Option, ...]:
    return (
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            callback=_be_verbose,
            help="Say more: every remark before a run with its remedy, and each step.",
        ),
        click.Option(
            ["--no-color"],
            is_flag=True,
            expose_value=False,
            callback=_without_colour,
            help="No colour; NO_COLOR and TERM=dumb in the environment do the same.",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            callback=_be_debugged,
            help="Print the traceback of an error; it may quote prompts.",
        ),
    )


def _manner(ctx: click.Context) -> Manner:
    return ctx.find_object(Manner) or Manner()


def _be_verbose(ctx: click.Context, _: Any, value: bool) -> None:  # noqa: FBT001  # click's signature
    _manner(ctx).is_verbose |= value


def _be_debugged(ctx: click.Context, _: Any, value: bool) -> None:  # noqa: FBT001
    _manner(ctx).is_debugged |= value


def _without_colour(ctx: click.Context, _: Any, value: bool) -> None:  # noqa: FBT001
    if value:
        ctx.color = False
