"""`bench baseline`: which run of the ledger others are held against."""

import getpass
import json
from pathlib import Path

import click
import msgspec

from harness.cli.ledgering import usual_ledger
from harness.cli.screen import say
from harness.clock import SystemClock
from harness.errors import ConfigError
from harness.model.baseline import Baseline, baseline_file, baseline_of, new_baseline, read_baselines, write_baseline
from harness.model.ledger import Ledger, read_ledger

_LEDGER = click.option(
    "--ledger", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Ledger; history/ledger.jsonl."
)


@click.group()
def baseline() -> None:
    """Set, or show, which run of the ledger others are held against.

    No run moves it: only `set` does. Each series of comparable runs has one of its own, in baseline.json beside the
    ledger.

    \b
    Example:
        bench baseline set <run> --reason "before the upgrade of the server"
    """


@baseline.command("set")
@click.argument("run_id", metavar="RUN")
@click.option("--reason", required=True, help="Why it is this run.")
@click.option("--by", help="Who sets it; the name you are logged in with.")
@_LEDGER
def set_(run_id: str, reason: str, by: str | None, ledger: Path | None) -> None:
    """Make RUN, or the one run that begins with it, the baseline of its series.

    \b
    Example:
        bench baseline set <run> --reason "the first night on the new server"
    """
    file = usual_ledger(ledger)
    at = SystemClock().now().isoformat(timespec="seconds")
    found = read_ledger(file)
    chosen = new_baseline(found, run_id, at=at, by=by or _whoever(), reason=reason)
    entry = found.find(chosen.run_id)
    if entry.timing == "VOID":
        say(f"WARNING: the timings of {entry.run_id} are VOID: only its rates can be held against others")
    write_baseline(file, chosen)
    click.echo(_words(chosen))


@baseline.command()
@click.option("--json", "as_json", is_flag=True, help="Print them as one line of JSON.")
@_LEDGER
def show(ledger: Path | None, *, as_json: bool) -> int:
    """Show the baseline of each series; exit code 3 where none is set.

    \b
    Example:
        bench baseline show --json
    """
    file = usual_ledger(ledger)
    baselines = read_baselines(file).baselines
    found = read_ledger(file)
    for one in baselines:
        _ = baseline_of(found, one.comparable)  # refuses one whose line was changed
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(baselines)))
    elif not baselines:
        click.echo(f"no baseline is set in {baseline_file(file)}: bench baseline set RUN --reason WHY", err=True)
    else:
        for one in baselines:
            click.echo(f"{_words(one)}\n  {_since(found, one)}")
    return 0 if baselines else 3


def _words(one: Baseline) -> str:
    earlier = f", in place of {one.replaces}" if one.replaces else ""
    set_when = f"set by {one.set_by} on {one.set_at}{earlier}"
    return f"baseline {one.run_id} (series {one.comparable[:8]}), {set_when}: {one.reason}"


def _since(ledger: Ledger, one: Baseline) -> str:
    start = ledger.find(one.run_id).started_at
    later = [entry for entry in ledger.entries if entry.comparable == one.comparable and entry.started_at > start]
    return f"{len(later)} comparable run{'' if len(later) == 1 else 's'} since {start}"


def _whoever() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such user, as in some containers
        raise ConfigError("nobody is logged in", remedy="Say who sets it: --by NAME") from None
