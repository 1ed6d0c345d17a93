"""Finds a host's addresses and connects to the first that answers."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.measure.wire.exchange import WireError
from harness.model.record import FailureKind

_KEEP_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5))  # as the SDK: a cold wake is silent


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


async def connect_first(
    addresses: Sequence[Address], within_s: float, *, to: str = "the endpoint"
) -> tuple[socket.socket, Address]:
    """Try one after the other; one that stays silent leaves the others their share. The last may use what is left."""
    share_s = within_s / len(addresses)
    problems = []
    for address in addresses:
        is_last = address is addresses[-1]
        try:
            async with asyncio.timeout(None if is_last else share_s):
                return await _connect(address), address
        except TimeoutError:
            problems.append(f"{address}: silent")
        except OSError as error:
            problems.append(f"{address}: {error.strerror or error}")
    raise WireError(FailureKind.CONNECT, f"no connection to {to} ({'; '.join(problems)})")


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
