"""Wakes at an instant: the loops' own timers count in whole milliseconds, which an open loop would show as lateness."""

import asyncio
import ctypes
import os
import struct
import sys
from contextlib import suppress
from typing import Protocol

from harness.clock import Clock
from harness.units import NS_PER_S, seconds

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC if sys.platform.startswith("linux") else 0  # TFD_NONBLOCK, TFD_CLOEXEC
_TIMERSPEC = struct.Struct("@llll")  # interval and first expiry, each s and ns


class Alarm(Protocol):
    """Something to wait on for an instant."""

    async def until(self, at_ns: int) -> None:
        """Return at the instant or as soon after it as the loop can; one waiter at a time."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class LoopAlarm:
    """The loop's own timer: up to about a millisecond late."""

    def __init__(self, clock: Clock) -> None:
        """Count on a clock that goes as the loop's."""
        self._clock = clock

    async def until(self, at_ns: int) -> None:
        """Sleep, again where the loop wakes early."""
        while (left_ns := at_ns - self._clock.monotonic_ns()) > 0:  # noqa: ASYNC110  # an instant, not an event
            await asyncio.sleep(seconds(left_ns))

    def close(self) -> None:
        """Hold nothing."""


class KernelAlarm:
    """A timerfd of Linux, read as any socket, and the last stretch by looking again and again between reads."""

    def __init__(self, clock: Clock, lead_ns: int) -> None:
        """Make the timer; OSError where the system has none. `lead_ns`: how long before the instant to wake."""
        self._clock = clock
        self._lead_ns = lead_ns
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    async def until(self, at_ns: int) -> None:
        """Sleep until shortly before the instant, then give every pass of the loop a look at the clock."""
        if at_ns - self._lead_ns > self._clock.monotonic_ns():
            await self._sleep_until(at_ns - self._lead_ns)
        while self._clock.monotonic_ns() < at_ns:  # noqa: ASYNC110  # an instant, not an event
            await asyncio.sleep(0)

    async def _sleep_until(self, at_ns: int) -> None:
        loop = asyncio.get_running_loop()
        rung: asyncio.Future[None] = loop.create_future()
        self._arm(at_ns)
        loop.add_reader(self._fd, self._ring, rung)
        try:
            await rung
        finally:
            loop.remove_reader(self._fd)

    def close(self) -> None:
        """Close the timer."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _arm(self, at_ns: int) -> None:
        when = _TIMERSPEC.pack(0, 0, *divmod(at_ns, NS_PER_S))
        if self._libc.timerfd_settime(self._fd, _ABSOLUTE, when, None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def _ring(self, rung: asyncio.Future[None]) -> None:
        with suppress(BlockingIOError):
            os.read(self._fd, 8)
            if not rung.done():
                rung.set_result(None)


def system_alarm(clock: Clock, lead_ns: int = 0) -> Alarm:
    """Give the most punctual alarm that the system has.

    A sleeping process wakes late, by some hundred microseconds on a virtual machine; a lead of that size is spent
    looking at the clock instead.
    """
    if not sys.platform.startswith("linux"):
        return LoopAlarm(clock)
    try:
        return KernelAlarm(clock, lead_ns)
    except (OSError, AttributeError):  # a container without the call, a C library without the name
        return LoopAlarm(clock)
