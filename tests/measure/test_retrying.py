"""Retries, breakers and budgets in the runner, on scripted endpoints in virtual time."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from harness.errors import StoppedRunError
from harness.measure.budget import Bounds, Budgets
from harness.measure.guard import Guard
from harness.measure.lane import Lane
from harness.measure.remaining import Remaining, remaining_after
from harness.measure.runner import Runner, Timekeeping
from harness.measure.schedule import plan_run
from harness.model.endpoint import Prices
from harness.model.record import Arm, Arrival, Attempt, Block, Failure, FailureKind, Plan
from harness.model.settings import ArrivalSettings, BreakerSettings, PlanSettings, RetrySettings, Settings
from tests.measure.flaky import GOOD, REFUSED, FlakySender, Reply, error
from tests.measure.test_runner import ListJournal, LoopTime
from tests.measure.test_schedule import ARMS, golden
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

THRICE = RetrySettings(max_attempts=3, backoff_s=1, max_backoff_s=4, delayed_s=20, max_wait_s=60)
NEVER = RetrySettings()
Answer = Callable[[Block, int], Reply]


@dataclass(slots=True, kw_only=True)
class Ran:
    """What a run left."""

    attempts: list[Attempt]
    senders: dict[Arm, FlakySender]
    stopped: str | None = None
    ended_at_s: float = 0.0
    plan: Plan
    counts: Counter[tuple[Arm, int]] = field(default_factory=Counter)

    def of(self, arm: Arm) -> list[Attempt]:
        """The measured attempts of a side."""
        return [attempt for attempt in self.attempts if attempt.key.arm is arm and not attempt.key.is_warmup]


def planned(retries: RetrySettings, n: int = 10, repeats: int = 2, load: float = 2, **more: Any) -> Plan:
    plan = PlanSettings(repeats=repeats, look_ahead=more.pop("look_ahead", 4), warmup=more.pop("warmup", 1))
    settings = Settings(load=more.pop("loads", [load]), plan=plan, retries=retries, **more)
    return plan_run(golden(n), settings, ARMS, repeats={f"p{i}": repeats for i in range(n)}, estimators="1")


def run(plan: Plan, answers: Mapping[Arm, Answer], guard: Mapping[str, Any] | None = None, **lanes: Any) -> Ran:
    journal, clock = ListJournal(), LoopClock()
    senders = {arm: FlakySender(answer) for arm, answer in answers.items()}
    ran = Ran(attempts=journal.attempts, senders=senders, plan=plan)

    async def main() -> None:
        kept = Guard(clock, **guard) if guard else None
        remaining = lanes.pop("remaining", Remaining())
        made = [Lane(arm=arm, sender=sender, remaining=remaining, **lanes) for arm, sender in senders.items()]
        runner = Runner(plan, made, journal, Timekeeping(clock=clock), remaining=remaining, guard=kept)
        try:
            if kept is None:
                await runner.warm_up()
                await runner.walk()
            else:
                async with kept.watching():
                    await runner.warm_up()
                    await runner.walk()
        except StoppedRunError as error:
            ran.stopped = str(error)
        ran.ended_at_s = clock.monotonic_ns() / 1e9

    run_in_virtual_time(main)
    return ran


def always(reply: Reply = GOOD) -> Answer:
    return lambda block, _: GOOD if block.is_warmup else reply


def at_first(reply: Reply, until: int = 1) -> Answer:
    """Fail the first attempts of every request."""
    return lambda block, n: reply if n <= until and not block.is_warmup else GOOD


def both(candidate: Answer, reference: Answer | None = None) -> dict[Arm, Answer]:
    return {Arm.REFERENCE: reference or always(), Arm.CANDIDATE: candidate}


def by_request(attempts: list[Attempt]) -> dict[int, list[Attempt]]:
    found: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(attempt.block, []).append(attempt)
    return found


def test_a_failed_request_goes_out_again_until_it_succeeds_and_every_attempt_is_on_record() -> None:
    ran = run(planned(THRICE), both(at_first(REFUSED, until=2)))
    assert {tuple(a.attempt for a in found) for found in by_request(ran.of(Arm.CANDIDATE)).values()} == {(1, 2, 3)}
    assert {a.attempt for a in ran.of(Arm.REFERENCE)} == {1}
    last = [found[-1] for found in by_request(ran.of(Arm.CANDIDATE)).values()]
    assert len(last) == 20
    assert all(attempt.status == 200 for attempt in last)


def test_without_retries_each_request_is_sent_once() -> None:
    ran = run(planned(NEVER), both(always(error(502))))
    assert Counter(a.block for a in ran.of(Arm.CANDIDATE)) == Counter(a.block for a in ran.of(Arm.REFERENCE))
    assert {a.attempt for a in ran.attempts} == {1}


def test_what_is_never_retried_is_sent_once() -> None:
    for reply in (error(400), error(401), error(404), error(503, "no_upstream"), error(402)):
        ran = run(planned(THRICE, n=4), both(always(reply)))
        assert {a.attempt for a in ran.of(Arm.CANDIDATE)} == {1}, reply


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"choices":[{"index":0,"delta":{"content":"ha"}}]}\n\n',  # cut short
        b'data: {"choices":[{"index":0,"delta":{"content":"ha"}}]}\n\ndata: {"error":{"message":"oom"}}\n\n',
    ],
)
def test_a_stream_that_breaks_is_sent_again_as_a_whole_and_what_came_is_kept(body: bytes) -> None:
    broken = Reply(body=body)
    ran = run(planned(THRICE, n=3), both(at_first(broken)))
    for first, second in by_request(ran.of(Arm.CANDIDATE)).values():
        assert (first.attempt, first.length, second.attempt) == (1, 0, 2)  # this journal stores no bytes
        assert first.reads.n_bytes == (len(broken.wire),)
        assert second.request_sha256 == first.request_sha256


def test_a_wait_that_the_server_asks_for_is_kept_outside_of_any_slot() -> None:
    plan = planned(THRICE, n=1, repeats=6, load=1)
    ran = run(plan, both(lambda block, n: error(429, retry_after="30") if block.index == 1 and n == 1 else GOOD))
    first, second = by_request(ran.of(Arm.CANDIDATE))[1]
    waited_s = (second.intended_at_ns - (first.ended_at_ns or 0)) / 1e9
    assert 30 <= waited_s <= 31 + 1  # asked for, jitter, and at most one request that held the slot
    between = [
        a for a in ran.of(Arm.CANDIDATE) if (first.ended_at_ns or 0) <= (a.sent_at_ns or 0) < second.intended_at_ns
    ]
    assert len(between) == 5  # the others of the level went on
    assert ran.senders[Arm.CANDIDATE].most_in_flight == 1


def test_a_longer_wait_than_allowed_is_not_waited_for() -> None:
    ran = run(planned(THRICE, n=4), both(always(error(429, retry_after="61"))))
    assert {a.attempt for a in ran.of(Arm.CANDIDATE)} == {1}


def test_a_504_is_followed_by_one_delayed_attempt_that_is_possibly_cold() -> None:
    ran = run(planned(THRICE, n=3, repeats=1), both(always(error(504))))
    for first, second in by_request(ran.of(Arm.CANDIDATE)).values():
        assert 20 <= (second.intended_at_ns - (first.ended_at_ns or 0)) / 1e9 <= 22
        assert (first.is_possibly_cold, second.is_possibly_cold) == (False, True)


def test_no_more_is_in_flight_than_was_asked_for() -> None:
    ran = run(planned(THRICE, n=20, load=3), both(at_first(error(502), until=2)))
    assert [sender.most_in_flight for sender in ran.senders.values()] == [3, 3]


def test_the_pace_of_the_sides_knows_nothing_of_retries() -> None:
    """A retry far behind holds nobody: the other side goes on to the end of the level."""
    slow = error(429, retry_after="50")
    ran = run(
        planned(THRICE, n=10, repeats=1, load=1, look_ahead=2),
        both(lambda block, n: slow if block.index == 1 and n == 1 else GOOD),
    )
    firsts = [a for a in ran.of(Arm.CANDIDATE) if a.attempt == 1]
    assert max(a.ended_at_ns or 0 for a in (*firsts, *ran.of(Arm.REFERENCE))) < 20e9
    assert max(a.ended_at_ns or 0 for a in ran.of(Arm.CANDIDATE)) > 50e9


def test_a_level_ends_with_its_last_retry_and_none_lands_in_the_next() -> None:
    plan = planned(THRICE, n=5, loads=[1.0, 4.0])
    ran = run(plan, both(at_first(error(502))))
    first_level = [a.ended_at_ns or 0 for a in ran.attempts if a.key.level == 0]
    second_level = [a.intended_at_ns for a in ran.attempts if a.key.level == 1]
    assert max(first_level) <= min(second_level)
    assert Counter(a.attempt for a in ran.of(Arm.CANDIDATE)) == {1: 20, 2: 20}


@pytest.mark.parametrize("process", [Arrival.CONSTANT, Arrival.POISSON])
def test_an_open_loop_keeps_its_schedule_and_retries_come_on_top(process: Arrival) -> None:
    arrival = ArrivalSettings(process=process)
    plan = planned(THRICE, n=20, load=2.0, arrival=arrival)
    ran = run(plan, both(at_first(error(502))))
    due = {block.index: block.due_ns for block in plan.blocks if not block.is_warmup}
    start = min(a.intended_at_ns - (due[a.block] or 0) for a in ran.of(Arm.REFERENCE))
    firsts = [a for a in ran.of(Arm.CANDIDATE) if a.attempt == 1]
    assert [a.intended_at_ns - start for a in firsts] == [due[a.block] for a in firsts]
    assert Counter(a.attempt for a in ran.of(Arm.CANDIDATE)) == {1: 40, 2: 40}


@hypothesis_settings(max_examples=20, deadline=None)
@given(most=st.integers(1, 4), seed=st.integers(0, 1 << 16), load=st.integers(1, 5))
def test_whatever_fails_attempts_end_and_waits_depend_on_the_seed_alone(most: int, seed: int, load: int) -> None:
    chance = random.Random(seed)
    kinds = (REFUSED, error(429, retry_after="2"), error(500), error(504), error(400), GOOD)
    script: dict[tuple[int, int], Reply] = {}

    def answer(block: Block, n: int) -> Reply:
        return GOOD if block.is_warmup else script.setdefault((block.index, n), chance.choice(kinds))

    retries = RetrySettings(max_attempts=most, backoff_s=1, max_backoff_s=4, delayed_s=3, max_wait_s=10)
    plans = [planned(retries, n=5, load=level) for level in (load, load, load + 1)]
    waits = []
    for plan in plans:
        ran = run(plan, both(answer))
        for found in by_request(ran.of(Arm.CANDIDATE)).values():
            assert [a.attempt for a in found] == list(range(1, len(found) + 1))
            assert len(found) <= most
        waits.append(Counter(len(found) for found in by_request(ran.of(Arm.CANDIDATE)).values()))
        assert ran.ended_at_s < 1000
    assert waits[0] == waits[1] == waits[2]


def test_the_same_seed_waits_the_same_whatever_the_load() -> None:
    def waits(load: int) -> dict[int, int]:
        plan = planned(RetrySettings(max_attempts=2, backoff_s=8), n=5, repeats=1, load=load, look_ahead=99)
        found = by_request(run(plan, both(at_first(REFUSED))).of(Arm.CANDIDATE)).values()
        return {first.block: second.intended_at_ns - (first.ended_at_ns or 0) for first, second in found}

    assert waits(20) == waits(30)  # a slot is always free: nothing but the seed's wait stands between two attempts
    assert len(set(waits(20).values())) == 5


def test_retries_count_against_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio_throttle.throttler.time", LoopTime)
    ran = run(planned(THRICE, n=5, repeats=1, load=5), both(at_first(REFUSED, until=2)), requests_per_minute=4)
    admitted = sorted(a.admitted_at_ns or 0 for a in ran.attempts if a.key.arm is Arm.CANDIDATE)
    assert len(admitted) == 16
    assert all(later - earlier >= 59.9e9 for earlier, later in zip(admitted, admitted[4:], strict=False))


def test_a_resumed_part_sends_what_has_no_first_attempt_and_gives_open_retries_up() -> None:
    plan = planned(THRICE, n=5)
    whole = run(plan, both(at_first(error(502))))
    recorded = [a for a in whole.attempts if a.attempt == 1 and a.block < 6]  # their retries were never sent
    rest = run(plan, both(always()), remaining=remaining_after(recorded, ARMS, 1))
    sent = [a for a in (*recorded, *rest.attempts) if a.attempt == 1 and not a.key.is_warmup]
    assert Counter((a.key.arm, a.block) for a in sent) == Counter(
        {(arm, block.index): 1 for arm in ARMS for block in plan.blocks if not block.is_warmup}
    )


def test_what_is_left_is_told_by_first_attempts_alone() -> None:
    """The line of a first attempt was damaged: its retry does not stand for it."""
    plan = planned(THRICE, n=5)
    whole = run(plan, both(at_first(error(502))))
    lost = next(a for a in whole.of(Arm.CANDIDATE) if a.attempt == 1)
    remaining = remaining_after([a for a in whole.attempts if a is not lost], ARMS, 1)
    assert [block.index for block in remaining.blocks(plan, Arm.CANDIDATE, 0)] == [lost.block]


BREAKER = {"breaker": BreakerSettings(unreachable=4, from_the_start=0, without_success=12)}
EARLY = {"breaker": BreakerSettings(unreachable=0, from_the_start=5, without_success=12)}


def test_a_dead_endpoint_ends_the_run_and_what_is_in_flight_lands() -> None:
    ran = run(planned(NEVER, n=40), both(always(REFUSED)), BREAKER)
    assert ran.stopped == "the candidate is dead: 4 requests in a row failed (4 connect)"
    n_candidate = len(ran.of(Arm.CANDIDATE))
    assert 4 <= n_candidate <= 4 + 2
    assert len(ran.of(Arm.REFERENCE)) < 12
    assert all(a.failure is None or a.failure.kind is FailureKind.CONNECT for a in ran.attempts)  # nothing was cut


def test_an_endpoint_that_answers_without_success_ends_it_later() -> None:
    ran = run(planned(NEVER, n=40), both(always(error(500))), BREAKER)
    assert ran.stopped == "the candidate is dead: none of its last 12 requests succeeded (12 server_error)"
    assert 12 <= len(ran.of(Arm.CANDIDATE)) <= 14


def test_a_side_that_never_succeeded_ends_it_early() -> None:
    ran = run(planned(NEVER, n=40, warmup=0), both(always(error(500))), EARLY)
    assert ran.stopped == "the candidate never succeeded: all of its first 5 requests failed (5 server_error)"
    assert 5 <= len(ran.of(Arm.CANDIDATE)) <= 7


def test_one_success_at_the_start_is_enough_to_go_on() -> None:
    answer: Answer = lambda block, _: GOOD if block.is_warmup else error(500)  # noqa: E731
    ran = run(planned(NEVER, n=40), both(answer), EARLY)
    assert ran.stopped == "the candidate is dead: none of its last 12 requests succeeded (12 server_error)"


def test_what_load_may_explain_is_no_early_end() -> None:
    ran = run(planned(NEVER, n=40, warmup=0), both(always(error(503))), EARLY)
    assert ran.stopped == "the candidate is dead: none of its last 12 requests succeeded (12 unavailable)"


def test_one_success_now_and_then_keeps_it_going_and_retries_do_not_count() -> None:
    answer: Answer = lambda block, _: GOOD if block.is_warmup or block.index % 4 == 0 else error(502)  # noqa: E731
    ran = run(planned(THRICE, n=40), both(answer), {"breaker": BreakerSettings(unreachable=4, without_success=8)})
    assert ran.stopped is None
    assert max(a.attempt for a in ran.attempts) == 3


@pytest.mark.parametrize("reply", [error(502), REFUSED])
def test_requests_that_succeed_at_their_second_attempt_do_not_end_the_run(reply: Reply) -> None:
    guard = {"breaker": BreakerSettings(unreachable=8, without_success=15)}
    quick = RetrySettings(max_attempts=3, backoff_s=0.1)
    ran = run(planned(quick, n=20), both(at_first(reply)), guard)
    assert ran.stopped is None
    assert Counter(a.attempt for a in ran.of(Arm.CANDIDATE)) == {1: 40, 2: 40}


@pytest.mark.parametrize("process", [Arrival.CLOSED, Arrival.CONSTANT])
def test_waiting_retries_are_given_up_when_the_run_stops(process: Arrival) -> None:
    answer: Answer = lambda block, _: error(429, retry_after="60") if block.index < 5 else REFUSED  # noqa: E731
    plan = planned(THRICE, n=40, warmup=0, load=2, arrival=ArrivalSettings(process=process))
    ran = run(plan, both(answer), {"breaker": BreakerSettings(unreachable=4, without_success=0)})
    assert ran.stopped is not None
    assert ran.ended_at_s < 30


def test_a_budget_of_requests_is_kept_retries_and_warm_ups_included() -> None:
    ran = run(planned(THRICE, n=40), both(at_first(error(502))), {"budgets": Budgets(max_requests=31)})
    assert ran.stopped == "--max-requests 31 is spent"
    assert len(ran.attempts) == 31


def bounds(answer: int = 100, **prices: float) -> Bounds:
    answers = {f"p{i}": answer for i in range(40)}
    book = Prices(input_per_mtok=1, output_per_mtok=10) if prices.get("priced") else None
    return Bounds(answers=dict.fromkeys(ARMS, answers), prices=dict.fromkeys(ARMS, book))


def test_a_budget_of_tokens_counts_what_usage_says_and_what_is_in_flight_at_its_most() -> None:
    ran = run(planned(NEVER, n=40), both(always()), {"budgets": Budgets(max_tokens=2000), "bounds": bounds()})
    assert ran.stopped == "the next request may pass --max-tokens 2,000"
    used = 50 * len(ran.attempts)  # 30 and 20 of every answer
    assert 2000 - 5 * 130 < used <= 2000  # four in flight and the one that was refused


def test_a_partial_answer_without_usage_counts_as_the_most_it_may_have_been() -> None:
    broken = Reply(body=b'data: {"choices":[{"index":0,"delta":{"content":"ha"}}]}\n\n')
    guard = {"budgets": Budgets(max_tokens=1300), "bounds": bounds()}
    ran = run(planned(NEVER, n=40, warmup=0, load=1), both(always(broken), always(broken)), guard)
    assert len(ran.attempts) == 10  # 130 each


def test_a_refused_request_costs_no_tokens() -> None:
    guard = {"budgets": Budgets(max_tokens=1300), "bounds": bounds()}
    ran = run(planned(NEVER, n=10, warmup=0, load=1), both(always(error(500)), always(error(500))), guard)
    assert ran.stopped is None
    assert len(ran.attempts) == 40


def test_a_budget_of_money_is_kept_to_the_last_part() -> None:
    cost = (30 * 1 + 20 * 10) / 1e6
    guard = {"budgets": Budgets(max_cost=25 * cost), "bounds": bounds(answer=20, priced=True)}
    ran = run(planned(NEVER, n=40, load=1), both(always()), guard)
    assert ran.stopped == f"the next request may pass --max-cost {25 * cost:g}"
    assert len(ran.attempts) == 25


def test_when_the_time_is_over_nothing_more_is_started() -> None:
    ran = run(planned(NEVER, n=40, load=1), both(always()), {"budgets": Budgets(max_time_s=10.5)})
    assert ran.stopped == "--max-time is over: 10.5 s"
    assert ran.ended_at_s == pytest.approx(11.0)  # what was in flight came to its end
    assert all(attempt.status == 200 for attempt in ran.attempts)


def test_a_stop_while_warming_up_ends_the_run_before_its_first_level() -> None:
    ran = run(planned(NEVER, n=5, warmup=4), both(always()), {"budgets": Budgets(max_requests=5)})
    assert ran.stopped is not None
    assert {attempt.key.is_warmup for attempt in ran.attempts} == {True}
    assert len(ran.attempts) == 5


def test_a_resumed_part_finishes_what_a_budget_stopped() -> None:
    plan = planned(NEVER, n=10)
    first = run(plan, both(always()), {"budgets": Budgets(max_requests=23)})
    rest = run(plan, both(always()), remaining=remaining_after(first.attempts, ARMS, 1))
    sent = [a for a in (*first.attempts, *rest.attempts) if not a.key.is_warmup]
    assert Counter((a.key.arm, a.block) for a in sent) == Counter(
        {(arm, block.index): 1 for arm in ARMS for block in plan.blocks if not block.is_warmup}
    )


def test_what_our_user_cut_is_no_sign_of_death() -> None:
    cut = Reply(status=None, failure=Failure(kind=FailureKind.CANCELLED, message="stopped"))
    ran = run(planned(NEVER, n=10), both(always(cut)), BREAKER)
    assert ran.stopped is None
