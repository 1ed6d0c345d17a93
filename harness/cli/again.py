"""Writes the options that a command was given as words, for another command that is to have them too."""

from collections.abc import Collection, Iterator
from typing import Any

import click
from click.core import ParameterSource


def words_of_options(context: click.Context, *, without: Collection[str] = ()) -> list[str]:
    """Give the options that stood on the command line, in the order of the help; `without` names parameters."""
    return [
        word
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and parameter.name not in without
        and context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        for word in _words(parameter, context.params.get(parameter.name or ""))
    ]


def _words(option: click.Option, value: Any) -> Iterator[str]:
    name = max(option.opts, key=len)
    if option.is_flag:
        yield from [name] if value else option.secondary_opts[:1]
        return
    for one in value if option.multiple else [value]:
        if one is not None:
            yield from (name, _text(one))


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(_text, value))
    return f"{value:.12g}" if isinstance(value, float) else str(value)
