"""A kernel whose clocks and stamps do as they are told: wall clock stepped, time passed, stamps withheld."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.clock import SystemClock
from harness.measure.wire import address
from harness.measure.wire.address import Address
from harness.measure.wire.stamps import Ancillary, stamp_of
from tests.measure.wire.stamping import SCM_TIMESTAMPNS, a_stamp

NEVER: Iterator[bool] = iter(())


@dataclass
class Kernel(SystemClock):
    """The machine's own clocks and sockets, with what was done to them since; give it as the player's clock."""

    passed_ns: int = 0  # both clocks went on by this
    stepped_ns: int = 0  # the wall clock was set by this
    has_stamps: bool = True
    withheld: Iterator[bool] = NEVER  # for each read whether it comes without its stamp
    n_read: int = 0
    _changes: list[tuple[int, int]] = field(default_factory=list)

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.passed_ns

    def realtime_ns(self) -> int:
        return super().realtime_ns() + self.passed_ns + self.stepped_ns

    def let_pass(self, by_ns: int) -> None:
        """Let time pass on both clocks."""
        self.passed_ns += by_ns
        self._note()

    def step(self, by_ns: int) -> None:
        """Set the wall clock, forwards or backwards."""
        self.stepped_ns += by_ns
        self._note()

    def _note(self) -> None:
        self._changes.append((super().realtime_ns(), self.passed_ns + self.stepped_ns))

    def stamped(self, ancillary: Ancillary) -> Ancillary:
        """Give what recvmsg would: the real stamp as the clock stood when the segment came."""
        self.n_read += 1
        stamp = stamp_of(ancillary)
        if next(self.withheld, False) or stamp is None:
            return []
        ahead_ns = next((ahead for since, ahead in reversed(self._changes) if stamp >= since), 0)
        return a_stamp(stamp + ahead_ns)

    def rules(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make every socket that is connected from now on one of this kernel."""
        connect = address._connect  # the edge to the machine

        async def connect_here(to: Address) -> socket.socket:
            sock = _Socket(fileno=(await connect(to)).detach())
            sock.kernel = self
            return sock

        monkeypatch.setattr(address, "_connect", connect_here)


class _Socket(socket.socket):
    """A socket of that kernel."""

    kernel: Kernel

    def recvmsg(self, *sizes: Any) -> tuple[bytes, list[tuple[int, int, bytes]], int, Any]:
        data, ancillary, flags, peer = super().recvmsg(*sizes)
        return data, list(self.kernel.stamped(ancillary)), flags, peer

    def setsockopt(self, level: int, option: int, value: Any, *more: Any) -> None:
        if level == socket.SOL_SOCKET and option == SCM_TIMESTAMPNS and not self.kernel.has_stamps:
            raise OSError(92, "Protocol not available")
        super().setsockopt(level, option, value, *more)
