"""A measuring process that does not follow is ended with its run."""

import asyncio
import signal
import sys

import pytest

from harness.measure import workerprocess
from harness.measure.workerprocess import WorkerProcess

DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


async def _deaf() -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", DEAF, stdout=pipe)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"deaf\n"
    return process


def test_whoever_cancels_the_waiting_for_it_waits_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workerprocess, "_GRACE_S", 3600.0)

    async def main() -> int | None:
        process = await _deaf()
        ending = asyncio.ensure_future(WorkerProcess._end(object.__new__(WorkerProcess), process))
        await asyncio.sleep(0.05)  # it waits now, or is cancelled before it does
        ending.cancel()
        await asyncio.wait([ending])
        assert ending.cancelled()
        return process.returncode

    assert asyncio.run(asyncio.wait_for(main(), 60)) == -signal.SIGKILL


def test_it_is_given_time_and_then_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workerprocess, "_GRACE_S", 0.05)

    async def main() -> int | None:
        process = await _deaf()
        await WorkerProcess._end(object.__new__(WorkerProcess), process)
        return process.returncode

    assert asyncio.run(asyncio.wait_for(main(), 60)) == -signal.SIGKILL
