"""How a command speaks: how wide, in colour or not, with how many words."""

import os
import shutil
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

import click

UNKNOWN_WIDTH = 80


@dataclass(slots=True, kw_only=True)
class Manner:
    """What the options that every command has ask for."""

    is_verbose: bool = False
    is_debugged: bool = False
    at_end: list[Callable[[int], None]] = field(default_factory=list)  # told the exit code, last comes first


def is_verbose() -> bool:
    """Say whether -v was given."""
    context = click.get_current_context(silent=True)
    manner = context.find_object(Manner) if context else None
    return manner is not None and manner.is_verbose


_COLOURS = {"PASS": "green", "FAIL": "red", "VOID": "magenta", "INVALID": "magenta", "INCONCLUSIVE": "yellow"}


def coloured(line: str) -> str:
    """Colour the outcome that a line begins with; the word says it all the same without."""
    word = line.split(maxsplit=1)[0].removesuffix(":") if line and not line[0].isspace() else ""
    if word not in _COLOURS or not is_coloured():
        return line
    return click.style(word, fg=_COLOURS[word], bold=True) + line[len(word) :]


def is_coloured() -> bool:
    """Say whether colour may be used: not under NO_COLOR, TERM=dumb or --no-color."""
    context = click.get_current_context(silent=True)
    return (context is None or context.color is not False) and not has_plain_environment()


def has_plain_environment() -> bool:
    """Say whether the environment asks for no colour (no-color.org: any value that is not empty)."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def columns() -> int:
    """Give the width of standard output: COLUMNS, else the terminal's, else 80."""
    return shutil.get_terminal_size((UNKNOWN_WIDTH, 24)).columns


def columns_of(stream: TextIO) -> int | None:
    """Give the width that prose on a stream is folded at; None where nothing says it has one, as in a log."""
    if os.environ.get("COLUMNS", "").isdigit():
        return int(os.environ["COLUMNS"]) or None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError, AttributeError):
        return None


def say(text: str, *, indent: str = "") -> None:
    """Write a paragraph of prose to standard error, folded between words where that is a terminal."""
    click.echo("\n".join(folded(text, columns_of(sys.stderr), indent=indent)), err=True)


def folded(text: str, width: int | None, *, indent: str = "") -> list[str]:
    """Fold a paragraph; a word that is longer than a line, such as a path, stays whole."""
    if width is None or len(text) <= width:
        return [text]
    return textwrap.wrap(
        text, max(width, 20), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [text]
