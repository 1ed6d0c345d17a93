"""The options of a command that nobody watches: its log, its heartbeat, its lock against overlap."""

import functools
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from harness.cli.screen import Manner

_Command = Callable[..., Any]
_PATH = click.Path(path_type=Path, dir_okay=False)


def watched_options(command: _Command) -> _Command:
    """Add `--log` and `--heartbeat`, which last until the command's exit code is known."""

    @functools.wraps(command)
    def watched(*arguments: Any, log: Path | None, heartbeat: Path | None, **given: Any) -> Any:
        manner = click.get_current_context().find_object(Manner) or Manner()
        if log is not None:
            _log_to(log, manner)
        if heartbeat is not None:
            _beat_in(heartbeat, manner)
        return command(*arguments, **given)

    for option in (
        click.option(
            "--heartbeat",
            type=_PATH,
            metavar="FILE",
            help="Rewrite this file every 5 s with instant and requests done, at the end with the exit code.",
        ),
        click.option(
            "--log",
            type=_PATH,
            metavar="FILE",
            help="Append what standard error would get, each line with its instant; errors are said there too.",
        ),
    ):
        watched = option(watched)
    return watched


def unattended_options(command: _Command) -> _Command:
    """Add what watches a command, and `--lock` against a second one at the same time."""

    @functools.wraps(command)
    def locked(*arguments: Any, lock: Path | None, **given: Any) -> Any:
        from harness.cli.overlap import one_at_a_time  # noqa: PLC0415  # keeps --help light

        with ExitStack() as held:
            if lock is not None:
                held.enter_context(one_at_a_time(lock, words_of_context()))
            return command(*arguments, **given)

    return watched_options(
        click.option(
            "--lock",
            type=_PATH,
            metavar="FILE",
            help="End with exit code 75 where another command holds this file: scheduled runs do not overlap.",
        )(locked)
    )


def is_logged() -> bool:
    """Say whether what is said goes to a log: then it need not be left out for the sake of standard output."""
    from harness.cli.logfile import LogFile  # noqa: PLC0415

    return isinstance(sys.stderr, LogFile)


def words_of_context() -> str:
    """Name the command that runs, with what it was given to measure."""
    context = click.get_current_context()
    named = (context.params.get(name) for name in ("endpoint", "reference", "candidate", "suite"))
    return " ".join(["bench", context.command.name or "", *(str(word) for word in named if word is not None)])


def _log_to(file: Path, manner: Manner) -> None:
    from harness.cli.logfile import open_log  # noqa: PLC0415
    from harness.clock import SystemClock  # noqa: PLC0415

    before = sys.stderr
    log = open_log(file, before, SystemClock())
    sys.stderr = log

    def end(code: int) -> None:
        log.write(f"ended with exit code {code}\n")
        sys.stderr = before
        log.finish()

    manner.at_end.append(end)
    log.write(f"{words_of_context()}\n")


def _beat_in(file: Path, manner: Manner) -> None:
    from harness.cli.heartbeat import Heartbeat, keep_for_context  # noqa: PLC0415
    from harness.clock import SystemClock  # noqa: PLC0415

    heartbeat = Heartbeat(file=file, words=words_of_context(), clock=SystemClock())
    heartbeat.begin()
    manner.at_end.append(heartbeat.end)
    keep_for_context(heartbeat)
