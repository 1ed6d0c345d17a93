"""Maps every way a command can end to its exit code, in one place."""

import os
import select
import sys
import traceback
from collections.abc import Sequence
from typing import Any, TextIO

import click

from harness.cli.crash import keep_traceback, without_secrets
from harness.cli.helppage import write_commands
from harness.cli.manner import add_manner_options
from harness.cli.screen import Manner, has_plain_environment, say
from harness.errors import BenchError, IncompleteRunError
from harness.hidden import struck

INTERNAL_ERROR = 70
INTERRUPTED = 130
COMPLETION_VARIABLE = "_BENCH_COMPLETE"  # that click's completion scripts set


class _UnheardError(IncompleteRunError):
    """Whoever was to read the output has gone, as `| head` does: nobody asked for more, and nothing is to be said."""


class BenchGroup(click.Group):
    """A click group in which no crash can look like a verdict: 1 means FAIL and nothing else."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, with the options that all of them have."""
        add_manner_options(cmd)
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by what they are for."""
        names = self.list_commands(ctx)
        found = [(name, command) for name in names if (command := self.get_command(ctx, name)) and not command.hidden]
        write_commands(formatter, found)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run a command and end the process with its code."""
        extra["standalone_mode"] = False
        sys.exit(self._exit_code(args, *rest, **extra))

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        """Keep colour out of everything below where the environment asks for none."""
        if has_plain_environment():
            extra["color"] = False
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click itself would end at a closed pipe with 1, which means FAIL."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _silence_outputs()
            raise _UnheardError from None

    def _exit_code(self, args: Sequence[str] | None, *rest: Any, **extra: Any) -> int:
        manner = Manner()
        try:
            code = self._ended(manner, args, *rest, **extra)
        except BrokenPipeError:  # nobody hears how it ended either
            _silence_outputs()
            code = IncompleteRunError.exit_code
        except KeyboardInterrupt:  # once more, while it was being said how it ended
            code = INTERRUPTED
        for end in reversed(manner.at_end):
            end(code)
        return code

    def _ended(self, manner: Manner, args: Sequence[str] | None, *rest: Any, **extra: Any) -> int:
        try:
            code = super().main(args, *rest, obj=manner, **extra)
        except click.ClickException as error:
            say(f"bench: {_usage_words(error)}")
            return 2
        except BenchError as error:
            return _own_error(error, manner)
        except (KeyboardInterrupt, click.Abort):
            click.echo("bench: interrupted", err=True)
            return INTERRUPTED
        except SystemExit as end:  # click's own end at a closed pipe, where it was only asked for help
            if COMPLETION_VARIABLE in os.environ:
                return int(end.code or 0)
            raise BrokenPipeError from None
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  # the last border: a crash must not exit 1
            return _internal_error(error, manner)
        return code if isinstance(code, int) else 0


def _own_error(error: BenchError, manner: Manner) -> int:
    """Say an error that was foreseen; nothing where nobody hears it."""
    if not isinstance(error, _UnheardError):
        _show_place(error, manner)
        say(struck(f"bench: {error}"))
    return error.exit_code


def _usage_words(error: click.ClickException) -> str:
    """Say what is wrong with the command line in one paragraph: where, what, remedy."""
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    if context is None:
        return message
    words = message if message.endswith((".", "?", ")")) else f"{message}."
    command = context.command_path.partition(" ")[2]
    return f"{command}: {words} See: bench {command} --help" if command else f"{words} See: bench --help"


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


def _show_place(error: BaseException, manner: Manner) -> bool:
    """Print the traceback where it was asked for: it may quote prompts."""
    is_asked = manner.is_debugged or bool(os.environ.get("BENCH_DEBUG"))
    if is_asked:
        click.echo(struck("".join(traceback.format_exception(error))), err=True)
    return is_asked


def _internal_error(error: Exception, manner: Manner) -> int:
    """Say that it is our fault, in one line, and where the places of the error are kept."""
    head = struck(f"bench: internal error: {type(error).__name__}: {' '.join(str(error).split())}")
    if _show_place(error, manner):
        say(without_secrets(head, os.environ))
        return INTERNAL_ERROR
    file = keep_traceback(error, os.environ)
    kept = f"Where it happened is in {file}" if file else "--debug prints where it happened"
    say(f"{without_secrets(head, os.environ)}. {kept}: please report it (--debug prints it whole)")
    return INTERNAL_ERROR
