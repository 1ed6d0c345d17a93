"""The queue of slow parts: one a pass while few wait, bounded however many land."""

import asyncio
import functools
import itertools

from harness.measure.settling import Settling


def test_one_job_is_done_in_each_pass_of_the_loop_while_few_wait() -> None:
    done: list[int] = []
    seen: list[int] = []

    async def run() -> None:
        settling = Settling()
        for number in range(10):
            settling.add(functools.partial(done.append, number))
        settling.close()
        running = asyncio.ensure_future(settling.run())
        while not running.done():
            seen.append(len(done))
            await asyncio.sleep(0)

    asyncio.run(run())
    assert done == list(range(10))
    assert max(after - before for before, after in itertools.pairwise(seen)) == 1


def test_what_lands_faster_than_one_a_pass_does_not_pile_up() -> None:
    landing, passes = 32, 400
    waiting: list[int] = []

    async def run() -> None:
        settling = Settling()
        done: list[None] = []
        running = asyncio.ensure_future(settling.run())
        for n in range(1, passes + 1):
            for _ in range(landing):
                settling.add(lambda: done.append(None))
            await asyncio.sleep(0)
            waiting.append(landing * n - len(done))
        settling.close()
        await running
        assert len(done) == landing * passes

    asyncio.run(run())
    assert max(waiting[passes // 2 :]) <= max(waiting[: passes // 2])  # it has stopped growing ...
    assert max(waiting) < landing * passes / 10  # ... far below what one job a pass would leave
