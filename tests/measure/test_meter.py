"""The measuring process watches itself."""

import asyncio
import time

import pytest

from harness.clock import SystemClock
from harness.measure.meter import Meter, nearest_rank
from harness.model.record import Arm, ClientFacts
from harness.units import NS_PER_MS
from tests.measure.conftest import Run


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [((), 0.5, None), ((7,), 0.99, 7), ((1, 2, 3, 4), 0.5, 2), ((1, 2, 3, 4), 0.75, 3), (range(1, 101), 0.99, 99)],
)
def test_nearest_rank(values: tuple[int, ...], q: float, expected: int | None) -> None:
    assert nearest_rank(list(values), q) == expected


def watched(run: Run, busy_s: float) -> ClientFacts:
    found: list[ClientFacts | None] = []

    async def main() -> None:
        meter = Meter((Arm.REFERENCE,), 0, SystemClock())
        assert meter.facts(0) is None
        async with meter.watching():
            await asyncio.sleep(0.05)
            end = time.process_time() + busy_s
            while time.process_time() < end:
                pass
            await asyncio.sleep(0.05)
        found.append(meter.facts(3))

    run(main())
    assert found[0] is not None
    return found[0]


def test_a_loop_that_is_held_up_shows_it(run: Run) -> None:
    facts = watched(run, busy_s=0.1)
    assert facts.loop in {"asyncio", "uvloop"}
    assert facts.n_loop_ticks >= 2
    assert facts.loop_lag_max_ns is not None
    assert facts.loop_lag_max_ns >= 60 * NS_PER_MS  # a tick of 20 ms was due at the latest 20 ms into the 100
    assert facts.cpu_ns >= 100 * NS_PER_MS
    assert facts.ended_at_ns - facts.started_at_ns >= 190 * NS_PER_MS  # uvloop may wake a millisecond early
    assert facts.most_open_connections == 3
    assert facts.n_files_allowed is None or facts.n_files_allowed > 0
