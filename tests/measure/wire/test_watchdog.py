"""When a limit has passed, and when it is worth asking again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from harness.measure.wire.exchange import TimeLimits
from harness.measure.wire.lookout import Sighting
from harness.measure.wire.watchdog import Watchdog, next_check
from harness.model.record import FailureKind
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

S = 1_000_000_000
LIMITS = TimeLimits(connect_s=1, first_output_s=100, idle_s=30, total_s=500)


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        (0, None, 30 * S),  # output now could idle from now on
        (30, None, 60 * S),
        (90, None, 100 * S),  # the first-output limit comes first
        (100, None, FailureKind.TIMEOUT_FIRST_OUTPUT),
        (100, 99, 129 * S),
        (30, 10, 40 * S),
        (40, 10, FailureKind.TIMEOUT_IDLE),
        (480, 479, 500 * S),
        (500, 499, FailureKind.TIMEOUT_TOTAL),
        (509, 471, FailureKind.TIMEOUT_TOTAL),  # passed at 500, the idle limit at 501
        (509, 469, FailureKind.TIMEOUT_IDLE),  # passed at 499
    ],
)
def test_the_next_check_is_the_earliest_instant_at_which_a_limit_can_have_passed(
    now: int, last: int | None, expected: int | FailureKind
) -> None:
    found = next_check(LIMITS, now_ns=now * S, sent_at_ns=0, last_output_at_ns=None if last is None else last * S)
    assert found == expected


@dataclass
class Stream:
    """What a stream would show, in seconds of virtual time; the glance may be blind."""

    outputs_s: Sequence[float]
    is_blind: bool = False
    n_glances: int = 0
    n_looks: int = 0

    def glance(self) -> Sighting:
        self.n_glances += 1
        return Sighting(None, is_last=False) if self.is_blind else replace(self._seen(), is_last=False)

    async def look(self) -> Sighting:
        self.n_looks += 1
        return self._seen()

    def _seen(self) -> Sighting:
        now_s = asyncio.get_running_loop().time()
        came = [at_s for at_s in self.outputs_s if at_s <= now_s]
        return Sighting(round(came[-1] * S) if came else None, is_last=True)


def watched(stream: Stream, *, end_s: float = 1000) -> tuple[FailureKind | None, float]:
    """Watch a stream until it expires or ends; what expired and when."""

    async def main() -> tuple[FailureKind | None, float]:
        loop = asyncio.get_running_loop()
        expired: asyncio.Future[FailureKind] = loop.create_future()
        watchdog = Watchdog(LIMITS, LoopClock(), stream, expired.set_result)
        watchdog.start(0)
        await asyncio.wait({expired}, timeout=end_s)
        watchdog.stop()
        return expired.result() if expired.done() else None, loop.time()

    return run_in_virtual_time(main)


EVERY_SECOND = [*range(1, 401)]


@pytest.mark.parametrize("is_blind", [False, True])
@pytest.mark.parametrize(
    ("outputs_s", "expected"),
    [
        ([], (FailureKind.TIMEOUT_FIRST_OUTPUT, 100)),
        ([99], (FailureKind.TIMEOUT_IDLE, 129)),
        ([10, 35], (FailureKind.TIMEOUT_IDLE, 65)),
        (EVERY_SECOND, (FailureKind.TIMEOUT_IDLE, 430)),
        ([*range(1, 600)], (FailureKind.TIMEOUT_TOTAL, 500)),
    ],
)
def test_a_limit_passes_at_its_instant_whatever_a_glance_can_see(
    outputs_s: list[float], expected: tuple[FailureKind, float], is_blind: bool
) -> None:
    kind, at_s = watched(Stream(outputs_s, is_blind))
    assert kind is expected[0]
    assert at_s == pytest.approx(expected[1], abs=1e-6)


def test_a_stream_that_lives_is_only_glanced_at() -> None:
    stream = Stream(EVERY_SECOND)
    assert watched(stream, end_s=400) == (None, 400)
    assert stream.n_glances == pytest.approx(400 / 30, abs=2)
    assert stream.n_looks == 0


def test_a_stream_that_was_given_up_is_not_looked_at_again() -> None:
    stream = Stream([1])
    assert watched(stream, end_s=20) == (None, 20)
    assert (stream.n_glances, stream.n_looks) == (0, 0)
