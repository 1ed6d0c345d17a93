"""What goes wrong around a request: names, connections, TLS; played by the player that a run uses."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from harness.clock import SystemClock
from harness.decode.record import decode_attempt
from harness.decode.watch import last_output_at_ns
from harness.measure.compose import Composer
from harness.measure.wire.exchange import Cut, Exchange, TimeLimits
from harness.measure.wire.player import Player
from harness.model.endpoint import Endpoint
from harness.model.endpoint import Tls as Trust
from harness.model.golden import Prompt
from harness.model.record import Arm, Attempt, Record, RequestKey
from harness.simulator.endpoint import SimulatedEndpoint
from harness.simulator.profile import Constant, Decode, FaultRule, Profile, Tls
from harness.simulator.server import Server
from harness.simulator.serving import listen_on
from harness.simulator.truth import TruthLog

LIMITS = TimeLimits(connect_s=2, first_output_s=5, idle_s=5, total_s=10)
BRIEF = TimeLimits(connect_s=0.3, first_output_s=5, idle_s=5, total_s=10)
_LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the scenes share: certificates of an authority of our own."""

    folder: Path
    ca: trustme.CA

    @property
    def ca_file(self) -> str:
        """The authority's certificate, written once."""
        file = self.folder / "ca.pem"
        if not file.exists():
            self.ca.cert_pem.write_to_path(str(file))
        return str(file)

    def certificate(self, name: str, *hosts: str, **more: Any) -> str:
        """Write a certificate and its key."""
        file = self.folder / f"{name}.pem"
        self.ca.issue_cert(*(hosts or ("127.0.0.1",)), **more).private_key_and_cert_chain_pem.write_to_path(str(file))
        return str(file)


@asynccontextmanager
async def simulated(**more: Any) -> AsyncIterator[int]:
    """Serve a profile on the running loop; gives the port."""
    profile = Profile(name="p", ttft=Constant(ms=5.0), decode=Decode(tokens_per_s=2000), **more)
    log = TruthLog(None)
    with listen_on(0) as listener:
        listener.setblocking(False)
        server = Server(SimulatedEndpoint(profile), log)
        accepting = asyncio.ensure_future(server.accept(listener))
        try:
            yield listener.getsockname()[1]
        finally:
            accepting.cancel()
            await server.close()
            log.close()


def prompt(text: str) -> Prompt:
    request = {"messages": [{"role": "user", "content": text}], "max_tokens": 40}
    return Prompt(id="scene", category="facts", intent="One scene.", request=request)


class Playing:
    """One endpoint, played as a session plays it."""

    def __init__(self, base_url: str, **more: Any) -> None:
        self._endpoint = Endpoint(name="e", base_url=base_url, model="sim-model", **more)
        self._composer = Composer(self._endpoint, {})
        self.player = Player(
            self._endpoint, SystemClock(), last_output_at=last_output_at_ns, secrets=self._composer.secrets, environ={}
        )

    async def ask(self, text: str = "Hello", limits: TimeLimits = LIMITS, *, is_streamed: bool = True) -> Record:
        """Play one request and decode what came."""
        request = self._composer.compose(prompt(text), is_streamed=is_streamed)
        try:
            landed = await self.player.play(request, limits)
        except Cut as cut:
            landed = cut.landed
        return self._record(landed.settle(), is_streamed=is_streamed)

    def _record(self, exchange: Exchange, *, is_streamed: bool) -> Record:
        attempt = Attempt(
            key=RequestKey(arm=Arm.CANDIDATE, prompt_id="scene", repeat=0, is_streamed=is_streamed),
            attempt=1,
            block=0,
            request_sha256="0" * 64,
            request_bytes=0,
            intended_at_ns=0,
            sent_at_ns=exchange.sent_at_ns,
            ended_at_ns=exchange.ended_at_ns,
            connection=exchange.connection,
            status=exchange.status,
            headers=exchange.headers,
            reads=exchange.reads,
            failure=exchange.failure,
        )
        return decode_attempt(attempt, exchange.wire, model_asked="sim-model")


async def _asked(base_url: str, text: str = "Hello", limits: TimeLimits = LIMITS, **more: Any) -> Record:
    is_streamed = more.pop("is_streamed", True)
    playing = Playing(base_url, **more)
    try:
        return await playing.ask(text, limits, is_streamed=is_streamed)
    finally:
        await playing.player.close()


async def _dns(_: Stage) -> Record:
    return await _asked("http://nowhere.invalid/v1")


async def _refused(_: Stage) -> Record:
    with listen_on(0) as listener:
        port = listener.getsockname()[1]
    return await _asked(f"http://127.0.0.1:{port}/v1")


def _secure(
    certificate: Callable[[Stage], str | None],
    text: str = "Hello",
    limits: TimeLimits = LIMITS,
    *,
    verify: bool = True,
    only_old: bool = False,
    faults: tuple[FaultRule, ...] = (),
) -> Callable[[Stage], Awaitable[Record]]:
    async def scene(stage: Stage) -> Record:
        file = certificate(stage)
        tls = None if file is None else Tls(certificate=file, only_old=only_old)
        trust = Trust(ca_file=stage.ca_file) if verify else Trust(verify=False)
        async with simulated(tls=tls, faults=list(faults)) as port:
            return await _asked(f"https://127.0.0.1:{port}/v1", text, limits, tls=trust)

    return scene


def _right(stage: Stage) -> str:
    return stage.certificate("right")


def _expired(stage: Stage) -> str:
    return stage.certificate("expired", not_before=_LONG_AGO, not_after=_LONG_AGO + dt.timedelta(days=30))


def _other_host(stage: Stage) -> str:
    return stage.certificate("other", "elsewhere.example")


def _self_signed(stage: Stage) -> str:
    """Give one of an authority of its own, sent along."""
    other = trustme.CA()
    leaf = other.issue_cert("127.0.0.1")
    file = stage.folder / "self.pem"
    chain = [leaf.private_key_pem, *leaf.cert_chain_pems, other.cert_pem]
    file.write_bytes(b"".join(part.bytes() for part in chain))
    return str(file)


def _at_accept(fault: str) -> tuple[FaultRule, ...]:
    return (FaultRule(fault=fault),)


async def _second_on_a_kept_connection(_: Stage) -> Record:
    async with simulated() as port:
        playing = Playing(f"http://127.0.0.1:{port}/v1")
        first = await playing.ask("Hello [[fault:reset_next_request]]")
        assert first.failure is None
        second = await playing.ask("Hello")
        await playing.player.close()
    assert second.connection is not None
    assert second.connection.reused
    return second


async def _cancelled(_: Stage) -> Record:
    async with simulated() as port:
        playing = Playing(f"http://127.0.0.1:{port}/v1")
        asking = asyncio.ensure_future(playing.ask("Hello [[fault:stall]]"))
        await asyncio.sleep(0.15)
        asking.cancel()
        record = await asking
        await playing.player.close()
    return record


async def _stream_for_json(_: Stage) -> Record:
    async with simulated() as port:
        return await _asked(f"http://127.0.0.1:{port}/v1", "Hello [[fault:stream_for_json]]", is_streamed=False)


SCENES: Mapping[str, Callable[[Stage], Awaitable[Record]]] = {
    "dns": _dns,
    "connect_refused": _refused,
    "tls_expired": _secure(_expired),
    "tls_other_host": _secure(_other_host),
    "tls_self_signed": _secure(_self_signed),
    "tls_only_old": _secure(_right, only_old=True),
    "tls_plain_server": _secure(lambda _: None),
    "tls_reset": _secure(_right, faults=_at_accept("refuse_connection")),
    "tls_silent": _secure(_right, limits=BRIEF, faults=_at_accept("silent_connection")),
    "tls_cut": _secure(_right, "Hello [[fault:cut_between_events]]"),
    "tls_right": _secure(_right),
    "tls_unverified": _secure(_self_signed, verify=False),
    "reset_next_request": _second_on_a_kept_connection,
    "cancelled": _cancelled,
    "stream_for_json": _stream_for_json,
}
