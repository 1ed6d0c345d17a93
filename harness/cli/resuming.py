"""Finds the run that `--resume` goes on with, and refuses to go on with another than the one that was planned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import msgspec

from harness.errors import BenchError, ConfigError
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, LookScheme, Plan, RunHeader, RunStatus
from harness.model.redaction import refuse_redacted
from harness.model.settings import Settings
from harness.model.storage import load_header

NEWEST = "newest"  # what `--resume` without a folder stands for
_SAME = ("base_url", "model", "sampling", "params", "extra_body", "stream_usage")  # what a request and its answer show
_IDLE = ("load", "arrival", "concurrency", "retries", "quick", "certify")
_SECOND = 2  # look
_FROM_PLAN = "--resume takes it from the run's plan: leave it out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """The run that goes on and the plan that it follows from now on."""

    folder: Path
    header: RunHeader
    plan: Plan  # the recorded one, or extended by further repeats
    look: int = 1  # the planned look that is measured for
    repeats: int | None = None  # of every prompt, as asked for; None: what the plan has left

    @property
    def golden(self) -> GoldenSet:
        """Give the set that the run replays."""
        return msgspec.convert(self.header.golden, GoldenSet)

    @property
    def settings(self) -> Settings:
        """Give the settings that the plan registered."""
        return msgspec.convert(self.plan.settings, Settings)

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Give the arms of the run, in its order."""
        return tuple(header.arm for header in self.header.arms)

    @property
    def workers(self) -> int | None:
        """Give how many processes measured each endpoint; None when the command's own did."""
        found = self.header.arms[0].facts.get("processes")
        return found if isinstance(found, int) else None


def resume(given: Mapping[str, Any], endpoints: Mapping[Arm, Endpoint]) -> Resumed:
    """Find the run that the options name and check that these endpoints and settings are its own."""
    _refuse_idle_options(given)
    folder = _newest(given, endpoints) if given["resume"] == NEWEST else Path(given["resume"])
    header = load_header(folder)
    refuse_redacted(folder, header, "resumed")
    _refuse_changes(folder, header, given, endpoints)
    resumed = go_on(folder, given["repeats"])
    if (warning := growth_warning(header.plan, resumed)) and not (given.get("quiet") or given.get("as_json")):
        click.echo(warning, err=True)
    return resumed


def growth_warning(first: Plan, resumed: Resumed) -> str | None:
    """Warn of a second look at so much more data than the first that its level was not meant for it."""
    from harness.analysis.looks import MOST_GROWTH  # noqa: PLC0415  # keeps --help light

    times = sum(resumed.plan.repeats.values()) / max(1, sum(first.repeats.values()))
    if resumed.look != _SECOND or first.looks.scheme is not LookScheme.TWO or times <= MOST_GROWTH:
        return None
    return (
        f"warning: the second look has {times:.1f} times the data of the first. Up to {MOST_GROWTH} times, two looks "
        "let a candidate at the margin pass in at most 5.8 % of runs, even if the growth is chosen by what the first "
        "look showed; beyond, in up to 7.3 %."
    )


def as_it_is_now(resumed: Resumed) -> Resumed:
    """Read the run again, once it is locked: another command may have finished it since it was found."""
    return go_on(resumed.folder, resumed.repeats)


def further_repeats(folder: Path, repeats: int) -> Resumed | None:
    """Give a finished run with its plan extended to so many repeats; None where it has them."""
    header = load_header(folder)
    resumed = Resumed(folder=folder, header=header, plan=header.plan, look=header.all_parts[-1].look)
    extended = _extended(resumed, repeats)
    return None if extended is None else replace(resumed, plan=extended, look=resumed.look + 1, repeats=repeats)


def go_on(folder: Path, repeats: int | None = None) -> Resumed:
    """Give a run with its plan; with more repeats than planned, the plan extended for a further look."""
    header = load_header(folder)
    resumed = Resumed(folder=folder, header=header, plan=header.plan, look=header.all_parts[-1].look, repeats=repeats)
    is_finished = header.status is RunStatus.FINISHED
    if repeats is None:
        if is_finished:
            raise ConfigError(
                "the run is finished: nothing is left to send",
                where=str(folder),
                remedy="For a further look with more repeats of every prompt: --resume --repeats N",
            )
        return resumed
    extended = _extended(resumed, repeats)
    if extended is None and is_finished:
        raise ConfigError(
            f"every prompt has {repeats} repeats or more already, or a number of its own",
            where=str(folder),
            remedy="Give --repeats a larger number",
        )
    if extended is not None and not is_finished:
        raise ConfigError(
            "the run is not finished, so its plan cannot be extended yet",
            where=str(folder),
            remedy="Finish it first: --resume without --repeats",
        )
    return resumed if extended is None else replace(resumed, plan=extended, look=resumed.look + 1)


def _extended(resumed: Resumed, repeats: int) -> Plan | None:
    """Give the plan with so many repeats of each prompt; None where it has them. Its gates stay as registered.

    A prompt with a number of its own keeps it.
    """
    from harness.measure.schedule import extend_plan  # noqa: PLC0415  # keeps --help light

    own = {prompt.id for prompt in resumed.golden.prompts if prompt.repeats is not None}
    plan = resumed.plan
    more = {prompt_id: count if prompt_id in own else max(count, repeats) for prompt_id, count in plan.repeats.items()}
    return None if more == plan.repeats else extend_plan(plan, more, resumed.arms)


def _newest(given: Mapping[str, Any], endpoints: Mapping[Arm, Endpoint]) -> Path:
    """Find the newest run of these endpoints that can go on; ConfigError where there is none or no single one."""
    found = [(folder, header) for folder, header in _runs(given["out"]) if _is_of(header, given, endpoints)]
    found.sort(key=lambda run: run[1].started_at)
    if given["repeats"] is None:
        found = [run for run in found if run[1].status is not RunStatus.FINISHED]
    elif found:
        found = [run for run in found if run[1].started_at == found[-1][1].started_at]
    if not found:
        raise ConfigError(
            "no run of these endpoints can be resumed",
            where=str(given["out"]),
            remedy="Name its folder: --resume results/<run>; without --repeats it must be unfinished",
        )
    if len(found) > 1:
        names = ", ".join(str(folder) for folder, _ in found)
        raise ConfigError(
            f"several runs of these endpoints could be resumed: {names}", remedy="Name one: --resume results/<run>"
        )
    return found[0][0]


def _runs(out: Path) -> Iterator[tuple[Path, RunHeader]]:
    for folder in sorted(out.iterdir()) if out.is_dir() else ():
        try:
            header = load_header(folder)
            refuse_redacted(folder, header, "resumed")
        except BenchError:  # no run, one that cannot be read, or a copy: not the one meant
            continue
        yield folder, header


def _is_of(header: RunHeader, given: Mapping[str, Any], endpoints: Mapping[Arm, Endpoint]) -> bool:
    return not any(_changes(header, given, endpoints))


def _refuse_changes(
    folder: Path, header: RunHeader, given: Mapping[str, Any], endpoints: Mapping[Arm, Endpoint]
) -> None:
    changes = list(_changes(header, given, endpoints))
    if changes:
        raise ConfigError(
            f"the run was planned otherwise: {'; '.join(changes)}",
            where=str(folder),
            remedy="Give what it was started with, or start a new run",
        )


def _changes(header: RunHeader, given: Mapping[str, Any], endpoints: Mapping[Arm, Endpoint]) -> Iterator[str]:
    """Name everything that is not what the run was planned with; keys, limits and prices may change."""
    yield from _changed_arms(header, given, endpoints)
    yield from _changed_plan(header, given)
    workers = given["workers"] or (1 if given["isolate"] else None)
    recorded = header.arms[0].facts.get("processes")
    if workers is not None and workers != recorded:
        yield f"--workers is {workers}, was {recorded or 'not given'}"


def _changed_arms(header: RunHeader, given: Mapping[str, Any], endpoints: Mapping[Arm, Endpoint]) -> Iterator[str]:
    arms = {arm.arm: arm.endpoint for arm in header.arms}
    if given.get("placebo") and Arm.PLACEBO not in arms:
        yield "--placebo was not given"
    measured = [arm for arm in arms if arm is not Arm.PLACEBO]
    if measured != list(endpoints):
        yield f"it measured {' and '.join(measured)}"
        return
    for arm, endpoint in endpoints.items():
        now = msgspec.to_builtins(endpoint)
        yield from (
            f"{name} of the {arm} was {_short(arms[arm].get(name))}, is {_short(now.get(name))}"
            for name in _SAME
            if arms[arm].get(name) != now.get(name)
        )


def _changed_plan(header: RunHeader, given: Mapping[str, Any]) -> Iterator[str]:
    from harness.cli.options import resolve_golden  # noqa: PLC0415  # would be a circle
    from harness.model.settingsfile import load_settings  # noqa: PLC0415

    plan = header.plan
    if given["seed"] is not None and given["seed"] != plan.seed:
        yield f"--seed was {plan.seed}, is {given['seed']}"
    if given["golden"] is not None and resolve_golden(given["golden"]).sha256 != plan.golden_sha256:
        yield f"the golden set {given['golden']} is another one"
    if given.get("sequential") and plan.looks.scheme is not LookScheme.SEQUENTIAL:
        yield "--sequential was not given"
    if given["settings"] is not None:
        before = msgspec.to_builtins(msgspec.convert(plan.settings, Settings))
        now = msgspec.to_builtins(load_settings(given["settings"]))
        for section in ("verdict", "validity"):
            yield from _changed_settings(section, before[section], now[section])


def _changed_settings(section: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in now:
        if before.get(name) != now[name]:
            yield f"{section}.{name} was {_short(before.get(name))}, is {_short(now[name])}"


def _short(value: object) -> str:
    text = "not given" if value is None else msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004  # characters that fit a line


def _refuse_idle_options(given: Mapping[str, Any]) -> None:
    idle = [f"--{name.replace('_', '-')}" for name in _IDLE if given.get(name) or given.get(name) == 0]
    if idle:
        raise ConfigError(f"{', '.join(idle)} would have no effect", remedy=_FROM_PLAN)
