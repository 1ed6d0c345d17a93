"""Refuses what a crontab, a unit or a workflow could not carry, and keys that would not arrive as they are."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from harness.cli.screen import say
from harness.errors import ConfigError
from harness.report.schedules import Schedule

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LINE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=(?:[^\s\"'\\](?:[^\"'\\]*[^\s\"'\\])?)?")
_REMARKS = ("#", ";")
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def refuse_unschedulable(kind: str, schedule: Schedule) -> None:
    """Look at every word that is printed, where the files lie that a workflow takes along, and at the keys."""
    if not _NAME.fullmatch(schedule.name):
        raise ConfigError(
            f"--name {schedule.name!r} is no name", remedy="Use letters, digits, dots, dashes, underscores"
        )
    for word in _words(schedule):
        _refuse_word(kind, word)
    if kind == "github":
        _refuse_places(schedule)
    elif schedule.keys is not None:
        _refuse_keys(schedule.keys, schedule.variables)


def _words(schedule: Schedule) -> Iterator[str]:
    yield from (*schedule.program, *schedule.words, *schedule.watched, *schedule.ledger_files)
    yield from (str(schedule.folder), schedule.summaries, schedule.reports, schedule.results, schedule.subfolder)
    if schedule.keys is not None:
        yield str(schedule.keys)


def _refuse_word(kind: str, word: str) -> None:
    if not word.isprintable():
        raise ConfigError(f"{word!r} holds a control character", remedy="No schedule could carry it: rename it")
    if kind != "github" and "\\" in word:
        raise ConfigError(f"{word!r} holds a backslash, which {kind} has its own use for", remedy="Rename it")
    if kind == "github" and "${{" in word:
        raise ConfigError(f"{word!r} holds what GitHub reads as an expression", remedy="Rename it")


def _refuse_places(schedule: Schedule) -> None:
    """A workflow takes whole folders along, reports and results: nothing else may lie in them."""
    for name in ("reports", "results"):
        place = PurePosixPath(getattr(schedule, name))
        if PurePosixPath(schedule.subfolder).is_relative_to(place):
            raise ConfigError(
                f"the {name} would lie beside what is measured, and all of it would be taken for {name}",
                remedy=f"Give the {name} a folder of their own",
            )
    if not schedule.is_committed:
        return
    if PurePosixPath(schedule.results).is_relative_to(schedule.reports):
        raise ConfigError(
            "the results lie in the folder of the reports: prompts and answers would be committed with them",
            remedy="Give the reports a folder of their own",
        )
    for file in (schedule.ledger_files[0], schedule.reports):
        if PurePosixPath(file).is_absolute() or file.startswith("../"):
            raise ConfigError("is not in the repository: --commit cannot keep it", where=file, remedy="Choose another")


def _refuse_keys(file: Path, variables: tuple[str, ...]) -> None:
    """Keys are read by a shell's `read` or by systemd: only lines that both take as they stand are let through."""
    names = set(_names(file))
    lacking = [name for name in variables if name not in names]
    if lacking:
        say(f"WARNING: {file} has no {', '.join(lacking)}, which the endpoint files take keys from")


def _names(file: Path) -> Iterator[str]:
    try:
        content, mode = file.read_bytes().decode(), file.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise ConfigError(f"cannot be read: {reason}", where=str(file), remedy="Give --keys a file of keys") from None
    if os.name == "posix" and mode & _OF_OTHERS:
        raise ConfigError(
            f"others may use it (mode {stat.S_IMODE(mode):o})", where=str(file), remedy=f"chmod 600 {file}"
        )
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip() or line.startswith(_REMARKS):
            continue
        if not _LINE.fullmatch(line) or not line.isprintable():
            raise ConfigError(
                "is no NAME=value that cron and systemd read alike",
                where=f"{file}:{number}",  # never the line itself: it may hold a key
                remedy="Leave out export, quotes, backslashes, and spaces at either end",
            )
        yield line.partition("=")[0]
