"""The runner on scripted endpoints, in virtual time."""

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest

from harness.errors import IncompleteRunError
from harness.measure.runner import Lane, Runner
from harness.measure.schedule import plan_run
from harness.measure.wire.player import Exchange
from harness.model.record import Arm, Attempt, Block, Connection, Failure, FailureKind, Plan, Reads
from harness.model.settings import PlanSettings, Settings
from tests.measure.test_schedule import ARMS, golden
from tests.measure.virtual_time import LoopClock, run_in_virtual_time


class ScriptedSender:
    """Answers after a scripted time; records what was in flight."""

    def __init__(self, takes_s: float, failure: Failure | None = None, status: int | None = 200) -> None:
        self.takes_s = takes_s
        self.failure = failure
        self.status = status
        self.in_flight = 0
        self.most_in_flight = 0
        self.most_in_warmup = 0
        self.started: list[tuple[float, int]] = []

    def fingerprint(self, block: Block) -> tuple[str, int]:
        return f"digest of {block.prompt_id}", 10

    async def send(self, block: Block) -> Exchange:
        loop = asyncio.get_running_loop()
        self.started.append((loop.time(), block.index))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        if block.is_warmup:
            self.most_in_warmup = max(self.most_in_warmup, self.in_flight)
        sent = round(loop.time() * 1e9)
        await asyncio.sleep(self.takes_s)
        self.in_flight -= 1
        return Exchange(
            sent_at_ns=sent,
            ended_at_ns=round(loop.time() * 1e9),
            connection=Connection(reused=True),
            status=self.status,
            headers={},
            wire=b"",
            reads=Reads(),
            failure=self.failure,
        )


class ListJournal:
    """Keeps attempts in memory."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []

    def append(self, attempt: Attempt, wire: bytes) -> Attempt:  # noqa: ARG002  # the journal's signature
        self.attempts.append(attempt)
        return attempt


def a_plan(n: int = 10, repeats: int = 5, look_ahead: int = 4, warmup: int = 2) -> Plan:
    settings = Settings(plan=PlanSettings(repeats=repeats, look_ahead=look_ahead, warmup=warmup))
    return plan_run(golden(n), settings, ARMS, repeats={f"p{i}": repeats for i in range(n)}, estimators="1")


def run(
    plan: Plan, senders: dict[Arm, ScriptedSender], concurrency: int = 4, per_minute: int | None = None
) -> ListJournal:
    journal = ListJournal()

    async def main() -> None:
        lanes = [
            Lane(arm=arm, sender=sender, concurrency=concurrency, requests_per_minute=per_minute)
            for arm, sender in senders.items()
        ]
        await Runner(plan, lanes, journal, LoopClock()).run()

    run_in_virtual_time(main)
    return journal


def two(reference_s: float = 1.0, candidate_s: float = 1.0) -> dict[Arm, ScriptedSender]:
    return {Arm.REFERENCE: ScriptedSender(reference_s), Arm.CANDIDATE: ScriptedSender(candidate_s)}


def test_every_block_is_sent_once_by_each_arm() -> None:
    plan = a_plan()
    journal = run(plan, two())
    assert len(journal.attempts) == 2 * len(plan.blocks) == 104
    assert Counter((a.key.arm, a.block) for a in journal.attempts) == Counter(
        {(arm, block.index): 1 for arm in ARMS for block in plan.blocks}
    )


def test_600_requests_over_ten_minutes_keep_the_asked_concurrency() -> None:
    senders = two(4.0, 4.0)
    journal = run(a_plan(30, 10, warmup=0), senders, concurrency=2)
    assert len(journal.attempts) == 600
    assert [sender.most_in_flight for sender in senders.values()] == [2, 2]
    span_s = max(a.ended_at_ns or 0 for a in journal.attempts) / 1e9
    assert span_s == pytest.approx(600.0, abs=0.01)


def test_the_faster_arm_stays_within_the_look_ahead() -> None:
    senders = two(1.0, 10.0)
    run(a_plan(look_ahead=3, warmup=0), senders, concurrency=2)
    events = sorted(
        [(at, 1, block) for at, block in senders[Arm.REFERENCE].started]
        + [(at, 0, block) for at, block in senders[Arm.CANDIDATE].started]
    )
    slow_next, worst = 0, 0
    for _, is_fast, block in events:
        if is_fast:
            worst = max(worst, block - slow_next)
        else:
            slow_next = block + 1
    assert worst == 3


def test_the_faster_arm_does_not_idle_within_it() -> None:
    senders = two(1.0, 1.5)
    run(a_plan(4, 2, look_ahead=100, warmup=0), senders, concurrency=1)
    starts = [at for at, _ in senders[Arm.REFERENCE].started]
    assert [later - earlier for earlier, later in pairwise(starts)] == pytest.approx([1.0] * 7)


def test_warm_ups_go_one_at_a_time_and_the_first_is_possibly_cold() -> None:
    senders = two()
    journal = run(a_plan(warmup=3), senders, concurrency=4)
    assert [sender.most_in_warmup for sender in senders.values()] == [1, 1]
    assert [sender.most_in_flight for sender in senders.values()] == [4, 4]
    cold = [(a.key.arm, a.key.is_warmup) for a in journal.attempts if a.is_possibly_cold]
    assert sorted(cold) == [(Arm.CANDIDATE, True), (Arm.REFERENCE, True)]


def test_no_measured_request_starts_before_both_arms_are_warm() -> None:
    senders = two(1.0, 30.0)
    run(a_plan(warmup=2), senders)
    first_measured = min(at for sender in senders.values() for at, block in sender.started if block >= 2)
    assert first_measured == pytest.approx(60.0)


class LoopTime:
    """Stands in for the time module that asyncio-throttle reads: the only clock it offers."""

    @staticmethod
    def monotonic() -> float:
        return asyncio.get_running_loop().time()


def test_the_quota_is_kept_and_the_wait_is_on_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio_throttle.throttler.time", LoopTime)
    senders = two(0.01, 0.01)
    journal = run(a_plan(5, 4, warmup=0), senders, concurrency=8, per_minute=6)
    starts = sorted(at for at, _ in senders[Arm.REFERENCE].started)
    assert len(starts) == 20
    assert all(sum(at <= other < at + 59.9 for other in starts) <= 6 for at in starts)
    waits = [(a.admitted_at_ns or 0) - a.intended_at_ns for a in journal.attempts]
    assert max(waits) > 30e9


def unreachable() -> ScriptedSender:
    return ScriptedSender(0.1, Failure(kind=FailureKind.CONNECT, message="refused"), status=None)


@pytest.mark.parametrize(
    ("dead", "word"),
    [
        (unreachable, "cannot be reached"),
        (lambda: ScriptedSender(0.1, status=401), "answered 401 to every warm-up"),
    ],
)
def test_a_dead_endpoint_ends_the_run_after_the_warm_up(dead: Callable[[], ScriptedSender], word: str) -> None:
    senders = {Arm.REFERENCE: ScriptedSender(0.1), Arm.CANDIDATE: dead()}
    with pytest.raises(IncompleteRunError, match=f"the candidate .*{word}|the candidate {word}"):
        run(a_plan(warmup=2), senders)
    assert len(senders[Arm.CANDIDATE].started) == 2


def test_an_endpoint_that_answers_500_is_measured_to_the_end() -> None:
    senders = {Arm.REFERENCE: ScriptedSender(0.1), Arm.CANDIDATE: ScriptedSender(0.1, status=500)}
    plan = a_plan()
    assert len(run(plan, senders).attempts) == 2 * len(plan.blocks)


def test_a_journal_that_fails_ends_the_run() -> None:
    class FullJournal(ListJournal):
        def append(self, attempt: Attempt, wire: bytes) -> Attempt:
            if len(self.attempts) == 7:
                message = "disk full"
                raise IncompleteRunError(message)
            return super().append(attempt, wire)

    async def main() -> None:
        lanes = [Lane(arm=arm, sender=sender, concurrency=2) for arm, sender in two().items()]
        await Runner(a_plan(), lanes, FullJournal(), LoopClock()).run()

    with pytest.raises(IncompleteRunError, match="disk full"):
        run_in_virtual_time(main)
