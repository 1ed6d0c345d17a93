"""Lets one signal end what is being measured, and those that follow it change nothing."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.clock import SystemClock
from harness.units import NS_PER_S

_T = TypeVar("_T")
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C, `kill` and `timeout`, a lost terminal; Windows lacks the last
_PATIENCE_NS = 5 * NS_PER_S  # for closing what is open; a signal after it ends the process where it stands
_INTERRUPTED = 130


@dataclass(slots=True, kw_only=True)
class _Ending:
    """Whether the end has begun, and what there is to cancel."""

    began_at_ns: int | None = None
    loop: asyncio.AbstractEventLoop | None = None  # while one runs
    task: asyncio.Task[Any] | None = None  # its main one

    def heed(self, *_: object) -> None:
        """Take a signal: in a loop its main task is cancelled, so that no other task meets an exception of ours."""
        now_ns = SystemClock().monotonic_ns()
        if self.began_at_ns is None:
            self.began_at_ns = now_ns
            self._begin()
        elif now_ns - self.began_at_ns > _PATIENCE_NS:
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"\nbench: ended at once\n")
            os._exit(_INTERRUPTED)

    def _begin(self) -> None:
        if self.loop is None:
            raise KeyboardInterrupt
        if self.task is not None and not self.task.done():
            self.loop.call_soon_threadsafe(self.task.cancel)  # from outside the loop's own steps: this wakes it

    async def cancellable(self, main: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """Be the main task of a loop."""
        self.task = asyncio.current_task()
        if self.began_at_ns is not None:
            raise asyncio.CancelledError
        return await main()


_current: _Ending | None = None  # signals are the process's, so what they end is, too


@contextmanager
def ending_once() -> Iterator[_Ending]:
    """Let Ctrl-C, SIGTERM and SIGHUP end what runs inside, once; a scope inside another one is part of it."""
    global _current  # noqa: PLW0603
    if threading.current_thread() is not threading.main_thread():
        yield _Ending()  # no signal comes here
        return
    if _current is not None:
        yield _current
        return
    _current = _Ending()
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] is not signal.SIG_IGN:  # nohup, or in the background
            signal.signal(number, _current.heed)
    try:
        yield _current
    finally:
        _current = None
        for number, handler in before.items():
            if handler is not None:  # not ours to know
                signal.signal(number, handler)


def run_to_its_end(
    main: Callable[[], Coroutine[Any, Any, _T]], factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> _T:
    """Run a coroutine on a loop of its own; a signal cancels it, and KeyboardInterrupt comes when all has closed."""
    with ending_once() as ending:
        try:
            with asyncio.Runner(loop_factory=factory) as runner:
                ending.loop = runner.get_loop()
                found = runner.run(ending.cancellable(main))
        except asyncio.CancelledError:
            if ending.began_at_ns is None:
                raise
            raise KeyboardInterrupt from None
        finally:
            ending.loop = ending.task = None
        if ending.began_at_ns is not None:
            raise KeyboardInterrupt
        return found
