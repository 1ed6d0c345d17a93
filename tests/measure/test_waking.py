"""One request in flight while an endpoint may wake, in virtual time."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from harness.errors import IncompleteRunError
from harness.measure.coldrun import Cast, ColdPlan, Stage, measure_wakes, wake_blocks
from harness.measure.compose import ComposedRequest
from harness.measure.lane import Lane
from harness.measure.runner import Runner, Timekeeping
from harness.measure.waking import Wait, waking_limits, what_wakes
from harness.measure.wire.exchange import Exchange, Landed, TimeLimits
from harness.model.endpoint import Cold, Endpoint
from harness.model.record import Arm, Block, Connection, Failure, FailureKind, Reads
from tests.measure.test_runner import ListJournal, ScriptedSender, a_plan
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

COLD = Cold(scales_to_zero=True, cap_s=600)
Answer = tuple[int, bytes, dict[str, str]]
LOADING: Answer = (503, b'{"error":{"message":"Loading model","type":"unavailable_error","code":"loading"}}', {})
CAPPED: Answer = (504, b'{"error":{"message":"Not awake in time","type":"wake_timeout","code":"wake_timeout"}}', {})
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"awake"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
AWAKE = (200, EVENT, {"content-type": "text/event-stream"})


async def landed(answer: Answer, takes_s: float) -> Landed:
    loop = asyncio.get_running_loop()
    sent = round(loop.time() * 1e9)
    await asyncio.sleep(takes_s)
    ended = round(loop.time() * 1e9)
    status, body, headers = answer
    lines = {"content-length": str(len(body)), **headers}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    wire = head.encode() + body
    exchange = Exchange(
        sent_at_ns=sent,
        ended_at_ns=ended,
        connection=Connection(reused=True),
        status=status,
        headers=headers,
        wire=wire,
        reads=Reads(at_ns=(ended,), seen_at_ns=(ended,), n_bytes=(len(wire),), source="u"),
        failure=None,
    )
    return Landed(free_at_ns=ended, settle=lambda: exchange)


class Sleepy(ScriptedSender):
    """Gives these answers, then serves; keeps what was in flight."""

    def __init__(self, *answers: tuple[Answer, float]) -> None:
        super().__init__(0.1)
        self.answers = iter(answers)

    async def send(self, block: Block) -> Landed:
        self.started.append((asyncio.get_running_loop().time(), block.index))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.most_in_warmup = max(self.most_in_warmup, self.in_flight if block.is_warmup else 0)
        answer, takes_s = next(self.answers, (AWAKE, 0.1))
        try:
            return await landed(answer, takes_s)
        finally:
            self.in_flight -= 1


def run(sender: Sleepy, cold: Cold = COLD) -> ListJournal:
    journal = ListJournal()

    async def main() -> None:
        lanes = [Lane(arm=Arm.REFERENCE, sender=Sleepy()), Lane(arm=Arm.CANDIDATE, sender=sender, cold=cold)]
        runner = Runner(a_plan(warmup=2), lanes, journal, Timekeeping(clock=LoopClock()))
        await runner.warm_up()
        await runner.walk()

    run_in_virtual_time(main)
    return journal


def warmups(journal: ListJournal) -> list[tuple[int, bool]]:
    mine = [attempt for attempt in journal.attempts if attempt.key.arm is Arm.CANDIDATE and attempt.key.is_warmup]
    return [(attempt.attempt, attempt.is_possibly_cold) for attempt in mine]


def test_the_set_is_held_until_the_wake_is_over() -> None:
    sender = Sleepy((AWAKE, 420.0))
    journal = run(sender)
    assert (sender.most_in_warmup, sender.most_in_flight) == (1, 4)
    assert sender.started[1][0] == pytest.approx(420.0)
    measured = [attempt for attempt in journal.attempts if not attempt.key.is_warmup]
    assert min(attempt.sent_at_ns or 0 for attempt in measured) >= 420e9
    assert warmups(journal) == [(1, True), (1, False)]


class OneEndpoint:
    """Counts what is in flight at an endpoint that several arms ask."""

    def __init__(self) -> None:
        self.in_flight = self.most_in_warmup = 0

    def sender(self, *answers: tuple[Answer, float]) -> Sleepy:
        """Give an arm's way to it."""
        counts = self

        class Counted(Sleepy):
            async def send(self, block: Block) -> Landed:
                counts.in_flight += 1
                if block.is_warmup:
                    counts.most_in_warmup = max(counts.most_in_warmup, counts.in_flight)
                try:
                    return await super().send(block)
                finally:
                    counts.in_flight -= 1

        return Counted(*answers)


def test_two_arms_of_one_endpoint_that_wakes_send_one_request_between_them() -> None:
    one, other = OneEndpoint(), Sleepy((AWAKE, 500.0))
    first, placebo = one.sender((AWAKE, 420.0)), one.sender((AWAKE, 0.1))

    async def main() -> None:
        lanes = [
            Lane(arm=Arm.REFERENCE, sender=first, cold=COLD, target="a"),
            Lane(arm=Arm.CANDIDATE, sender=other, target="b"),
            Lane(arm=Arm.PLACEBO, sender=placebo, cold=COLD, target="a"),
        ]
        await Runner(a_plan(warmup=2), lanes, ListJournal(), Timekeeping(clock=LoopClock())).warm_up()

    run_in_virtual_time(main)
    assert one.most_in_warmup == 1
    assert placebo.started[0][0] == pytest.approx(420.1)
    assert other.started[0][0] == 0  # another endpoint is not waited for


def test_what_wakes_is_told_by_address_and_model() -> None:
    end = Endpoint(name="a", base_url="http://h/v1", model="m")
    assert what_wakes(end) == what_wakes(msgspec.structs.replace(end, name="b", base_url="http://h/v1/"))
    assert what_wakes(end) != what_wakes(msgspec.structs.replace(end, model="n"))


def test_one_that_refuses_while_it_loads_is_asked_again_alone_though_nobody_said_that_it_sleeps() -> None:
    sender = Sleepy((LOADING, 1.0), ((503, LOADING[1], {"retry-after": "7"}), 1.0))
    journal = run(sender, Cold())
    assert [at for at, _ in sender.started[:3]] == pytest.approx([0, 2, 6])  # a minute: its 60th, 3 s of the 7 asked
    assert sender.most_in_warmup == 1
    assert warmups(journal) == [(1, True), (2, True), (3, True), (1, False)]


def test_a_wake_that_the_provider_gives_up_is_tried_once_more_and_then_ends_the_run() -> None:
    sender = Sleepy((CAPPED, 600.0), (CAPPED, 600.0))
    with pytest.raises(IncompleteRunError, match="the candidate did not wake within 1230 s and 2 requests"):
        run(sender)
    assert [at for at, _ in sender.started] == pytest.approx([0, 630])


def test_a_retry_after_the_cap_may_find_it_awake() -> None:
    sender = Sleepy((CAPPED, 600.0))
    assert warmups(run(sender)) == [(1, True), (2, True), (1, False)]


def test_it_is_not_asked_for_longer_than_the_cap() -> None:
    sender = Sleepy(*[(LOADING, 1.0)] * 500)
    with pytest.raises(IncompleteRunError, match="no measured request was sent"):
        run(sender)
    assert 590 <= sender.started[-1][0] <= 600
    assert sender.most_in_flight == 1


def test_one_that_nobody_said_may_sleep_is_waited_for_a_minute_and_not_ten() -> None:
    sender = Sleepy(*[(LOADING, 0.5)] * 1000)
    with pytest.raises(IncompleteRunError, match=r"did not wake within \d+ s .*cold\.scales_to_zero: true"):
        run(sender, Cold())
    assert 55 <= sender.started[-1][0] <= 60
    stated = Sleepy(*[(LOADING, 0.5)] * 1000)
    with pytest.raises(IncompleteRunError, match="Wake it first"):
        run(stated, Cold(cap_s=120))
    assert 110 <= stated.started[-1][0] <= 120


def test_an_overloaded_endpoint_that_never_sleeps_is_not_waited_for() -> None:
    overloaded: Answer = (503, b'{"error":{"message":"Too many requests","code":"overloaded"}}', {})
    sender = Sleepy((overloaded, 0.5))
    assert warmups(run(sender, Cold())) == [(1, True), (1, False)]


def test_the_limits_of_a_wake_lie_beyond_the_cap_and_the_total_moves_with_them() -> None:
    limits = TimeLimits(connect_s=10, first_output_s=120, idle_s=30, total_s=150)
    assert waking_limits(limits, COLD) == replace(limits, first_output_s=660, total_s=690)
    patient = replace(limits, first_output_s=900, total_s=930)
    assert waking_limits(patient, COLD) == patient


@pytest.mark.parametrize(("first_output_s", "total_s"), [(120, 30), (120, 60), (900, 30)])
def test_a_stated_total_ends_no_wake_before_its_first_output_was_waited_for(
    first_output_s: float, total_s: float
) -> None:
    limits = TimeLimits(connect_s=10, first_output_s=first_output_s, idle_s=30, total_s=total_s)
    given = waking_limits(limits, COLD)
    assert given.total_s == given.first_output_s + total_s


@pytest.mark.parametrize("asked", ["0", "1e9", "3600"])
def test_a_pause_is_bounded_whatever_the_server_asks(asked: str) -> None:
    failure = Failure(kind=FailureKind.UNAVAILABLE, message="loading")
    pause_s = Wait(cold=COLD).pause_s(failure, {"retry-after": asked}, 0.0)
    assert pause_s is not None
    assert 0.05 <= pause_s <= 30


class OneWire:
    """Plays scripted answers; two at once would show."""

    def __init__(self, answers: Iterator[tuple[Answer, float]]) -> None:
        self.answers = answers
        self.in_flight = self.most = 0
        self.first_output_s: list[float] = []
        self.started: list[float] = []

    async def play(self, request: ComposedRequest, limits: TimeLimits) -> Landed:  # noqa: ARG002  # the player's own
        self.started.append(asyncio.get_running_loop().time())
        self.first_output_s.append(limits.first_output_s)
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            return await landed(*next(self.answers))
        finally:
            self.in_flight -= 1


def cold_run(plan: ColdPlan, *answers: tuple[Answer, float]) -> tuple[OneWire, ListJournal, list[Stage]]:
    wire, journal = OneWire(iter(answers)), ListJournal()
    stages: list[Stage] = []
    request = ComposedRequest(
        method="POST", scheme="http", host="h", port=1, target="/", head=b"", body=b"", sha256="d"
    )

    async def main() -> None:
        cast = Cast(
            endpoint=Endpoint(name="x", base_url="http://h/v1", model="m", cold=COLD),
            request=request,
            limits=TimeLimits(connect_s=10, first_output_s=120, idle_s=30, total_s=150),
            player=wire,
            journal=journal,
            clock=LoopClock(),
        )
        await measure_wakes(cast, plan, wake_blocks(plan.repeats), stages.append)

    run_in_virtual_time(main)
    return wire, journal, stages


def test_each_wake_waits_sends_one_request_and_one_to_compare_with() -> None:
    answers = [(AWAKE, 300.0), (AWAKE, 0.1), (AWAKE, 310.0), (AWAKE, 0.1)]
    wire, journal, stages = cold_run(ColdPlan(repeats=2, idle_s=900), *answers)
    assert wire.started == pytest.approx([900, 1200, 2100.1, 2410.1])
    assert (wire.most, wire.first_output_s) == (1, [660, 120, 660, 120])
    assert [attempt.is_possibly_cold for attempt in journal.attempts] == [True, False, True, False]
    assert [stage.for_s for stage in stages] == [900, 660, None, 900, 660, None]


def test_the_first_wake_of_an_endpoint_declared_cold_needs_no_idle_time() -> None:
    plan = ColdPlan(repeats=2, idle_s=900, is_declared_cold=True)
    wire, _, _ = cold_run(plan, (AWAKE, 300.0), (AWAKE, 0.0), (AWAKE, 300.0), (AWAKE, 0.0))
    assert wire.started == pytest.approx([0, 300, 1200, 1500])


def test_after_a_504_one_delayed_retry_and_nothing_to_compare_with_where_it_fails() -> None:
    wire, journal, _ = cold_run(ColdPlan(repeats=1, idle_s=None), (CAPPED, 600.0), (CAPPED, 600.0))
    assert wire.started == pytest.approx([0, 630])
    assert [attempt.attempt for attempt in journal.attempts] == [1, 2]
