"""Small scripted servers: raw bytes in, raw bytes out, on the test's own loop."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

NO_LINGER = struct.pack("ii", 1, 0)


class Caller:
    """One accepted connection, as a script sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number  # 1 for the first connection

    async def request(self) -> bytes:
        """Read one whole request; empty at the end of the connection."""
        head = b""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await self.reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
            return head + await self.reader.readexactly(length)
        return b""

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def closed_by_peer(self) -> bytes:
        """Wait for the end of the connection; gives what came before."""
        with contextlib.suppress(ConnectionError):
            return await self.reader.read()
        return b""

    def reset(self) -> None:
        """Close with a reset instead of an orderly end."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.writer.transport.abort()


Script = Callable[[Caller], Awaitable[None]]


class Server:
    """A running scripted server and what it saw."""

    def __init__(self, script: Script) -> None:
        self.port = 0
        self.n_connections = 0
        self.problems: list[Exception] = []
        self._script = script
        self._running: set[asyncio.Task[None]] = set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Run the script on one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        self.n_connections += 1
        try:
            await self._script(Caller(reader, writer, self.n_connections))
        except asyncio.CancelledError:
            pass  # the test is over
        except Exception as problem:  # noqa: BLE001  # any flaw of a script fails its test at the end
            self.problems.append(problem)
        finally:
            self._running.discard(task)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def end(self) -> None:
        """Cancel the scripts that still run."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@contextlib.asynccontextmanager
async def serving(
    script: Script, *, host: str = "127.0.0.1", context: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Serve every connection by the script; a connection ends with its script."""
    server = Server(script)
    listener = await asyncio.start_server(server.handle, host, 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.end()
        await listener.wait_closed()
    assert not server.problems


def answering(*pieces: bytes, hold: bool = True) -> Script:
    """Answer every request with the same bytes; then keep the connection, or close it."""

    async def script(caller: Caller) -> None:
        while await caller.request():
            await caller.send(*pieces)
            if not hold:
                return

    return script
