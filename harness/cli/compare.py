"""`bench compare`: the main job."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from harness.cli.completing import complete_side
from harness.cli.exporting import exporting_options
from harness.cli.hopeless import refuse_hopeless_sequence
from harness.cli.ledgering import ledger_option
from harness.cli.options import (
    has_twin,
    looking_options,
    measuring_options,
    reporting_options,
    resolve_golden,
    resolve_settings,
    resuming_option,
    stated_budgets,
    workers_per_endpoint,
)
from harness.cli.resumable import ResumableCommand
from harness.cli.unattended import is_logged, unattended_options
from harness.errors import ConfigError
from harness.model.endpoint import Endpoint, Limits
from harness.model.golden import GoldenSet
from harness.model.record import Arm, LookScheme, Plan
from harness.model.settings import ArrivalSettings, Settings

_MEASURING = (
    *("golden", "repeats", "seed", "concurrency", "load", "arrival", "max_cost", "isolate", "workers", "twin"),
    *("probe", "probes", "skip_preflight", "retries", "max_requests", "max_tokens", "max_time"),
)
_LOOKING = ("resume", "placebo", "quick", "certify", "sequential")


@click.command(cls=ResumableCommand)
@click.argument("reference", shell_complete=complete_side)
@click.argument("candidate", shell_complete=complete_side)
@resuming_option
@looking_options
@measuring_options
@ledger_option
@click.option(
    "--recorded-timings", is_flag=True, help="Let timings decide although one side was recorded in another run."
)
@exporting_options
@unattended_options
@reporting_options
def compare(reference: str, candidate: str, **given: Any) -> int:
    """Say whether CANDIDATE is a safe replacement for REFERENCE.

    Each side is an endpoint file (a.yml) or a recorded run (results/<run>, results/<run>:candidate).
    Endpoints are measured side by side; then answers, tool calls and tails are judged against the margins.

    \b
    Example:
        bench compare a.yml b.yml --repeats 5 --max-cost 2
    """
    from harness.cli.judging import judge_sides, output_of  # noqa: PLC0415  # keeps --help light
    from harness.cli.sides import RecordedSide, read_side, recorded_side  # noqa: PLC0415
    from harness.model.keptrun import refuse_changed  # noqa: PLC0415
    from harness.model.storage import load_run  # noqa: PLC0415

    given["files"] = {Arm.REFERENCE: reference, Arm.CANDIDATE: candidate}
    left, right = read_side(reference, Arm.REFERENCE), read_side(candidate, Arm.CANDIDATE)
    for side in (left, right):
        if isinstance(side, RecordedSide):
            refuse_changed(side.run.folder)
    output = output_of(given)
    if isinstance(left, RecordedSide) and isinstance(right, RecordedSide):
        _refuse_measuring_options(given)
        output = replace(output, ledger=given["ledger"])  # nothing is measured: entered only where that is asked
        settings = resolve_settings(given) if given["settings"] else None
        return judge_sides(left, right, settings, output, recorded_timings=given["recorded_timings"])
    words = shlex.join(["bench", "compare", reference, candidate])
    if isinstance(left, Endpoint) and isinstance(right, Endpoint):
        _refuse_recorded_timings(given)
        _refuse_same_prices_in_other_money(left, right)
        return _measure_and_judge({Arm.REFERENCE: left, Arm.CANDIDATE: right}, given, output, words)
    _refuse_placebo_and_looks(given)
    recorded = left if isinstance(left, RecordedSide) else right
    live = right if isinstance(right, Endpoint) else left
    assert isinstance(recorded, RecordedSide)  # noqa: S101  # the other cases have returned
    assert isinstance(live, Endpoint)  # noqa: S101
    arm = Arm.CANDIDATE if live is right else Arm.REFERENCE
    folder = measure_request(request_for({arm: live}, given, words, recorded))
    fresh = recorded_side(load_run(folder), arm)
    sides = (recorded, fresh) if arm is Arm.CANDIDATE else (fresh, recorded)
    settings = resolve_settings(given) if given["settings"] else None
    return judge_sides(*sides, settings, output, recorded_timings=given["recorded_timings"])


def measure_pair(files: dict[Arm, Path], given: dict[str, Any]) -> Path:
    """Measure two endpoint files side by side; give the run folder, which names no file: these are gone afterwards."""
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    given = {**given, "files": {}}
    return measure_request(request_for({arm: load_endpoint(file) for arm, file in files.items()}, given, None))


def _measure_and_judge(endpoints: dict[Arm, Endpoint], given: dict[str, Any], output: Any, words: str) -> int:
    """Measure and judge; where the plan says so, further repeats are measured until a look settles it."""
    from harness.cli.judging import judged_run  # noqa: PLC0415  # keeps --help light

    request = request_for(endpoints, given, words)
    while True:
        folder = measure_request(request)
        with output.judging():
            judged = judged_run(folder, None)
        further = further_look(folder, judged)
        if further is None:
            return judged.report(output)
        if not request.quiet:
            click.echo(f"look {further.look - 1}: {judged.verdict}; going on", err=True)
        request = replace(request, resumed=further)


def further_look(folder: Path, judged: Any) -> Any:
    """Give the run with its plan extended for the next look of a sequential plan; None where the verdict stands."""
    from harness.analysis.verdict import is_final  # noqa: PLC0415
    from harness.cli.resuming import further_repeats  # noqa: PLC0415
    from harness.model.storage import load_header  # noqa: PLC0415

    header = load_header(folder)
    looks, look = header.plan.looks, header.all_parts[-1].look
    is_over = looks.scheme is not LookScheme.SEQUENTIAL or look >= len(looks.repeats)
    if is_over or is_final(judged.analysis.judgement):
        return None
    return further_repeats(folder, looks.repeats[look])


def request_for(endpoints: dict[Arm, Endpoint], given: dict[str, Any], words: str | None, recorded: Any = None) -> Any:
    """Put together what is to be measured: a new run, or what a recorded one lacks."""
    from harness.cli.judging import make_reports_folder  # noqa: PLC0415
    from harness.cli.measuring import Request  # noqa: PLC0415
    from harness.cli.resuming import resume  # noqa: PLC0415

    make_reports_folder(given["reports"])
    endpoints = {arm: with_concurrency(endpoint, given["concurrency"]) for arm, endpoint in endpoints.items()}
    common = {
        "out": given["out"],
        "quiet": given["quiet"] or (given["as_json"] and not is_logged()),
        "has_twin": has_twin(given),
        "words": words,
        "files": _files(given),
        "probes": tuple(given.get("probes") or ()),
        "rerun_of": given.get("rerun_of"),
        "all_probes": bool(given.get("all_probes")),
    }
    if given.get("resume") is not None:
        resumed = resume(given, endpoints)
        if Arm.PLACEBO in resumed.arms:
            endpoints[Arm.PLACEBO] = endpoints[Arm.REFERENCE]
        settings = msgspec.structs.replace(resumed.settings, **stated_budgets(given))
        return Request(
            endpoints=endpoints,
            golden=resumed.golden,
            settings=settings,
            workers=resumed.workers,
            resumed=resumed,
            skip_preflight=bool(given.get("skip_preflight")),
            **common,
        )
    settings = resolve_settings(given)
    if recorded is not None:
        settings = _as_recorded(settings, recorded.run.header.plan, given)
    if given.get("placebo"):
        endpoints[Arm.PLACEBO] = endpoints[Arm.REFERENCE]
    golden = resolve_golden(given["golden"]) if recorded is None else _same_golden(recorded, given["golden"])
    if Arm.CANDIDATE in endpoints and Arm.REFERENCE in endpoints:
        refuse_hopeless_sequence(golden, settings)
    return Request(
        endpoints=endpoints,
        golden=golden,
        settings=settings,
        workers=workers_per_endpoint(given),
        probe=bool(given.get("probe")),
        skip_preflight=bool(given.get("skip_preflight")),
        is_certified=bool(given.get("certify")),
        repeats=recorded.run.header.plan.repeats if recorded and given["repeats"] is None else None,
        **common,
    )


def _files(given: dict[str, Any]) -> dict[Arm, str]:
    """Give the endpoint files as the user named them; a placebo is asked by the reference's."""
    files: dict[Arm, str] = given.get("files") or {}
    return files | {Arm.PLACEBO: files[Arm.REFERENCE]} if given.get("placebo") and Arm.REFERENCE in files else files


def measure_request(request: Any) -> Path:
    """Measure and write records.jsonl; give the run folder."""
    from harness.cli.judging import keep_records  # noqa: PLC0415
    from harness.cli.measuring import measure  # noqa: PLC0415
    from harness.cli.progress import stage  # noqa: PLC0415

    folder = measure(request)
    with stage("decoding what was recorded", is_shown=not request.quiet):
        keep_records(folder)
    return folder


def _as_recorded(settings: Settings, plan: Plan, given: dict[str, Any]) -> Settings:
    """Ask of the live side what the recorded one was asked, where nothing else is said."""
    is_said = settings.load or given["arrival"] is not None or given["concurrency"] is not None
    if is_said or not plan.load:
        return settings
    arrival = msgspec.convert(plan.settings["arrival"], ArrivalSettings)
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
    idle = [f"--{name.replace('_', '-')}" for name in (*_MEASURING, *_LOOKING) if given[name] is not None]
    if idle:
        raise ConfigError(f"both sides are recorded, so {', '.join(idle)} would have no effect", remedy="Leave it out")


def _refuse_recorded_timings(given: dict[str, Any]) -> None:
    if given["recorded_timings"]:
        raise ConfigError("no side is recorded, so --recorded-timings would have no effect", remedy="Leave it out")


def _refuse_placebo_and_looks(given: dict[str, Any]) -> None:
    """A recorded side cannot be measured once more."""
    idle = [f"--{name}" for name in ("placebo", "sequential") if given[name] is not None]
    if idle:
        raise ConfigError(f"one side is recorded, so {' and '.join(idle)} cannot be had", remedy="Measure both sides")


def _refuse_same_prices_in_other_money(left: Endpoint, right: Endpoint) -> None:
    if left.prices and right.prices and left.prices.currency != right.prices.currency:
        raise ConfigError(
            f"prices are in {left.prices.currency} and {right.prices.currency}",
            remedy="Give both price books in one currency",
        )
