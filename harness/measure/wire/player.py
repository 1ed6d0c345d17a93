"""Plays composed requests on sockets that we own and gives back bytes with instants."""

import asyncio
import contextlib
import functools
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.clock import Clock
from harness.decode.compression import MAX_BODY_BYTES
from harness.measure.compose import ComposedRequest
from harness.measure.wire.clockmap import ClockMap
from harness.measure.wire.errorwatch import ErrorWatch
from harness.measure.wire.exchange import Cut, Exchange, Landed, TimeLimits, WireError
from harness.measure.wire.intake import Intake
from harness.measure.wire.link import Link, Origin
from harness.measure.wire.lookout import Lookout
from harness.measure.wire.opening import Opener, Progress
from harness.measure.wire.proxy import proxy_of
from harness.measure.wire.redact import SHORTEST_SECRET, recorded_headers, redact
from harness.measure.wire.stamps import open_stamping_socket, reads_of
from harness.measure.wire.tls import tls_context
from harness.measure.wire.watchdog import Watchdog
from harness.model.endpoint import Endpoint
from harness.model.record import Connection, Failure, FailureKind, Reads, StampSource
from harness.units import nanoseconds

if TYPE_CHECKING:
    import socket

__all__ = ["Exchange", "Landed", "Player", "TimeLimits"]

_KEPT_S = 4.0  # common servers close at 5 s, and the SDK's own pool lets go then
_KEEP_ALIVE_TIMEOUT = re.compile(r"\btimeout\s*=\s*(\d{1,9})", re.IGNORECASE)
_CANCELLED = "the run was stopped while the request was in flight"
_LIMIT_S: Mapping[FailureKind, Callable[[TimeLimits], float]] = {
    FailureKind.TIMEOUT_FIRST_OUTPUT: lambda limits: limits.first_output_s,
    FailureKind.TIMEOUT_IDLE: lambda limits: limits.idle_s,
    FailureKind.TIMEOUT_TOTAL: lambda limits: limits.total_s,
}


class Player:
    """One endpoint's connections; sockets are opened only while it plays."""

    def __init__(  # noqa: PLR0913  # what varies from run to run and from test to test, by name
        self,
        endpoint: Endpoint,
        clock: Clock,
        *,
        last_output_at: Callable[[bytes, Reads], int | None],
        secrets: Sequence[bytes],
        environ: Mapping[str, str],
        max_body_bytes: int = MAX_BODY_BYTES,
        wants_stamps: bool = True,
    ) -> None:
        """Read certificates and the environment's proxies; ConfigError for what cannot be used."""
        proxy = proxy_of(endpoint.base_url, environ)
        context = tls_context(endpoint.tls, endpoint.name) if endpoint.base_url.startswith("https:") else None
        self._clock = clock
        self._last_output_at = last_output_at
        self._secrets = _worth_hiding([*secrets, *(proxy.secrets if proxy else ())])
        self._max_body_bytes = max_body_bytes
        self._wants_stamps = wants_stamps
        self._proxy = proxy
        self._errors = ErrorWatch()
        self._opener = Opener(clock, self._errors, tls=context, proxy=proxy, wants_stamps=wants_stamps)
        self._kept: list[Link] = []
        self._clock_map = ClockMap(clock)
        self._stamping: socket.socket | None = None
        self._n_reads = dict.fromkeys(StampSource, 0)
        self._n_opened = 0
        self._n_open = 0
        self.most_open = 0  # connections at once

    async def play(self, request: ComposedRequest, limits: TimeLimits) -> Landed:
        """Send a request, once, and take its response; what an endpoint does wrong is in what landed."""
        self._keep_stamping_on()
        kept = self._take_kept(request.origin)
        if kept is not None:
            return await self._play_on(kept, request, limits)
        progress = Progress()
        try:
            link = await self._opener.open(request.origin, limits.connect_s, progress)
        except WireError as error:
            return _unsent(error.failure, progress.facts(), self._clock.monotonic_ns())
        self._count_opened()
        return await self._play_on(link, request, limits)

    async def preconnect(self, request: ComposedRequest, n: int, within_s: float) -> None:
        """Open connections until `n` are kept, at once; one that fails will be tried again by its request."""
        self._keep_stamping_on()
        self._drop_stale(request.origin)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(n - len(self._kept)):
                tasks.create_task(self._open_ahead(request.origin, within_s))

    async def _open_ahead(self, origin: Origin, within_s: float) -> None:
        with contextlib.suppress(WireError):
            link = await self._opener.open(origin, within_s, Progress())
            self._count_opened()
            link.facts = replace(link.facts, is_preopened=True)
            self._keep(link, _KEPT_S)

    def _count_opened(self) -> None:
        self._n_opened += 1
        self._n_open += 1
        self.most_open = max(self.most_open, self._n_open)

    def clock_facts(self) -> dict[str, Any]:
        """Say where the instants came from and how well the two clocks were known."""
        return {
            "stamps": "SO_TIMESTAMPNS" if self._n_reads[StampSource.KERNEL] else None,
            "reads_stamped_by_kernel": self._n_reads[StampSource.KERNEL],
            "reads_stamped_by_user": self._n_reads[StampSource.USER],
            "mapping_bound_ns": self._clock_map.bound_ns,
            "pairings": self._clock_map.n_pairings,
            "steps": self._clock_map.steps,
            "connections_opened": self._n_opened,
        }

    async def close(self) -> None:
        """Close what is kept open; exchanges in flight close their own."""
        while self._kept:
            self._drop(self._kept.pop())
        self._errors.close()
        if self._stamping is not None:
            self._stamping.close()
            self._stamping = None

    def _keep_stamping_on(self) -> None:
        if self._wants_stamps and self._stamping is None:
            self._stamping = open_stamping_socket()

    def _take_kept(self, origin: Origin) -> Link | None:
        """The connection used last, if it is still good; those that are not are closed."""
        now_ns = self._clock.monotonic_ns()
        while self._kept:
            link = self._kept.pop()
            if _is_usable(link, origin, now_ns):
                return link
            self._drop(link)
        return None

    def _drop_stale(self, origin: Origin) -> None:
        now_ns = self._clock.monotonic_ns()
        kept, self._kept = self._kept, []
        for link in kept:
            if _is_usable(link, origin, now_ns):
                self._kept.append(link)
            else:
                self._drop(link)

    def _drop(self, link: Link) -> None:
        link.close()
        self._n_open -= 1

    async def _play_on(self, link: Link, request: ComposedRequest, limits: TimeLimits) -> Landed:
        """One request on one open connection, which is kept or closed at the end."""
        self._clock_map.pair()
        began_at_ns = self._clock.monotonic_ns()
        intake = Intake(self._max_body_bytes)
        try:
            sent_at_ns = await self._converse(link, self._bytes_for(link, request), intake, limits, began_at_ns)
            facts = link.facts
            self._keep_or_close(link, intake, was_sent=sent_at_ns is not None)
        except asyncio.CancelledError:
            intake.failure = Failure(kind=FailureKind.CANCELLED, message=_CANCELLED)
            intake.end()
            facts = link.facts
            self._drop(link)
            now_ns = self._clock.monotonic_ns()
            settle = functools.partial(self._exchange, intake, facts, None, began_at_ns, now_ns)
            raise Cut(Landed(free_at_ns=now_ns, settle=settle)) from None
        except BaseException:
            intake.end()
            self._drop(link)
            raise
        self._clock_map.pair()  # a wall clock that stepped meanwhile moves no instant
        now_ns = self._clock.monotonic_ns()
        return Landed(
            free_at_ns=self._free_at_ns(intake, began_at_ns, now_ns),
            settle=functools.partial(self._exchange, intake, facts, sent_at_ns, began_at_ns, now_ns),
        )

    def _free_at_ns(self, intake: Intake, began_at_ns: int, now_ns: int) -> int:
        """From when the slot is free: the last byte's instant where that byte was the framed end, else now.

        After a `[DONE]` without a framed end, and for a body that the close ends, we had to wait for more.
        """
        if intake.failure is not None or not intake.framing.is_complete:
            return now_ns
        last = reads_of([1], intake.seen_at_ns[-1:], intake.ancillary[-1:], self._clock_map, began_at_ns)
        return last.at_ns[0]

    async def _converse(
        self, link: Link, data: bytes, intake: Intake, limits: TimeLimits, began_at_ns: int
    ) -> int | None:
        """Send, then wait for the end; the instant of sending, None when it never came so far."""
        expire = functools.partial(_expire, intake, limits)
        lookout = Lookout(intake, self._last_output_at, self._clock_map, began_at_ns)
        watchdog = Watchdog(limits, self._clock, lookout, expire)
        watchdog.start(began_at_ns)
        sent_at_ns = None
        try:
            link.listen(intake)
            sent_at_ns = await _sent(link, data, intake)
            watchdog.sent_at_ns = began_at_ns if sent_at_ns is None else sent_at_ns
            await intake.ended
        finally:
            watchdog.stop()
            link.mute()
        return sent_at_ns

    def _bytes_for(self, link: Link, request: ComposedRequest) -> bytes:
        if self._proxy is not None and link.is_forwarded:
            return self._proxy.forwarded(request.head, request.host, request.port) + request.body
        return request.head + request.body

    def _reads(self, intake: Intake, began_at_ns: int) -> Reads:
        sizes = [len(piece) for piece in intake.pieces]
        return reads_of(sizes, intake.seen_at_ns, intake.ancillary, self._clock_map, began_at_ns)

    def _keep_or_close(self, link: Link, intake: Intake, *, was_sent: bool) -> None:
        is_good = was_sent and intake.failure is None and intake.framing.is_reusable and not intake.is_lost
        if is_good:
            link.facts = _reused(link.facts)
            self._keep(link, _kept_for_s(intake.framing.headers))
        else:
            self._drop(link)

    def _keep(self, link: Link, for_s: float) -> None:
        link.kept_until_ns = self._clock.monotonic_ns() + nanoseconds(for_s)
        self._kept.append(link)

    def _exchange(
        self, intake: Intake, facts: Connection, sent_at_ns: int | None, began_at_ns: int, now_ns: int
    ) -> Exchange:
        """Put the record's parts together; slow, so the next request goes first."""
        reads = self._reads(intake, began_at_ns)
        for source in StampSource:
            self._n_reads[source] += reads.source.count(source[0])
        is_at_last_byte = intake.failure is None and reads.at_ns
        return Exchange(
            sent_at_ns=_tightened(sent_at_ns, reads),
            ended_at_ns=reads.at_ns[-1] if is_at_last_byte else now_ns,
            connection=facts,
            status=intake.framing.status,
            headers=recorded_headers(intake.framing.headers, self._secrets) if intake.framing.status else {},
            wire=redact(b"".join(intake.pieces), self._secrets),
            reads=reads,
            failure=intake.failure,
        )


def _is_usable(link: Link, origin: Origin, now_ns: int) -> bool:
    return link.origin == origin and now_ns < link.kept_until_ns and link.is_quiet()


async def _sent(link: Link, data: bytes, intake: Intake) -> int | None:
    """Hand the request over; where the connection breaks under it, the reader finds what was answered before."""
    try:
        return await link.send(data, intake.ended)
    except ssl.SSLError as error:
        intake.lose(error)
    except OSError:
        pass
    return None


def _tightened(sent_at_ns: int | None, reads: Reads) -> int | None:
    """An answer proves that the request had been taken, however late we came to look at the clock."""
    return sent_at_ns if sent_at_ns is None or not reads.at_ns else min(sent_at_ns, reads.at_ns[0])


def _expire(intake: Intake, limits: TimeLimits, kind: FailureKind) -> None:
    status = intake.framing.status
    arrived = f"{len(intake.pieces)} reads with {intake.framing.n_wire_bytes} bytes had arrived"
    name = kind.removeprefix("timeout_").replace("_", " ")
    message = f"the {name} limit of {_LIMIT_S[kind](limits):g} s passed; {arrived}, status {status or 'unknown'}"
    intake.fail(Failure(kind=kind, message=message))


def _kept_for_s(headers: Sequence[tuple[str, str]]) -> float:
    """How long an idle connection may be used again: less than its server says, and than servers commonly allow.

    A request that meets a closing connection fails and is recorded so. It is not sent again: nobody could tell a
    server that closes idle connections from one that dies of requests.
    """
    said = next((value for name, value in headers if name == "keep-alive"), "")
    promised = _KEEP_ALIVE_TIMEOUT.search(said)
    return min(_KEPT_S, int(promised[1]) - 1) if promised else _KEPT_S


def _unsent(failure: Failure, facts: Connection | None, at_ns: int) -> Landed:
    exchange = Exchange(
        sent_at_ns=None,
        ended_at_ns=at_ns,
        connection=facts,
        status=None,
        headers={},
        wire=b"",
        reads=Reads(),
        failure=failure,
    )
    return Landed(free_at_ns=at_ns, settle=lambda: exchange)


def _reused(facts: Connection) -> Connection:
    """What a kept connection says of itself: it cost nothing to open."""
    return replace(facts, reused=True, is_preopened=False, dns_ns=None, tcp_ns=None, tls_ns=None)


def _worth_hiding(secrets: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(secret for secret in dict.fromkeys(secrets) if len(secret) >= SHORTEST_SECRET)
