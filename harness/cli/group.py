"""Maps every way a command can end to its exit code, in one place."""

import os
import select
import sys
import traceback
from collections.abc import Sequence
from typing import Any, TextIO

import click

from harness.errors import BenchError, IncompleteRunError

INTERNAL_ERROR = 70
INTERRUPTED = 130


class BenchGroup(click.Group):
    """A click group in which no crash can look like a verdict: 1 means FAIL and nothing else."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run a command and end the process with its code."""
        extra["standalone_mode"] = False
        sys.exit(self._exit_code(args, *rest, **extra))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click itself would end at a closed pipe with 1, which means FAIL."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _silence_outputs()
            raise IncompleteRunError("whoever was to read the output has gone") from None

    def _exit_code(self, args: Sequence[str] | None, *rest: Any, **extra: Any) -> int:
        try:
            return self._ended(args, *rest, **extra)
        except BrokenPipeError:  # nobody hears how it ended either
            _silence_outputs()
            return IncompleteRunError.exit_code

    def _ended(self, args: Sequence[str] | None, *rest: Any, **extra: Any) -> int:
        try:
            code = super().main(args, *rest, **extra)
        except click.ClickException as error:
            error.show()
            return 2
        except BenchError as error:
            click.echo(f"bench: {error}", err=True)
            return error.exit_code
        except (KeyboardInterrupt, click.Abort):
            click.echo("bench: interrupted", err=True)
            return INTERRUPTED
        except SystemExit:  # click's own end at a closed pipe, where it was only asked for help
            raise BrokenPipeError from None
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  # the last border: a crash must not exit 1
            return _internal_error(error)
        return code if isinstance(code, int) else 0


def _silence_outputs() -> None:
    """Let nothing fail at a closed pipe again, not even the flush at the interpreter's end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if _is_closed(stream):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _is_closed(stream: TextIO) -> bool:
    """Whether a pipe's reader has gone: a flush says it where something waits, the kernel where nothing does."""
    try:
        stream.flush()
        if not hasattr(select, "poll"):  # Windows
            return False
        poll = select.poll()
        poll.register(stream.fileno(), 0)  # errors are always reported
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except BrokenPipeError:
        return True


def _internal_error(error: Exception) -> int:
    """Say that it is our fault; the traceback only where asked for, since it may quote prompts."""
    if os.environ.get("BENCH_DEBUG"):
        traceback.print_exception(error)
    click.echo(f"bench: internal error: {type(error).__name__}: {error}", err=True)
    click.echo("Please report it; BENCH_DEBUG=1 prints where it happened.", err=True)
    return INTERNAL_ERROR
