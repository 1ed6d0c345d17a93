"""Finds a host's addresses and connects to the one that answers first."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from harness.measure.wire.exchange import WireError
from harness.model.record import FailureKind

_KEEP_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5))  # as the SDK: a cold wake is silent
STAGGER_S = 0.25  # RFC 8305, section 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One socket address."""

    family: int
    address: tuple[Any, ...]

    def __str__(self) -> str:
        host, port = self.address[0], self.address[1]
        return f"[{host}]:{port}" if self.family == socket.AF_INET6 else f"{host}:{port}"


def literal_address(host: str, port: int) -> Address | None:
    """The address that a host already is; None for a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return Address(family=family, address=(host, port) if family == socket.AF_INET else (host, port, 0, 0))
    return None


async def look_up(host: str, port: int) -> list[Address]:
    """Ask the resolver, in its order of preference."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WireError(FailureKind.DNS, f"no address for {host}: {error}") from None
    if not found:
        raise WireError(FailureKind.DNS, f"no address for {host}")
    return [Address(family=family, address=address) for family, _, _, _, address in found]


async def connect_first(addresses: Sequence[Address], problems: list[str], *, to: str) -> tuple[socket.socket, Address]:
    """First to connect wins: each has 250 ms before the next joins it, which comes at once when one fails (RFC 8305).

    `problems` says of each address that was tried and lost why; also when our caller's patience ends first.
    """
    waiting = alternated(addresses)
    running: dict[asyncio.Task[socket.socket], Address] = {}
    try:
        while waiting or running:
            if waiting:
                address = waiting.pop(0)
                running[asyncio.create_task(_connect(address))] = address
            timeout = STAGGER_S if waiting else None
            done, _ = await asyncio.wait(running, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in running if task in done]:
                address = running.pop(task)
                try:
                    return task.result(), address
                except OSError as error:
                    problems.append(f"{address}: {error.strerror or error}")
    except asyncio.CancelledError:
        problems += [f"{address}: silent" for address in running.values()]
        raise
    finally:
        await _abandon(running)
    raise WireError(FailureKind.CONNECT, f"no connection to {to} ({'; '.join(problems)})")


def alternated(addresses: Sequence[Address]) -> list[Address]:
    """Alternate between the families, the resolver's first choice first: a broken one costs a single wait."""
    first = [address for address in addresses if address.family == addresses[0].family]
    others = [address for address in addresses if address.family != addresses[0].family]
    return [address for pair in zip_longest(first, others) for address in pair if address is not None]


async def _abandon(attempts: Iterable[asyncio.Task[socket.socket]]) -> None:
    """Close what connects without being needed."""
    for attempt in attempts:
        if attempt.done() and attempt.exception() is None:
            attempt.result().close()
        attempt.cancel()
    await asyncio.gather(*attempts, return_exceptions=True)


async def _connect(address: Address) -> socket.socket:
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)  # noqa: FBT003  # the socket's own signature
        _set_options(sock)
        await asyncio.get_running_loop().sock_connect(sock, address.address)
    except BaseException:
        sock.close()
        raise
    return sock


def _set_options(sock: socket.socket) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
