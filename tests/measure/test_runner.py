"""The runner on scripted endpoints, in virtual time."""

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from harness.errors import IncompleteRunError
from harness.measure.lane import Lane
from harness.measure.runner import Runner, Timekeeping
from harness.measure.schedule import plan_run
from harness.measure.wire.exchange import Exchange, Landed
from harness.model.record import Arm, Arrival, Attempt, Block, Connection, Failure, FailureKind, Plan, Reads
from harness.model.settings import ArrivalSettings, PlanSettings, Settings
from tests.measure.test_schedule import ARMS, golden
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

OK = 200


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
        self.preconnected: list[int] = []

    def fingerprint(self, block: Block) -> tuple[str, int]:
        return f"digest of {block.prompt_id}", 10

    async def send(self, block: Block) -> Landed:
        loop = asyncio.get_running_loop()
        self.started.append((loop.time(), block.index))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        if block.is_warmup:
            self.most_in_warmup = max(self.most_in_warmup, self.in_flight)
        sent = round(loop.time() * 1e9)
        await asyncio.sleep(self.takes_s)
        self.in_flight -= 1
        ended = round(loop.time() * 1e9)
        refusal = f"HTTP/1.1 {self.status} X\r\ncontent-length: 0\r\n\r\n".encode() if self.status != OK else b""
        exchange = Exchange(
            sent_at_ns=sent,
            ended_at_ns=ended,
            connection=Connection(reused=True),
            status=self.status,
            headers={},
            wire=refusal if self.failure is None else b"",
            reads=Reads(),
            failure=self.failure,
        )
        return Landed(free_at_ns=ended, settle=lambda: exchange)

    async def preconnect(self, n: int) -> None:
        self.preconnected.append(n)


class ListJournal:
    """Keeps attempts in memory."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []

    def append(self, attempt: Attempt, wire: bytes) -> Attempt:  # noqa: ARG002  # the journal's signature
        self.attempts.append(attempt)
        return attempt


def a_plan(n: int = 10, repeats: int = 5, look_ahead: int = 4, warmup: int = 2, load: int = 4) -> Plan:
    settings = Settings(load=[load], plan=PlanSettings(repeats=repeats, look_ahead=look_ahead, warmup=warmup))
    return plan_run(golden(n), settings, ARMS, repeats={f"p{i}": repeats for i in range(n)}, estimators="1")


def run(plan: Plan, senders: dict[Arm, ScriptedSender], per_minute: int | None = None) -> ListJournal:
    journal = ListJournal()

    async def main() -> None:
        lanes = [Lane(arm=arm, sender=sender, requests_per_minute=per_minute) for arm, sender in senders.items()]
        runner = Runner(plan, lanes, journal, Timekeeping(clock=LoopClock()))
        await runner.warm_up()
        await runner.walk()

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
    journal = run(a_plan(30, 10, warmup=0, load=2), senders)
    assert len(journal.attempts) == 600
    assert [sender.most_in_flight for sender in senders.values()] == [2, 2]
    span_s = max(a.ended_at_ns or 0 for a in journal.attempts) / 1e9
    assert span_s == pytest.approx(600.0, abs=0.01)


def test_the_faster_arm_stays_within_the_look_ahead() -> None:
    senders = two(1.0, 10.0)
    run(a_plan(look_ahead=3, warmup=0, load=2), senders)
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
    run(a_plan(4, 2, look_ahead=100, warmup=0, load=1), senders)
    starts = [at for at, _ in senders[Arm.REFERENCE].started]
    assert [later - earlier for earlier, later in pairwise(starts)] == pytest.approx([1.0] * 7)


def test_warm_ups_go_one_at_a_time_and_the_first_is_possibly_cold() -> None:
    senders = two()
    journal = run(a_plan(warmup=3), senders)
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
    journal = run(a_plan(5, 4, warmup=0, load=8), senders, per_minute=6)
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
        (lambda: ScriptedSender(0.1, status=401), "answered 401 to every warm-up .*check its api_key"),
        (lambda: ScriptedSender(0.1, status=403), "answered 403 to every warm-up .*check its api_key"),
        (lambda: ScriptedSender(0.1, status=404), "answered 404 to every warm-up .*check its base_url and model"),
        (lambda: ScriptedSender(0.1, status=302), "answered 302 to every warm-up .*check its base_url"),
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
        lanes = [Lane(arm=arm, sender=sender) for arm, sender in two().items()]
        runner = Runner(a_plan(), lanes, FullJournal(), Timekeeping(clock=LoopClock()))
        await runner.warm_up()
        await runner.walk()

    with pytest.raises(IncompleteRunError, match="disk full"):
        run_in_virtual_time(main)


def in_flight(journal: ListJournal, arm: Arm, at_ns: int) -> int:
    return sum(a.key.arm is arm and (a.sent_at_ns or 0) <= at_ns < (a.ended_at_ns or 0) for a in journal.attempts)


def of_level(journal: ListJournal, level: int) -> list[Attempt]:
    return sorted(
        (a for a in journal.attempts if a.key.level == level and not a.key.is_warmup), key=lambda a: a.intended_at_ns
    )


def levelled(load: list[float], arrival: ArrivalSettings, n: int = 10, **plan: Any) -> Plan:
    chosen = PlanSettings(**{"repeats": 4, "warmup": 0, **plan})
    return planned_with(Settings(load=load, arrival=arrival, plan=chosen), n)


def planned_with(settings: Settings, n: int = 10) -> Plan:
    repeats = {f"p{i}": settings.plan.repeats for i in range(n)}
    return plan_run(golden(n), settings, ARMS, repeats=repeats, estimators="1")


CLOSED = ArrivalSettings()
POISSON = ArrivalSettings(process=Arrival.POISSON)


def test_levels_follow_each_other_and_each_keeps_its_concurrency() -> None:
    senders = two(1.0, 1.0)
    journal = run(levelled([1, 8, 4], CLOSED), senders)
    assert len(journal.attempts) == 2 * 3 * 40
    levels = [of_level(journal, level) for level in range(3)]
    for before, after in pairwise(levels):
        assert max(a.ended_at_ns or 0 for a in before) <= min(a.sent_at_ns or 0 for a in after)
    for attempts, concurrency in zip(levels, (1, 8, 4), strict=True):
        middle = attempts[len(attempts) // 2].sent_at_ns or 0
        assert in_flight(journal, Arm.REFERENCE, middle) == concurrency
    assert len({a.key.id for a in journal.attempts}) == len(journal.attempts)


def test_connections_are_opened_before_each_level() -> None:
    senders = two()
    run(levelled([1, 8, 400], CLOSED), senders)
    assert senders[Arm.REFERENCE].preconnected == [1, 8, 40]  # no level has more than 40 requests
    senders = two()
    run(levelled([4], CLOSED, preconnect=False), senders)
    assert senders[Arm.REFERENCE].preconnected == []


def test_a_request_is_intended_for_when_its_slot_became_free() -> None:
    journal = run(levelled([2], CLOSED), two(1.0, 1.0))
    for arm in ARMS:
        attempts = [a for a in of_level(journal, 0) if a.key.arm is arm]
        ends = sorted(a.ended_at_ns or 0 for a in attempts)
        assert [a.intended_at_ns for a in attempts] == [0, 0, *ends[:-2]]


def test_time_that_the_look_ahead_takes_is_not_the_harness_delay() -> None:
    journal = run(levelled([2], CLOSED, look_ahead=3), two(1.0, 10.0))
    fast = [a for a in journal.attempts if a.key.arm is Arm.REFERENCE]
    assert max((a.sent_at_ns or 0) - a.intended_at_ns for a in fast) == 0
    assert max(a.intended_at_ns for a in fast) > 100e9  # it was held back all the same


def test_only_the_judged_level_holds_the_faster_arm_back() -> None:
    journal = run(levelled([2, 2], CLOSED, look_ahead=3), two(1.0, 10.0))
    took = [
        max(a.ended_at_ns or 0 for a in fast) - min(a.intended_at_ns for a in fast)
        for fast in ([a for a in of_level(journal, level) if a.key.arm is Arm.REFERENCE] for level in range(2))
    ]
    assert took[0] > 150e9
    assert took[1] == pytest.approx(20e9)  # 40 requests of a second, two at a time


def test_a_ramp_opens_one_slot_after_the_other() -> None:
    senders = two(5.0, 5.0)
    journal = run(levelled([5], ArrivalSettings(ramp_s=4.0), look_ahead=99), senders)
    first = [(a.sent_at_ns or 0) / 1e9 for a in of_level(journal, 0) if a.key.arm is Arm.REFERENCE][:5]
    assert first == pytest.approx([0, 1, 2, 3, 4])
    assert senders[Arm.REFERENCE].most_in_flight == 5


def test_an_open_loop_sends_when_due_whatever_has_answered() -> None:
    plan = levelled([2, 5], POISSON)
    senders = two(30.0, 0.5)
    journal = run(plan, senders)
    for level in range(2):
        due = [block.due_ns or 0 for block in plan.blocks if block.level == level]
        for arm in ARMS:
            attempts = [a for a in of_level(journal, level) if a.key.arm is arm]
            start = attempts[0].intended_at_ns - due[0]
            assert [a.intended_at_ns - start for a in attempts] == due
            assert max((a.sent_at_ns or 0) - a.intended_at_ns for a in attempts) <= 1000
    assert senders[Arm.REFERENCE].most_in_flight > 30


def test_an_open_loop_with_too_many_in_flight_is_late_on_the_record() -> None:
    senders = two(10.0, 10.0)
    arrival = ArrivalSettings(process=Arrival.CONSTANT, max_in_flight=3)
    journal = run(levelled([1], arrival), senders)
    assert senders[Arm.CANDIDATE].most_in_flight == 3
    late = [(a.admitted_at_ns or 0) - a.intended_at_ns for a in of_level(journal, 0)]
    assert late[0] == 0
    assert max(late) > 60e9


def test_a_warm_up_by_time_goes_round_its_prompts() -> None:
    senders = two(1.0, 3.0)
    journal = run(levelled([2], CLOSED, warmup=2, warmup_s=10), senders)
    warm = {arm: [a for a in journal.attempts if a.key.is_warmup and a.key.arm is arm] for arm in ARMS}
    assert [len(warm[arm]) for arm in ARMS] == [10, 4]
    assert [a.key.repeat for a in warm[Arm.REFERENCE]] == list(range(10))
    assert len({a.key.prompt_id for a in warm[Arm.REFERENCE]}) == 2
    assert sum(a.is_possibly_cold for a in journal.attempts) == 2


class SlowToSettle(ScriptedSender):
    """Notes in which order requests start and are settled."""

    events: list[str]

    async def send(self, block: Block) -> Landed:
        self.events.append(f"start {block.index}")
        landed = await super().send(block)

        def settle() -> Exchange:
            self.events.append(f"settle {block.index}")
            return landed.settle()

        return Landed(free_at_ns=landed.free_at_ns, settle=settle)


def test_the_next_request_goes_before_the_slow_part_of_the_last() -> None:
    sender = SlowToSettle(1.0)
    sender.events = []
    run(levelled([1], CLOSED, n=2, repeats=2), {Arm.REFERENCE: sender})
    assert sender.events == ["start 0", "start 1", "settle 0", "start 2", "settle 1", "start 3", "settle 2", "settle 3"]


def test_who_stops_a_run_keeps_what_has_landed() -> None:
    journal = ListJournal()
    seen: list[Attempt] = []

    def stop(attempt: Attempt) -> None:
        seen.append(attempt)
        if len(seen) == 5:
            raise KeyboardInterrupt

    async def main() -> None:
        lanes = [Lane(arm=arm, sender=sender) for arm, sender in two().items()]
        await Runner(a_plan(warmup=0), lanes, journal, Timekeeping(clock=LoopClock()), stop).walk()

    with pytest.raises(KeyboardInterrupt):
        run_in_virtual_time(main)
    assert len(journal.attempts) == 8  # four in flight on each side had landed in the same instant


def test_a_warm_up_by_time_neither_hammers_a_sick_endpoint_nor_waits_for_a_dead_one() -> None:
    sick = {Arm.REFERENCE: ScriptedSender(0.001, status=503)}
    run(levelled([2], CLOSED, warmup=3, warmup_s=20), sick)
    warm = [at for at, block in sick[Arm.REFERENCE].started if block < 3]
    assert len(warm) == 3 + 20  # a second apart after the first round
    dead = {Arm.REFERENCE: unreachable()}
    with pytest.raises(IncompleteRunError, match="cannot be reached"):
        run(levelled([2], CLOSED, warmup=3, warmup_s=1000), dead)
    assert len(dead[Arm.REFERENCE].started) == 3


def test_the_quota_wait_begins_when_the_slot_is_got(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio_throttle.throttler.time", LoopTime)
    journal = run(levelled([2], CLOSED, n=4, repeats=2), {Arm.REFERENCE: ScriptedSender(1.0)}, per_minute=2)
    attempts = of_level(journal, 0)
    assert all(a.claimed_at_ns == a.intended_at_ns for a in attempts)
    assert max((a.admitted_at_ns or 0) - (a.claimed_at_ns or 0) for a in attempts) > 30e9
