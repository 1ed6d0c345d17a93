"""Instants when the wall clock steps and when stamps are missing: no read is moved, the record says what happened."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import pytest

from harness.measure.wire.player import Exchange
from tests.measure.wire.builders import CHUNKED_HEAD, DONE, LAST_CHUNK, PATIENT, WHOLE, chunk, said
from tests.measure.wire.conftest import Run
from tests.measure.wire.kernel import Kernel
from tests.measure.wire.servers import Caller, Script, answering
from tests.measure.wire.stage import Stage, staged

S = 1_000_000_000
STEP_NS = 30 * S
SLACK_NS = 10 * S  # how late this machine may be without being taken for a step
MANY = 2000

needs_stamps = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux stamps reads")


@asynccontextmanager
async def stamping(kernel: Kernel, script: Script, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Stage a script on this kernel."""
    kernel.rules(monkeypatch)
    async with staged(script, clock=kernel) as at:
        yield at


async def until_stamped(at: Stage) -> None:
    """Play until the machine stamps: its first stamping socket switches that on late."""
    sources = ""
    while "k" not in sources and len(sources) < MANY:
        sources += (await at.play()).reads.source
    assert "k" in sources


class Scene:
    """A response in three events with things that happen between them, each event read before the next happens."""

    def __init__(self, kernel: Kernel, *happenings: tuple[int, int]) -> None:
        self.kernel = kernel
        self.happenings = happenings
        self.is_on = False

    async def __call__(self, caller: Caller) -> None:
        while await caller.request():
            if not self.is_on:
                await caller.send(WHOLE)
                continue
            await self._sent_and_read(caller, CHUNKED_HEAD)
            for passed_ns, stepped_ns in self.happenings:
                await self._sent_and_read(caller, chunk(said("a")))
                self.kernel.let_pass(passed_ns)
                self.kernel.step(stepped_ns)
            await caller.send(chunk(said("z")) + chunk(DONE) + LAST_CHUNK)

    async def _sent_and_read(self, caller: Caller, piece: bytes) -> None:
        n_before = self.kernel.n_read
        await caller.send(piece)
        while self.kernel.n_read == n_before:  # noqa: ASYNC110  # the client's read has no event to wait for
            await asyncio.sleep(0.001)


def assert_nothing_moved(exchange: Exchange) -> None:
    reads = exchange.reads
    assert list(reads.at_ns) == sorted(reads.at_ns)
    for at_ns, seen_at_ns in zip(reads.at_ns, reads.seen_at_ns, strict=True):
        assert seen_at_ns - SLACK_NS < at_ns <= seen_at_ns
    assert exchange.sent_at_ns is not None
    assert exchange.ended_at_ns == reads.at_ns[-1]


@needs_stamps
@pytest.mark.parametrize("step_ns", [STEP_NS, -STEP_NS])
def test_a_step_inside_a_stream_moves_no_read_and_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, step_ns: int
) -> None:
    async def main() -> None:
        kernel = Kernel()
        scene = Scene(kernel, (200 * S, 0), (0, step_ns), (200 * S, 0))
        async with stamping(kernel, scene, monkeypatch) as at:
            await until_stamped(at)
            scene.is_on = True
            exchange = await at.play()
            assert len(exchange.reads.at_ns) >= 5
            assert_nothing_moved(exchange)
            (step,) = at.player.clock_facts()["steps"]
            assert abs(step["by_ns"] - step_ns) < SLACK_NS
            assert step["between_ns"] < exchange.reads.at_ns[-1]
            assert exchange.reads.at_ns[-1] <= step["and_ns"]
            scene.is_on = False
            after = await at.play()
            assert "k" in after.reads.source  # stamps count again behind the step
            assert_nothing_moved(after)

    run(main())


@needs_stamps
@pytest.mark.parametrize(
    "step_ns",
    [
        STEP_NS,
        -STEP_NS,
    ],
)
def test_a_step_does_not_move_the_instant_at_which_a_slot_is_free(
    run: Run, monkeypatch: pytest.MonkeyPatch, step_ns: int
) -> None:
    async def main() -> None:
        kernel = Kernel()
        scene = Scene(kernel, (200 * S, 0), (0, step_ns), (200 * S, 0))
        async with stamping(kernel, scene, monkeypatch) as at:
            await until_stamped(at)
            scene.is_on = True
            landed = await at.player.play(at.request, PATIENT)
            ended_at_ns = landed.settle().ended_at_ns
            assert ended_at_ns is not None
            assert abs(landed.free_at_ns - ended_at_ns) < SLACK_NS

    run(main())


@needs_stamps
def test_time_that_passes_is_no_step(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        kernel = Kernel()
        scene = Scene(kernel, (200 * S, 0), (200 * S, 0))
        async with stamping(kernel, scene, monkeypatch) as at:
            await until_stamped(at)
            scene.is_on = True
            exchange = await at.play()
            assert_nothing_moved(exchange)
            assert exchange.reads.at_ns[-1] - exchange.reads.at_ns[0] > 400 * S
            assert set(exchange.reads.source) == {"k"}
            assert at.player.clock_facts()["steps"] == []

    run(main())


@needs_stamps
def test_a_read_without_its_stamp_falls_back_and_is_marked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        kernel = Kernel()
        scene = Scene(kernel, *[(0, 0)] * 8)
        async with stamping(kernel, scene, monkeypatch) as at:
            await until_stamped(at)
            scene.is_on = True
            before = at.player.clock_facts()
            kernel.withheld = cycle([False, True])
            exchange = await at.play()
            reads = exchange.reads
            assert reads.source == ("ku" * len(reads.source))[: len(reads.source)]
            assert len(reads.source) >= 9
            assert_nothing_moved(exchange)
            facts = at.player.clock_facts()
            for name, letter in (("kernel", "k"), ("user", "u")):
                counted = f"reads_stamped_by_{name}"
                assert facts[counted] - before[counted] == reads.source.count(letter)

    run(main())


def test_a_kernel_that_refuses_to_stamp_leaves_our_own_clock(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        kernel = Kernel(has_stamps=False)
        async with stamping(kernel, answering(WHOLE), monkeypatch) as at:
            exchange = await at.play()
            assert exchange.failure is None
            assert exchange.wire == WHOLE
            assert set(exchange.reads.source) == {"u"}
            assert exchange.reads.at_ns == exchange.reads.seen_at_ns
            assert at.player.clock_facts()["stamps"] is None

    run(main())
