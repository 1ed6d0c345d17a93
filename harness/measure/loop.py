"""The loop of a measuring process: which one, what may hold it up, what ends it."""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

_SWITCH_INTERVAL_S = 0.0005  # how long the progress display's thread may keep the loop waiting


def run_measuring(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine on a loop that measures."""
    gc.collect()
    gc.freeze()  # all that was composed: a collection inside the window would walk it and hold the loop up
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM and a lost terminal's SIGHUP end the run as Ctrl-C does: marked interrupted, files closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] is not signal.SIG_IGN:  # nohup
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:  # not ours to know
                signal.signal(number, handler)


def loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """Give uvloop's loop where it exists; BENCH_LOOP=asyncio keeps the standard one."""
    if sys.platform == "win32" or os.environ.get("BENCH_LOOP") == "asyncio":
        return None
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    return uvloop.Loop
