"""Runs the measuring half for a command: plan, estimate, compose, play, journal."""

import asyncio
import os
import secrets
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from harness.clock import SystemClock
from harness.errors import BenchError
from harness.model.digest import plan_sha256
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, ArmHeader, Plan, RunHeader, RunStatus
from harness.model.settings import Settings
from harness.model.storage import RunWriter

if TYPE_CHECKING:
    from harness.cli.progress import Progress
    from harness.measure.isolation import IsolatedSession
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


def measure(request: Request) -> Path:
    """Measure and give the run folder; what was recorded before an error or Ctrl-C stays there."""
    from harness.cli.announcing import announce  # noqa: PLC0415
    from harness.cli.twinning import loopback_twin  # noqa: PLC0415
    from harness.measure.loop import ending_on_sigterm  # noqa: PLC0415

    plan = _plan(request)
    announce(request, plan)
    session = _prepare(request, plan)
    clock = SystemClock()
    header = _header(request, plan, clock)
    with RunWriter(request.out / header.run_id, header) as writer, ExitStack() as afterwards:
        status, reason = RunStatus.INTERRUPTED, None
        try:
            with _progress(request, plan) as progress, ending_on_sigterm():
                twin = afterwards.enter_context(loopback_twin(writer.folder)) if request.has_twin else None
                _run(session, writer, progress, twin)
            status = RunStatus.FINISHED
        except BenchError as error:
            status, reason = RunStatus.STOPPED, str(error)
            raise
        except Exception as error:
            status, reason = RunStatus.STOPPED, f"internal error: {type(error).__name__}"
            raise
        finally:
            facts = {"clock": session.clock_facts(), "client": session.client_facts()}
            writer.finish(status, clock.now().isoformat(), reason, **facts)
            if status is not RunStatus.FINISHED:
                click.echo(f"what was recorded until then: bench report {writer.folder}", err=True)
    return writer.folder


def _plan(request: Request) -> Plan:
    from harness.analysis.allocation import allocate, find_demotions  # noqa: PLC0415
    from harness.analysis.estimators import ESTIMATORS  # noqa: PLC0415
    from harness.cli.twinning import refuse_twin_without_warmup  # noqa: PLC0415
    from harness.measure.schedule import plan_run  # noqa: PLC0415

    repeats = request.repeats or allocate(request.golden, request.settings).repeats
    is_compared = len(request.endpoints) > 1 or request.repeats is not None
    plan = plan_run(
        request.golden,
        _with_load(request),
        tuple(request.endpoints),
        repeats=repeats,
        demotions=find_demotions(request.golden, request.settings.verdict, repeats) if is_compared else (),
        estimators=ESTIMATORS,
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


def _prepare(request: Request, plan: Plan) -> "Session | IsolatedSession":
    """Compose all requests; each worker will do so again for its own, since keys are not handed on."""
    from harness.measure.filelimit import allow_files, files_needed  # noqa: PLC0415
    from harness.measure.isolation import IsolatedSession  # noqa: PLC0415
    from harness.measure.session import prepare_session  # noqa: PLC0415

    n_arms = len(request.endpoints) if request.workers is None else 1
    allow_files(files_needed(plan, n_arms, request.workers or 1))  # what we raise, our children have too
    session = prepare_session(request.golden, request.endpoints, plan, environ=os.environ)
    if request.workers is None:
        return session
    return IsolatedSession(request.golden, request.endpoints, plan, request.workers)


def _header(request: Request, plan: Plan, clock: SystemClock) -> RunHeader:
    from harness.measure.provenance import provenance  # noqa: PLC0415

    started = clock.now()
    names = "-vs-".join(endpoint.name for endpoint in request.endpoints.values())
    return RunHeader(
        run_id=f"{started:%Y%m%dT%H%M%S}-{names}-{secrets.token_hex(2)}",
        command=shlex.join(["bench", *sys.argv[1:]]),
        started_at=started.isoformat(),
        plan=plan,
        plan_sha256=plan_sha256(plan),
        golden=msgspec.to_builtins(request.golden),
        arms=tuple(
            ArmHeader(arm=arm, endpoint=msgspec.to_builtins(endpoint), facts=_facts(request, endpoint))
            for arm, endpoint in request.endpoints.items()
        ),
        provenance=provenance(clock),
    )


def _facts(request: Request, endpoint: Endpoint) -> dict[str, object]:
    """Give what the endpoint file does not say of how it is reached and measured."""
    from harness.measure.wire.proxy import proxy_of  # noqa: PLC0415

    proxy = proxy_of(endpoint.base_url, os.environ)
    found = {"proxy": proxy.address if proxy else None, "processes": request.workers}
    return {name: value for name, value in found.items() if value is not None}


@contextmanager
def _progress(request: Request, plan: Plan) -> Iterator["Progress"]:
    from harness.cli.progress import show_progress  # noqa: PLC0415
    from harness.measure.followups import follow_ups  # noqa: PLC0415

    names = {arm: endpoint.name for arm, endpoint in request.endpoints.items()}
    n_requests = len(plan.blocks) + follow_ups(request.golden, plan).n
    with show_progress(names, n_requests, is_shown=not request.quiet) as progress:
        yield progress


def _run(session: "Session | IsolatedSession", writer: RunWriter, progress: "Progress", twin: "Twin | None") -> None:
    from harness.measure.isolation import IsolatedSession  # noqa: PLC0415
    from harness.measure.loop import run_measuring  # noqa: PLC0415

    if isinstance(session, IsolatedSession):
        asyncio.run(session.run(writer.folder, progress.set))
        return
    run_measuring(lambda: session.run(writer, progress.observe, twin=twin))
