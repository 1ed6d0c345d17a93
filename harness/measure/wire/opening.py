"""Opens a connection step by step, each step timed apart."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.clock import Clock
from harness.measure.wire.address import Address, connect_first, literal_address, look_up
from harness.measure.wire.errorwatch import ErrorWatch
from harness.measure.wire.exchange import WireError
from harness.measure.wire.framing import MAX_HEAD_BYTES
from harness.measure.wire.link import Link, Origin
from harness.measure.wire.proxy import Proxy
from harness.measure.wire.stamps import ask_for_stamps
from harness.measure.wire.tls import READ_SIZE, TlsLayer
from harness.model.record import Connection, FailureKind

_TUNNEL_OPEN = b"2"  # a 2xx status


@dataclass(slots=True, kw_only=True)
class Progress:
    """What is known of a connection while it is opened: evidence when it fails."""

    doing: str = "nothing yet"
    problems: list[str] = field(default_factory=list)  # of the addresses that were tried
    dns_ns: int | None = None  # None where the host is an address already
    tcp_ns: int | None = None  # a proxy's tunnel included
    tls_ns: int | None = None
    peer: str | None = None
    local_port: int | None = None
    tls_version: str | None = None

    def facts(self) -> Connection | None:
        """The record's part; None when no address was found."""
        if self.peer is None and self.dns_ns is None:
            return None
        return Connection(
            reused=False,
            dns_ns=self.dns_ns,
            tcp_ns=self.tcp_ns,
            tls_ns=self.tls_ns,
            peer=self.peer,
            local_port=self.local_port,
            tls_version=self.tls_version,
        )


class Opener:
    """Opens connections to one endpoint."""

    def __init__(
        self,
        clock: Clock,
        errors: ErrorWatch,
        *,
        tls: ssl.SSLContext | None,
        proxy: Proxy | None,
        wants_stamps: bool,
    ) -> None:
        """Open nothing yet."""
        self._clock = clock
        self._errors = errors
        self._tls = tls
        self._proxy = proxy
        self._wants_stamps = wants_stamps

    async def open(self, origin: Origin, within_s: float, progress: Progress) -> Link:
        """Open a link; WireError says at which step it failed, `progress` how far it got."""
        try:
            async with asyncio.timeout(within_s):
                return await self._open(origin, progress)
        except TimeoutError:
            doing = progress.doing if progress.peer else "; ".join([progress.doing, *progress.problems])
            message = f"no connection within the connect limit of {within_s:g} s ({doing})"
            raise WireError(FailureKind.TIMEOUT_CONNECT, message) from None

    async def _open(self, origin: Origin, progress: Progress) -> Link:
        scheme, host, port = origin
        near_host, near_port = (host, port) if self._proxy is None else (self._proxy.host, self._proxy.port)
        addresses = await self._addresses(near_host, near_port, progress)
        progress.doing = f"connecting to {near_host} port {near_port}"
        started_ns = self._clock.monotonic_ns()
        near = "the endpoint" if self._proxy is None else "the proxy"
        sock, address = await connect_first(addresses, progress.problems, to=near)
        try:
            if self._wants_stamps:
                ask_for_stamps(sock)
            progress.peer, progress.local_port = str(address), sock.getsockname()[1]
            if self._proxy is not None and scheme == "https":
                progress.doing = "asking the proxy for a tunnel"
                await _open_tunnel(sock, self._proxy.connect_request(host, port))
            progress.tcp_ns = self._clock.monotonic_ns() - started_ns
            layer = None if self._tls is None else await self._secure(sock, self._tls, host, progress)
        except BaseException:
            sock.close()
            raise
        return self._link(sock, origin, progress, layer)

    async def _addresses(self, host: str, port: int, progress: Progress) -> list[Address]:
        literal = literal_address(host, port)
        if literal is not None:
            return [literal]
        progress.doing = f"looking {host} up"
        started_ns = self._clock.monotonic_ns()
        addresses = await look_up(host, port)
        progress.dns_ns = self._clock.monotonic_ns() - started_ns
        return addresses

    async def _secure(self, sock: socket.socket, context: ssl.SSLContext, host: str, progress: Progress) -> TlsLayer:
        progress.doing = "shaking hands (TLS)"
        started_ns = self._clock.monotonic_ns()
        with _tls_errors(host):
            layer = TlsLayer(context, host)
            await _shake_hands(sock, layer)
        progress.tls_ns = self._clock.monotonic_ns() - started_ns
        progress.tls_version = layer.version
        return layer

    def _link(self, sock: socket.socket, origin: Origin, progress: Progress, layer: TlsLayer | None) -> Link:
        facts = progress.facts()
        assert facts is not None  # noqa: S101  # narrows the type: a peer is known by now
        link = Link(sock, self._clock, self._errors, origin=origin, facts=facts, tls=layer)
        link.is_forwarded = self._proxy is not None and origin[0] == "http"
        return link


@contextlib.contextmanager
def _tls_errors(host: str) -> Iterator[None]:
    """Name every way in which a handshake fails."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        message = f"the certificate of {host} was refused: {error.verify_message}"
        raise WireError(FailureKind.TLS, message) from None
    except (OSError, ValueError) as error:
        raise WireError(FailureKind.TLS, f"the TLS handshake with {host} failed: {error}") from None


async def _shake_hands(sock: socket.socket, layer: TlsLayer) -> None:
    loop = asyncio.get_running_loop()
    is_done = False
    while not is_done:
        try:
            is_done = layer.shake_hands()
        except ssl.SSLError:
            with contextlib.suppress(OSError):
                await loop.sock_sendall(sock, layer.outgoing())  # the alert: the server learns why we leave
            raise
        if said := layer.outgoing():
            await loop.sock_sendall(sock, said)
        if not is_done:
            layer.feed(await loop.sock_recv(sock, READ_SIZE))


async def _open_tunnel(sock: socket.socket, request: bytes) -> None:
    loop = asyncio.get_running_loop()
    answer = b""
    try:
        await loop.sock_sendall(sock, request)
        while b"\r\n\r\n" not in answer:
            piece = await loop.sock_recv(sock, READ_SIZE)
            answer += piece
            if not piece or len(answer) > MAX_HEAD_BYTES:
                raise WireError(FailureKind.CONNECT, "the proxy ended its answer to CONNECT before its head was whole")
    except OSError as error:
        raise WireError(FailureKind.CONNECT, f"the proxy broke off during CONNECT: {error}") from None
    status = answer.split(b" ", 2)[1][:3] if answer.startswith(b"HTTP/1.") and b" " in answer else b"?"
    if not status.startswith(_TUNNEL_OPEN):
        raise WireError(FailureKind.CONNECT, f"the proxy answered {status.decode('latin-1')} to CONNECT")
