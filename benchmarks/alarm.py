"""Measures how late each alarm wakes an otherwise idle loop: `python -m benchmarks.alarm`."""

import asyncio
from collections.abc import Callable
from statistics import quantiles

import uvloop

from harness.clock import SystemClock
from harness.measure.alarm import Alarm, LoopAlarm, system_alarm
from harness.units import NS_PER_MS

CLOCK = SystemClock()
ALARMS: dict[str, Callable[[], Alarm]] = {
    "the loop's own": lambda: LoopAlarm(CLOCK),
    "the kernel's": lambda: system_alarm(CLOCK),
    "the kernel's, 0.3 ms lead": lambda: system_alarm(CLOCK, lead_ns=300_000),
}


def main() -> None:
    """Print median and p99 lateness of 500 waits of 3.3 ms."""
    for loop, factory in (("asyncio", None), ("uvloop", uvloop.Loop)):
        for name, make in ALARMS.items():
            with asyncio.Runner(loop_factory=factory) as runner:
                cuts = quantiles(runner.run(_late_us(make())), n=100)
            print(f"{loop:8} {name:26} p50 {cuts[49]:7.1f} us  p99 {cuts[98]:7.1f} us")


async def _late_us(alarm: Alarm) -> list[float]:
    late = []
    for _ in range(500):
        due_ns = CLOCK.monotonic_ns() + 33 * NS_PER_MS // 10
        await alarm.until(due_ns)
        late.append((CLOCK.monotonic_ns() - due_ns) / 1000)
    alarm.close()
    return late


if __name__ == "__main__":
    main()
