"""Asks for what `bench init` was not given, and refuses a key where a variable's name is wanted."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from harness.cli.screen import say
from harness.errors import ConfigError

_T = TypeVar("_T")

_VARIABLE = re.compile(r"^(?:\$\{(?P<braced>[A-Za-z_]\w*)\}|\$?(?P<bare>[A-Za-z_]\w*))$", re.ASCII)
_KNOWN_KEY = re.compile(r"^(?:csk|gsk|hf|xai|nvapi|fw|tgp|ghp|github_pat|pplx)_", re.IGNORECASE)
_LONG = 24  # characters: with digits and small letters among them it is no name that a person gives


def variable_name(given: str, where: str | None = None) -> str:
    """Read NAME, $NAME or ${NAME}; what may be a key itself is refused and never shown."""
    match = _VARIABLE.match(given.strip())
    name = (match["braced"] or match["bare"]) if match else None
    if name is None or (name not in os.environ and _may_be_a_key(name)):
        raise ConfigError(
            "this is not the name of an environment variable; it is not shown here, as it may be a key",
            where=where,
            remedy="Export the key (export OPENAI_API_KEY=...) and give the variable's name: OPENAI_API_KEY"
            + (". A key that was typed as an option stands in your shell's history" if where else ""),
        )
    return name


def _may_be_a_key(name: str) -> bool:
    is_mixed = any(map(str.isdigit, name)) and any(map(str.islower, name))
    return bool(_KNOWN_KEY.match(name)) or (len(name) >= _LONG and is_mixed)


def asked(question: str, option: str, *, default: str | None = None, may_ask: bool = True) -> str:
    """Give an answer; ConfigError names the option where nobody can be asked."""
    if not may_ask:
        raise _missing(option)
    try:
        return str(click.prompt(question, default=default, err=True)).strip()
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise _missing(option) from None


def asked_until_read(question: str, option: str, read: Callable[[str], _T], *, default: str | None = None) -> _T:
    """Ask until the answer can be read: what was answered before is not lost over a slip."""
    while True:
        answer = asked(question, option, default=default)
        try:
            return read(answer)
        except ConfigError as error:
            say(f"{error.problem}. {error.remedy}" if error.remedy else error.problem)


def chosen_model(offered: Sequence[str], option: str, side: str, *, may_ask: bool) -> str:
    """Give the only model offered, or let a person choose one of the list."""
    if len(offered) == 1:
        click.echo(f"the {side} offers one model, which is taken: {offered[0]}", err=True)
        return offered[0]
    for line in offered_lines(offered):
        click.echo(f"  {line}", err=True)
    if not may_ask and offered:
        raise ConfigError(f"the {side} offers {len(offered)} models", where=option, remedy="Name one of them")
    return asked(f"Model of the {side}", option, may_ask=may_ask)


def offered_lines(offered: Sequence[str], most: int = 20) -> list[str]:
    """List what is offered, as much as a screen takes."""
    from harness.report.untrusted import one_line  # noqa: PLC0415  # keeps --help light

    more = [f"... and {len(offered) - most} more"] if len(offered) > most else []
    return [*(one_line(name, 74) for name in offered[:most]), *more]


def agreed(question: str, *, is_yes: bool) -> bool:
    """Ask whether; nobody to ask is no, --yes is yes."""
    if is_yes:
        return True
    try:
        return click.confirm(question, default=True, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        return False


def _missing(option: str) -> ConfigError:
    return ConfigError(
        f"{option} is not given, and there is nobody to ask", remedy="Give it: bench init --help has an example"
    )
