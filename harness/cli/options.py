"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from harness.model.golden import GoldenSet
from harness.model.settings import Settings

_Command = Callable[..., Any]


def measuring_options(command: _Command) -> _Command:
    """Add what every measuring command takes."""
    for option in reversed(
        (
            click.option("--golden", type=click.Path(path_type=Path), help="Golden set; the shipped one by default."),
            click.option("--settings", type=click.Path(path_type=Path), help="Plan, margins and limits (YAML)."),
            click.option(
                "--repeats",
                type=click.IntRange(1, 1000),
                help="Fewest repeats of every prompt; a gate's prompts get more until it can pass.",
            ),
            click.option("--seed", type=click.IntRange(0), help="Seed of the order of requests."),
            click.option("--concurrency", type=click.IntRange(1, 4096), help="Requests in flight on each side."),
            click.option("--max-cost", type=click.FloatRange(0), help="Send nothing if the run may cost more."),
            click.option(
                "--out", type=click.Path(path_type=Path), default=Path("results"), help="Folder of run folders."
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
                "--reports", type=click.Path(path_type=Path), default=Path("reports"), help="Folder of reports."
            ),
            click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors."),
            click.option("--json", "as_json", is_flag=True, help="Print the summary as one line of JSON."),
        )
    ):
        command = option(command)
    return command


def resolve_settings(file: Path | None, *, repeats: int | None, seed: int | None, max_cost: float | None) -> Settings:
    """Read the settings file and lay the command line over it."""
    from harness.model.settingsfile import load_settings  # noqa: PLC0415  # keeps `bench --help` light

    settings = load_settings(file) if file else Settings()
    plan = settings.plan
    if repeats is not None:
        plan = msgspec.structs.replace(plan, repeats=repeats, max_repeats=max(repeats, plan.max_repeats))
    if seed is not None:
        plan = msgspec.structs.replace(plan, seed=seed)
    chosen_cost = settings.max_cost if max_cost is None else max_cost
    return msgspec.structs.replace(settings, plan=plan, max_cost=chosen_cost)


def resolve_golden(file: Path | None) -> GoldenSet:
    """Read the golden set given, or the shipped one; a check that could not be judged is refused."""
    from harness.analysis.goldenchecks import validate_golden_set  # noqa: PLC0415  # keeps `bench --help` light
    from harness.model.goldenfile import load_golden_set  # noqa: PLC0415
    from harness.model.shipped import shipped_golden_set  # noqa: PLC0415

    golden = load_golden_set(file or shipped_golden_set())
    validate_golden_set(golden)
    return golden
