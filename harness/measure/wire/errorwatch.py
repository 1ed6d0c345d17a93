"""Hears of every socket that broke: libuv gives one up with its first error, though bytes may still lie in it.

Its poll callback then runs once, reads once and is never called again, and the exchange would wait for its time limit.
An epoll of our own, in which nothing is asked for, reports errors and nothing else, so a read costs no more.
"""

import asyncio
import select
import socket
from collections.abc import Callable


class ErrorWatch:
    """The sockets in use, by file descriptor; without epoll there is nothing to watch, since there libuv goes on."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._epoll: select.epoll | None = None
        self._broke: dict[int, Callable[[], None]] = {}

    def add(self, sock: socket.socket, broke: Callable[[], None]) -> None:
        """Call when the socket has an error, once."""
        if not hasattr(select, "epoll"):
            return
        if self._epoll is None:
            self._epoll = select.epoll()
            asyncio.get_running_loop().add_reader(self._epoll.fileno(), self._report)
        self._epoll.register(sock.fileno(), 0)
        self._broke[sock.fileno()] = broke

    def remove(self, sock: socket.socket) -> None:
        """Watch it no longer."""
        if self._broke.pop(sock.fileno(), None) is not None and self._epoll is not None:
            self._epoll.unregister(sock.fileno())

    def close(self) -> None:
        """Watch nothing any more."""
        self._broke.clear()
        if self._epoll is not None:
            asyncio.get_running_loop().remove_reader(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def _report(self) -> None:
        if self._epoll is None:
            return
        for descriptor, _ in self._epoll.poll(0):
            self._epoll.unregister(descriptor)  # the error would be reported again and again
            self._broke.pop(descriptor)()
