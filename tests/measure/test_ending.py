"""One signal ends what is measured; another one while it closes changes nothing, and no traceback is printed."""

import signal
import subprocess
import sys

import pytest

MEASURING = """
import asyncio, sys
from harness.measure.ending import ending_once
from harness.measure.loop import run_measuring

async def request():
    try:
        await asyncio.sleep(60)
    finally:
        print("closing", flush=True)
        sys.stdin.readline()  # a signal that comes meanwhile is taken here
        await asyncio.sleep(0)
        print("closed", flush=True)

async def requests():
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(request())
        print("sent", flush=True)

with ending_once():
    try:
        run_measuring(requests)
    except KeyboardInterrupt:
        print("told", flush=True)
        sys.stdin.readline()
        sys.exit(130)
"""


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("pair", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT)])
def test_a_second_signal_lets_what_closes_close(pair: tuple[signal.Signals, signal.Signals], loop: str) -> None:
    first, second = pair
    with subprocess.Popen(
        [sys.executable, "-c", MEASURING],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"BENCH_LOOP": loop, "PYTHONPATH": "."},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "sent\n"
        process.send_signal(first)
        for word in ("closing", "closing", "closing", "told"):  # in the last place all requests have closed
            while process.stdout.readline() != f"{word}\n":
                assert process.poll() is None
            process.send_signal(second)
            process.stdin.write("\n")
            process.stdin.flush()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == ""
