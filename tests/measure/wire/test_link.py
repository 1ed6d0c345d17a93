"""A link by itself: what TLS has to say while the kernel has no room, what came right before a reset."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from harness.clock import SystemClock
from harness.measure.wire.errorwatch import ErrorWatch
from harness.measure.wire.link import Link
from harness.measure.wire.stamps import Ancillary
from harness.measure.wire.tls import READ_SIZE, TlsLayer, tls_context
from harness.model.endpoint import Tls
from harness.model.record import Connection
from tests.measure.wire.certificates import Certificates
from tests.measure.wire.conftest import Run
from tests.measure.wire.servers import NO_LINGER

KIB = 1024
LARGE = 4 * KIB * KIB  # more than the buffers of two sockets hold


class Talkative:
    """Stands in for TLS: passes bytes through, and answers each read with words of its own."""

    def __init__(self, *words: bytes) -> None:
        self.words = list(words)
        self.is_closed = False
        self.error: ssl.SSLError | None = None
        self._plaintext = b""

    def feed(self, ciphertext: bytes) -> None:
        self._plaintext = ciphertext

    def plaintext(self) -> bytes:
        return self._plaintext

    def outgoing(self) -> bytes:
        return self.words.pop(0) if self.words else b""

    def encrypt(self, plaintext: bytes) -> bytes:
        return plaintext


class Ear:
    """Keeps what a link hands over."""

    def __init__(self) -> None:
        self.got = b""
        self.losses: list[OSError | None] = []
        self.heard = asyncio.Event()

    def take(self, piece: bytes, _ancillary: Ancillary, _seen_at_ns: int) -> None:
        self.got += piece
        self.heard.set()

    def lose(self, error: OSError | None) -> None:
        self.losses.append(error)
        self.heard.set()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Give the two ends of a connection, which unlike a pair of local sockets can be reset."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        return ours, listener.accept()[0]


class Wire:
    """A link, whoever listens to it, and the other end: over TCP without TLS, with it by a pair of small buffers."""

    def __init__(self, tls: Talkative | TlsLayer | None) -> None:
        self.ours, self.peer = tcp_pair() if tls is None else socket.socketpair()
        for sock in (self.ours, self.peer):
            sock.setblocking(False)
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * KIB)
        facts = Connection(reused=False)
        layer = cast("TlsLayer | None", tls)
        self.errors = ErrorWatch()
        self.link = Link(self.ours, SystemClock(), self.errors, origin=("https", "h", 1), facts=facts, tls=layer)
        self.ear = Ear()
        self.link.listen(self.ear)
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def provoke(self, piece: bytes = b"?") -> None:
        """Let the link read something."""
        self.ear.heard.clear()
        self.peer.send(piece)
        await self.ear.heard.wait()

    async def lost(self) -> None:
        """Wait for the link to notice its end."""
        while not self.ear.losses:
            self.ear.heard.clear()
            await self.ear.heard.wait()

    def reset(self) -> None:
        """Reset from the other end, in the same turn of the loop."""
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.peer.close()

    async def received(self, n_bytes: int) -> bytes:
        """Read so many bytes at the other end."""
        loop, got = asyncio.get_running_loop(), bytearray()
        while len(got) < n_bytes:
            piece = await loop.sock_recv(self.peer, 64 * KIB)
            assert piece
            got += piece
        return bytes(got)


@contextmanager
def wired(tls: Talkative | TlsLayer | None) -> Iterator[Wire]:
    wire = Wire(tls)
    try:
        yield wire
    finally:
        wire.link.mute()
        wire.link.close()
        wire.errors.close()
        wire.peer.close()


def test_words_that_find_no_room_wait_and_arrive_whole(run: Run) -> None:
    async def main() -> None:
        words = b"w" * LARGE
        with wired(Talkative(words)) as wire:
            await wire.provoke()
            assert wire.ear.got == b"?"
            assert await wire.received(LARGE) == words
            assert wire.ear.losses == []

    run(main())


def test_a_request_goes_behind_words_that_still_wait(run: Run) -> None:
    async def main() -> None:
        words = b"w" * LARGE
        with wired(Talkative(words)) as wire:
            await wire.provoke()
            sending = asyncio.create_task(wire.link.send(b"request", wire.ended))
            assert await wire.received(LARGE + 7) == words + b"request"
            assert await sending is not None

    run(main())


def test_words_inside_a_request_wait_for_its_end(run: Run) -> None:
    async def main() -> None:
        request = b"r" * LARGE
        with wired(Talkative(b"first", b"second")) as wire:
            sending = asyncio.create_task(wire.link.send(request, wire.ended))
            await asyncio.sleep(0)
            await wire.provoke()
            await wire.provoke()
            assert not sending.done()
            assert await wire.received(LARGE + 11) == request + b"firstsecond"
            assert await sending is not None

    run(main())


def test_a_peer_that_is_gone_does_not_cost_what_it_said_before(run: Run) -> None:
    async def main() -> None:
        with wired(Talkative(b"words")) as wire:
            wire.peer.send(b"last words")
            wire.peer.close()
            await wire.lost()
            assert wire.ear.got == b"last words"

    run(main())


@pytest.mark.parametrize("n_bytes", [0, 10, 200 * KIB])
def test_all_that_came_before_a_reset_is_read_though_both_are_seen_at_once(run: Run, n_bytes: int) -> None:
    async def main() -> None:
        with wired(None) as wire:
            wire.peer.send(b"x" * n_bytes)
            wire.reset()
            arrived = wire.ours.recv(n_bytes, socket.MSG_PEEK) if n_bytes else b""
            assert (len(arrived) > READ_SIZE) == (n_bytes > READ_SIZE), "too little to need two reads"
            await wire.lost()
            assert wire.ear.got == arrived
            assert isinstance(wire.ear.losses[0], ConnectionResetError)

    run(main())


def test_a_reset_while_a_request_waits_for_room_is_noticed(run: Run) -> None:
    async def main() -> None:
        with wired(None) as wire:
            sending = asyncio.create_task(wire.link.send(b"r" * LARGE, wire.ended))
            await asyncio.sleep(0)
            wire.peer.send(b"refused")
            wire.reset()
            await wire.lost()
            assert wire.ear.got in {b"refused", b""}  # bytes of ours that nobody read make the kernel discard the rest
            wire.ended.set_result(None)
            await asyncio.gather(sending, return_exceptions=True)

    run(main())


def test_a_muted_link_is_not_watched(run: Run) -> None:
    async def main() -> None:
        with wired(None) as wire:
            wire.link.mute()
            wire.reset()
            await asyncio.sleep(0.01)
            assert wire.ear.losses == []

    run(main())


def test_closing_forgets_words_that_wait(run: Run) -> None:
    async def main() -> None:
        with wired(Talkative(b"w" * LARGE)) as wire:
            await wire.provoke()
            wire.link.close()
            assert len(await asyncio.get_running_loop().sock_recv(wire.peer, LARGE)) < LARGE

    run(main())


@pytest.mark.parametrize("n_whole", [1, 3])
def test_a_damaged_record_ends_the_stream_behind_what_was_whole(
    run: Run, certificates: Certificates, n_whole: int
) -> None:
    async def main() -> None:
        client = TlsLayer(tls_context(Tls(ca_file=certificates.ca_file), "e"), "127.0.0.1")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = certificates.server().wrap_bio(incoming, outgoing, server_side=True)
        client.shake_hands()
        incoming.write(client.outgoing())
        with pytest.raises(ssl.SSLWantReadError):
            server.do_handshake()
        client.feed(outgoing.read())
        assert client.shake_hands()
        incoming.write(client.outgoing())
        server.do_handshake()
        for _ in range(n_whole):
            server.write(b"whole ")
        whole = outgoing.read()
        server.write(b"damaged")
        damaged = outgoing.read()
        with wired(client) as wire:
            await wire.provoke(whole + damaged[:-1] + bytes([damaged[-1] ^ 1]))
            assert wire.ear.got == b"whole " * n_whole
            assert [type(error) for error in wire.ear.losses] == [ssl.SSLError]

    run(main())
