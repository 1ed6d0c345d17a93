"""Options that several commands share."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from harness.cli.spans import Span
from harness.errors import ConfigError
from harness.model.golden import GoldenSet
from harness.model.record import Arrival
from harness.model.settings import PlanSettings, RetrySettings, Settings

_Command = Callable[..., Any]
_Section = TypeVar("_Section", bound=msgspec.Struct)


class Levels(click.ParamType):  # type: ignore[type-arg]  # generic only in the newest click
    """Positive numbers, separated by commas."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[float]:
        """Read them; a usage error names what is no level."""
        if isinstance(value, list):
            return value
        levels = []
        for word in str(value).split(","):
            try:
                levels.append(float(word))
            except ValueError:
                self.fail(f"{word!r} is no number; write 1,4,16", param, ctx)
            if not 0 < levels[-1] < math.inf:
                self.fail(f"{word!r} is no load; write numbers above 0", param, ctx)
        return levels


def isolating_options(command: _Command) -> _Command:
    """Add which processes measure; absent, the command's own does."""
    for option in reversed(
        (
            click.option(
                "--isolate",
                is_flag=True,
                default=None,
                help="Measure each endpoint in a process of its own, so that neither delays the other.",
            ),
            click.option(
                "--workers",
                type=click.IntRange(1, 64),
                metavar="N",
                help="Processes per endpoint, which share its requests; for more CPUs than one. Implies --isolate.",
            ),
            click.option(
                "--twin",
                is_flag=True,
                default=None,
                help="Replay streams of the endpoints' own shape from a server with a log beside them, through the "
                "same client, and say how wrong it was.",
            ),
        )
    ):
        command = option(command)
    return command


def workers_per_endpoint(given: Mapping[str, Any]) -> int | None:
    """Give how many processes measure each endpoint; None when the command's own measures all."""
    return given["workers"] or (1 if given["isolate"] else None)


def has_twin(given: Mapping[str, Any]) -> bool:
    """Say whether a twin plays; ConfigError where its client would not be the one that measures."""
    if given["twin"] and workers_per_endpoint(given) is not None:
        raise ConfigError(
            "--twin watches the process that measures, and with --isolate or --workers that is none of its own",
            remedy="Leave --twin out, or measure in one process",
        )
    return bool(given["twin"])


def preflight_options(command: _Command) -> _Command:
    """Add what is asked and refused before a run."""
    for option in reversed(
        (
            click.option(
                "--probe", is_flag=True, default=None, help="First probe the features that the golden set needs."
            ),
            click.option(
                "--probes",
                multiple=True,
                type=click.Path(path_type=Path),
                callback=lambda _context, _option, folders: folders or None,
                help="Probe folder of an endpoint (may be repeated); the newest in --out by default.",
            ),
            click.option(
                "--skip-preflight",
                is_flag=True,
                default=None,
                help="Measure although a feature that the golden set needs is known to be rejected.",
            ),
        )
    ):
        command = option(command)
    return command


def measuring_options(command: _Command) -> _Command:
    """Add what every measuring command takes."""
    command = preflight_options(isolating_options(command))
    for option in reversed(
        (
            click.option(
                "--golden",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Golden set (.yml, .jsonl) or a shipped one's name; golden by default.",
            ),
            click.option(
                "--settings",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Plan, margins and limits (YAML); `bench schema settings` says what there is.",
            ),
            click.option(
                "--repeats",
                type=click.IntRange(1, 1000),
                metavar="N",
                help="Fewest repeats of every prompt; a gate's prompts get more until it can pass.",
            ),
            click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of the order of requests."),
            click.option(
                "--concurrency", type=click.IntRange(1, 4096), metavar="N", help="Requests in flight on each side."
            ),
            click.option(
                "--load",
                type=Levels(),
                metavar="N,N,…",
                help="Levels of load on each side, one after the other, as in 4 or 1,4,16: requests in flight, or per "
                "second with --arrival constant or poisson. The first is judged.",
            ),
            click.option(
                "--arrival",
                type=click.Choice([str(process) for process in Arrival]),
                metavar="PROCESS",
                help="closed: the end of a request starts the next. constant, poisson: a rate, whatever has answered.",
            ),
            click.option(
                "--retries",
                type=click.IntRange(0, 9),
                metavar="N",
                help="Attempts after a failed one, each on record beside it; the first stays the trial. 0 by default.",
            ),
            click.option(
                "--max-cost",
                type=click.FloatRange(0),
                metavar="MONEY",
                help="Send nothing if the plan may cost more, in the currency of the endpoint files; stop before "
                "retries or long answers make it cost more.",
            ),
            click.option(
                "--max-requests",
                type=click.IntRange(1),
                metavar="N",
                help="Stop after so many requests, retries included.",
            ),
            click.option(
                "--max-tokens",
                type=click.IntRange(1),
                metavar="N",
                help="Stop before prompts and answers may come to more tokens, on all sides together.",
            ),
            click.option(
                "--max-time", type=Span(), metavar="TIME", help="Start nothing more after this time: 90, 15m, 2h."
            ),
            click.option(
                "--out",
                type=click.Path(path_type=Path),
                default=Path("results"),
                metavar="FOLDER",
                show_default=True,
                help="Folder of run folders.",
            ),
        )
    ):
        command = option(command)
    return command


def resuming_option(command: _Command) -> _Command:
    """Add going on with a run that is there."""
    return click.option(
        "--resume",
        is_flag=False,
        flag_value="newest",
        metavar="[FOLDER]",
        help="Go on with this run, or the newest that fits: send what it lacks. With --repeats N once it is finished: "
        "measure the further repeats of its next planned look.",
    )(command)


def looking_options(command: _Command) -> _Command:
    """Add what a comparison takes besides: a placebo, and presets of how much is measured and how often looked at."""
    for option in reversed(
        (
            click.option(
                "--placebo", is_flag=True, default=None, help="Measure the reference once more, as a third arm."
            ),
            click.option(
                "--quick", is_flag=True, default=None, help="A screen: 3 repeats, wide margins; no full verdict."
            ),
            click.option("--certify", is_flag=True, default=None, help="10 repeats and narrower tails."),
            click.option(
                "--sequential",
                is_flag=True,
                default=None,
                help="Look after 3, 5 and 10 repeats; stop at a PASS or a sure loss.",
            ),
        )
    ):
        command = option(command)
    return command


def reporting_options(command: _Command) -> _Command:
    """Add what every judging command takes."""
    for option in reversed(
        (
            click.option(
                "--reports",
                type=click.Path(path_type=Path),
                default=Path("reports"),
                metavar="FOLDER",
                show_default=True,
                help="Folder of reports.",
            ),
            click.option(
                "--quiet", "-q", is_flag=True, help="Print nothing but errors; the exit code says the verdict."
            ),
            click.option(
                "--json",
                "as_json",
                is_flag=True,
                help="Print the summary as one line of JSON on standard output, and nothing else there.",
            ),
        )
    ):
        command = option(command)
    return command


def resolve_settings(given: Mapping[str, Any]) -> Settings:
    """Read the settings file and lay the command line over it; `given` holds the options of a measuring command."""
    from harness.model.settingsfile import check_load, load_settings  # noqa: PLC0415  # keeps `bench --help` light

    settings = _in_mode(load_settings(given["settings"]) if given["settings"] else Settings(), given)
    arrival = _laid_over(settings.arrival, process=given["arrival"] and Arrival(given["arrival"]))
    resolved = _laid_over(
        msgspec.structs.replace(settings, plan=_plan(settings.plan, given), arrival=arrival),
        load=given["load"],
        retries=_retries(settings.retries, given),
        **budget_options(given),
    )
    check_load(resolved)
    if resolved.load and given["concurrency"] is not None:
        raise ConfigError(
            "--concurrency has no effect beside levels of load", remedy="Give the one or the other: --load 8"
        )
    return resolved


def _in_mode(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """Lay a preset over the settings file; ConfigError for two of them, or for one beside its own repeats."""
    from harness.analysis import modes  # noqa: PLC0415  # keeps `bench --help` light

    presets = {"quick": modes.quick, "certify": modes.certify, "sequential": modes.sequential}
    chosen = [name for name in presets if given.get(name)]
    if len(chosen) > 1:
        raise ConfigError(f"--{chosen[0]} and --{chosen[1]} exclude each other", remedy="Give one of them")
    if not chosen:
        return settings
    if given["repeats"] is not None:
        raise ConfigError(f"--{chosen[0]} says how many repeats", remedy="Leave --repeats out")
    return presets[chosen[0]](settings)


def budget_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the budgets of the command line by their names in the settings."""
    names = {
        "max_cost": "max_cost",
        "max_requests": "max_requests",
        "max_tokens": "max_tokens",
        "max_time": "max_time_s",
    }
    return {setting: given.get(option) for option, setting in names.items()}


def stated_budgets(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the budgets of this command alone: its settings file's, over which its line is laid; None: no limit."""
    from harness.model.settingsfile import load_settings  # noqa: PLC0415  # keeps `bench --help` light

    file = load_settings(given["settings"]) if given.get("settings") else Settings()
    on_line = budget_options(given)
    return {name: getattr(file, name) if limit is None else limit for name, limit in on_line.items()}


def _retries(retries: RetrySettings, given: Mapping[str, Any]) -> RetrySettings:
    n = given.get("retries")
    return retries if n is None else msgspec.structs.replace(retries, max_attempts=1 + n)


def _plan(plan: PlanSettings, given: Mapping[str, Any]) -> PlanSettings:
    repeats = given["repeats"]
    if repeats is not None:
        plan = msgspec.structs.replace(plan, repeats=repeats, max_repeats=max(repeats, plan.max_repeats))
    return _laid_over(plan, seed=given["seed"])


def _laid_over(section: _Section, **given: Any) -> _Section:
    """Replace what was given; None was not."""
    return msgspec.structs.replace(section, **{name: value for name, value in given.items() if value is not None})


def resolve_golden(file: Path | None) -> GoldenSet:
    """Read the golden set given, or the shipped one; a check that could not be judged is refused."""
    from harness.analysis.goldenchecks import validate_golden_set  # noqa: PLC0415  # keeps `bench --help` light
    from harness.model.goldenfile import load_golden_set  # noqa: PLC0415
    from harness.model.shipped import golden_set_file  # noqa: PLC0415

    golden = load_golden_set(golden_set_file(file))
    validate_golden_set(golden)
    return golden
