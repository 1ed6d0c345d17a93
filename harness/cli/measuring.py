"""Runs the measuring half for a command: plan, estimate, compose, play, journal."""

import asyncio
import gc
import os
import secrets
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from harness.clock import SystemClock
from harness.errors import BenchError, ConfigError
from harness.model.digest import plan_sha256
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, ArmHeader, Plan, RunHeader, RunStatus
from harness.model.settings import Settings
from harness.model.storage import RunWriter

if TYPE_CHECKING:
    from harness.cli.progress import Progress
    from harness.measure.estimate import Estimate
    from harness.measure.session import Session

_SWITCH_INTERVAL_S = 0.0005  # how long the progress display's thread may keep the loop waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a command asks to be measured."""

    endpoints: Mapping[Arm, Endpoint]
    golden: GoldenSet
    settings: Settings
    out: Path
    quiet: bool = False
    repeats: Mapping[str, int] | None = None  # of a recorded plan; allocated afresh when None


def measure(request: Request) -> Path:
    """Measure and give the run folder; what was recorded before an error or Ctrl-C stays there."""
    plan = _plan(request)
    _announce(request, plan)
    session = _prepare(request, plan)
    clock = SystemClock()
    header = _header(request, plan, clock)
    with RunWriter(request.out / header.run_id, header) as writer:
        status, reason = RunStatus.INTERRUPTED, None
        try:
            with _progress(request, plan) as progress, _ending_on_sigterm():
                _run_loop(session, writer, progress)
            status = RunStatus.FINISHED
        except BenchError as error:
            status, reason = RunStatus.STOPPED, str(error)
            raise
        except Exception as error:
            status, reason = RunStatus.STOPPED, f"internal error: {type(error).__name__}"
            raise
        finally:
            writer.finish(status, clock.now().isoformat(), reason, clock=session.clock_facts())
            if status is not RunStatus.FINISHED:
                click.echo(f"what was recorded until then: bench report {writer.folder}", err=True)
    return writer.folder


def _plan(request: Request) -> Plan:
    from harness.analysis.allocation import allocate, find_demotions  # noqa: PLC0415
    from harness.analysis.estimators import ESTIMATORS  # noqa: PLC0415
    from harness.measure.schedule import plan_run  # noqa: PLC0415

    repeats = request.repeats or allocate(request.golden, request.settings).repeats
    is_compared = len(request.endpoints) > 1 or request.repeats is not None
    return plan_run(
        request.golden,
        request.settings,
        tuple(request.endpoints),
        repeats=repeats,
        demotions=find_demotions(request.golden, request.settings.verdict, repeats) if is_compared else (),
        estimators=ESTIMATORS,
    )


def _announce(request: Request, plan: Plan) -> None:
    """Say what the run will ask for; refuse one that may cost more than allowed, before anything is sent."""
    from harness.measure.estimate import estimate  # noqa: PLC0415

    estimates = {
        arm: estimate(request.golden, endpoint, plan.repeats, request.settings.plan.warmup)
        for arm, endpoint in request.endpoints.items()
    }
    if not request.quiet:
        for arm, found in estimates.items():
            side = f"{arm} " if len(estimates) > 1 else ""
            click.echo(f"{side}{request.endpoints[arm].name}: {_estimate_line(found)}", err=True)
        for demotion in plan.demotions:
            click.echo(f"gate {demotion.gate} is informative only: {demotion.reason}", err=True)
        for warning in _warnings(request.endpoints):
            click.echo(f"WARNING: {warning}", err=True)
    _refuse_over_budget(request.settings.max_cost, list(estimates.values()))


def _warnings(endpoints: Mapping[Arm, Endpoint]) -> Iterator[str]:
    from harness.measure.wire.proxy import proxy_of  # noqa: PLC0415

    for arm, endpoint in endpoints.items():
        if not endpoint.tls.verify:
            yield f"TLS certificates of the {arm} are not verified"
        if (proxy := proxy_of(endpoint.base_url, os.environ)) is not None:
            yield f"the {arm} is reached through the proxy {proxy.address}; its timings hold for that path"
    slots = {endpoint.limits.concurrency for endpoint in endpoints.values()}
    if len(slots) > 1:
        yield f"limits.concurrency differs; both sides run at the lower, {min(slots)}"


def _estimate_line(found: "Estimate") -> str:
    from harness.measure.answerlength import UNPINNED_TOKENS  # noqa: PLC0415

    tokens = f"about {found.prompt_tokens:,} prompt and at most {found.completion_tokens:,} completion tokens"
    if found.unbounded:
        tokens = (
            f"about {found.prompt_tokens:,} prompt tokens; {len(found.unbounded)} prompts pin no max_tokens, so their "
            f"answers have no bound (counted as {UNPINNED_TOKENS:,} tokens each)"
        )
    word = "about" if found.unbounded else "at most"
    money = "cost unknown (no price book)" if found.cost is None else f"{word} {found.cost:.2f} {found.currency}"
    return f"{found.requests} requests, {tokens}, {money}"


def _refuse_over_budget(max_cost: float | None, estimates: Sequence["Estimate"]) -> None:
    if max_cost is None:
        return
    unbounded = sorted({prompt_id for found in estimates for prompt_id in found.unbounded})
    if unbounded:
        raise ConfigError(
            f"--max-cost needs a bound on every answer; these prompts pin no max_tokens: {', '.join(unbounded):.200}",
            remedy="Pin max_tokens in the golden set, or under sampling: of the endpoint file",
        )
    costs = [found.cost for found in estimates]
    if any(cost is None for cost in costs):
        raise ConfigError(
            "--max-cost needs a price book on every endpoint", remedy="Add prices: to each endpoint file that has none"
        )
    total = sum(cost for cost in costs if cost is not None)
    if total > max_cost:
        raise ConfigError(
            f"the run may cost {total:.2f}, more than --max-cost {max_cost:.2f}; nothing was sent",
            remedy="Lower --repeats or raise --max-cost",
        )


def _prepare(request: Request, plan: Plan) -> "Session":
    from harness.measure.session import prepare_session  # noqa: PLC0415

    return prepare_session(request.golden, request.endpoints, plan, environ=os.environ)


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
            ArmHeader(arm=arm, endpoint=msgspec.to_builtins(endpoint), facts=_facts(endpoint))
            for arm, endpoint in request.endpoints.items()
        ),
        provenance=provenance(clock),
    )


def _facts(endpoint: Endpoint) -> dict[str, object]:
    """Give what the endpoint file does not say of the way to it."""
    from harness.measure.wire.proxy import proxy_of  # noqa: PLC0415

    proxy = proxy_of(endpoint.base_url, os.environ)
    return {} if proxy is None else {"proxy": proxy.address}


@contextmanager
def _progress(request: Request, plan: Plan) -> Iterator["Progress"]:
    from harness.cli.progress import show_progress  # noqa: PLC0415

    names = {arm: endpoint.name for arm, endpoint in request.endpoints.items()}
    with show_progress(names, len(plan.blocks), is_shown=not request.quiet) as progress:
        yield progress


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM, by which schedulers end a job, end the run as Ctrl-C does: marked interrupted, files closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run_loop(session: "Session", writer: RunWriter, progress: "Progress") -> None:
    gc.collect()
    gc.freeze()  # all that was composed: a collection inside the window would walk it and hold the loop up
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(session.run(writer, progress.observe))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """Give uvloop's loop where it exists; BENCH_LOOP=asyncio keeps the standard one."""
    if sys.platform == "win32" or os.environ.get("BENCH_LOOP") == "asyncio":
        return None
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    return uvloop.Loop
