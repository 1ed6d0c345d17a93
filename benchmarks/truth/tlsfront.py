"""Puts TLS in front of a server that has none, so that the client's cost of it can be measured.

It stands between the server and the client, so instants behind it are later than the log says: it serves for CPU per
event, not for bias.
"""

import asyncio
import ssl
import sys
import tempfile
from pathlib import Path

import trustme


def main() -> None:
    """Listen, print the port, forward to argv's port until standard input ends."""
    asyncio.run(_serve(int(sys.argv[1])))


async def _serve(behind: int) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near = await asyncio.open_connection("127.0.0.1", behind)
        await asyncio.gather(_forward(reader, near[1]), _forward(near[0], writer), return_exceptions=True)

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=_context(), backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)
    writer.close()


def _context() -> ssl.SSLContext:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "server.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(file))
        context.load_cert_chain(file)
    return context


if __name__ == "__main__":
    main()
