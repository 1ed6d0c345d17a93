"""An open connection: one non-blocking socket that we read ourselves, with TLS on top where asked."""

import asyncio
import contextlib
import socket
from typing import Protocol

from harness.clock import Clock
from harness.measure.wire.errorwatch import ErrorWatch
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
        self,
        sock: socket.socket,
        clock: Clock,
        errors: ErrorWatch,
        *,
        origin: Origin,
        facts: Connection,
        tls: TlsLayer | None,
    ) -> None:
        """Own the socket from now on."""
        self._sock = sock
        self._clock = clock
        self._errors = errors
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._receiver: Receiver | None = None
        self.origin = origin
        self.facts = facts
        self.kept_until_ns = 0  # while nobody uses it: when it is too old to be used again
        self._is_sending = False
        self._unsaid = b""  # what TLS itself has to say and could not yet
        self.is_forwarded = False  # a forwarding proxy stands at the other end

    def listen(self, receiver: Receiver) -> None:
        """Hand everything that arrives to a receiver."""
        self._receiver = receiver
        self._loop.add_reader(self._sock, self._on_readable)
        self._errors.add(self._sock, self._on_error)

    def mute(self) -> None:
        """Stop reading."""
        if self._receiver is not None:
            self._receiver = None
            self._errors.remove(self._sock)
            self._loop.remove_reader(self._sock)

    def close(self) -> None:
        """Close; nothing is sent any more."""
        self.mute()
        if self._unsaid:
            self._unsaid = b""
            self._loop.remove_writer(self._sock)
        self._sock.close()

    async def send(self, data: bytes, ended: asyncio.Future[None]) -> int | None:
        """Give the instant at which the kernel was handed the last byte; None when the exchange ended before.

        It is read right before that call: whoever the bytes wake may run before the call returns to us.
        """
        view = memoryview(data if self._tls is None else self._after_unsaid(self._tls.encrypt(data)))
        self._is_sending = True
        while True:
            handed_at_ns = self._clock.monotonic_ns()
            with contextlib.suppress(BlockingIOError, InterruptedError):
                view = view[self._sock.send(view) :]
            if not view:
                break
            await self._writable(ended)
            if ended.done():
                return None
        self._is_sending = False
        if self._unsaid:
            self._say()
        return handed_at_ns

    def _after_unsaid(self, records: bytes) -> bytes:
        """Put records behind what TLS itself has still to say: their order is part of the protocol."""
        if not self._unsaid:
            return records
        self._loop.remove_writer(self._sock)
        first, self._unsaid = self._unsaid, b""
        return first + records

    def _say(self) -> None:
        """Send what TLS itself has to say; what the kernel has no room for waits until it has."""
        try:
            self._unsaid = self._unsaid[self._sock.send(self._unsaid) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:  # the reader finds the end, with all that came before it
            self._unsaid = b""
        if self._unsaid:
            self._loop.add_writer(self._sock, self._say)
        else:
            self._loop.remove_writer(self._sock)

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
        return not self._tls.plaintext() and not self._tls.is_closed and self._tls.error is None

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

    def _on_error(self) -> None:
        """Read all that came before the socket broke, then say so."""
        error: OSError | None = None
        data = b"?"
        while data and error is None and self._receiver is not None:
            try:
                data, ancillary, _, _ = self._sock.recvmsg(READ_SIZE, ANCILLARY_BYTES)
            except OSError as broken:
                error = broken
            else:
                self._hand_over(self._receiver, data, ancillary)
        if error is not None and self._receiver is not None:
            self._receiver.lose(error)

    def _hand_over(self, receiver: Receiver, data: bytes, ancillary: Ancillary) -> None:
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
        plaintext = tls.plaintext()
        if said := tls.outgoing():
            self._unsaid += said
            if not self._is_sending:
                self._say()
        if plaintext:
            receiver.take(plaintext, ancillary, seen_at_ns)
        if tls.error is not None:
            receiver.lose(tls.error)
        elif tls.is_closed or not data:
            receiver.lose(None)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
