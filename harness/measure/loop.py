"""The loop of a measuring process: which one, and what may hold it up."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from harness.measure.ending import run_to_its_end

_SWITCH_INTERVAL_S = 0.0005  # how long the progress display's thread may keep the loop waiting


def run_measuring(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine on a loop that measures."""
    gc.collect()
    gc.freeze()  # all that was composed: a collection inside the window would walk it and hold the loop up
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    run_to_its_end(main, loop_factory())


def loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """Give uvloop's loop where it exists; BENCH_LOOP=asyncio keeps the standard one."""
    if sys.platform == "win32" or os.environ.get("BENCH_LOOP") == "asyncio":
        return None
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    return uvloop.Loop
