"""Maps every way a command can end to its exit code, in one place."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

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
        except Exception as error:  # noqa: BLE001  # the last border: a crash must not exit 1
            return _internal_error(error)
        return code if isinstance(code, int) else 0


def _silence_outputs() -> None:
    """Let nothing fail at the closed pipe again, not even the flush at the interpreter's end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _internal_error(error: Exception) -> int:
    """Say that it is our fault; the traceback only where asked for, since it may quote prompts."""
    if os.environ.get("BENCH_DEBUG"):
        traceback.print_exception(error)
    click.echo(f"bench: internal error: {type(error).__name__}: {error}", err=True)
    click.echo("Please report it; BENCH_DEBUG=1 prints where it happened.", err=True)
    return INTERNAL_ERROR
