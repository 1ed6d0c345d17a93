"""An open connection: one non-blocking socket that we read ourselves, with TLS on top where asked."""

import asyncio
import contextlib
import socket
import ssl
from typing import Protocol

from harness.clock import Clock
from harness.measure.wire.stamps import ANCILLARY_BYTES, Ancillary
from harness.measure.wire.tls import READ_SIZE, TlsLayer
from harness.model.record import Connection

Origin = tuple[str, str, int]


class Receiver(Protocol):
    """Who gets what a link reads."""

    def take(self, piece: bytes, ancillary: Ancillary, seen_at_ns: int) -> None:
        """Take one read's bytes."""
        ...

    def lose(self, error: OSError | None) -> None:
        """Hear that nothing follows; None for an orderly end."""
        ...


class Link:
    """A connection to one origin, used by one exchange at a time."""

    def __init__(
        self, sock: socket.socket, clock: Clock, *, origin: Origin, facts: Connection, tls: TlsLayer | None
    ) -> None:
        """Own the socket from now on."""
        self._sock = sock
        self._clock = clock
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._receiver: Receiver | None = None
        self.origin = origin
        self.facts = facts
        self.kept_until_ns = 0  # while nobody uses it: when it is too old to be used again
        self.is_forwarded = False  # a forwarding proxy stands at the other end

    def listen(self, receiver: Receiver) -> None:
        """Hand everything that arrives to a receiver."""
        self._receiver = receiver
        self._loop.add_reader(self._sock, self._on_readable)

    def mute(self) -> None:
        """Stop reading."""
        if self._receiver is not None:
            self._receiver = None
            self._loop.remove_reader(self._sock)

    def close(self) -> None:
        """Close; nothing is sent any more."""
        self.mute()
        self._sock.close()

    async def send(self, data: bytes, ended: asyncio.Future[None]) -> int | None:
        """Give the instant at which the kernel was handed the last byte; None when the exchange ended before.

        It is read right before that call: whoever the bytes wake may run before the call returns to us.
        """
        view = memoryview(data if self._tls is None else self._tls.encrypt(data))
        while True:
            handed_at_ns = self._clock.monotonic_ns()
            with contextlib.suppress(BlockingIOError, InterruptedError):
                view = view[self._sock.send(view) :]
            if not view:
                return handed_at_ns
            await self._writable(ended)
            if ended.done():
                return None

    def is_quiet(self) -> bool:
        """Whether a kept connection is still good: open, with nothing unasked for in it."""
        try:
            data = self._sock.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        if self._tls is None or not data:
            return False
        self._tls.feed(data)  # a late session ticket is no answer
        try:
            return not self._tls.plaintext() and not self._tls.is_closed
        except ssl.SSLError:
            return False

    async def _writable(self, ended: asyncio.Future[None]) -> None:
        writable: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_writer(self._sock, _wake, writable)
        try:
            await asyncio.wait({writable, ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._loop.remove_writer(self._sock)

    def _on_readable(self) -> None:
        """One read: bytes, the kernel's stamp, our instant; nothing slow."""
        receiver = self._receiver
        if receiver is None:
            return
        try:
            data, ancillary, _, _ = self._sock.recvmsg(READ_SIZE, ANCILLARY_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            receiver.lose(error)
            return
        seen_at_ns = self._clock.monotonic_ns()
        if self._tls is not None:
            self._on_ciphertext(self._tls, receiver, data, ancillary, seen_at_ns)
        elif data:
            receiver.take(data, ancillary, seen_at_ns)
        else:
            receiver.lose(None)

    def _on_ciphertext(
        self, tls: TlsLayer, receiver: Receiver, data: bytes, ancillary: Ancillary, seen_at_ns: int
    ) -> None:
        """Plaintext carries the instant of the read that completed its record."""
        tls.feed(data)
        try:
            plaintext = tls.plaintext()
            if said := tls.outgoing():
                self._sock.send(said)
        except OSError as error:  # ssl.SSLError is one
            receiver.lose(error)
            return
        if plaintext:
            receiver.take(plaintext, ancillary, seen_at_ns)
        if tls.is_closed or not data:
            receiver.lose(None)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
