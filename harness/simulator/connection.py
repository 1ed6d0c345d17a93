"""One client connection on a socket of our own: requests in through h11, bytes out as they are."""

import asyncio
import contextlib
import socket
import struct
import sys
import time
from dataclasses import dataclass

import h11

from harness.simulator.apierror import RefusedRequest
from harness.simulator.endpoint import HttpRequest
from harness.simulator.refusals import NOT_HTTP, TOO_LARGE

if sys.platform == "linux":
    import fcntl
    import termios

_READ_BYTES = 1 << 18
_MAX_BODY_BYTES = 64 << 20
_MAX_HEAD_BYTES = 256 << 10
_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() then resets
_DELIVERY_LOOKS, _DELIVERY_LOOK_S = 200, 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request and when its last byte was read."""

    request: HttpRequest
    arrived_at_ns: int
    closes: bool  # whether the client wants the connection closed afterwards


class ClientConnection:
    """Reads requests and writes bytes; every instant is taken at the socket call."""

    def __init__(self, sock: socket.socket) -> None:
        """Take over an accepted socket."""
        sock.setblocking(False)  # noqa: FBT003  # the socket module's own signature
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._left = b""  # what came after the last request

    async def read_request(self) -> Received | None:
        """Read one request; None when the client has left, RefusedRequest for what is no request."""
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)
        arrived_at_ns = time.monotonic_ns()
        if self._left:
            parser.receive_data(self._left)
        head: h11.Request | None = None
        body: list[bytes] = []
        while True:
            event = _next_event(parser)
            if event is h11.NEED_DATA:
                await self._invite(parser)
                data = await self._receive()
                arrived_at_ns = time.monotonic_ns()
                if not data:
                    return None
                parser.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
                _check_size(body)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                self._left = parser.trailing_data[0]
                return _received(head, b"".join(body), arrived_at_ns, parser)
            else:
                return None

    async def send(self, data: bytes) -> int:
        """Write bytes; give the instant right before the send call. OSError when the client has left."""
        at_ns = time.monotonic_ns()
        try:
            n_sent = self._socket.send(data)
        except BlockingIOError:
            n_sent = 0
        if n_sent < len(data):
            await asyncio.get_running_loop().sock_sendall(self._socket, memoryview(data)[n_sent:])
        return at_ns

    async def wait_until_client_leaves(self) -> None:
        """Read and forget until the end."""
        while await self._receive():
            pass

    async def wait_until_the_other_end_closes(self) -> None:
        """Read ciphertext or plaintext, whichever it is, and forget it."""
        while await ClientConnection._receive(self):
            pass

    async def wait_until_delivered(self) -> None:
        """Wait for the other system to have all that was sent: a reset discards what is still on its way."""
        for _ in range(_DELIVERY_LOOKS):
            if not _n_undelivered(self._socket):
                return
            await asyncio.sleep(_DELIVERY_LOOK_S)

    def close(self, *, reset: bool = False) -> None:
        """Close in good order, or with a reset."""
        with contextlib.suppress(OSError):
            if reset:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._socket.close()

    async def _receive(self) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(self._socket, _READ_BYTES)
        except OSError:
            return b""

    async def _invite(self, parser: h11.Connection) -> None:
        if parser.they_are_waiting_for_100_continue:
            with contextlib.suppress(OSError):
                await self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            parser.send(h11.InformationalResponse(status_code=100, headers=[]))


def _n_undelivered(connection: socket.socket) -> int:
    """Bytes that the other end has not acknowledged; 0 where the system does not say."""
    if sys.platform != "linux":
        return 0
    try:
        return int(struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0])
    except OSError:
        return 0


def _next_event(parser: h11.Connection) -> object:
    try:
        return parser.next_event()
    except h11.RemoteProtocolError:
        raise RefusedRequest(NOT_HTTP) from None


def _check_size(body: list[bytes]) -> None:
    if sum(map(len, body)) > _MAX_BODY_BYTES:
        raise RefusedRequest(TOO_LARGE)


def _received(head: h11.Request, body: bytes, arrived_at_ns: int, parser: h11.Connection) -> Received:
    request = HttpRequest(
        method=head.method.decode("ascii"),
        path=head.target.decode("latin-1").partition("?")[0],
        headers={name.decode("ascii").lower(): value.decode("latin-1") for name, value in head.headers},
        body=body,
    )
    return Received(request=request, arrived_at_ns=arrived_at_ns, closes=parser.their_state is h11.MUST_CLOSE)
