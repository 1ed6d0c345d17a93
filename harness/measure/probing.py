"""Runs probes against one endpoint: one request at a time, within a rate, each with evidence on the disk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
from asyncio_throttle.throttler import Throttler

from harness.clock import Clock, SystemClock
from harness.decode.watch import last_output_at_ns
from harness.measure.compose import ComposedRequest
from harness.measure.ending import run_to_its_end
from harness.measure.loop import loop_factory
from harness.measure.probecompose import ProbeComposer
from harness.measure.wire.player import Exchange, Player, TimeLimits
from harness.model.endpoint import Endpoint
from harness.model.probe import ProbeExchange, ProbeReport, ProbeResult
from harness.model.probestorage import ProbeWriter
from harness.model.record import Arm, Attempt, FailureKind, RequestKey
from harness.probes.catalogue import PROBES
from harness.probes.classify import classify
from harness.probes.core import window_in
from harness.probes.probe import Ask, Probe, Target
from harness.probes.seen import see
from harness.units import NS_PER_S

DEFAULT_REQUESTS_PER_MINUTE = 60
MAX_BODY_BYTES = 4 << 20
_CONTROL_TRIES = 3  # then the endpoint is taken to be down, and no probe waits for it any more
_LEAST_S = 0.05
_LOOK_AGAIN_S = 0.05
_NO_WINDOW = "the context window is not known, and GET /models does not say it: state context_window"
_UNANNOUNCED = "its prompt would fill a context window that was not announced with its cost: state context_window"
_KEYLESS = "the endpoint file names no key, so a wrong one shows nothing"
_UNREACHABLE = frozenset(
    {FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS, FailureKind.TIMEOUT_CONNECT}
)  # nothing was sent: every further probe would fail in the same way
_TOO_MANY = 429
_S_PER_MINUTE = 60
_MODELS = next(probe for probe in PROBES if probe.id == "models")

Observe = Callable[[ProbeResult, int, int], None]  # a result, how many are done, of how many
Evidence = tuple[int, ProbeExchange, bytes]  # line, exchange, wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """What to probe and how."""

    endpoint: Endpoint
    probes: tuple[Probe, ...]
    probing_id: str
    environ: Mapping[str, str] = field(repr=False)
    requests_per_minute: int | None = None  # the endpoint file's, else a default
    window: int | None = None  # context window in tokens
    thinking_tokens: int = 0  # added to every budget that is not itself probed
    deadline_s: float | None = None  # of every probe, in place of its own
    observe: Observe = field(default=lambda *_: None, repr=False)


def paced(requests_per_minute: int) -> Throttler:
    """Give a throttle that spaces requests evenly: one in each interval, instead of a minute's all at once."""
    interval_s = _S_PER_MINUTE / requests_per_minute
    return Throttler(rate_limit=1, period=interval_s, retry_interval=min(_LOOK_AGAIN_S, interval_s / 2))


def run_probing(probing: Probing, folder: Path) -> ProbeReport:
    """Probe on a loop of our own; ConfigError before anything is sent."""
    composer = ProbeComposer(probing.endpoint, probing.environ)
    return run_to_its_end(lambda: probe_endpoint(probing, folder, composer), loop_factory())


async def probe_endpoint(probing: Probing, folder: Path, composer: ProbeComposer | None = None) -> ProbeReport:
    """Probe on the running loop; the report is on the disk after every probe."""
    composer = composer or ProbeComposer(probing.endpoint, probing.environ)
    clock = SystemClock()
    player = Player(
        probing.endpoint,
        clock,
        last_output_at=last_output_at_ns,
        secrets=composer.secrets,
        environ=probing.environ,
        max_body_bytes=MAX_BODY_BYTES,
    )
    with ProbeWriter(folder) as writer:
        prober = _Prober(probing, composer, player, writer, clock)
        try:
            return await prober.run()
        finally:
            await player.close()


class _Prober:
    """Sends the probes of one endpoint in order."""

    def __init__(
        self, probing: Probing, composer: ProbeComposer, player: Player, writer: ProbeWriter, clock: Clock
    ) -> None:
        """Take over what is open."""
        self._probing = probing
        self._composer = composer
        self._player = player
        self._writer = writer
        self._clock = clock
        told = probing.requests_per_minute or probing.endpoint.limits.requests_per_minute
        self._pace = paced(told or DEFAULT_REQUESTS_PER_MINUTE)
        self._target = Target(model=probing.endpoint.model, window=probing.window or probing.endpoint.context_window)
        self._target = replace(self._target, thinking_tokens=probing.thinking_tokens)
        self._control: Evidence | None = None
        self._n_failed_controls = 0
        self._stopped: str | None = None

    async def run(self) -> ProbeReport:
        """Run every probe; one that fails is a result as any other."""
        report = ProbeReport(
            probing_id=self._probing.probing_id,
            endpoint=msgspec.to_builtins(self._probing.endpoint),
            started_at=self._clock.now().isoformat(),
            context_window=self._target.window,
        )
        self._writer.write_report(report)
        for number, probe in enumerate(self._probing.probes, 1):
            report = await self._with(report, probe, number)
            self._writer.write_report(report)
            if self._is_stopped():
                break
        report = replace(report, ended_at=self._clock.now().isoformat(), stopped=self._stopped)
        self._writer.write_report(report)
        return report

    async def _with(self, report: ProbeReport, probe: Probe, number: int) -> ProbeReport:
        """Run one probe, unless what it needs is not known."""
        if probe.needs_key and not (self._probing.endpoint.api_key or self._composer.secrets):
            return replace(report, skipped={**report.skipped, probe.id: _KEYLESS})
        if probe.fills_window and not (self._probing.window or self._probing.endpoint.context_window):
            return replace(report, skipped={**report.skipped, probe.id: _UNANNOUNCED})
        if probe.needs_window and self._target.window is None:
            await self._learn_window()
            report = replace(report, context_window=self._target.window)
            if self._is_stopped():
                return report
            if self._target.window is None:
                return replace(report, skipped={**report.skipped, probe.id: _NO_WINDOW})
        result = await self._probe(probe)
        if self._is_stopped():
            return report
        self._probing.observe(result, number, len(self._probing.probes))
        return replace(report, results=(*report.results, result), context_window=self._target.window)

    def _is_stopped(self) -> bool:
        return self._stopped is not None

    async def _learn_window(self) -> None:
        """Ask the model list."""
        _, exchange, wire = await self._send(_MODELS, _MODELS.asks[0], 0, _MODELS.deadline_s)
        window = window_in(see(exchange, wire, model=self._target.model), self._target.model)
        self._target = replace(self._target, window=window)

    async def _probe(self, probe: Probe) -> ProbeResult:
        """Send the control, the variants, and the control again where a variant failed."""
        patience = _Patience(self._probing.deadline_s or probe.deadline_s)
        taken: list[Evidence] = []
        if probe.control is not None:
            taken.append(await self._controlled(probe.control, patience))
        cut = None
        if not taken or self._is_served(taken[0]):
            cut = await self._vary(probe, taken, patience)
            if probe.control is not None and not (probe.expects_failure or all(map(self._is_served, taken))):
                self._control = None
                taken.append(await self._controlled(probe.control, _Patience(patience.limit_s)))
        exchanges = [(replace(exchange, probe=probe.id), wire) for _, exchange, wire in taken]
        return classify(probe, exchanges, self._target, lines=[line for line, _, _ in taken], cut=cut)

    async def _vary(self, probe: Probe, taken: list[Evidence], patience: "_Patience") -> str | None:
        """Send the variants; gives why not all of them were sent."""
        for ask in probe.asks:
            for trial in range(probe.trials_of(ask)):
                if patience.left_s <= 0:
                    return f"the probe's deadline of {patience.limit_s:g} s passed"
                taken.append(await self._timed(probe, ask, trial, patience))
                if ask.is_burst and taken[-1][1].attempt.status == _TOO_MANY:
                    break
                if self._stopped is not None:
                    return self._stopped
        return None

    async def _controlled(self, control: Ask, patience: "_Patience") -> Evidence:
        """Give the control, sent once for all probes while it is served."""
        if self._control is not None and (self._is_served(self._control) or self._n_failed_controls >= _CONTROL_TRIES):
            return self._control
        self._control = await self._timed(None, control, 0, patience)
        self._n_failed_controls = 0 if self._is_served(self._control) else self._n_failed_controls + 1
        return self._control

    async def _timed(self, probe: Probe | None, ask: Ask, trial: int, patience: "_Patience") -> Evidence:
        """Send, and take the time off the probe's patience; waiting for the quota costs none."""
        taken = await self._send(probe, ask, trial, patience.left_s)
        attempt = taken[1].attempt
        patience.spend(max(0, (attempt.ended_at_ns or 0) - attempt.intended_at_ns))
        return taken

    async def _send(self, probe: Probe | None, ask: Ask, trial: int, within_s: float) -> Evidence:
        if not ask.is_burst:
            await self._pace.acquire()  # type: ignore[no-untyped-call]  # the library has no annotations
        request = self._composer.compose(ask, self._target)
        intended_at_ns = self._clock.monotonic_ns()
        landed = await self._player.play(request, self._limits(within_s))
        exchange = landed.settle()
        line = self._writer.n_exchanges
        attempt = _attempt(probe, trial, line, request, exchange, intended_at_ns)
        record = ProbeExchange(
            probe="" if probe is None else probe.id,
            label=ask.label,
            is_control=probe is None,
            trial=trial,
            method=ask.method,
            target=self._composer.struck(request.target.encode()),
            body=self._composer.struck(request.body),
            attempt=attempt,
        )
        is_first_word = probe is None or probe.control is None
        if is_first_word and attempt.failure is not None and attempt.failure.kind in _UNREACHABLE:
            self._stopped = f"{attempt.failure.kind}: {attempt.failure.message}"
        return line, self._writer.append(record, exchange.wire), exchange.wire

    def _limits(self, within_s: float) -> TimeLimits:
        timeouts, left_s = self._probing.endpoint.timeouts, max(_LEAST_S, within_s)
        return TimeLimits(
            connect_s=min(timeouts.connect_s, left_s),
            first_output_s=left_s,
            idle_s=left_s,
            total_s=left_s,
        )

    def _is_served(self, taken: Evidence) -> bool:
        return see(taken[1], taken[2], model=self._target.model).is_served


class _Patience:
    """What is left of a probe's time."""

    def __init__(self, limit_s: float) -> None:
        """Start with all of it."""
        self.limit_s = self.left_s = limit_s

    def spend(self, ns: int) -> None:
        """Take time off."""
        self.left_s -= ns / NS_PER_S


def _attempt(  # the parts of a line of the journal
    probe: Probe | None, trial: int, line: int, request: ComposedRequest, exchange: Exchange, intended_at_ns: int
) -> Attempt:
    key = RequestKey(arm=Arm.REFERENCE, prompt_id="control" if probe is None else probe.id, repeat=trial)
    return exchange.attempt(
        key=key,
        attempt=1,
        block=line,
        request_sha256=request.sha256,
        request_bytes=request.n_bytes,
        intended_at_ns=intended_at_ns,
        admitted_at_ns=intended_at_ns,
    )
