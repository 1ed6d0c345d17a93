"""Runs the measuring half for a command: plan, estimate, compose, play, journal."""

import os
import secrets
import shlex
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from harness.cli.goingon import kept_words
from harness.cli.parts import ended_parts, new_part, resumed_header
from harness.clock import SystemClock
from harness.errors import BenchError, IncompleteRunError, InterruptedRunError, StoppedRunError
from harness.model.digest import plan_sha256
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.looks import note_unrecorded_look
from harness.model.mending import mend_journal
from harness.model.record import Arm, ArmHeader, Attempt, Plan, RunHeader, RunStatus
from harness.model.redaction import refuse_redacted
from harness.model.settings import Settings
from harness.model.storage import RunWriter, load_run, lock_run

if TYPE_CHECKING:
    from typing import BinaryIO

    from harness.cli.progress import Progress
    from harness.cli.resuming import Resumed
    from harness.measure.isolation import IsolatedSession
    from harness.measure.remaining import Remaining
    from harness.measure.session import Session
    from harness.measure.twin import Twin


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a command asks to be measured."""

    endpoints: Mapping[Arm, Endpoint]
    golden: GoldenSet
    settings: Settings
    out: Path
    quiet: bool = False
    repeats: Mapping[str, int] | None = None  # of a recorded plan; allocated afresh when None
    workers: int | None = None  # processes per endpoint; None: this one measures all
    has_twin: bool = False  # a server with a log is played beside the endpoints
    files: Mapping[Arm, str] = field(default_factory=dict)  # the endpoint files as the user named them
    probes: tuple[Path, ...] = ()  # probe folders to take what is known from; the newest beside the runs when empty
    probe: bool = False  # what the golden set needs is probed before anything is measured
    all_probes: bool = False  # every feature is
    skip_preflight: bool = False  # a feature that is known to be rejected stops nothing
    resumed: "Resumed | None" = None  # the run that goes on; None: a new one
    is_certified: bool = False  # asked for with --certify: a set that is too small for it is warned of
    rerun_of: str | None = None  # the run that it is to confirm
    words: str | None = None  # of the command with its endpoints: what `--resume` follows; None: cannot be resumed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """What this part of a run begins with."""

    plan: Plan
    remaining: "Remaining"
    attempts: tuple[Attempt, ...] = ()  # on record
    notes: tuple[str, ...] = ()  # what was lost before
    lock: "BinaryIO | None" = None  # of a run that goes on


def measure(request: Request) -> Path:
    """Measure and give the run folder; what was recorded before an error or Ctrl-C stays there."""
    from harness.cli.announcing import announce  # noqa: PLC0415
    from harness.measure.ending import ending_once  # noqa: PLC0415

    with ending_once(), ExitStack() as held:
        request, lock = _locked(request, held)
        start = _start(request, lock)
        announce(request, start.plan, start.remaining)
        session = _prepare(request, start)
        clock = SystemClock()
        with _writer(request, start, clock) as writer:
            _play(request, start, session, writer)
    return writer.folder


def _locked(request: Request, held: ExitStack) -> "tuple[Request, BinaryIO | None]":
    """Lock the run that goes on, and see it as it is from now on; a new one has its lock from its writer."""
    from harness.cli.resuming import as_it_is_now  # noqa: PLC0415  # would be a circle

    resumed = request.resumed
    if resumed is None:
        return request, None
    refuse_redacted(resumed.folder, resumed.header, "gone on with")
    lock = held.enter_context(lock_run(resumed.folder))
    return replace(request, resumed=as_it_is_now(resumed)), lock


def _start(request: Request, lock: "BinaryIO | None") -> _Start:
    """Plan a new run, or mend the journal of the one that goes on and find what is left."""
    from harness.measure.remaining import Remaining, remaining_after  # noqa: PLC0415

    resumed = request.resumed
    if resumed is None:
        return _Start(plan=make_plan(request), remaining=Remaining(arms=tuple(request.endpoints)))
    notes = mend_journal(resumed.folder)
    attempts = load_run(resumed.folder).attempts
    note_unrecorded_look(resumed.folder, attempts)
    part = len(resumed.header.all_parts)
    return _Start(
        plan=resumed.plan,
        remaining=remaining_after(attempts, resumed.arms, part),
        attempts=attempts,
        notes=notes,
        lock=lock,
    )


def _writer(request: Request, start: _Start, clock: SystemClock) -> RunWriter:
    if request.resumed is None:
        header = _header(request, start.plan, clock)
        return RunWriter(request.out / header.run_id, header)
    header = resumed_header(request.resumed, new_part(start.plan, clock, look=request.resumed.look, notes=start.notes))
    return RunWriter(request.resumed.folder, header, lock=start.lock)


def _play(request: Request, start: _Start, session: "Session | IsolatedSession", writer: RunWriter) -> None:
    """Send what is left; the header says how it ended, whatever ends it."""
    from harness.cli.twinning import loopback_twin  # noqa: PLC0415

    status, reason = RunStatus.INTERRUPTED, None
    with ExitStack() as afterwards:
        try:
            with _progress(request, start) as progress:
                twin = afterwards.enter_context(loopback_twin(writer.folder)) if request.has_twin else None
                _run(session, writer, progress, twin, start)
            status = RunStatus.FINISHED
        except KeyboardInterrupt:
            raise InterruptedRunError("interrupted", folder=writer.folder) from None
        except BenchError as error:
            status, reason = RunStatus.STOPPED, str(error)
            if isinstance(error, StoppedRunError):
                error.folder = writer.folder
            raise
        except Exception as error:
            status, reason = RunStatus.STOPPED, f"internal error: {type(error).__name__}"
            raise
        finally:
            facts = ended_parts(writer.header, session.clock_facts(), session.client_facts())
            with _still_ending(status):
                writer.finish(status, SystemClock().now().isoformat(), reason, **facts)
            if status is not RunStatus.FINISHED:
                _say_what_there_is(request, start, writer.folder)


@contextmanager
def _still_ending(status: RunStatus) -> Iterator[None]:
    """Let a header that cannot be written not hide what ended the run: a run without its end can go on as well."""
    try:
        yield
    except IncompleteRunError as error:
        if status is RunStatus.FINISHED:
            raise
        click.echo(f"bench: {error}; the run is on record as one whose process died", err=True)


def _say_what_there_is(request: Request, start: _Start, folder: Path) -> None:
    """Say what was recorded and how to go on; no figure that a verdict stands on, which would be a look at the data."""
    from harness.cli.sofar import has_answered, lines_so_far  # noqa: PLC0415

    if not request.quiet:
        for line in lines_so_far(folder, start.plan):
            click.echo(line, err=True)
    if not has_answered(folder):
        return  # there is nothing to go on with, and nothing to report: why is said next
    if request.words is not None:
        again = shlex.join(["--resume", str(folder), *kept_words()])
        click.echo(f"to go on with it: {request.words} {again}", err=True)
    look = "; a verdict on it counts as a look at the data" if len(request.endpoints) > 1 else ""
    click.echo(f"what was recorded until then: bench report {shlex.quote(str(folder))}{look}", err=True)


def make_plan(request: Request) -> Plan:
    """Fix everything that the run will do."""
    from harness.analysis.allocation import allocate, find_demotions  # noqa: PLC0415
    from harness.analysis.estimators import ESTIMATORS  # noqa: PLC0415
    from harness.analysis.looks import looks_of  # noqa: PLC0415
    from harness.analysis.pricedgates import refuse_unpriced_cost  # noqa: PLC0415
    from harness.cli.twinning import refuse_twin_without_warmup  # noqa: PLC0415
    from harness.measure.schedule import plan_run  # noqa: PLC0415

    repeats = request.repeats or allocate(request.golden, request.settings).repeats
    looks = looks_of(request.settings.plan.looks, request.settings.plan.repeats)
    is_compared = len(request.endpoints) > 1 or request.repeats is not None
    if is_compared:
        refuse_unpriced_cost(request.golden, request.settings.verdict, request.endpoints.values())
    plan = plan_run(
        request.golden,
        _with_wake(request, _with_load(request)),
        tuple(request.endpoints),
        repeats=repeats,
        demotions=find_demotions(request.golden, request.settings.verdict, repeats, looks) if is_compared else (),
        estimators=ESTIMATORS,
        looks=looks,
    )
    if request.has_twin:
        refuse_twin_without_warmup(plan)
    return plan


def _with_load(request: Request) -> Settings:
    """Settle how much is in flight where the settings leave it to the endpoints: what both of them allow."""
    if request.settings.load:
        return request.settings
    lowest = min(endpoint.limits.concurrency for endpoint in request.endpoints.values())
    return msgspec.structs.replace(request.settings, load=[lowest])


def _with_wake(request: Request, settings: Settings) -> Settings:
    """Let a warm-up request, alone, meet an endpoint that may sleep: a wake is no measured request."""
    may_sleep = any(endpoint.cold.scales_to_zero for endpoint in request.endpoints.values())
    if settings.plan.warmup or not may_sleep:
        return settings
    return msgspec.structs.replace(settings, plan=msgspec.structs.replace(settings.plan, warmup=1))


def _prepare(request: Request, start: _Start) -> "Session | IsolatedSession":
    """Compose all requests; each worker will do so again for its own, since keys are not handed on."""
    from harness.cli.keyplace import naming_files  # noqa: PLC0415
    from harness.cli.preflight import check_before  # noqa: PLC0415
    from harness.measure.budget import budgets_of  # noqa: PLC0415
    from harness.measure.filelimit import allow_files, files_needed  # noqa: PLC0415
    from harness.measure.isolation import IsolatedSession  # noqa: PLC0415
    from harness.measure.session import prepare_session  # noqa: PLC0415

    plan, remaining = start.plan, start.remaining
    n_arms = len(request.endpoints) if request.workers is None else 1
    allow_files(files_needed(plan, n_arms, request.workers or 1))  # what we raise, our children have too
    budgets = budgets_of(request.settings)
    files = {
        endpoint.name: Path(request.files[arm]) for arm, endpoint in request.endpoints.items() if arm in request.files
    }
    with naming_files(files):
        session = prepare_session(
            request.golden, request.endpoints, plan, environ=os.environ, remaining=remaining, budgets=budgets
        )
    check_before(request)
    if request.workers is None:
        return session
    return IsolatedSession(request.golden, request.endpoints, plan, request.workers, remaining, budgets)


def _header(request: Request, plan: Plan, clock: SystemClock) -> RunHeader:
    part = new_part(plan, clock)
    started = datetime.fromisoformat(part.started_at)
    names = "-vs-".join(endpoint.name for arm, endpoint in request.endpoints.items() if arm is not Arm.PLACEBO)
    return RunHeader(
        run_id=f"{started:%Y%m%dT%H%M%S}-{names}-{secrets.token_hex(2)}",
        command=part.command,
        started_at=part.started_at,
        plan=plan,
        plan_sha256=plan_sha256(plan),
        golden=msgspec.to_builtins(request.golden),
        arms=tuple(
            ArmHeader(arm=arm, endpoint=msgspec.to_builtins(endpoint), facts=_facts(request, arm, endpoint))
            for arm, endpoint in request.endpoints.items()
        ),
        provenance=part.provenance,
        parts=(part,),
        rerun_of=request.rerun_of,
    )


def _facts(request: Request, arm: Arm, endpoint: Endpoint) -> dict[str, object]:
    """Give what the endpoint file does not say of how it is reached and measured."""
    from harness.measure.wire.proxy import proxy_of  # noqa: PLC0415

    proxy = proxy_of(endpoint.base_url, os.environ)
    named = {"file": request.files.get(arm)}
    found = {**named, "proxy": proxy.address if proxy else None, "processes": request.workers}
    return {name: value for name, value in found.items() if value is not None}


@contextmanager
def _progress(request: Request, start: _Start) -> Iterator["Progress"]:
    from harness.cli.heartbeat import follow_progress  # noqa: PLC0415
    from harness.cli.legs import legs_of, spending_of  # noqa: PLC0415
    from harness.cli.progress import show_progress  # noqa: PLC0415
    from harness.measure.waking import cap_of  # noqa: PLC0415

    names = {arm: endpoint.name for arm, endpoint in request.endpoints.items()}
    legs = legs_of(start.plan, start.remaining, names, request.golden)
    spending = spending_of(request, start.plan, start.remaining)
    waking = {arm: cap_of(endpoint.cold) for arm, endpoint in request.endpoints.items() if endpoint.cold.scales_to_zero}
    with show_progress(names, legs, spending=spending, waking=waking, is_shown=not request.quiet) as progress:
        follow_progress(progress)
        yield progress


def _run(
    session: "Session | IsolatedSession",
    writer: RunWriter,
    progress: "Progress",
    twin: "Twin | None",
    start: _Start,
) -> None:
    from harness.measure.ending import run_to_its_end  # noqa: PLC0415
    from harness.measure.isolation import IsolatedSession  # noqa: PLC0415
    from harness.measure.loop import run_measuring  # noqa: PLC0415
    from harness.measure.remaining import first_answers  # noqa: PLC0415

    if isinstance(session, IsolatedSession):
        run_to_its_end(lambda: session.run(writer.folder, progress.set, writer.lock))
        return
    recorded = first_answers(start.attempts)
    run_measuring(lambda: session.run(writer, progress.observe, twin=twin, recorded=recorded))
