"""Works out what a scheduled command runs, where, and with which keys; a wrong command line is refused here."""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from harness.cli.screen import say
from harness.model.baseline import baseline_file
from harness.model.endpointfile import load_endpoint
from harness.model.ledger import ATTRIBUTES, LEDGER
from harness.model.suite import load_suite
from harness.report.schedules import Schedule

LOGS = "logs"
_COMMANDS = ("run", "compare", "suite")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A command that was understood: from which folder it runs, what it reads and where it writes."""

    name: str
    words: tuple[str, ...]
    folder: Path
    params: Mapping[str, Any]
    sides: tuple[Path, ...]
    ledger: Path
    reports: str
    results: str
    max_time_s: float | None = None
    lock: str | None = None  # None: it knows its own


def schedule_of(root: click.Context, words: Sequence[str], given: Mapping[str, Any]) -> Schedule:
    """Give the schedule of a suite file, or of a `run` or a `compare` with its options."""
    named = list(words) if words[0] in _COMMANDS else ["suite", *words]
    params = _understood(root, named)
    found = _suite(named, params) if named[0] == "suite" else _command(named, params)
    name = given["name"] or found.name
    hour, minute = given["at"]
    top = _repository(found.folder)
    return Schedule(
        name=name,
        program=program(),
        words=found.words,
        watched=tuple(_watched(name, found)),
        folder=found.folder,
        hour=hour,
        minute=minute,
        days=tuple(dict.fromkeys(given["days"])),
        keys=given["keys"] and given["keys"].absolute(),
        variables=_variables(found.sides),
        max_time_s=found.max_time_s,
        summaries=f"{LOGS}/{name}.jsonl",
        ledger_files=tuple(_below(top, found.folder, str(file)) for file in _ledger_files(found.ledger)),
        reports=_below(top, found.folder, found.reports),
        results=_below(top, found.folder, found.results),
        subfolder=_below(top, found.folder, "."),
        install=given["install"],
        is_committed=given["commit"],
    )


def _understood(root: click.Context, words: Sequence[str]) -> Mapping[str, Any]:
    """Read the command as it will be read at night."""
    assert isinstance(root.command, click.Group)  # noqa: S101  # `bench` itself
    command = root.command.commands[words[0]]
    return command.make_context(words[0], list(words[1:]), parent=root).params


def _suite(words: Sequence[str], params: Mapping[str, Any]) -> Scheduled:
    file = params["suite"].absolute()
    suite = load_suite(file)
    limits = [limit for limit in (params["max_time"], suite.max_time_s) if limit is not None]
    if suite.ledger is None:
        say(f"WARNING: {file.name} has no ledger; `ledger: {LEDGER}` begins a history")
    return Scheduled(
        name=f"bench-{suite.name}",
        words=("suite", file.name, *(word for word in words[1:] if Path(word).absolute() != file)),
        folder=file.parent,
        params=params,
        sides=tuple(file.parent / side for measurement in suite.measurements for side in measurement.sides),
        ledger=Path(suite.ledger or LEDGER),
        reports=suite.reports,
        results=suite.results,
        max_time_s=min(limits) if limits else None,
    )


def _command(words: Sequence[str], params: Mapping[str, Any]) -> Scheduled:
    sides = [params[name] for name in ("endpoint", "reference", "candidate") if name in params]
    ledger = params["ledger"] or LEDGER
    named = "-".join([words[0], *(Path(side).stem for side in sides)])
    return Scheduled(
        name=f"bench-{_NOT_IN_NAME.sub('-', named)}"[:64].rstrip("-"),
        words=tuple(words) if params["ledger"] else (*words, "--ledger", str(LEDGER)),
        folder=Path.cwd(),
        params=params,
        sides=tuple(map(Path, sides)),
        ledger=ledger,
        reports=str(params["reports"]),
        results=str(params["out"]),
        lock=str(ledger.with_suffix(".running.lock")),
    )


def program() -> tuple[str, ...]:
    """Give how bench is called where no PATH is set up: the script beside this interpreter, else the module."""
    script = Path(sys.executable).with_name("bench")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "harness")


def _watched(name: str, found: Scheduled) -> Iterator[str]:
    """Give the options that a command has on a machine of its own, those that were not given."""
    if not found.params["as_json"]:
        yield "--json"
    files = {"log": f"{LOGS}/{name}.log", "heartbeat": f"{LOGS}/{name}.heartbeat.json", "lock": found.lock}
    for option, file in files.items():
        if file is not None and found.params[option] is None:
            yield from (f"--{option}", file)


def _variables(sides: Sequence[Path]) -> tuple[str, ...]:
    """Name the variables that hold keys; a wrong endpoint file is found now, and a recorded run needs no key."""
    files = [side for side in sides if not side.is_dir() and side.suffix in (".yml", ".yaml")]
    endpoints = [load_endpoint(file) for file in dict.fromkeys(files)]
    keys = [endpoint.api_key for endpoint in endpoints if isinstance(endpoint.api_key, str)]
    texts = [*keys, *(text for endpoint in endpoints for text in endpoint.headers.values())]
    return tuple(sorted({name for text in texts for name in _VARIABLE.findall(text)}))


def _repository(folder: Path) -> Path:
    """Give the root of the folder's git repository; the folder itself where it is in none."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)


def _below(root: Path, folder: Path, named: str) -> str:
    """Give a path as seen from the repository's root; empty for the root itself."""
    path = Path(os.path.normpath(Path(folder, named)))
    try:
        found = path.relative_to(root).as_posix()
    except ValueError:
        return str(path)
    return "" if found == "." else found


def _ledger_files(ledger: Path) -> tuple[Path, ...]:
    """Name what belongs to a ledger, which may lie beside anything: its own file first."""
    return ledger, baseline_file(ledger), ledger.with_name(ATTRIBUTES)
