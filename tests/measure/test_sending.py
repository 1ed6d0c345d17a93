"""The one way of a request to the wire: what a stop keeps back, and what a cut leaves on record."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from harness.errors import StoppedRunError
from harness.measure.alarm import LoopAlarm
from harness.measure.breaker import UNREACHABLE
from harness.measure.budget import Bounds, Budgets
from harness.measure.coldrun import Cast, ColdPlan, measure_wakes, wake_blocks
from harness.measure.compose import ComposedRequest
from harness.measure.followups import FollowUps
from harness.measure.guard import Guard
from harness.measure.lane import Lane
from harness.measure.openloop import OpenLoop
from harness.measure.retrying import Try
from harness.measure.runner import Runner, Timekeeping
from harness.measure.untimed import FirstAnswers, FollowedLane, Prepared, Untimed
from harness.measure.wire.exchange import Cut, Exchange, Landed, TimeLimits
from harness.model.endpoint import Endpoint
from harness.model.record import Arm, Attempt, Block, Connection, Failure, FailureKind, Reads
from harness.model.settings import BreakerSettings
from tests.measure.test_followups import ReadableJournal, ScriptedFollowUps, a_block
from tests.measure.test_runner import ListJournal, LoopTime, ScriptedSender, a_plan
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

CUT = Failure(kind=FailureKind.CANCELLED, message="stopped")
LIMITS = TimeLimits(connect_s=1, first_output_s=1, idle_s=1, total_s=1)


def ended(failure: Failure, status: int | None = None) -> Landed:
    now_ns = round(asyncio.get_running_loop().time() * 1e9)
    exchange = Exchange(
        sent_at_ns=now_ns,
        ended_at_ns=now_ns,
        connection=Connection(reused=True),
        status=status,
        headers={},
        wire=b"",
        reads=Reads(),
        failure=failure,
    )
    return Landed(free_at_ns=now_ns, settle=lambda: exchange)


async def for_ever() -> Landed:
    try:
        await asyncio.sleep(1e6)
    except asyncio.CancelledError:
        raise Cut(ended(CUT)) from None
    raise AssertionError


class NeverAnswers(ScriptedSender):
    """Is cut, as a player is."""

    async def send(self, block: Block) -> Landed:  # noqa: ARG002  # the sender's signature
        return await for_ever()


class NeverFollowsUp(ScriptedFollowUps):
    """Is cut, as a player is."""

    async def play(self, prepared: Prepared) -> Landed:  # noqa: ARG002  # the sender's signature
        return await for_ever()


class OneWire:
    """Is cut, as a player is."""

    async def play(self, request: ComposedRequest, limits: TimeLimits) -> Landed:  # noqa: ARG002  # the player's own
        return await for_ever()


def cut_after(seconds: float, main: Any) -> None:
    async def cut() -> None:
        task = asyncio.ensure_future(main())
        await asyncio.sleep(seconds)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    run_in_virtual_time(cut)


def kinds(attempts: list[Attempt]) -> list[FailureKind | None]:
    return [attempt.failure.kind if attempt.failure is not None else None for attempt in attempts]


def test_a_warm_up_request_that_is_cut_is_on_record() -> None:
    journal = ListJournal()

    async def main() -> None:
        lanes = [Lane(arm=arm, sender=NeverAnswers(1)) for arm in (Arm.REFERENCE, Arm.CANDIDATE)]
        await Runner(a_plan(warmup=2), lanes, journal, Timekeeping(clock=LoopClock())).warm_up()

    cut_after(5, main)
    assert kinds(journal.attempts) == [FailureKind.CANCELLED] * 2
    assert all(attempt.key.is_warmup for attempt in journal.attempts)


def test_a_follow_up_that_is_cut_is_on_record() -> None:
    journal = ReadableJournal()

    async def main() -> None:
        lane = FollowedLane(lane=Lane(arm=Arm.REFERENCE, sender=ScriptedSender(1)), sender=NeverFollowsUp())
        planned = FollowUps(loops=(), unstreamed=(a_block(1), a_block(2)))
        await Untimed(planned, FirstAnswers(loops=()), journal, LoopClock()).run([lane], 2, lambda _: None)

    cut_after(5, main)
    assert kinds(journal.attempts) == [FailureKind.CANCELLED] * 2
    assert not any(attempt.key.is_streamed for attempt in journal.attempts)


def test_a_wake_that_is_cut_is_on_record() -> None:
    journal = ListJournal()
    request = ComposedRequest(
        method="POST", scheme="http", host="h", port=1, target="/", head=b"", body=b"", sha256="d"
    )

    async def main() -> None:
        cast = Cast(
            endpoint=Endpoint(name="x", base_url="http://h/v1", model="m"),
            request=request,
            limits=LIMITS,
            player=OneWire(),
            journal=journal,
            clock=LoopClock(),
        )
        await measure_wakes(cast, ColdPlan(repeats=1, idle_s=None), wake_blocks(1), lambda _: None)

    cut_after(5, main)
    assert kinds(journal.attempts) == [FailureKind.CANCELLED]


def followed(guard: Guard, sender: ScriptedFollowUps, n: int, **lane: Any) -> ReadableJournal:
    journal = ReadableJournal()
    planned = FollowUps(loops=(), unstreamed=tuple(a_block(index) for index in range(n)))

    async def main() -> None:
        lanes = [FollowedLane(lane=Lane(arm=Arm.REFERENCE, sender=ScriptedSender(1), **lane), sender=sender)]
        async with guard.watching():
            await Untimed(planned, FirstAnswers(loops=()), journal, LoopClock(), guard).run(lanes, 2, lambda _: None)

    with pytest.raises(StoppedRunError):
        run_in_virtual_time(main)
    return journal


def test_a_follow_up_that_waits_for_its_quota_is_not_sent_after_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio_throttle.throttler.time", LoopTime)
    bounds = Bounds(answers={Arm.REFERENCE: {"loop": 48}})
    guard = Guard(LoopClock(), budgets=Budgets(max_time_s=5.0, max_tokens=150), bounds=bounds)
    journal = followed(guard, ScriptedFollowUps(), 9, requests_per_minute=1)
    assert [attempt.admitted_at_ns for attempt in journal.attempts] == [0]
    assert guard.claims(Arm.REFERENCE, "loop", 2) is None  # it has ended
    assert guard.reason == "--max-time is over: 5 s"


class Refused(ScriptedFollowUps):
    """Is reached by nobody."""

    async def play(self, prepared: Prepared) -> Landed:  # noqa: ARG002  # the sender's signature
        await asyncio.sleep(1)
        return ended(Failure(kind=FailureKind.CONNECT, message="refused"))


def test_follow_ups_to_a_dead_endpoint_end_the_run() -> None:
    assert FailureKind.CONNECT in UNREACHABLE
    guard = Guard(LoopClock(), breaker=BreakerSettings(unreachable=4, without_success=0))
    journal = followed(guard, Refused(), 40)
    assert guard.reason == "the reference is dead: 4 requests in a row failed (4 connect)"
    assert 4 <= len(journal.attempts) <= 5


def test_an_open_loop_that_begins_after_the_stop_does_not_sleep_through_its_schedule() -> None:
    sent: list[int] = []

    async def send(lane: Lane, attempt: Try, at_ns: int) -> None:  # noqa: ARG001  # the loop's signature
        sent.append(at_ns)

    async def main() -> int:
        clock = LoopClock()
        guard = Guard(clock)
        guard.stop("while connections were opened")
        lane = Lane(arm=Arm.REFERENCE, sender=ScriptedSender(1))
        lane.queue.extend(
            Block(index=i, prompt_id="p", repeat=i, first=Arm.REFERENCE, due_ns=i * 10**10) for i in range(1, 60)
        )
        await OpenLoop([lane], LoopAlarm(clock), send, max_in_flight=4, guard=guard).run(0)
        return clock.monotonic_ns()

    assert run_in_virtual_time(main) == 0
    assert sent == []
