"""`bench suite`: the runs and comparisons of one scheduled run, one after the other."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.spans import Span
from harness.cli.unattended import watched_options, words_of_context
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.model.suite import Suite
    from harness.model.suiteoutcome import SuiteOutcome


@click.command()
@click.argument("suite", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--only", multiple=True, metavar="NAME", help="Measure this measurement alone (may be repeated).")
@click.option("--max-time", type=Span(), help="End the suite after this time: 90, 15m, 2h; before what its file says.")
@click.option(
    "--lock",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="End with exit code 75 where another command holds this file; beside the ledger, or the suite, by default.",
)
@click.option(
    "--markdown", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the summary as Markdown."
)
@click.option("--step-summary", is_flag=True, help="Append the Markdown to the file that $GITHUB_STEP_SUMMARY names.")
@click.option("--dry-run", is_flag=True, help="Print the command of each measurement and send nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors; the exit code says the worst outcome.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one line of JSON on standard output.")
@watched_options
def suite(suite: Path, **given: Any) -> int:
    """Run every measurement of SUITE (suite.yml) in order; one that fails never stops the rest.

    The exit code is the worst of the measurements': 1 FAIL, then 70, 2, 130, 75, 4 INVALID, 3 INCONCLUSIVE, 0.
    `bench schema suite` says what the file may hold.

    \b
    Example:
        bench suite suite.yml --json --log bench.log --heartbeat heartbeat.json
    """
    from harness.cli.overlap import one_at_a_time  # noqa: PLC0415  # keeps --help light
    from harness.cli.suiterunning import run_suite  # noqa: PLC0415
    from harness.model.suite import load_suite  # noqa: PLC0415

    folder = suite.absolute().parent
    loaded = only(load_suite(suite), given["only"])
    if given["dry_run"]:
        return _print_commands(loaded, folder)
    files = summary_files(given)
    with ExitStack() as held:
        lock = held.enter_context(one_at_a_time(given["lock"] or lock_file(loaded, suite), words_of_context()))
        outcome = run_suite(loaded, folder, max_time_s=given["max_time"], is_quiet=given["quiet"], lock=lock.fileno())
    _write(files, outcome)
    _print(outcome, given)
    return outcome.exit_code


def only(suite: "Suite", names: tuple[str, ...]) -> "Suite":
    """Keep the measurements that were named; ConfigError for a name that the suite does not have."""
    import msgspec  # noqa: PLC0415

    known = [measurement.name for measurement in suite.measurements]
    for name in names:
        if name not in known:
            raise ConfigError(f"the suite has no measurement {name!r}", remedy=f"It has: {', '.join(known)}")
    return msgspec.structs.replace(
        suite,
        measurements=[measurement for measurement in suite.measurements if measurement.name in names or not names],
    )


def lock_file(suite: "Suite", file: Path) -> Path:
    """Give the lock that keeps scheduled runs apart: one at a time for a ledger, else for a suite file."""
    if suite.ledger is None:
        return file.absolute().with_suffix(".running.lock")
    return (file.absolute().parent / suite.ledger).with_suffix(".running.lock")


def _print_commands(suite: "Suite", folder: Path) -> int:
    import shlex  # noqa: PLC0415

    from harness.model.suite import words_of_measurement  # noqa: PLC0415

    click.echo(shlex.join(["cd", str(folder)]))
    for measurement in suite.measurements:
        click.echo(shlex.join(words_of_measurement(suite, measurement, folder=folder)))
    return 0


def summary_files(given: dict[str, Any]) -> list[tuple[Path, str]]:
    """Give the files of the Markdown with how each is opened; ConfigError, before a run, for one that cannot be."""
    import os  # noqa: PLC0415

    from harness.cli.exporting import exports_of  # noqa: PLC0415

    found = exports_of({"markdown": given["markdown"], "step_summary": given["step_summary"]}, os.environ)
    files = [(found.markdown, "w"), (found.step_summary, "a")]
    return [(file, mode) for file, mode in files if file is not None]


def _write(files: list[tuple[Path, str]], outcome: "SuiteOutcome") -> None:
    from harness.errors import IncompleteRunError  # noqa: PLC0415
    from harness.report.suitesummary import suite_markdown  # noqa: PLC0415

    for file, mode in files:
        try:
            with file.open(mode, encoding="utf-8") as opened:
                opened.write(suite_markdown(outcome))
        except OSError as error:
            raise IncompleteRunError(f"{file}: cannot be written: {error.strerror}") from error


def _print(outcome: "SuiteOutcome", given: dict[str, Any]) -> None:
    import msgspec  # noqa: PLC0415

    from harness.cli.screen import coloured, columns, folded  # noqa: PLC0415
    from harness.report.suitesummary import suite_lines  # noqa: PLC0415

    if given["as_json"]:
        click.echo(msgspec.json.encode(outcome).decode())
    elif not given["quiet"]:
        for line in suite_lines(outcome):
            for piece in folded(line, columns(), indent="  "):
                click.echo(coloured(piece))
