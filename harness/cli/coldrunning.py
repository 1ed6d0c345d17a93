"""Runs `bench cold`: says what it costs, asks, measures into a run folder, reports."""

import json
import os
import secrets
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from harness.cli.parts import ended_parts, new_part
from harness.cli.progress import LINE_EVERY_S, ticking
from harness.clock import SystemClock
from harness.errors import BenchError, ConfigError
from harness.model.digest import plan_sha256
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, ArmHeader, Plan, RunHeader, RunStatus
from harness.model.settings import PlanSettings, Settings
from harness.model.storage import RunWriter
from harness.units import seconds

if TYPE_CHECKING:
    from harness.analysis.results.case import Side
    from harness.analysis.results.cold import ColdPath, WakeOutcome
    from harness.measure.coldrun import ColdPlan, ColdSession, Stage, Watch

_IDLE_MARGIN = 1.05  # over cold.idle_after_s: a provider's own timer is not ours
_MINUTE_S = 60.0
_TTY_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ColdRequest:
    """What was asked for on the command line."""

    endpoint: Path
    out: Path
    reports: Path
    idle: float | None = None
    is_cold: bool = False
    repeats: int = 1
    budget: float | None = None
    cap: float | None = None
    yes: bool = False
    quiet: bool = False
    as_json: bool = False


def measure_cold(request: ColdRequest) -> Path:
    """Measure and give the run folder; what was recorded before an error or Ctrl-C stays there."""
    from harness.cli.judging import keep_records, make_reports_folder  # noqa: PLC0415
    from harness.measure.coldrun import ColdSession, wake_set  # noqa: PLC0415  # openai loads here
    from harness.measure.ending import ending_once  # noqa: PLC0415
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    endpoint = as_expected(load_endpoint(request.endpoint), request)
    cold, golden = cold_plan(endpoint, request), wake_set()
    plan = _plan(golden, cold)
    session = ColdSession(endpoint, golden, plan, os.environ)
    make_reports_folder(request.reports)
    _agree(endpoint, cold, request)
    clock = SystemClock()
    header = _header(endpoint, golden, plan, cold, clock)
    with ending_once(), RunWriter(request.out / header.run_id, header) as writer:
        _play(session, cold, writer, quiet=request.quiet or request.as_json)
    keep_records(writer.folder)
    return writer.folder


def as_expected(endpoint: Endpoint, request: ColdRequest) -> Endpoint:
    """Lay the command line's budget and cap over the file's; whoever asks for this says that it scales to zero."""
    given = {"budget_s": request.budget, "cap_s": request.cap, "scales_to_zero": True}
    cold = msgspec.structs.replace(endpoint.cold, **{name: one for name, one in given.items() if one is not None})
    if cold.budget_s is not None and cold.cap_s is not None and cold.budget_s > cold.cap_s:
        raise ConfigError(
            f"the budget of {cold.budget_s:g} s is above the cap of {cold.cap_s:g} s, after which no wake is answered",
            remedy="Give a lower --budget or a higher --cap",
        )
    return msgspec.structs.replace(endpoint, cold=cold)


def cold_plan(endpoint: Endpoint, request: ColdRequest) -> "ColdPlan":
    """Settle how it comes to be asleep; ConfigError where nobody says."""
    from harness.measure.coldrun import ColdPlan  # noqa: PLC0415

    stated = endpoint.cold.idle_after_s
    idle_s = request.idle if request.idle is not None else stated and stated * _IDLE_MARGIN
    if idle_s is None and not (request.is_cold and request.repeats == 1):
        raise ConfigError(
            "nobody says after how much idle time the endpoint sleeps",
            where=str(request.endpoint),
            remedy="Give --idle SECONDS, state cold.idle_after_s, or give --is-cold for a single wake",
        )
    return ColdPlan(repeats=request.repeats, idle_s=idle_s, is_declared_cold=request.is_cold)


def announcement(endpoint: Endpoint, cold: "ColdPlan") -> list[str]:
    """Say what is not verified, how long it takes and what is billed, at most."""
    from harness.measure.waking import ALLOWANCE_S, cap_of  # noqa: PLC0415

    cap_s, n = cap_of(endpoint.cold), cold.repeats
    idle_s = sum(cold.idle_before_s(number) for number in range(n))
    wait_s = cap_s + ALLOWANCE_S
    most_s = idle_s + n * 2 * wait_s
    awake_s = n * (2 * cap_s + (endpoint.cold.idle_after_s or cold.idle_s or 0.0))
    wakes = f"{n} wake{'s' if n > 1 else ''}, one request in flight and one more to compare with each"
    told = f"{_minutes(idle_s)} idle, and {_minutes(wait_s)} a wake at most (its cap of {_minutes(cap_s)} and "
    told += f"{_minutes(ALLOWANCE_S)} to hear of it), twice where the provider answers 504"
    together = " together" if n > 1 else ""
    billed = f"up to {_minutes(awake_s)} of GPU time{together}, the time until it sleeps again included"
    unverified = [] if endpoint.tls.verify else [f"WARNING: TLS certificates of {endpoint.name} are not verified"]
    return [
        *unverified,
        f"{endpoint.name}: {wakes}; {told}: {_minutes(most_s)} at most in all",
        f"{'all wakes are' if n > 1 else 'the wake is'} billed by your provider: {billed}",
    ]


def _minutes(duration_s: float) -> str:
    return f"{duration_s:.0f} s" if duration_s < 2 * _MINUTE_S else f"{duration_s / _MINUTE_S:.0f} min"


def _agree(endpoint: Endpoint, cold: "ColdPlan", request: ColdRequest) -> None:
    lines = announcement(endpoint, cold)
    if not (request.quiet and request.yes):
        for line in lines:
            click.echo(line, err=True)
    if request.yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError("waking an endpoint costs money, and nobody is there to agree", remedy="Give --yes")
    click.confirm("Go on?", abort=True, err=True)


def _plan(golden: GoldenSet, cold: "ColdPlan") -> Plan:
    from harness.analysis.estimators import ESTIMATORS  # noqa: PLC0415
    from harness.measure.coldrun import PROMPT_ID, wake_blocks  # noqa: PLC0415

    settings = Settings(load=[1], plan=PlanSettings(repeats=2 * cold.repeats, warmup=0, unstreamed=0, allocate=False))
    return Plan(
        seed=settings.plan.seed,
        look_ahead=0,
        repeats={PROMPT_ID: 2 * cold.repeats},
        blocks=wake_blocks(cold.repeats),
        settings=msgspec.to_builtins(settings),
        golden_sha256=golden.sha256,
        estimators=ESTIMATORS,
        load=(1.0,),
    )


def _header(endpoint: Endpoint, golden: GoldenSet, plan: Plan, cold: "ColdPlan", clock: SystemClock) -> RunHeader:
    part = new_part(plan, clock)
    started = datetime.fromisoformat(part.started_at)
    idle_s = cold.idle_before_s(0)
    facts = {"cold": {"is_declared_cold": cold.is_declared_cold, "waited_s": idle_s or None}}
    return RunHeader(
        run_id=f"{started:%Y%m%dT%H%M%S}-{endpoint.name}-cold-{secrets.token_hex(2)}",
        command=part.command,
        started_at=part.started_at,
        plan=plan,
        plan_sha256=plan_sha256(plan),
        golden=msgspec.to_builtins(golden),
        arms=(ArmHeader(arm=Arm.REFERENCE, endpoint=msgspec.to_builtins(endpoint), facts=facts),),
        provenance=part.provenance,
        parts=(part,),
    )


def _play(session: "ColdSession", cold: "ColdPlan", writer: RunWriter, *, quiet: bool) -> None:
    """Measure; the header says how it ended, whatever ends it."""
    from harness.measure.loop import run_measuring  # noqa: PLC0415

    status, reason = RunStatus.INTERRUPTED, None
    try:
        with _watching(quiet=quiet) as watch:
            run_measuring(lambda: session.run(cold, writer, watch))
        status = RunStatus.FINISHED
    except BenchError as error:
        status, reason = RunStatus.STOPPED, str(error)
        raise
    except Exception as error:
        status, reason = RunStatus.STOPPED, f"internal error: {type(error).__name__}"
        raise
    finally:
        facts = ended_parts(writer.header, session.clock_facts(), ())
        writer.finish(status, SystemClock().now().isoformat(), reason, **facts)
        if status is not RunStatus.FINISHED:
            click.echo(f"what was recorded until then: bench report {shlex.quote(str(writer.folder))}", err=True)


@contextmanager
def _watching(*, quiet: bool) -> Iterator["Watch"]:
    """Say what goes on and for how long: one line that is written over on a terminal, lines elsewhere."""
    if quiet:
        yield lambda _: None
        return
    clock, is_terminal = SystemClock(), sys.stderr.isatty()
    now: list[tuple[Stage, int]] = []

    def enter(stage: "Stage") -> None:
        now[:] = [(stage, clock.monotonic_ns())]
        draw()

    def draw() -> None:
        if now:
            stage, since_ns = now[0]
            line = stage_line(stage, seconds(clock.monotonic_ns() - since_ns))
            with suppress(BrokenPipeError):  # nobody reads it any more; the measurement goes on
                sys.stderr.write(f"\r\x1b[K{line}" if is_terminal else f"{line}\n")
                sys.stderr.flush()

    with ticking(draw, _TTY_INTERVAL_S if is_terminal else LINE_EVERY_S):
        try:
            yield enter
        finally:
            now.clear()
            if is_terminal:
                sys.stderr.write("\r\x1b[K")


def stage_line(stage: "Stage", elapsed_s: float) -> str:
    """Give one line of progress."""
    until = "" if stage.for_s is None else f" of at most {stage.for_s:.0f} s"
    return f"{stage.words}, {elapsed_s:.0f} s{until}"


def report_cold(folder: Path, request: ColdRequest) -> int:
    """Write the page, print the wakes, give the exit code."""
    from harness.cli.judging import judged_run  # noqa: PLC0415  # pandas and scipy load here
    from harness.report.view_cold import wake_lines  # noqa: PLC0415
    from harness.report.view_tls import tls_facts  # noqa: PLC0415
    from harness.report.write import write_report  # noqa: PLC0415

    judged = judged_run(folder, None)
    written = write_report(judged.analysis, judged.run.header, request.reports, checklist=judged.checklist)
    path = next(iter(judged.analysis.cold))
    code = exit_code([wake.outcome for wake in path.wakes])
    if request.as_json:
        click.echo(json.dumps(_content(path, judged.analysis.case.reference, folder, written.html, code)))
    elif not request.quiet:
        unverified = (f"{fact.label}     {fact.value} ({fact.detail})" for fact in tls_facts(judged.analysis.case))
        for line in (*unverified, *wake_lines(path), f"run     {folder}", f"report  {written.html}"):
            click.echo(line)
    return code


def _content(path: "ColdPath", side: "Side", folder: Path, page: Path, code: int) -> dict[str, object]:
    from harness.analysis.unverified import is_unverified  # noqa: PLC0415

    return {
        "endpoint": side.name,
        "tls_verified": not is_unverified(side.endpoint),
        "folder": str(folder),
        "page": str(page),
        "exit_code": code,
        **msgspec.to_builtins(path),
    }


def exit_code(outcomes: "list[WakeOutcome]") -> int:
    """Give 1 for a wake that took too long, 75 for a request that failed, 3 for none that was cold, 0 otherwise."""
    from harness.analysis.results.cold import WakeOutcome as W  # noqa: PLC0415

    codes = {
        W.OVER_BUDGET: 1,
        W.CAPPED: 1,
        W.GAVE_UP: 1,
        W.FAILED: 75,
        W.NOT_CONFIRMED: 3,
    }
    found = {codes.get(outcome, 0) for outcome in outcomes}
    return next(code for code in (1, 75, 3, 0) if code in found)
