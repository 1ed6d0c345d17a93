"""Waking at an instant."""

import asyncio
import sys

import pytest

from harness.clock import SystemClock
from harness.measure.alarm import Alarm, KernelAlarm, LoopAlarm, system_alarm
from harness.units import NS_PER_MS
from tests.measure.conftest import Run
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

CLOCK = SystemClock()


def with_lead(clock: SystemClock) -> Alarm:
    return system_alarm(clock, lead_ns=2 * NS_PER_MS)


@pytest.fixture(params=[LoopAlarm, system_alarm, with_lead])
def alarm(request: pytest.FixtureRequest) -> Alarm:
    made: Alarm = request.param(CLOCK)
    return made


def test_it_never_wakes_early_and_serves_again(run: Run, alarm: Alarm) -> None:
    woken: list[int] = []

    async def main() -> None:
        start = CLOCK.monotonic_ns()
        for after_ms in (3, 1, 7, 7):  # the second and the last have passed already
            await alarm.until(start + after_ms * NS_PER_MS)
            woken.append(CLOCK.monotonic_ns() - start - after_ms * NS_PER_MS)
        alarm.close()

    run(main())
    assert len(woken) == 4
    assert min(woken) >= 0


def test_it_waits_beside_other_work(run: Run, alarm: Alarm) -> None:
    order: list[str] = []

    async def main() -> None:
        waiting = asyncio.ensure_future(alarm.until(CLOCK.monotonic_ns() + 20 * NS_PER_MS))
        await asyncio.sleep(0.001)
        order.append("other")
        await waiting
        order.append("alarm")
        alarm.close()

    run(main())
    assert order == ["other", "alarm"]


def test_a_cancelled_wait_leaves_it_usable(run: Run, alarm: Alarm) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(alarm.until(CLOCK.monotonic_ns() + 10_000 * NS_PER_MS), 0.01)
        await asyncio.wait_for(alarm.until(CLOCK.monotonic_ns() + NS_PER_MS), 5)
        alarm.close()

    run(main())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="timerfd is Linux's")
def test_linux_has_the_kernels() -> None:
    alarm = system_alarm(CLOCK)
    assert isinstance(alarm, KernelAlarm)
    alarm.close()
    alarm.close()


def test_without_the_kernels_the_loops_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> KernelAlarm:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("harness.measure.alarm.KernelAlarm", refused)
    assert isinstance(system_alarm(CLOCK), LoopAlarm)


def test_the_loops_alarm_follows_its_clock() -> None:
    async def main() -> int:
        clock = LoopClock()
        await LoopAlarm(clock).until(5_000_000_000)
        return clock.monotonic_ns()

    assert run_in_virtual_time(main) == 5_000_000_000
