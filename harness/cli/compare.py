"""`bench compare`: the main job."""

from pathlib import Path
from typing import Any

import click
import msgspec

from harness.cli.options import (
    has_twin,
    measuring_options,
    reporting_options,
    resolve_golden,
    resolve_settings,
    workers_per_endpoint,
)
from harness.errors import ConfigError
from harness.model.endpoint import Endpoint, Limits
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Plan
from harness.model.settings import ArrivalSettings, Settings


@click.command()
@click.argument("reference")
@click.argument("candidate")
@measuring_options
@reporting_options
def compare(reference: str, candidate: str, **given: Any) -> int:
    """Say whether CANDIDATE is a safe replacement for REFERENCE.

    Each side is an endpoint file (a.yml) or a recorded run (results/<run>, results/<run>:candidate).
    Endpoints are measured side by side; then answers, tool calls and tails are judged against the margins.

    \b
    Example:
        bench compare a.yml b.yml --repeats 5 --max-cost 2
    """
    from harness.cli.judging import Output, judge_run, judge_sides  # noqa: PLC0415  # keeps --help light
    from harness.cli.sides import RecordedSide, read_side, recorded_side  # noqa: PLC0415
    from harness.model.storage import load_run  # noqa: PLC0415

    left, right = read_side(reference, Arm.REFERENCE), read_side(candidate, Arm.CANDIDATE)
    output = Output(reports=given["reports"], quiet=given["quiet"], as_json=given["as_json"])
    chosen = resolve_settings(given)
    if isinstance(left, RecordedSide) and isinstance(right, RecordedSide):
        _refuse_measuring_options(given)
        return judge_sides(left, right, chosen if given["settings"] else None, output)
    if isinstance(left, Endpoint) and isinstance(right, Endpoint):
        _refuse_same_prices_in_other_money(left, right)
        endpoints = {Arm.REFERENCE: left, Arm.CANDIDATE: right}
        return judge_run(_measure(endpoints, resolve_golden(given["golden"]), chosen, given), None, output)
    recorded = left if isinstance(left, RecordedSide) else right
    live = right if isinstance(right, Endpoint) else left
    assert isinstance(recorded, RecordedSide)  # noqa: S101  # the other cases have returned
    assert isinstance(live, Endpoint)  # noqa: S101
    arm = Arm.CANDIDATE if live is right else Arm.REFERENCE
    folder = _measure({arm: live}, _same_golden(recorded, given["golden"]), chosen, given, recorded)
    fresh = recorded_side(load_run(folder), arm)
    sides = (recorded, fresh) if arm is Arm.CANDIDATE else (fresh, recorded)
    return judge_sides(*sides, chosen if given["settings"] else None, output)


def measure_pair(files: dict[Arm, Path], given: dict[str, Any]) -> Path:
    """Measure two endpoint files side by side; give the run folder."""
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    endpoints = {arm: load_endpoint(file) for arm, file in files.items()}
    return _measure(endpoints, resolve_golden(given["golden"]), resolve_settings(given), given)


def _measure(
    endpoints: dict[Arm, Endpoint],
    golden: GoldenSet,
    settings: Settings,
    given: dict[str, Any],
    recorded: Any = None,
) -> Path:
    from harness.cli.judging import keep_records, make_reports_folder  # noqa: PLC0415
    from harness.cli.measuring import Request, measure  # noqa: PLC0415

    make_reports_folder(given["reports"])
    if recorded is not None:
        settings = _as_recorded(settings, recorded.run.header.plan, given)
    request = Request(
        endpoints={arm: with_concurrency(endpoint, given["concurrency"]) for arm, endpoint in endpoints.items()},
        golden=golden,
        settings=settings,
        out=given["out"],
        quiet=given["quiet"] or given["as_json"],
        workers=workers_per_endpoint(given),
        has_twin=has_twin(given),
        repeats=recorded.run.header.plan.repeats if recorded and given["repeats"] is None else None,
    )
    folder = measure(request)
    keep_records(folder)
    return folder


def _as_recorded(settings: Settings, plan: Plan, given: dict[str, Any]) -> Settings:
    """Ask of the live side what the recorded one was asked, where nothing else is said."""
    is_said = settings.load or given["arrival"] is not None or given["concurrency"] is not None
    if is_said or not plan.load:
        return settings
    arrival = ArrivalSettings(**plan.settings["arrival"])
    return msgspec.structs.replace(settings, load=[plan.load[0]], arrival=arrival)  # the judged level


def with_concurrency(endpoint: Endpoint, concurrency: int | None) -> Endpoint:
    """Lay the command line's concurrency over the file's."""
    if concurrency is None:
        return endpoint
    limits: Limits = msgspec.structs.replace(endpoint.limits, concurrency=concurrency)
    return msgspec.structs.replace(endpoint, limits=limits)


def _same_golden(recorded: Any, given: Path | None) -> GoldenSet:
    """A recorded side can only be compared on the set that it answered."""
    if given is None:
        return recorded.golden  # type: ignore[no-any-return]  # a GoldenSet
    golden = resolve_golden(given)
    if golden.sha256 != recorded.golden.sha256:
        raise ConfigError(
            "this golden set is not the one that the recorded run replayed",
            where=str(given),
            remedy="Leave --golden out: the run holds its set",
        )
    return golden


def _refuse_measuring_options(given: dict[str, Any]) -> None:
    """Two recorded sides leave nothing to measure: an option for it would have no effect, silently."""
    names = ("golden", "repeats", "seed", "concurrency", "load", "arrival", "max_cost", "isolate", "workers", "twin")
    idle = [f"--{name.replace('_', '-')}" for name in names if given[name] is not None]
    if idle:
        raise ConfigError(f"both sides are recorded, so {', '.join(idle)} would have no effect", remedy="Leave it out")


def _refuse_same_prices_in_other_money(left: Endpoint, right: Endpoint) -> None:
    if left.prices and right.prices and left.prices.currency != right.prices.currency:
        raise ConfigError(
            f"prices are in {left.prices.currency} and {right.prices.currency}",
            remedy="Give both price books in one currency",
        )
